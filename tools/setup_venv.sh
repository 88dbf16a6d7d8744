#!/usr/bin/env bash
# Make the virtual environment $1 and install $2 ("." or ".[test,lint]") into it, at the versions of constraints.txt.
# Called by the Makefile; safe to run again. On a Raspberry Pi the environment sees the system's picamera2.
set -euo pipefail
venv=$1
what=$2
python=${PYTHON:-python3}
command -v "$python" >/dev/null || { echo "setup: there is no $python; install it: sudo apt-get install python3 python3-venv" >&2; exit 2; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    { echo "setup: $("$python" --version) is too old; Rigloop needs Python 3.10 to 3.13 (set PYTHON=/path/to/python3)" >&2; exit 2; }

make_venv() {
    local options=()
    if "$python" -c 'import picamera2' >/dev/null 2>&1; then options+=(--system-site-packages); fi
    "$python" -m venv "${options[@]}" "$venv"
}
if ! [ -x "$venv/bin/pip" ]; then
    rm -rf "$venv"
    if ! make_venv >/dev/null 2>"$PWD/.venv.err"; then
        rm -rf "$venv"
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            echo "setup: $python cannot make a virtual environment; installing Debian's python3-venv" >&2
            apt-get update -qq && apt-get install -y -qq --no-install-recommends "python$version-venv"
            make_venv
        else
            cat "$PWD/.venv.err" >&2
            echo "setup: $python cannot make a virtual environment; run: sudo apt-get install python3-venv" >&2
            exit 2
        fi
    fi
    rm -f "$PWD/.venv.err"
fi
echo "setup: installing $what into $venv (a few minutes the first time)" >&2
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e "$what"
