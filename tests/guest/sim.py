"""GPIO chips that the kernel simulates (gpio-sim): a Raspberry Pi's and a Jetson's, seen from outside in sysfs."""

from __future__ import annotations

from pathlib import Path

from core.clock import MonotonicClock

CONFIG = Path("/sys/kernel/config/gpio-sim")
CLOCK = MonotonicClock()
BANKS = {"pi": {"pinctrl-bcm2711": 54}, "jetson": {"tegra234-gpio": 164, "tegra234-gpio-aon": 32}}
"""Chips by label, and their lines: those by which rpi-lgpio (the first) and Jetson.GPIO (the labels) know a board."""


def make_banks() -> None:
    """Make the chips of all devices; the Pi's first, so that it is gpiochip0."""
    for device, banks in BANKS.items():
        for number, (label, lines) in enumerate(banks.items()):
            bank = CONFIG / device / f"bank{number}"
            bank.mkdir(parents=True)
            (bank / "num_lines").write_text(str(lines))
            (bank / "label").write_text(label)
        (CONFIG / device / "live").write_text("1")


class SimLine:
    """One line, as the world outside sees it.

    Parameters
    ----------
    line : int
        Number on its chip.
    device : str
        Key of BANKS.
    bank : int
    """

    def __init__(self, line: int, device: str = "pi", bank: int = 0) -> None:
        name = (CONFIG / device / "dev_name").read_text().strip()
        chip = (CONFIG / device / f"bank{bank}" / "chip_name").read_text().strip()
        self._folder = Path("/sys/devices/platform") / name / chip / f"sim_gpio{line}"

    @property
    def high(self) -> bool:
        """The level, now."""
        return (self._folder / "value").read_text().strip() == "1"

    def pull(self, high: bool) -> None:
        """Pull an input up or down."""
        (self._folder / "pull").write_text("pull-up" if high else "pull-down")

    def wait_for(self, high: bool, timeout_s: float = 5.0) -> int:
        """Return when the line has this level (CLOCK_MONOTONIC, ns). Raises AssertionError if it does not come."""
        end = CLOCK.now_ns() + round(timeout_s * 1e9)
        while self.high != high:
            assert CLOCK.now_ns() < end, f"the line did not become {'high' if high else 'low'} in {timeout_s} s"
        return CLOCK.now_ns()
