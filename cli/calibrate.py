"""``rigloop calibrate``: the valve, the speaker or the camera of a rig, measured and stored."""

from __future__ import annotations

import argparse
import importlib


def run(args: argparse.Namespace) -> int:
    """Call ``cli.calibrate_<part>.run(args)``."""
    return int(importlib.import_module(f"cli.calibrate_{args.part}").run(args))
