"""What the commands that train and evaluate pose models share: parsing of options, one line per error."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """argparse, with errors as one line and exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Print one line and end."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def say(text: str, *, error: bool = False) -> None:
    """Print a line for a person, or on stderr."""
    stream = sys.stderr if error else sys.stdout
    stream.write(f"{text}\n")
    stream.flush()


def add_labels(parser: argparse.ArgumentParser) -> None:
    """Add the folders of labelled frames."""
    parser.add_argument(
        "labels",
        metavar="LABELS",
        type=Path,
        nargs="+",
        help="folder of labelled frames with DeepLabCut's CSV (labeled-data/VIDEO), or the CSV",
    )


def number(low: float, high: float) -> Callable[[str], float]:
    """Return a parser of numbers within bounds."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low:g} to {high:g}")
        return value

    return parse


def whole(low: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from ``low``."""

    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < low:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of {low} or more")
        return int(text)

    return parse


def share_of(text: str) -> float:
    """Return a share, from 0.01 to 0.9."""
    return number(0.01, 0.9)(text)


def size_of(text: str) -> tuple[int, int]:
    """Return width and height of ``320x240``."""
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if not match or "0" in match.groups():
        raise argparse.ArgumentTypeError(f"{text!r} is not a width and height, such as 320x240")
    return int(match[1]), int(match[2])
