"""The Arduino's firmware in a simulated chip, driven over a pseudo-terminal by the real driver: lines, pulses, times.

What a pin does is read from the simulator's log, on the chip's own clock where a length is meant.
"""

import re
import statistics

import pytest

from core.errors import OutputError
from hardware import arduino_protocol as protocol
from hardware.arduino_board import ArduinoBoard
from hardware.board import OutputLine
from hardware.boards import make_board
from hardware.guardian_edges import Edges
from hardware.guardian_lines import LineTimer
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
from tests.support.simavr import CLOCK, CLOCK_HZ, Simulator, need_tools
from tests.support.uno import BITS, LED, MS, PATIENT, VALVE, beat, beat_until, pins

need_tools()

pytestmark = pytest.mark.usefixtures("prompt")

PORTS = {OutputLine.VALVE: ("H", 6), OutputLine.SUCCESS_LED: ("B", 4), OutputLine.FAIL_LED: ("B", 6),
         OutputLine.LIGHT: ("A", 0), OutputLine.BEHAVIOUR_TTL: ("F", 0), OutputLine.SYNC: ("K", 7)}  # fmt: skip
NUMBERS = dict(zip(PORTS, (9, 10, 12, 22, 54, 69), strict=True))
"""A Mega's pins, and the ports and bits that its drawing gives for them."""


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
    # Long, so that a host that is held up between the two does not find the line closed.
    timer.pulse(OutputLine.FAIL_LED, 1_000 * MS)
    timer.set(OutputLine.FAIL_LED, True)
    begin = uno.mark()
    beat_until(arduino, lambda: uno.mark() - begin > 1.5 * CLOCK_HZ)
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
