"""The beam-break, and an MPR121 that interrupts, through the real rpi-lgpio, on a line that is pulled from outside.

Bounds are wide and licks slow, as the guest stands still for tens of ms when its host is loaded.
"""

from __future__ import annotations

import os
import signal

from smbus2 import SMBus

from core.clock import MonotonicClock
from core.errors import OutputError
from hardware.feeler import BeamFeeler
from hardware.find_gpio import find_gpio
from hardware.lick import LickReader
from hardware.mpr121 import AFTER_RESET
from hardware.settings import BoardKind, LickKind, LickSettings, PinSettings
from tests.guest.expect import raises, wait_until
from tests.guest.sim import SimLine

CLOCK = MonotonicClock()
PIN = 23
PINS = PinSettings(output_board=BoardKind.rpi_lgpio)
BEAM = LickSettings(lick_sensor=LickKind.beam, lick_pin=PIN)
MS = 1_000_000


def check_each_break_is_a_lick_with_its_time_and_a_killed_process_leaves_the_line_free() -> None:
    outside = SimLine(PIN)
    outside.pull(True)
    reader = LickReader(BEAM, PINS)
    reader.start()
    begun, found = [], []
    for _ in range(10):
        begun.append(CLOCK.now_ns())
        outside.pull(False)
        CLOCK.sleep_until_ns(CLOCK.now_ns() + 120 * MS)
        outside.pull(True)
        CLOCK.sleep_until_ns(CLOCK.now_ns() + 150 * MS)
    wait_until(lambda: (found.extend(reader.read(CLOCK.now_ns())), len(found))[1] >= 10, what="the tenth lick")
    late = sorted(lick.time_ns - time_ns for lick, time_ns in zip(found, begun, strict=True))
    print(f"  edge to lick: median {late[5] / 1e6:.1f} ms, last {late[-1] / 1e6:.1f} ms")
    assert late[0] > 0
    assert late[5] < 100 * MS
    assert reader.reports() == ()
    os.kill(reader.pid, signal.SIGKILL)
    wait_until(lambda: _lost(reader), what="the loss")
    reader.close()
    _beam(True).start()


def _lost(reader: LickReader) -> bool:
    try:
        reader.reports()
    except OutputError:
        return True
    return False


def _beam(broken_low: bool) -> BeamFeeler:
    return BeamFeeler(*find_gpio(PINS), PIN, broken_low, CLOCK)


def check_a_beam_that_is_broken_at_the_start_is_refused_and_its_line_free_again() -> None:
    SimLine(PIN).pull(True)
    for _ in range(2):
        with raises(OutputError, "is broken now"):
            _beam(False).start()
    feeler = _beam(True)
    feeler.start()
    feeler.close()


def check_a_line_that_another_program_has_is_refused() -> None:
    import gpiod

    with (
        gpiod.request_lines("/dev/gpiochip0", consumer="another", config={PIN: gpiod.LineSettings()}),
        raises(OutputError, "another program"),
    ):
        _beam(True).start()


def check_an_mpr121_that_interrupts() -> None:
    outside = SimLine(PIN)
    outside.pull(True)
    settings = LickSettings(lick_sensor=LickKind.mpr121, lick_i2c_bus=0, lick_pin=PIN)
    with SMBus(0) as bus:
        for register in range(0x80):
            bus.write_byte_data(0x5A, register, AFTER_RESET.get(register, 0))
        reader = LickReader(settings, PINS)
        reader.start()
        assert reader.name.endswith(f"interrupts on pin {PIN}")
        begun, found = [], []
        for touching in (True, False) * 5:
            bus.write_byte_data(0x5A, 0x00, int(touching))
            if touching:
                begun.append(CLOCK.now_ns())
            outside.pull(False)
            CLOCK.sleep_until_ns(CLOCK.now_ns() + 100 * MS)
            outside.pull(True)
            CLOCK.sleep_until_ns(CLOCK.now_ns() + 100 * MS)
        wait_until(lambda: (found.extend(reader.read(CLOCK.now_ns())), len(found))[1] >= 5, what="the fifth lick")
        late = sorted(lick.time_ns - time_ns for lick, time_ns in zip(found, begun, strict=True))
        print(f"  interrupt to lick: median {late[2] / 1e6:.1f} ms, last {late[-1] / 1e6:.1f} ms")
        assert late[2] < 100 * MS
        reader.close()
