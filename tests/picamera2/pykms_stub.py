"""Stands in the chroot for pykms, which picamera2 imports for windows on a screen and which Debian does not have."""


class _Names:
    def __getattr__(self, name: str) -> str:
        return name


PixelFormat = _Names()
