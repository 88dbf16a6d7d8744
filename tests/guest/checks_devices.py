"""The guest's devices are what the other checks take them for, without any code of Rigloop's between."""

from __future__ import annotations

from pathlib import Path

from tests.guest.expect import raises
from tests.guest.sim import SimLine


def _lines(number: int):
    import gpiod
    from gpiod.line import Direction, Value

    settings = gpiod.LineSettings(direction=Direction.OUTPUT, output_value=Value.INACTIVE)
    return gpiod.request_lines("/dev/gpiochip0", consumer="check", config={number: settings}), Value


def check_a_line_that_is_set_is_seen_in_sysfs() -> None:
    line = SimLine(17)
    request, value = _lines(17)
    assert not line.high
    request.set_value(17, value.ACTIVE)
    assert line.high
    request.set_value(17, value.INACTIVE)
    assert not line.high
    request.release()


def check_a_line_has_one_owner() -> None:
    request, _ = _lines(18)
    with raises(OSError, "busy"):
        _lines(18)
    request.release()


def check_the_i2c_bus_has_a_chip_at_0x5a_alone() -> None:
    from smbus2 import SMBus

    with SMBus(0) as bus:
        bus.write_byte_data(0x5A, 0x41, 12)
        assert bus.read_byte_data(0x5A, 0x41) == 12
        with raises(OSError, "No such device"):
            bus.read_byte_data(0x5B, 0x41)


def check_there_is_a_video_device() -> None:
    assert Path("/dev/video0").exists()


def check_there_are_sound_cards() -> None:
    cards = Path("/proc/asound/cards").read_text()
    assert "Dummy" in cards
    assert "Loopback" in cards
