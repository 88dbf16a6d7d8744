"""The beam-break and the interrupt line, on lines that the test moves."""

import pytest

from core.clock import VirtualClock
from core.errors import OutputError
from hardware import edge_watch
from hardware.boards import FoundBoard, load_gpio
from hardware.edge_watch import EdgeWatch
from hardware.fake_mpr121 import FakeMpr121
from hardware.feeler import BeamFeeler, InterruptFeeler, PolledFeeler
from hardware.find_gpio import find_gpio
from hardware.settings import BoardKind, LickKind, LickSettings, PinSettings
from tests.support.gpio_inputs import PIN, InputPins

MS = 1_000_000
SETTINGS = LickSettings(lick_sensor=LickKind.mpr121)


@pytest.fixture
def clock(monkeypatch):
    clock = VirtualClock(0)
    monkeypatch.setattr(edge_watch.time, "monotonic_ns", clock.now_ns)
    return clock


def beam(clock, broken_low=True, **pins):
    gpio = InputPins(level=int(broken_low), **pins)
    return BeamFeeler(gpio, gpio.BCM, PIN, broken_low, clock), gpio


@pytest.mark.parametrize("broken_low", [True, False])
def test_a_broken_beam_is_a_touch_with_its_own_time(clock, broken_low):
    feeler, gpio = beam(clock, broken_low)
    feeler.start()
    for time_ns, broken in ((10 * MS, True), (40 * MS, False), (90 * MS, True)):
        clock.sleep_until_ns(time_ns)
        gpio.put(int(broken != broken_low))
    clock.sleep_until_ns(200 * MS)
    assert feeler.look() == [(10 * MS, True), (40 * MS, False), (90 * MS, True)]
    assert feeler.look() == []
    feeler.close()
    feeler.close()
    assert gpio.cleaned == [PIN]


def test_a_touch_that_is_over_before_the_library_looks_is_still_one(clock):
    feeler, gpio = beam(clock)
    feeler.start()
    clock.sleep_until_ns(10 * MS)
    gpio.glitch()
    assert [touch.touching for touch in feeler.look()] == [True, False, True, False]


def test_an_edge_that_the_library_missed_is_found_by_looking(clock):
    feeler, gpio = beam(clock)
    feeler.start()
    gpio._level = 0
    clock.sleep_until_ns(250 * MS)
    assert feeler.look() == [(250 * MS, True)]
    gpio._level = 1
    clock.sleep_until_ns(500 * MS)
    assert feeler.look() == [(500 * MS, False)]


def test_a_beam_that_is_broken_at_the_start_is_refused(clock):
    gpio = InputPins(level=0)
    with pytest.raises(OutputError, match=r"beam-break on pin 4.*is broken now.*lick_beam_broken"):
        BeamFeeler(gpio, gpio.BCM, PIN, True, clock).start()
    assert gpio.cleaned == [PIN]


def test_a_busy_pin(clock):
    feeler, _ = beam(clock, busy=True)
    with pytest.raises(OutputError, match="lick_pin 4: is held by another program"):
        feeler.start()


def test_edges_that_nobody_takes_are_forgotten_and_counted(clock, monkeypatch):
    monkeypatch.setattr(edge_watch, "MOST_EDGES", 4)
    feeler, gpio = beam(clock)
    feeler.start()
    for level in (0, 1, 0, 1, 0, 1):
        gpio.put(level)
    assert feeler.notes() == ["2 edges of the beam-break on pin 4, low when broken were lost"]
    assert feeler.notes() == []


def test_a_jetson_is_not_asked_for_a_pull_resistor(clock):
    for name, pull in (("RPi.GPIO", InputPins.PUD_UP), ("Jetson.GPIO", None)):
        gpio = InputPins(name=name)
        EdgeWatch(gpio, gpio.BCM, PIN, True).close()
        assert gpio.pull == pull


def interrupting(clock, **chip):
    gpio = InputPins()
    bus = FakeMpr121(clock=clock, **chip)
    feeler = InterruptFeeler(PolledFeeler(bus, SETTINGS, clock), gpio, gpio.BCM, PIN, clock)
    feeler.start()
    return feeler, gpio, bus


def test_an_interrupt_stamps_the_touch(clock):
    feeler, gpio, bus = interrupting(clock, touches=[(100 * MS, 130 * MS)])
    clock.sleep_until_ns(104 * MS)
    gpio.put(0)
    clock.sleep_until_ns(109 * MS)
    assert feeler.look() == [(104 * MS, True)]
    gpio.put(1)
    clock.sleep_until_ns(134 * MS)
    gpio.put(0)
    clock.sleep_until_ns(135 * MS)
    assert feeler.look() == [(134 * MS, False)]
    feeler.close()
    feeler.close()
    assert bus.closed
    assert gpio.cleaned == [PIN]


def test_an_interrupt_that_was_lost_is_found_by_looking(clock):
    feeler, _, _ = interrupting(clock, touches=[(100 * MS, 200 * MS)])
    clock.sleep_until_ns(150 * MS)
    assert feeler.look() == [(150 * MS, True)]


def test_a_chip_that_is_not_there_leaves_the_line_free(clock):
    gpio = InputPins()
    bus = FakeMpr121(clock=clock, address=0x5B)
    feeler = InterruptFeeler(PolledFeeler(bus, SETTINGS, clock), gpio, gpio.BCM, PIN, clock)
    with pytest.raises(OutputError, match="nothing answers"):
        feeler.start()
    assert gpio.cleaned == [PIN]


@pytest.mark.parametrize("board", BoardKind)
def test_a_computer_without_gpio_is_told_so(monkeypatch, board):
    monkeypatch.setattr("hardware.find_gpio.find_board", lambda: FoundBoard(None, ""))
    monkeypatch.setattr("hardware.find_gpio.load_gpio", lambda kind: load_gpio(kind, has=lambda name: False))
    with pytest.raises(OutputError, match=r"lick_pin needs the GPIO of a Raspberry Pi or Jetson.*lick_pin = 0"):
        find_gpio(PinSettings(output_board=board))
