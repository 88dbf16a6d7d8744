"""The Arduino's firmware in a simulated chip, driven over a pseudo-terminal by the real driver: bounds, kills, hangs.

What a pin does is read from the simulator's log, on the chip's own clock where a length is meant.
"""

import contextlib
import os
import re
import signal
import statistics
import subprocess
import sys

import pytest

from core.errors import OutputError
from hardware import arduino_protocol as protocol
from hardware.arduino_board import ArduinoBoard, Timing
from hardware.board import OutputLine
from hardware.boards import make_board
from hardware.guardian_edges import Edges
from hardware.guardian_lines import LineTimer
from hardware.settings import BoardKind, PinSettings
from tests.conformance.test_board import (  # noqa: F401 - its tests are run here too, over the firmware
    PINS,
    Case,
    board,
    test_a_bound_longer_than_any_session_is_no_error,
    test_a_closed_board_refuses,
    test_a_line_is_set_and_moves_no_other,
    test_a_line_that_is_not_connected_is_left_alone,
    test_a_sign_of_life_changes_no_line,
    test_all_lines_are_low_when_it_is_made,
    test_close_leaves_all_lines_low,
    test_it_can_be_made_again,
    test_lines_are_set_beside_each_other,
)
from tests.support.simavr import CLOCK, CLOCK_HZ, ROOT, Simulator, build, first_of_all, need_tools

need_tools()

MS = 1_000_000
PATIENT = Timing(boot_s=10, answer_s=0.5, tries=4, lost_s=2.0)
"""For a machine that is busy with other things: whatever is late here is not the firmware's doing."""
VALVE, LED, LIGHT = 9, 8, 10
BITS = {VALVE: 1, LED: 0, LIGHT: 2}
"""Bits of an Uno's port B."""


def pins(path, **more):
    keys = {f"pin_{line.value}": 0 for line in OutputLine} | {"pin_valve": VALVE, "pin_fail_led": LED} | more
    return PinSettings(output_board=BoardKind.arduino, serial_port=str(path), **keys)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(tmp_path_factory.mktemp("arduino"))


@pytest.fixture(autouse=True)
def prompt():
    with first_of_all():
        yield


@pytest.fixture
def uno(built, tmp_path):
    with Simulator(built, tmp_path) as simulator:
        yield simulator


def beat(arduino, seconds, every_ns=5 * MS):
    """Keep a board alive for a while."""
    end = CLOCK.now_ns() + round(seconds * 1e9)
    while CLOCK.now_ns() < end:
        arduino.alive()
        CLOCK.sleep_until_ns(CLOCK.now_ns() + every_ns)


PORTS = {OutputLine.VALVE: ("H", 6), OutputLine.SUCCESS_LED: ("B", 4), OutputLine.FAIL_LED: ("B", 6),
         OutputLine.LIGHT: ("A", 0), OutputLine.BEHAVIOUR_TTL: ("F", 0), OutputLine.SYNC: ("K", 7)}  # fmt: skip
NUMBERS = dict(zip(PORTS, (9, 10, 12, 22, 54, 69), strict=True))
"""A Mega's pins, and the ports and bits that its drawing gives for them."""


def beat_until(arduino, condition, timeout_s=30.0):
    """Keep a board alive until something holds; simulated time may be slower than the host's."""
    end = CLOCK.now_ns() + round(timeout_s * 1e9)
    while not condition():
        assert CLOCK.now_ns() < end, "it never came to that"
        beat(arduino, 0.005)


class FirmwareCase:
    """The conformance suite's case: a Mega, whose levels are read from its simulated pins."""

    def __init__(self, simulator):
        self._simulator = simulator

    def make(self):
        numbers = {f"pin_{line.value}": NUMBERS.get(line, 0) for line in OutputLine}
        return ArduinoBoard(pins(self._simulator.path, **numbers), PATIENT)

    def is_high(self, made, line):
        if line not in PORTS:
            return False
        port, bit = PORTS[line]
        return self._simulator.is_high(bit, port)


@pytest.fixture
def case(built, tmp_path):
    assert set(PORTS) == set(PINS)
    with Simulator(built, tmp_path, "mega") as simulator:
        firmware = FirmwareCase(simulator)
        yield Case(firmware.make, firmware.is_high)


def test_the_hello_tells_what_it_is(uno):
    arduino = ArduinoBoard(pins(uno.path), PATIENT)
    assert arduino.hello == protocol.Hello(1, 1, "U", 8, 5000, 100, 1000, 0)
    assert arduino.levels() == {OutputLine.VALVE: False, OutputLine.FAIL_LED: False}
    arduino.write(OutputLine.FAIL_LED, True)
    assert arduino.levels() == {OutputLine.VALVE: False, OutputLine.FAIL_LED: True}
    arduino.close()


def test_a_config_makes_it_with_its_own_patience(uno, tmp_path):
    """``make_board``, as the guardian calls it: answers within 36 ms, on a machine that is not always free."""
    for _ in range(10):
        try:
            arduino = make_board(pins(uno.path), tmp_path)
            for _ in range(10):
                arduino.write(OutputLine.VALVE, True, 2 * MS)
                beat_until(arduino, lambda: not uno.is_high(BITS[VALVE]))
            arduino.close()
        except OutputError as error:
            if re.search(r"did not answer|has not answered|had not heard", str(error)) is None:
                raise
            CLOCK.sleep_until_ns(CLOCK.now_ns() + 50 * MS)
            continue
        assert len(uno.pulses_us(BITS[VALVE])) >= 10
        return
    pytest.fail("a board that is there was lost ten times")


def test_a_pulse_is_timed_by_the_board_itself(uno):
    """50 ms, and the driver never says stop: the chip's clock is the judge."""
    arduino = ArduinoBoard(pins(uno.path), PATIENT)
    for _ in range(20):
        arduino.write(OutputLine.VALVE, True, 50 * MS)
        beat_until(arduino, lambda: not uno.is_high(BITS[VALVE]))
    beat(arduino, 0.1)
    lengths = uno.pulses_us(BITS[VALVE])
    assert len(lengths) == 20
    # 21 us of it are the firmware's own; the rest is slack for an interrupt in between.
    assert all(50_000 <= length <= 50_100 for length in lengths), lengths
    assert [report.detail for report in arduino.reports()] == ["valve time"] * 20
    arduino.close()


def test_a_pulse_over_a_pulse_has_the_later_end_on_the_boards_own_clock(uno):
    """The guardian's timer asks, and never says stop: without a new bound the pin falls after 1 s."""
    arduino = ArduinoBoard(pins(uno.path), PATIENT)
    timer = LineTimer(Edges(arduino, pins(uno.path), CLOCK.now_ns, lambda _: None))
    timer.pulse(OutputLine.FAIL_LED, 1_000 * MS)
    beat(arduino, 0.05)
    timer.pulse(OutputLine.FAIL_LED, 1_500 * MS)
    beat_until(arduino, lambda: uno.pulses_us(BITS[LED]))
    [length] = uno.pulses_us(BITS[LED])
    assert 1_500_000 < length < 2_500_100
    arduino.close()


def test_a_level_set_within_a_pulse_is_no_longer_bounded_by_the_board(uno):
    arduino = ArduinoBoard(pins(uno.path), PATIENT)
    timer = LineTimer(Edges(arduino, pins(uno.path), CLOCK.now_ns, lambda _: None))
    timer.pulse(OutputLine.FAIL_LED, 300 * MS)
    timer.set(OutputLine.FAIL_LED, True)
    begin = uno.mark()
    beat_until(arduino, lambda: uno.mark() - begin > CLOCK_HZ)
    assert uno.is_high(BITS[LED])
    arduino.close()


def test_the_edge_comes_soon_after_the_command(uno):
    """Bytes at 500000 baud, and the simulator's slices of 0.1 ms; the median, since the machine is shared."""
    arduino = ArduinoBoard(pins(uno.path), PATIENT)
    asked, returned = [], []
    for _ in range(100):
        asked.append(CLOCK.now_ns())
        arduino.write(OutputLine.VALVE, True, 2 * MS)
        returned.append(CLOCK.now_ns())
        beat_until(arduino, lambda: not uno.is_high(BITS[VALVE]))
    rises = [change.host_ns for change, high in uno.edges(BITS[VALVE]) if high]
    assert len(rises) == 100
    assert statistics.median(rise - ask for rise, ask in zip(rises, asked, strict=True)) < 5 * MS
    assert statistics.median(back - ask for back, ask in zip(returned, asked, strict=True)) < 8 * MS
    assert all(back >= rise for back, rise in zip(returned, rises, strict=True)), "it returns when it is done"
    arduino.close()


def hold_open(uno):
    """Keep the valve open by all means until the board closes it; return board, length (us) and why it was closed."""
    arduino = ArduinoBoard(pins(uno.path), PATIENT)
    arduino.write(OutputLine.FAIL_LED, True)
    arduino.write(OutputLine.VALVE, True)
    while uno.is_high(BITS[VALVE]):
        beat(arduino, 0.2)
        with contextlib.suppress(OutputError):
            arduino.write(OutputLine.VALVE, True, 60_000 * MS)
    beat(arduino, 0.2)
    return arduino, uno.pulses_us(BITS[VALVE])[-1], [report.detail for report in arduino.reports()]


def test_no_valve_is_open_for_longer_than_the_firmware_allows(uno):
    """Without a bound of the host's, set high again and again, and with a living host: 5 s from the rise."""
    # Where this process had to wait for more than 0.1 s, the board took it for dead, as it should: once more.
    for _ in range(5):
        arduino, length, why = hold_open(uno)
        if why != ["valve silence"]:
            break
        arduino.close()
        CLOCK.sleep_until_ns(CLOCK.now_ns() + 50 * MS)
    assert why == ["valve bound"]
    assert 5_000_000 <= length <= 5_001_000
    assert uno.is_high(BITS[LED]), "only a valve has that bound"
    with pytest.raises(OutputError, match="valve: refused, the board had closed the line by itself; it must be set"):
        arduino.write(OutputLine.VALVE, True, 50 * MS)
    before = len(uno.pulses_us(BITS[VALVE]))
    arduino.write(OutputLine.VALVE, False)
    arduino.write(OutputLine.VALVE, True, 5 * MS)
    assert uno.await_level(BITS[VALVE], False)
    assert len(uno.pulses_us(BITS[VALVE])) == before + 1
    arduino.close()


DRIVER = """
import sys
from core.clock import MonotonicClock
from hardware.arduino_board import ArduinoBoard, Timing
from hardware.board import OutputLine
from hardware.settings import BoardKind, PinSettings
clock = MonotonicClock()
pins = PinSettings(output_board=BoardKind.arduino, serial_port=sys.argv[1], pin_valve=9, pin_fail_led=8, pin_light=0,
                   pin_behaviour_ttl=0)
arduino = ArduinoBoard(pins, Timing(boot_s=10, answer_s=0.5, tries=4, lost_s=10.0))
arduino.write(OutputLine.FAIL_LED, True)
arduino.write(OutputLine.VALVE, True)
print("open", flush=True)
while True:
    arduino.alive()
    clock.sleep_until_ns(clock.now_ns() + 5_000_000)
"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP])
def test_a_driver_that_dies_with_the_valve_open(uno, sent):
    """The firmware's watchdog: the valve within 0.1 s, the rest within 1 s."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    closed, dark = [], []
    for _ in range(12):
        command = [sys.executable, "-c", DRIVER, str(uno.path)]
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as driver:
            try:
                assert driver.stdout.readline() == b"open\n"
                CLOCK.sleep_until_ns(CLOCK.now_ns() + 150 * MS)
                if not uno.is_high(BITS[VALVE]):
                    # The machine kept the driver waiting for more than 0.1 s: it was closed rightly, and shows nothing.
                    continue
                driver.send_signal(sent)
                at = uno.mark()
                for bit, times in ((BITS[VALVE], closed), (BITS[LED], dark)):
                    assert uno.await_level(bit, False)
                    times.append((uno.edges(bit)[-1][0].cycle - at) / CLOCK_HZ)
            finally:
                driver.kill()
        if len(closed) == 4:
            break
    assert len(closed) == 4, "a heartbeat keeps it open"
    # Since the last heartbeat, which was 5 ms before or is still on its way; on the chip's clock.
    assert all(time < 0.12 for time in closed), closed
    assert all(time < 1.02 for time in dark), dark
    assert statistics.median(closed) > 0.05, closed
    assert statistics.median(dark) > 0.9, dark


def test_a_driver_that_was_silent_is_told_so(uno):
    arduino = ArduinoBoard(pins(uno.path), PATIENT)
    arduino.write(OutputLine.VALVE, True)
    assert uno.await_level(BITS[VALVE], False)
    heard = []
    beat_until(arduino, lambda: heard.extend(arduino.reports()) or heard)
    assert [report.detail for report in heard] == ["valve silence"]
    arduino.write(OutputLine.VALVE, False)
    arduino.write(OutputLine.FAIL_LED, True)
    assert uno.await_level(BITS[LED], False)
    with pytest.raises(OutputError, match="the board has restarted, or had not heard of this computer for too long"):
        beat(arduino, 5)
    with pytest.raises(OutputError, match="the board has restarted"):
        arduino.write(OutputLine.VALVE, True)
    arduino.close()
    again = ArduinoBoard(pins(uno.path), PATIENT)
    again.write(OutputLine.FAIL_LED, True)
    assert uno.is_high(BITS[LED])
    again.close()


@pytest.mark.parametrize("letter", ["X", "Y", "Z"], ids=["clock", "interrupts on", "interrupts off"])
def test_a_firmware_that_hangs_with_the_valve_open(built, tmp_path, letter):
    """Its hardware watchdog resets it within 0.13 s; the driver sees it and a new one works."""
    with Simulator(built, tmp_path, firmware="hanging") as uno:
        arduino = ArduinoBoard(pins(uno.path), Timing(boot_s=10, answer_s=0.1, tries=2, lost_s=0.3))
        arduino.write(OutputLine.VALVE, True)
        arduino._line.write(protocol.encode(protocol.Message(200, letter)))
        end = CLOCK.now_ns() + 5_000 * MS
        while uno.is_high(BITS[VALVE]):
            # A host that goes on talking does not feed the watchdog.
            arduino._line.write(protocol.encode(protocol.Message(201, "H")))
            CLOCK.sleep_until_ns(CLOCK.now_ns() + 10 * MS)
            assert CLOCK.now_ns() < end, "the watchdog never came"
        assert uno.pulses_us(BITS[VALVE])[0] < 300_000
        assert uno.await_resets(2), "the terminal's opening, and the watchdog"
        with pytest.raises(OutputError, match="restarted"):
            beat(arduino, 5)
        arduino.close()
        again = ArduinoBoard(pins(uno.path), PATIENT)
        again.write(OutputLine.VALVE, True, 5 * MS)
        assert uno.await_level(BITS[VALVE], False)
        assert len(uno.pulses_us(BITS[VALVE])) == 2
        again.close()
