"""What tests of the Arduino's firmware share: an Uno's pins, and a host that keeps it alive."""

from hardware.arduino_board import Timing
from hardware.board import OutputLine
from hardware.settings import BoardKind, PinSettings
from tests.support.simavr import CLOCK

MS = 1_000_000
PATIENT = Timing(boot_s=10, answer_s=0.5, tries=4, lost_s=2.0)
"""For a machine that is busy with other things: whatever is late here is not the firmware's doing."""
VALVE, LED, LIGHT = 9, 8, 10
BITS = {VALVE: 1, LED: 0, LIGHT: 2}
"""Bits of an Uno's port B."""


def pins(path, **more):
    """Return the settings of a board on this port."""
    keys = {f"pin_{line.value}": 0 for line in OutputLine} | {"pin_valve": VALVE, "pin_fail_led": LED} | more
    return PinSettings(output_board=BoardKind.arduino, serial_port=str(path), **keys)


def beat(arduino, seconds, every_ns=5 * MS):
    """Keep a board alive for a while."""
    end = CLOCK.now_ns() + round(seconds * 1e9)
    while CLOCK.now_ns() < end:
        arduino.alive()
        CLOCK.sleep_until_ns(CLOCK.now_ns() + every_ns)


def beat_until(arduino, condition, timeout_s=30.0):
    """Keep a board alive until something holds; simulated time may be slower than the host's."""
    end = CLOCK.now_ns() + round(timeout_s * 1e9)
    while not condition():
        assert CLOCK.now_ns() < end, "it never came to that"
        beat(arduino, 0.005)
