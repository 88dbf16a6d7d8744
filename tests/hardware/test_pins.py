"""Pins that clash, that cannot be lines, or that the computer drives by itself."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.board import OutputLine
from hardware.header import BCM_OF_PLACE, PLACE_OF_BCM, POWER_OF_PLACE, bcm_of
from hardware.pins import connected, pin_problems
from hardware.settings import BoardKind, LickKind, LickSettings, Numbering, PinSettings

NONE = PinSettings(pin_valve=0, pin_fail_led=0, pin_light=0, pin_behaviour_ttl=0)
BOARD = {"pin_numbering": Numbering.board}
UNO = {"output_board": BoardKind.arduino, "serial_port": "/dev/ttyACM0"}
MEMORY = {"output_board": BoardKind.memory}
TOUCH = {"lick_sensor": LickKind.mpr121}
BEAM = {"lick_sensor": LickKind.beam, "lick_pin": 22}

WRONG = {
    "one pin twice": ({"pin_valve": 5, "pin_light": 5}, {}, "pin_light", "pin_valve and pin_light are both 5; give"),
    "no such line": ({"pin_light": 28}, {}, "pin_light", "pin_light 28: the header has no such pin (pin_numbering"),
    "beyond the header": ({"pin_light": 41, **BOARD}, {}, "pin_light", "give one from 3 to 40"),
    "ground": ({"pin_valve": 9, **BOARD}, {}, "pin_valve", "pin_valve 9 is ground on the header"),
    "5 V": ({"pin_valve": 2, **BOARD}, {}, "pin_valve", "pin_valve 2 is 5 V on the header"),
    "3.3 V": ({"pin_valve": 17, **BOARD}, {}, "pin_valve", "pin_valve 17 is 3.3 V on the header"),
    "ID": ({"pin_sync": 27, **BOARD}, {}, "pin_sync", "pin_sync 27 reads the memory of add-on boards (BCM 0)"),
    "console": ({"pin_light": 14}, {}, "pin_light", "pin_light 14 carries the serial console at start (BCM 14)"),
    "console, BOARD": ({"pin_light": 10, **BOARD}, {}, "pin_light", "carries the serial console at start (BCM 15)"),
    "valve pulled up": ({"pin_valve": 2}, {}, "pin_valve", "is pulled up when the computer starts (BCM 2): water"),
    "on the MPR121's bus": ({"pin_light": 3}, TOUCH, "pin_light", "I2C bus 1 (BCM 3), which the MPR121 is on"),
    "on a Jetson's bus": (
        {"pin_light": 3, "output_board": BoardKind.jetson_gpio}, {}, "pin_light", "is an I2C line of a Jetson (BCM 3)",
    ),
    "Arduino's serial line": ({"pin_light": 1, **UNO}, {}, "pin_light", "1 is the Arduino's serial line"),
    "beyond an Arduino": ({"pin_light": 70, **UNO}, {}, "pin_light", "70: no Arduino has this pin; give one from 2"),
    "Arduino's LED": ({"pin_valve": 13, **UNO}, {}, "pin_valve", "13 is the Arduino's own LED, which its boot loader"),
    "Arduino without a port": ({"output_board": BoardKind.arduino}, {}, "output_board", "give serial_port, such as"),
    "sync": ({"sync_interval_s": (2.0, 1.0)}, {}, "sync_interval_s", "write 1, 2"),
    "lick without end": ({}, {"lick_touch": 6, "lick_release": 6}, "lick_release", "6 is not below lick_touch 6"),
    "beam without pin": ({}, {**BEAM, "lick_pin": 0}, "lick_sensor", "a beam-break needs its pin; give lick_pin"),
    "lick on an output": ({"pin_light": 22}, BEAM, "lick_pin", "lick_pin and pin_light are both 22; give each a pin"),
    "lick on ground": (BOARD, {**BEAM, "lick_pin": 6}, "lick_pin", "lick_pin 6 is ground on the header"),
    "memory, no such pin": ({"pin_valve": 400, **MEMORY}, {}, "pin_valve", "the header has no such pin"),
    "memory, pulled up": ({"pin_valve": 2, **MEMORY}, {}, "pin_valve", "is pulled up when the computer starts"),
    "memory, an Arduino's LED": ({"pin_valve": 13, **UNO, **MEMORY}, {}, "pin_valve", "the Arduino's own LED"),
    "interrupt on the bus": ({}, {**TOUCH, "lick_pin": 2}, "lick_pin", "lick_pin 2 is a line of the MPR121's I2C bus"),
}  # fmt: skip
GOOD = {
    "the defaults": ({}, {}),
    "all lines": ({f"pin_{line.value}": pin for line, pin in zip(OutputLine, range(17, 24), strict=True)}, {}),
    "I2C pins without I2C": ({"pin_light": 3}, {}),
    "I2C pins, the MPR121 elsewhere": ({"pin_light": 3}, {**TOUCH, "lick_i2c_bus": 4}),
    "BOARD": ({"pin_valve": 13, "pin_light": 40, **BOARD}, {}),
    "an Arduino's pins": ({"pin_valve": 9, "pin_light": 14, "pin_sync": 69, **UNO}, {}),
    "13 for what is no valve": ({"pin_valve": 9, "pin_fail_led": 13, **UNO}, {}),
    "memory for a header": ({"pin_valve": 27, **MEMORY}, {}),
    "memory for an Arduino": ({"pin_valve": 69, **UNO, **MEMORY}, {}),
    "lick pin beside an Arduino": ({"pin_light": 22, **UNO}, BEAM),
    "a beam": ({}, BEAM),
    "polled": ({}, TOUCH),
    "equal intervals": ({"sync_interval_s": (1.0, 1.0)}, {}),
}


@pytest.mark.parametrize(("pins", "licks", "key", "text"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named_with_its_cure(pins, licks, key, text):
    found = list(pin_problems(replace(NONE, **pins), LickSettings(**licks)))
    assert len(found) == 1
    keys, said = found[0]
    assert keys[0] == key
    assert text in said
    assert "\n" not in said


@pytest.mark.parametrize(("pins", "licks"), GOOD.values(), ids=GOOD.keys())
def test_what_can_be_used(pins, licks):
    base = PinSettings() if not pins else NONE
    assert list(pin_problems(replace(base, **pins), LickSettings(**licks))) == []


def test_all_that_is_wrong_is_told():
    pins = replace(NONE, pin_valve=2, pin_light=14, pin_sync=14, sync_interval_s=(3.0, 1.0))
    assert len(list(pin_problems(pins, LickSettings()))) == 5


names = {each.name for each in fields(PinSettings) if each.name.startswith("pin_") and each.name != "pin_numbering"}


@given(
    st.fixed_dictionaries({name: st.integers(0, 400) for name in names}),
    st.sampled_from(Numbering), st.sampled_from(BoardKind), st.sampled_from(LickKind), st.integers(0, 400),
)  # fmt: skip
def test_pins_without_a_finding_are_lines_of_their_own(numbers, numbering, board, sensor, lick_pin):
    pins = PinSettings(output_board=board, pin_numbering=numbering, serial_port="p", **numbers)
    licks = LickSettings(lick_sensor=sensor, lick_pin=lick_pin)
    found = list(pin_problems(pins, licks))
    keys = {each.name for settings in (pins, licks) for each in fields(settings)}
    assert all(set(blamed) <= keys for blamed, _ in found)
    if found:
        return
    used = list(connected(pins).values())
    assert len(set(used)) == len(used)
    if board not in (BoardKind.arduino, BoardKind.memory):
        assert {bcm_of(pin, numbering) for pin in used} <= set(range(2, 28))
        assert sensor is LickKind.none or lick_pin not in used
    if board in (BoardKind.arduino, BoardKind.memory):
        assert all(2 <= pin <= 69 for pin in used)


def test_the_header():
    assert sorted(PLACE_OF_BCM) == list(range(28))
    assert sorted([*BCM_OF_PLACE, *POWER_OF_PLACE]) == list(range(1, 41))


@pytest.mark.parametrize(("bcm", "place"), [(27, 13), (12, 32), (21, 40), (17, 11), (2, 3), (4, 7), (26, 37)])
def test_places_as_they_are_printed(bcm, place):
    """The default pins and some others, from the Raspberry Pi's own drawing of its header."""
    assert bcm_of(bcm, Numbering.bcm) == bcm_of(place, Numbering.board) == bcm


def test_there_is_a_key_for_each_line():
    assert set(connected(replace(NONE, **dict.fromkeys(names, 5)))) == set(OutputLine)
