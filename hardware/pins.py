"""Which pins a rig's settings name, and whether they can be used together. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from hardware.board import OutputLine
from hardware.header import BCM_OF_PLACE, I2C_LINES, ID_LINES, POWER_OF_PLACE, SERIAL_LINES, bcm_of
from hardware.settings import BoardKind, LickKind, LickSettings, Numbering, PinSettings

Finding = tuple[tuple[str, ...], str]
"""Keys of config.ini, the one to blame first; and what is wrong with them, with the cure."""

LAST_ARDUINO_PIN = 69
"""A15 of a Mega; an Uno ends at 19 (A5), which is known once it is connected."""
ARDUINO_LED = 13
ELSEWHERE = {BoardKind.arduino, BoardKind.memory}
"""Boards whose output lines are not on this computer's header."""


def connected(pins: PinSettings) -> dict[OutputLine, int]:
    """Return the pin of each line that is connected."""
    named = {line: getattr(pins, f"pin_{line.value}") for line in OutputLine}
    return {line: pin for line, pin in named.items() if pin != 0}


def pin_problems(pins: PinSettings, licks: LickSettings) -> Iterator[Finding]:
    """Yield what is wrong with the pins, and with the sync line and the lick sensor that hang on them."""
    yield from _shared(pins)
    for line, pin in connected(pins).items():
        key = f"pin_{line.value}"
        if _like_arduino(pins):
            yield from _on_arduino(key, pin)
        else:
            yield from _on_header(key, pin, pins.pin_numbering)
            yield from _on_i2c(key, pin, pins, licks)
    if pins.output_board is BoardKind.arduino and not pins.serial_port:
        yield ("output_board", "serial_port"), "an Arduino needs its port; give serial_port, such as /dev/ttyACM0"
    shortest, longest = pins.sync_interval_s
    if shortest > longest:
        text = f"sync_interval_s {shortest:g}, {longest:g} begins with the longer; write {longest:g}, {shortest:g}"
        yield ("sync_interval_s",), text
    yield from _lick_problems(pins, licks)


def _like_arduino(pins: PinSettings) -> bool:
    """Whether the pins are an Arduino's; also those that lines in memory rehearse, where its port is given."""
    return pins.output_board is BoardKind.arduino or (pins.output_board is BoardKind.memory and bool(pins.serial_port))


def _shared(pins: PinSettings) -> Iterator[Finding]:
    """Two lines on one pin."""
    for (one, pin), (other, its) in combinations(connected(pins).items(), 2):
        if pin == its:
            text = f"pin_{one.value} and pin_{other.value} are both {pin}; give each a pin of its own, or 0 for none"
            yield (f"pin_{other.value}", f"pin_{one.value}"), text


def _on_arduino(key: str, pin: int) -> Iterator[Finding]:
    if pin == 1:
        yield (key, "output_board"), f"{key} 1 is the Arduino's serial line; give a pin from 2 to {LAST_ARDUINO_PIN}"
    elif pin > LAST_ARDUINO_PIN:
        text = f"{key} {pin}: no Arduino has this pin; give one from 2 to 19 (Uno) or {LAST_ARDUINO_PIN} (Mega)"
        yield (key, "output_board"), text
    elif pin == ARDUINO_LED and key == "pin_valve":
        text = f"{key} 13 is the Arduino's own LED, which its boot loader blinks: water would come; give another pin"
        yield (key, "output_board"), text


def _on_header(key: str, pin: int, numbering: Numbering) -> Iterator[Finding]:
    """A pin that the header has not, or that the computer drives by itself when it starts."""
    keys = (key, "pin_numbering")
    if numbering is Numbering.board and pin in POWER_OF_PLACE:
        yield keys, f"{key} {pin} is {POWER_OF_PLACE[pin]} on the header (pin_numbering board); give another pin"
        return
    bcm = bcm_of(pin, numbering)
    if bcm is None:
        last = "2 to 27" if numbering is Numbering.bcm else f"{min(BCM_OF_PLACE)} to 40"
        text = f"{key} {pin}: the header has no such pin (pin_numbering {numbering.value}); give one from {last}"
        yield keys, text
    elif bcm in ID_LINES:
        yield keys, f"{key} {pin} reads the memory of add-on boards (BCM {bcm}); give another pin"
    elif bcm in SERIAL_LINES:
        yield keys, f"{key} {pin} carries the serial console at start (BCM {bcm}); give another pin"


def _on_i2c(key: str, pin: int, pins: PinSettings, licks: LickSettings) -> Iterator[Finding]:
    bcm = bcm_of(pin, pins.pin_numbering)
    if bcm not in I2C_LINES[1]:
        return
    if pins.output_board is BoardKind.jetson_gpio:
        yield (key, "pin_numbering"), f"{key} {pin} is an I2C line of a Jetson (BCM {bcm}); give another pin"
    elif key == "pin_valve":
        text = f"{key} {pin} is pulled up when the computer starts (BCM {bcm}): water would come; give another pin"
        yield (key, "pin_numbering"), text
    elif licks.lick_sensor is LickKind.mpr121 and licks.lick_i2c_bus == 1:
        text = f"{key} {pin} is a line of I2C bus 1 (BCM {bcm}), which the MPR121 is on; give another pin"
        yield (key, "lick_i2c_bus", "lick_sensor"), text


def _lick_problems(pins: PinSettings, licks: LickSettings) -> Iterator[Finding]:
    if licks.lick_release >= licks.lick_touch:
        text = f"lick_release {licks.lick_release} is not below lick_touch {licks.lick_touch}: a lick would never end"
        yield ("lick_release", "lick_touch"), f"{text}; lower lick_release or raise lick_touch"
    if licks.lick_sensor is LickKind.none:
        return
    if licks.lick_pin == 0:
        if licks.lick_sensor is LickKind.beam:
            yield ("lick_sensor", "lick_pin"), "a beam-break needs its pin; give lick_pin"
        return
    yield from _on_header("lick_pin", licks.lick_pin, pins.pin_numbering)
    bcm = bcm_of(licks.lick_pin, pins.pin_numbering)
    bus = I2C_LINES.get(licks.lick_i2c_bus, frozenset())
    if licks.lick_sensor is LickKind.mpr121 and bcm in bus and bcm not in ID_LINES:
        text = f"lick_pin {licks.lick_pin} is a line of the MPR121's I2C bus (BCM {bcm}); give another pin, or 0"
        yield ("lick_pin", "lick_i2c_bus"), text
    if pins.output_board in ELSEWHERE:
        return
    for line, pin in connected(pins).items():
        if pin == licks.lick_pin:
            text = f"lick_pin and pin_{line.value} are both {pin}; give each a pin of its own"
            yield ("lick_pin", f"pin_{line.value}"), text
