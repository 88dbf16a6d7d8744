#!/usr/bin/env bash
# Install DeepLabCut-Live with PyTorch (the extra pose) into the environment $1. Safe to run again.
set -euo pipefail
venv=$1
"$venv/bin/python" -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || {
    echo "install_pose: DeepLabCut-Live needs Python below 3.13, $venv has $("$venv/bin/python" --version | cut -d' ' -f2);" \
        "make one with: make clean, then PYTHON=/path/to/python3.12 make setup pose" >&2
    exit 2
}
echo "install_pose: installing DeepLabCut-Live and PyTorch into $venv (6 GB on a PC; some minutes)" >&2
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[insilico,pose]"
"$venv/bin/python" -W ignore -c 'import dlclive, torch; print(f"install_pose: PyTorch {torch.__version__}, GPU: {torch.cuda.is_available()}")' >&2
