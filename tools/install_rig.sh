#!/usr/bin/env bash
# Install what real cameras, sound, GPIO and I2C need: Debian packages, then Python libraries into the environment $1.
# $2: "ci" for what the tests of real devices need; else what this board needs (pi, jetson or pc, found by its model).
# Lists of Debian packages are tools/debian-*.txt. Safe to run again; each step says what to do where it cannot be done.
set -euo pipefail
venv=$1
board=${2:-}
tools=$(dirname "$0")
model=$(tr -d '\0' </proc/device-tree/model 2>/dev/null || true)
if [ -z "$board" ]; then
    case "$model" in
        *"Raspberry Pi"*) board=pi ;;
        *Jetson* | *Orin* | *NVIDIA*) board=jetson ;;
        *) board=pc ;;
    esac
fi
echo "install_rig: this is a $board${model:+ ($model)}" >&2

case "$board" in
    ci) lists=(speaker sound-tests arduino genicam guest page) extras=rig,test,lint ;;
    pi) lists=(speaker pi genicam) extras=rig ;;
    jetson) lists=(speaker jetson genicam) extras=rig,jetson ;;
    pc) lists=(speaker genicam) extras=rig ;;
    *) echo "install_rig: no such board: $board; use ci, pi, jetson or pc" >&2; exit 2 ;;
esac

packages=$(for list in "${lists[@]}"; do sed 's/#.*//' "$tools/debian-$list.txt"; done | xargs)
if [ "$(id -u)" = 0 ]; then sudo=""
elif command -v sudo >/dev/null; then sudo=sudo
else sudo=none
fi
missing=""
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || missing+=" $package"
done
if [ -n "$missing" ]; then
    if [ "$sudo" = none ]; then
        echo "install_rig: run as root: apt-get install --no-install-recommends$missing" >&2
        exit 2
    fi
    echo "install_rig: installing$missing" >&2
    $sudo apt-get update -qq
    # shellcheck disable=SC2086  # a list of words
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

# picamera2, its libcamera and rpi-lgpio come as Debian packages: the environment has to see them.
case "$board" in
    pi) sed -i 's/^include-system-site-packages = false/include-system-site-packages = true/' "$venv/pyvenv.cfg" ;;
esac
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[insilico,$extras]"
case "$board" in
    pi) if [ "$sudo" = none ]; then echo "install_rig: run as root: $tools/strict_gpio.sh" >&2; exit 2; fi
        $sudo bash "$tools/strict_gpio.sh" ;;
esac
echo "install_rig: done; see what is there with: rigloop doctor" >&2
