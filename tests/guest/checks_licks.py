"""The MPR121's driver, and the lick process with it, on the kernel's i2c-stub through the real smbus2.

The stub keeps what is written and knows nothing of the chip: what a reset leaves, and touches, are written here. It
keeps words apart from bytes: what is read as a word must be written as one.
"""

from __future__ import annotations

from smbus2 import SMBus

from core.clock import MonotonicClock
from core.errors import OutputError
from hardware.feeler import PolledFeeler
from hardware.lick import LickReader
from hardware.mpr121 import AFTER_RESET, Mpr121
from hardware.settings import LickKind, LickSettings, PinSettings
from hardware.smbus import open_smbus
from tests.guest.expect import raises, wait_until

CLOCK = MonotonicClock()
AT = 0x5A
SETTINGS = LickSettings(lick_sensor=LickKind.mpr121, lick_i2c_bus=0, lick_touch=14, lick_release=7, lick_channel=10)


def _after_reset(bus: SMBus) -> None:
    for register in range(0x80):
        bus.write_word_data(AT, register, AFTER_RESET.get(register, 0))


def _touch(bus: SMBus, touching: bool) -> int:
    bus.write_word_data(AT, 0x00, 1 << 10 if touching else 0)
    return CLOCK.now_ns()


def check_settings_are_written_and_read_back() -> None:
    with SMBus(0) as bus:
        _after_reset(bus)
        ours = open_smbus(0)
        chip = Mpr121(ours, SETTINGS, CLOCK)
        chip.start()
        assert bus.read_i2c_block_data(AT, 0x55, 2) == [14, 7]
        assert bus.read_byte_data(AT, 0x5E) == 0x8B
        assert bus.read_byte_data(AT, 0x5D) == 0x20
        assert not chip.touching()
        _touch(bus, True)
        assert chip.touching()
        bus.write_word_data(AT, 0x00, 0x03FF)
        assert not chip.touching()
        bus.write_word_data(AT, 0x00, 0x8000)
        with raises(OutputError, "REXT"):
            chip.touching()
        ours.close()


def check_a_channel_out_of_range_is_refused() -> None:
    with SMBus(0) as bus:
        _after_reset(bus)
        bus.write_word_data(AT, 0x02, 1 << 10)
        with raises(OutputError, "cannot measure channel 10"):
            Mpr121(open_smbus(0), SETTINGS, CLOCK).start()


def check_no_chip_another_chip_and_no_bus_are_told_apart() -> None:
    with SMBus(0) as bus:
        _after_reset(bus)
        bus.write_byte_data(AT, 0x5D, 0)
    elsewhere = LickSettings(lick_sensor=LickKind.mpr121, lick_i2c_bus=0, lick_i2c_address=0x5B)
    with raises(OutputError, "nothing answers as MPR121 at 0x5B on /dev/i2c-0 (No such device"):
        Mpr121(open_smbus(0), elsewhere, CLOCK).start()
    with raises(OutputError, "is no MPR121"):
        Mpr121(open_smbus(0), SETTINGS, CLOCK).start()
    reader = LickReader(LickSettings(lick_sensor=LickKind.mpr121, lick_i2c_bus=7), PinSettings())
    with raises(OutputError, "there is no I2C bus /dev/i2c-7"):
        reader.start()
    reader.close()


def check_each_touch_is_a_lick_with_its_time() -> None:
    with SMBus(0) as bus:
        _after_reset(bus)
        reader = LickReader(SETTINGS, PinSettings())
        reader.start()
        touched, found = [], []
        for _ in range(10):
            touched.append(_touch(bus, True))
            CLOCK.sleep_until_ns(CLOCK.now_ns() + 100_000_000)
            _touch(bus, False)
            CLOCK.sleep_until_ns(CLOCK.now_ns() + 100_000_000)
        wait_until(lambda: (found.extend(reader.read(CLOCK.now_ns())), len(found))[1] >= 10, what="the tenth lick")
        late = sorted(lick.time_ns - time_ns for lick, time_ns in zip(found, touched, strict=True))
        print(f"  touch to lick: median {late[5] / 1e6:.1f} ms, last {late[-1] / 1e6:.1f} ms")
        # The write is seen some us before it returns here.
        assert late[0] > -20_000_000
        assert late[5] < 80_000_000
        assert reader.reports() == ()
        reader.close()
        assert bus.read_byte_data(AT, 0x5E) == 0, "the chip was not put to sleep"


def check_a_chip_that_lost_its_settings_is_set_up_anew() -> None:
    with SMBus(0) as bus:
        _after_reset(bus)
        feeler = PolledFeeler(open_smbus(0), SETTINGS, CLOCK)
        feeler.start()
        _after_reset(bus)
        wait_until(lambda: not feeler.look() and "had lost its settings" in "".join(feeler.notes()), what="the note")
        assert bus.read_byte_data(AT, 0x5E) == 0x8B
        feeler.close()
