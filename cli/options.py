"""Options that several commands share. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "config.ini"
CAMERAS = ("pi", "genicam", "jetson", "usb", "replay", "synthetic", "simulated")


def a_path(text: str) -> Path:
    """Return a path that was given. Raises ArgumentTypeError for an empty text, which would be the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty; give a path, such as . for this folder")
    return Path(text)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add ``--config``."""
    parser.add_argument("--config", metavar="FILE", type=Path, default=CONFIG, help="default: %(default)s")


def add_set(parser: argparse.ArgumentParser) -> None:
    """Add ``--set``."""
    parser.add_argument(
        "--set", metavar="key=value", action="append", default=[], help="override one key; may be repeated"
    )


def add_data_root(parser: argparse.ArgumentParser) -> None:
    """Add ``--data-root``, for commands that read or write a mouse's folder."""
    parser.add_argument("--data-root", metavar="DIR", help="where sessions are stored, instead of data_root")
