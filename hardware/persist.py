"""Whether the kernel keeps an output's level when its owner dies, as those of Raspberry Pi OS do, and how to mend it.

Upstream kernels make a line an input when the process that asked for it ends, so that a pull-down closes the valve. The
Raspberry Pi kernel's driver has a parameter ``persist_gpio_outputs`` (raspberrypi/linux pull requests 6117 and 6150)
that keeps the level instead: pinctrl_bcm2835, and pinctrl_rp1 for the header of a Pi 5. It is about lines that a
program holds through the kernel (rpi-lgpio). RPi.GPIO maps the chip's registers: its lines keep their level whatever
the parameter says.

The parameter is read here. ``make rig`` sets it (``tools/strict_gpio.sh``): only root can, and not in mid-session.
"""

from __future__ import annotations

from contextlib import suppress
from enum import Enum
from pathlib import Path

MODULES = Path("/sys/module")
CURE = (
    "run make rig again, or add the line dtparam=strict_gpiod to /boot/firmware/config.txt, and restart; solder a "
    "pull-down to the valve's line in any case"
)


class Persist(Enum):
    """What becomes of an output when its owner dies."""

    kept = "kept"
    dropped = "dropped"
    unknown = "unknown"


def read_persist(modules: Path = MODULES) -> Persist:
    """Return what the kernel's drivers of pins say; ``unknown`` where none does (no Pi, or a kernel without it).

    ``kept`` if one of several keeps its outputs: which of them drives the header is not told.
    """
    values = {"y": Persist.kept, "1": Persist.kept, "n": Persist.dropped, "0": Persist.dropped}
    states = set()
    for parameter in modules.glob("pinctrl_*/parameters/persist_gpio_outputs"):
        with suppress(OSError):
            text = parameter.read_text(encoding="ascii", errors="replace").strip().lower()
            states.add(values.get(text, Persist.unknown))
    return next(
        (state for state in (Persist.kept, Persist.unknown, Persist.dropped) if state in states), Persist.unknown
    )


def describe_persist(persist: Persist, *, mapped: bool = False) -> str:
    """Return one line for a person, with the cure where there is something to cure.

    ``mapped``: the library writes the chip's registers past the kernel (RPi.GPIO's own), which then drops nothing.
    """
    if mapped:
        return (
            "RPi.GPIO drives its lines past the kernel, and an output stays high when its program is killed, whatever "
            "persist_gpio_outputs says: set output_board to rpi_lgpio, solder a pull-down to the valve's line in any "
            "case, and put a one-shot before the valve (docs/explanation/water-safety.md)"
        )
    if persist is Persist.kept:
        return f"this kernel keeps an output high when the program that drives it is killed: {CURE}"
    if persist is Persist.dropped:
        return "this kernel drops an output when the program that drives it is killed"
    return "this kernel does not say whether an output stays high when the program that drives it is killed"
