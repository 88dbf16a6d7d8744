#!/usr/bin/env bash
# Runs a Python module of this repository in the chroot of folder $1, as root; the repository is seen there, read-only.
# Call it under `unshare --mount`, so that its mounts go with it.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
system=$(cd "$1" && pwd)/trixie
shift
mount -t proc proc "$system/proc"
mount --bind "$root" "$system/mnt/rigloop"
mount -o remount,bind,ro "$system/mnt/rigloop"
# libcamera 0.4's virtual pipeline never writes a frame's status, and picamera2 drops what is not a success, which is 0:
# with these, glibc gives memory that is zero (and freed memory that is not), so that the status is always the same.
memory=glibc.malloc.perturb=255:glibc.malloc.tcache_count=0
exec chroot "$system" env -i HOME=/root LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1 \
    LIBCAMERA_LOG_LEVELS='*:FATAL' LD_PRELOAD=/opt/dmashim.so "GLIBC_TUNABLES=$memory" \
    sh -c 'cd /mnt/rigloop && exec /opt/picamera2/bin/python -X faulthandler -m "$@"' sh "$@"
