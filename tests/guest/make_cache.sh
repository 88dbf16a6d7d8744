#!/usr/bin/env bash
# Makes in folder $1 what the guest boots from: a Debian kernel, an initramfs with its modules and gpio-sim, and the Python
# libraries that cannot stand beside each other in one environment. Minutes the first time, nothing after that.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
mkdir -p "$1"
cache=$(cd "$1" && pwd)
python=${2:-$root/.venv/bin/python}
packages=$root/tools/debian-guest.txt
say() { echo "guest: $*" >&2; }

install_packages() {
    local missing=()
    for name in $(grep -v '^#' "$packages"); do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    [ "${#missing[@]}" = 0 ] && [ "${1:-}" != newest ] && return
    if [ "$(id -u)" != 0 ]; then
        say "needs Debian packages; run: sudo apt-get install --no-install-recommends ${missing[*]:-linux-headers-amd64}"
        exit 2
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends \
        "${missing[@]}" linux-headers-amd64 >/dev/null
}

# The kernel whose headers are installed: the newest, as linux-headers-amd64 brings it.
newest_release() { ls -d /usr/src/linux-headers-*-amd64 | sed 's/.*linux-headers-//' | sort -V | tail -1; }

# As root apt fetches as user _apt, who may not write into every folder.
fetch() { (cd "$1" && apt-get -o APT::Sandbox::User=root download -qq "$2" >/dev/null); }

download() {
    local folder=$1 version
    version=$(dpkg-query -W -f '${Version}' "linux-headers-$release")
    rm -rf "$folder" && mkdir -p "$folder"
    fetch "$folder" "linux-image-$release=$version" || fetch "$folder" "linux-image-$release" || return 1
    # gpio-sim hardly changes: the source of a neighbouring version will do.
    fetch "$folder" "linux-source-6.1=$version" || fetch "$folder" linux-source-6.1
}

unpack() {
    local folder=$1 tree=linux-source-6.1
    dpkg -x "$folder"/linux-image-*.deb "$folder/image"
    dpkg -x "$folder"/linux-source-*.deb "$folder/source"
    tar -C "$folder" -xJf "$folder/source/usr/src/$tree.tar.xz" --occurrence=1 \
        $tree/drivers/gpio/gpio-sim.c $tree/drivers/gpio/gpiolib.h $tree/kernel/irq/irq_sim.c
    mkdir -p "$folder/gpio"
    cp "$folder/$tree"/drivers/gpio/{gpio-sim.c,gpiolib.h} "$folder/$tree/kernel/irq/irq_sim.c" "$folder/gpio"
    rm -rf "${folder:?}/source" "${folder:?}/$tree" "$folder"/*.deb
}

# Debian's kernel has neither gpio-sim nor the interrupt simulator it needs: both go into one module, which exports
# nothing, and calls a function that modules may call.
build_gpio_sim() {
    local folder=$1
    printf 'obj-m := gpio-simx.o\ngpio-simx-y := gpio-sim.o irq_sim.o\n' > "$folder/Makefile"
    sed -i 's/^EXPORT_SYMBOL_GPL.*//; s/handle_simple_irq(irq_to_desc(irqnum));/generic_handle_irq(irqnum);/' \
        "$folder/irq_sim.c"
    make -s -C "/usr/src/linux-headers-$release" M="$folder" modules >"$folder/log" 2>&1 || { cat "$folder/log" >&2; return 1; }
}

# Writes the modules and their order; a module that another has brought is not loaded twice.
collect_modules() {
    local image=$1 into=$2 name options path
    mkdir -p "$image/lib/modules/$release/extra" "$into"
    cp "$3" "$image/lib/modules/$release/extra/"
    depmod -b "$image" "$release"
    : > "$into/order"
    grep -v '^#' "$here/modules.txt" | while read -r name options; do
        modprobe -d "$image" -S "$release" --show-depends "$name" | while read -r verb path _; do
            [ "$verb" = insmod ] || continue
            local file; file=$(basename "$path")
            grep -q "^$file\b" "$into/order" && continue
            cp "$path" "$into/$file"
            if [ "${file%.ko}" = "${name//_/-}" ] || [ "${file%.ko}" = "$name" ]; then
                echo "$file $options" >> "$into/order"
            else
                echo "$file" >> "$into/order"
            fi
        done
    done
}

make_kernel() {
    local work=$cache/work
    say "making the kernel $release (a few minutes, once)"
    if ! download "$work"; then
        say "Debian has no kernel $release any more; installing the newest headers"
        install_packages newest
        release=$(newest_release)
        download "$work"
    fi
    unpack "$work"
    build_gpio_sim "$work/gpio"
    mkdir -p "$work/ird/bin"
    cp /bin/busybox "$work/ird/bin/busybox"
    for name in sh mount mkdir insmod sed switch_root; do ln -s busybox "$work/ird/bin/$name"; done
    cp "$here/init" "$work/ird/init"
    collect_modules "$work/image" "$work/ird/modules" "$work/gpio/gpio-simx.ko"
    (cd "$work/ird" && find . | cpio -o -H newc --quiet | gzip -1) > "$cache/initramfs.gz"
    cp "$work/image/boot/vmlinuz-$release" "$cache/vmlinuz"
    rm -rf "${work:?}"
    echo "$mark" > "$cache/kernel"
}

# rpi-lgpio and Jetson.GPIO both bring a package RPi, as RPi.GPIO does: each has a folder of its own.
make_libraries() {
    say "installing GPIO libraries"
    rm -rf "${cache:?}"/{lgpio,jetson,common}
    pip() { "$python" -m pip install --quiet --disable-pip-version-check -c "$root/constraints.txt" --target "$@"; }
    pip "$cache/lgpio" rpi-lgpio
    pip "$cache/jetson" --no-deps Jetson.GPIO
    pip "$cache/common" smbus2 gpiod
    echo "$libraries" > "$cache/libraries"
}

install_packages
release=$(newest_release)
mark="$release $(cat "$here/make_cache.sh" "$here/init" "$here/modules.txt" | sha256sum)"
libraries=$(cat "$here/make_cache.sh" "$root/constraints.txt" | sha256sum)
[ "$(cat "$cache/kernel" 2>/dev/null)" = "$mark" ] || make_kernel
[ "$(cat "$cache/libraries" 2>/dev/null)" = "$libraries" ] || make_libraries
