#!/usr/bin/env python3
"""Habituation: two cameras are recorded, and the mouse is given water at fixed intervals, whatever it does.

    python behavior/record_two_cameras.py --mouse ID [the options of `rigloop run`]

The experiment is a section of config.ini; nothing of it is chosen here.
"""

import os.path
import sys

if __name__ == "__main__":
    # Python puts this folder first; the project's packages are one up.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    from cli.start import leave_on_signals

    leave_on_signals()
    from cli.bootstrap import run_experiment

    sys.exit(run_experiment("two_cameras"))
