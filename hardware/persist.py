"""Whether the kernel keeps an output's level when its owner dies, as those of Raspberry Pi OS do, and how to mend it.

Upstream kernels make a line an input when the process that asked for it ends, so that a pull-down closes the valve. The
Raspberry Pi kernel's driver has a parameter ``persist_gpio_outputs`` (raspberrypi/linux pull requests 6117 and 6150)
that keeps the level instead.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path

PARAMETER = Path("/sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs")
CURE = (
    "add the line dtparam=strict_gpiod to /boot/firmware/config.txt (or pinctrl_bcm2835.persist_gpio_outputs=n to "
    "/boot/firmware/cmdline.txt) and restart; solder a pull-down to the valve's line in any case"
)


class Persist(Enum):
    """What becomes of an output when its owner dies."""

    kept = "kept"
    dropped = "dropped"
    unknown = "unknown"


def read_persist(parameter: Path = PARAMETER) -> Persist:
    """Return what the kernel's parameter says; ``unknown`` where there is none (no Pi, or a kernel without it)."""
    try:
        text = parameter.read_text(encoding="ascii", errors="replace").strip().lower()
    except OSError:
        return Persist.unknown
    return {"y": Persist.kept, "1": Persist.kept, "n": Persist.dropped, "0": Persist.dropped}.get(text, Persist.unknown)


def stop_persist(parameter: Path = PARAMETER) -> bool:
    """Try to have the kernel drop outputs; return whether it says that it does. Lasts until the next restart."""
    if read_persist(parameter) is Persist.kept:
        try:
            parameter.write_text("N", encoding="ascii")
        except OSError:
            return False
    return read_persist(parameter) is Persist.dropped


def describe_persist(persist: Persist) -> str:
    """Return one line for a person, with the cure where there is something to cure."""
    if persist is Persist.kept:
        return f"this kernel keeps an output high when the program that drives it is killed: {CURE}"
    if persist is Persist.dropped:
        return "this kernel drops an output when the program that drives it is killed"
    return "this kernel does not say whether an output stays high when the program that drives it is killed"
