"""The MPR121's driver on the simulated chip, and what the simulated chip refuses."""

import dataclasses
import errno

import pytest

from core.clock import VirtualClock
from core.errors import OutputError
from hardware.fake_mpr121 import FakeMpr121
from hardware.feeler import PolledFeeler
from hardware.mpr121 import Mpr121
from hardware.settings import LickKind, LickSettings
from hardware.smbus import open_smbus

SETTINGS = LickSettings(lick_sensor=LickKind.mpr121)
AT = SETTINGS.lick_i2c_address
S = 1_000_000_000


def make(settings=SETTINGS, **faults):
    clock = VirtualClock(0)
    bus = FakeMpr121(clock=clock, channel=settings.lick_channel, **faults)
    return Mpr121(bus, settings, clock), bus, clock


def test_after_the_start_the_chip_runs_with_the_settings():
    settings = dataclasses.replace(SETTINGS, lick_channel=3, lick_touch=20, lick_release=9)
    chip, bus, _ = make(settings)
    chip.start()
    assert bus.running
    assert bus.registers[0x41 + 6 : 0x41 + 8] == [20, 9]
    assert bus.registers[0x5E] == 0x84
    # 4 samples, one each ms: a touch is felt after 4 ms, not 64.
    assert bus.registers[0x5D] & 0x1F == 0
    assert bus.registers[0x7D:0x80] == [201, 130, 180]
    assert chip.running()


def test_a_chip_that_ran_before_is_set_up_anew():
    chip, bus, _ = make()
    chip.start()
    bus.registers[0x41] = 99
    chip.start()
    assert bus.registers[0x41] == SETTINGS.lick_touch


@pytest.mark.parametrize("channel", [0, 7, 8, 11])
def test_touches_of_the_channel_are_seen(channel):
    chip, _, clock = make(dataclasses.replace(SETTINGS, lick_channel=channel), touches=[(1 * S, 2 * S)])
    chip.start()
    assert not chip.touching()
    clock.sleep_until_ns(1 * S)
    assert chip.touching()
    clock.sleep_until_ns(2 * S)
    assert not chip.touching()


def test_touches_of_another_channel_are_not():
    settings = dataclasses.replace(SETTINGS, lick_channel=5)
    clock = VirtualClock(0)
    chip = Mpr121(FakeMpr121(clock=clock, channel=2, touches=[(0, 9 * S)]), settings, clock)
    chip.start()
    assert not chip.touching()


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ({"address": 0x5B}, r"nothing answers as MPR121 at 0x5A on /dev/i2c-1 \(No such device.*i2cdetect -y 1"),
        ({"fails": [(0, S)]}, r"nothing answers .*Remote I/O error.*lick_i2c_address"),
        ({"other_chip": True}, r"is no MPR121 \(after a reset 0x5C is 0x00.*check lick_i2c_address"),
        ({"forgetful": True}, r"does not keep what is written to register 0x41 \(0C 06 was written, 00 00 is read"),
        ({"out_of_range": True}, r"cannot measure channel 0.*[Ss]horten"),
        ({"over_current_ns": 0}, r"too much current.*REXT"),
    ],
)
def test_what_is_wrong_is_said_with_its_cure_in_one_line(faults, words):
    chip, _, _ = make(**faults)
    with pytest.raises(OutputError, match=words) as caught:
        chip.start()
    assert "\n" not in str(caught.value)


def test_a_driver_of_the_kernel_that_has_the_chip():
    chip, bus, _ = make()

    def refuse(*_):
        raise OSError(errno.EBUSY, "busy")

    bus.write_byte_data = refuse
    with pytest.raises(OutputError, match=r"taken by a driver of the kernel.*dtoverlay"):
        chip.start()


def test_too_much_current_while_it_runs():
    chip, _, clock = make(over_current_ns=5 * S)
    chip.start()
    clock.sleep_until_ns(5 * S)
    with pytest.raises(OutputError, match="REXT"):
        chip.touching()


def test_a_chip_that_lost_its_settings_is_set_up_anew_and_that_is_said():
    clock = VirtualClock(0)
    bus = FakeMpr121(clock=clock, resets_ns=[2 * S], touches=[(5 * S, 6 * S)])
    feeler = PolledFeeler(bus, SETTINGS, clock)
    feeler.start()
    for tenth in range(1, 52):
        clock.sleep_until_ns(tenth * S // 10)
        touches = feeler.look()
        if touches:
            break
    assert [touch.touching for touch in touches] == [True]
    assert feeler.notes() == [
        "MPR121 at 0x5A on /dev/i2c-1 had lost its settings, and was set up anew: check its supply"
    ]
    assert feeler.notes() == []


def test_looks_give_changes_alone():
    clock = VirtualClock(0)
    bus = FakeMpr121(clock=clock, touches=[(1 * S, 2 * S)])
    feeler = PolledFeeler(bus, SETTINGS, clock)
    feeler.start()
    found = []
    for tenth in range(1, 31):
        clock.sleep_until_ns(tenth * S // 10)
        found += feeler.look()
    assert found == [(1 * S, True), (2 * S, False)]
    feeler.close()
    feeler.close()
    assert bus.closed
    assert not bus.running


def test_the_simulated_chip_refuses_settings_while_it_runs():
    chip, bus, _ = make()
    chip.start()
    with pytest.raises(OSError, match="0x41 cannot be written now"):
        bus.write_byte_data(AT, 0x41, 5)
    bus.write_byte_data(AT, 0x5E, 0)
    bus.write_byte_data(AT, 0x41, 5)
    assert bus.read_byte_data(AT, 0x41) == 5


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda bus: bus.read_byte_data(0x5C, 0), OSError),
        (lambda bus: bus.write_byte_data(AT, 0x00, 1), OSError),
        (lambda bus: bus.write_byte_data(AT, 0x41, 256), ValueError),
        (lambda bus: bus.read_byte_data(AT, 0x81), ValueError),
        (lambda bus: bus.read_i2c_block_data(AT, 0, 33), ValueError),
        (lambda bus: (bus.close(), bus.read_byte_data(AT, 0)), OSError),
    ],
)
def test_the_simulated_chip_refuses_what_no_chip_takes(call, kind):
    with pytest.raises(kind):
        call(FakeMpr121(clock=VirtualClock(0)))


def test_only_the_right_word_resets_the_simulated_chip():
    bus = FakeMpr121(clock=VirtualClock(0))
    bus.write_byte_data(AT, 0x41, 7)
    bus.write_byte_data(AT, 0x80, 0x62)
    assert bus.read_byte_data(AT, 0x41) == 7
    bus.write_byte_data(AT, 0x80, 0x63)
    assert bus.read_byte_data(AT, 0x41) == 0


def test_a_bus_that_is_not_there(monkeypatch):
    with pytest.raises(OutputError, match=r"no I2C bus /dev/i2c-251 \(lick_i2c_bus = 251\).*raspi-config"):
        open_smbus(251)


@pytest.mark.parametrize(
    ("error", "words"),
    [(PermissionError(13, "Permission denied"), "usermod -aG i2c"), (OSError(5, "Input/output error"), "lick_i2c_bus")],
)
def test_a_bus_that_cannot_be_opened(monkeypatch, error, words):
    import smbus2

    def refuse(number):
        raise error

    monkeypatch.setattr(smbus2, "SMBus", refuse)
    with pytest.raises(OutputError, match=words):
        open_smbus(1)


def test_smbus2_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "smbus2", None)
    with pytest.raises(OutputError, match="smbus2 is not installed; run: make rig"):
        open_smbus(1)
