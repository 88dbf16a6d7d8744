"""The real picamera2 and libcamera, on a virtual camera in a chroot: `make picamera2`."""
