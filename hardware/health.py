"""Whether this computer is fit to keep time: power, heat, throttling, governor, clock. Files under /sys, read only.

``root`` stands for ``/`` and is another folder in tests. A file that is not there tells nothing: that is no fault.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

HOT_C = 80.0
"""A Raspberry Pi throttles from 80 degrees C on, a Jetson Orin later."""
SOURCES = ("tsc", "arch_sys_counter", "arch_mem_timer", "kvm-clock")
"""Clock sources that the kernel reads without a slow bus."""
_NOW = {
    0: "the supply is below 4.63 V",
    1: "its clock is capped",
    2: "it is throttled",
    3: "it is at its soft heat limit",
}
_SINCE = {16: "the supply was below 4.63 V", 17: "its clock was capped", 18: "it was throttled",
          19: "it was at its soft heat limit"}  # fmt: skip
POWER_CURE = "use the board's own power supply and a short cable, and power USB devices from a hub"
HEAT_CURE = "mount a heat sink and a fan"


class Zone(NamedTuple):
    """One thermometer.

    Attributes
    ----------
    name : str
    celsius : float
    """

    name: str
    celsius: float


def read_text(path: Path) -> str | None:
    """Return what a small file says, stripped; None where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return None


def throttled_bits(root: Path) -> int | None:
    """Return the firmware's throttling bits of a Raspberry Pi; None on another computer."""
    for path in sorted(root.glob("sys/devices/platform/soc*/soc*:firmware/get_throttled")):
        text = read_text(path)
        try:
            return int(text or "", 16)
        except ValueError:
            continue
    return None


def undervoltage_alarm(root: Path) -> bool | None:
    """Return whether the supply of a Raspberry Pi has been too low since the alarm was last reset; None without one."""
    for folder in sorted(root.glob("sys/class/hwmon/hwmon*")):
        if read_text(folder / "name") == "rpi_volt":
            text = read_text(folder / "in0_lcrit_alarm")
            return None if text is None else text == "1"
    return None


def zones(root: Path) -> tuple[Zone, ...]:
    """Return the thermometers that work."""
    found = []
    for folder in sorted(root.glob("sys/class/thermal/thermal_zone*")):
        text = read_text(folder / "temp")
        try:
            celsius = int(text or "") / 1000
        except ValueError:
            continue
        # Zones that are switched off tell 0, -273 or less.
        if celsius > 0:
            found.append(Zone(read_text(folder / "type") or folder.name, celsius))
    return tuple(found)


def governors(root: Path) -> tuple[str, ...]:
    """Return the frequency governors in use, each once; empty where the clock is fixed or not told."""
    found = [read_text(path) for path in sorted(root.glob("sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"))]
    return tuple(dict.fromkeys(text for text in found if text))


def clock_source(root: Path) -> str | None:
    """Return what the kernel takes the time from."""
    return read_text(root / "sys/devices/system/clocksource/clocksource0/current_clocksource")


def power_warnings(root: Path) -> list[str]:
    """Return what is wrong with power and heat, a line each with the cure; for a session's start, and the doctor."""
    lines = []
    bits = throttled_bits(root) or 0
    for table in (_NOW, _SINCE):
        for bit, text in table.items():
            if bits >> bit & 1:
                cure = POWER_CURE if bit % 16 == 0 else HEAT_CURE
                when = "" if bit < 16 else " since it was switched on"
                lines.append(f"this Raspberry Pi says that {text}{when}; {cure}")
    if not bits & 1 << 16 and undervoltage_alarm(root):
        lines.append(f"the supply's voltage was too low; {POWER_CURE}")
    lines += [f"{zone.name} is at {zone.celsius:.0f} C; {HEAT_CURE}" for zone in zones(root) if zone.celsius >= HOT_C]
    return lines


def clock_warnings(root: Path) -> list[str]:
    """Return what makes this computer late or its clock slow, a line each with the cure."""
    lines = [
        f"the processor's governor is {name}, which lets it sleep; set performance (sudo cpupower frequency-set -g "
        "performance, or write it to scaling_governor)"
        for name in governors(root)
        if name != "performance"
    ]
    source = clock_source(root)
    if source is not None and source not in SOURCES:
        lines.append(
            f"the clock source is {source}, slow to read; choose one of {', '.join(SOURCES)} with clocksource= on the "
            "kernel's command line"
        )
    return lines
