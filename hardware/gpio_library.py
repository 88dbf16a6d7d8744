"""Which of three libraries it is that is imported as ``RPi.GPIO``, and how a wrong one is removed.

RPi.GPIO, rpi-lgpio and Jetson.GPIO all bring a package of that name. Where two of them are installed, the one that is
found first is imported: one of a virtual environment before one of the system. In one folder the later has overwritten
the earlier. So what is installed does not tell; the source of the module that is found does.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

RPI_GPIO, RPI_LGPIO, JETSON_GPIO = "RPi.GPIO", "rpi-lgpio", "Jetson.GPIO"
MODULE = "RPi.GPIO"
_SIGNS = (("from RPi._GPIO import", RPI_GPIO), ("import lgpio", RPI_LGPIO), ("from Jetson.GPIO import", JETSON_GPIO))
"""What each has in its source: RPi.GPIO 0.7, rpi-lgpio 0.6, Jetson.GPIO 2.1."""
_DEBIAN = {RPI_GPIO: "python3-rpi.gpio", RPI_LGPIO: "python3-rpi-lgpio"}
_DEBIAN_FOLDER = Path("/usr/lib/python3/dist-packages")


def library_of(source: Path) -> str:
    """Return the distribution that a module's file is of; empty where it is none of the three or cannot be read."""
    try:
        text = source.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return next((library for sign, library in _SIGNS if sign in text), "")


def found_source() -> Path | None:
    """Return the file that ``import RPi.GPIO`` would read, without importing it; None where there is none."""
    try:
        spec = find_spec(MODULE)
    except (ImportError, ValueError):
        return None
    return None if spec is None or spec.origin is None else Path(spec.origin)


def imported_library() -> str:
    """Return the distribution that ``import RPi.GPIO`` would bring, without importing it; empty where none would."""
    source = found_source()
    return "" if source is None else library_of(source)


def removal(library: str, needed: str, source: Path) -> str:
    """Return how to have ``needed`` instead of the ``library`` that lies at ``source``."""
    if library in _DEBIAN and _DEBIAN_FOLDER in source.parents:
        return f"run: sudo apt remove {_DEBIAN[library]}"
    # In one folder the two share files: what is left of the needed one may be half a package.
    return f"run: {pip()} uninstall -y {library} {needed} && {pip()} install {needed}"


def pip() -> str:
    """Return the pip of this interpreter, so that what it does is done to this environment."""
    return f"{sys.executable} -m pip"
