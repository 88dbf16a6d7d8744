#!/usr/bin/env bash
# Makes in folder $1 a Debian system with the real libcamera and picamera2, from the mirror and the package index that
# this machine is set up to use. Needs root. A few minutes the first time, nothing after that.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
mkdir -p "$1"
cache=$(cd "$1" && pwd)
python=${2:-$root/.venv/bin/python}
release=trixie
system=$cache/$release
say() { echo "picamera2: $*" >&2; }

made_of=(make_chroot.sh dmashim.c pykms_stub.py virtual.yaml packages.txt requirements.txt)
mark="$release $(cd "$here" && cat "${made_of[@]}" | sha256sum)"
[ "$(cat "$cache/made" 2>/dev/null)" = "$mark" ] && exit 0
if [ "$(id -u)" != 0 ]; then
    say "a chroot can be made and entered by root only; run: sudo make picamera2"
    exit 2
fi
# Its mounts are its own, and go with it, however it ends.
if [ "${3:-}" != inside ]; then
    exec unshare --mount --propagation private "$0" "$1" "$python" inside
fi

install_debootstrap() {
    command -v debootstrap >/dev/null && return
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends \
        $(grep -v '^#' "$root/tools/debian-picamera2.txt") >/dev/null
}

# The first of the addresses apt is set up with that has the release.
find_mirror() {
    local address probe
    probe=$(mktemp)
    for address in $(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sort -u); do
        if /usr/lib/apt/apt-helper -o APT::Sandbox::User=root download-file "${address%/}/dists/$release/InRelease" \
            "$probe" >/dev/null 2>&1; then
            rm -f "$probe"
            echo "${address%/}"
            return
        fi
    done
    rm -f "$probe"
    say "none of the mirrors in /etc/apt has Debian $release"
    return 1
}

in_chroot() {
    chroot "$system" env PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"
}

make_system() {
    local mirror packages
    mirror=$(find_mirror)
    say "making a Debian $release in $system (a few minutes, once)"
    rm -rf --one-file-system "$system"
    debootstrap --variant=minbase "$release" "$system" "$mirror" >"$cache/log" 2>&1 ||
        { tail -5 "$cache/log" >&2; return 1; }
    mount -t proc proc "$system/proc"
    packages=$(grep -v '^#' "$here/packages.txt")
    # shellcheck disable=SC2086  # a list of words
    in_chroot apt-get install -y -qq --no-install-recommends $packages >>"$cache/log" 2>&1 ||
        { tail -5 "$cache/log" >&2; return 1; }
    in_chroot apt-get clean
    rm -rf "$system"/var/lib/apt/lists/* "$system"/usr/share/{doc,man,locale}/*
}

# Fetched outside, where pip is set up; installed inside, without a network.
make_libraries() {
    local version wheels=$system/root/wheels
    version=$(in_chroot python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    say "installing picamera2 for Python $version"
    rm -rf "$wheels" && mkdir -p "$wheels"
    fetch() { "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$wheels" "$@"; }
    grep -v pidng "$here/requirements.txt" >"$wheels/wheels.txt"
    fetch --python-version "$version" --only-binary=:all: --requirement "$wheels/wheels.txt"
    fetch "$(grep pidng "$here/requirements.txt")"  # has no wheel
    in_chroot python3 -m venv --system-site-packages /opt/picamera2
    in_chroot /opt/picamera2/bin/pip install --quiet --no-index --no-deps --no-build-isolation --no-cache-dir \
        --find-links /root/wheels $(sed 's/=.*//' "$here/requirements.txt")
    cp "$here/pykms_stub.py" "$(echo "$system"/opt/picamera2/lib/python*/site-packages)/pykms.py"
    rm -rf "$wheels"
}

make_camera() {
    mkdir -p "$system/usr/share/libcamera/pipeline/virtual" "$system/mnt/rigloop"
    cp "$here/virtual.yaml" "$system/usr/share/libcamera/pipeline/virtual/"
    cp "$here/dmashim.c" "$system/root/"
    in_chroot gcc -Wall -Wextra -Werror -O2 -shared -fPIC -o /opt/dmashim.so /root/dmashim.c -ldl
}

rm -f "$cache/made"
install_debootstrap
make_system
make_libraries
make_camera
echo "$mark" >"$cache/made"
