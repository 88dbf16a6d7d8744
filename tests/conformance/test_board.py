"""What every board of output lines must do. A new implementation is one more line in CASES.

``tests/realtime/test_arduino.py`` runs these tests over the Arduino's firmware too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from core.errors import OutputError
from hardware.board import Board, OutputLine
from hardware.fake_gpio import FakeGpio
from hardware.gpio import GpioBoard
from hardware.settings import Numbering, PinSettings

PINS = {line: 17 + index for index, line in enumerate(OutputLine) if line is not OutputLine.BRAIN_TTL}
"""All lines but one, in BCM numbers: 17 to 23."""
MS = 1_000_000


@dataclass(frozen=True)
class Case:
    """One implementation.

    Attributes
    ----------
    make : callable
        Makes the board, with every line connected but ``brain_ttl``.
    is_high : callable
        Tells whether a line is high now, from the other end of the wire.
    """

    make: Callable[[], Board]
    is_high: Callable[[Board, OutputLine], bool]


class GpioCase:
    """A board on a fake GPIO module."""

    def __init__(self, numbering: Numbering, pins: dict[OutputLine, int]) -> None:
        self._pins = pins
        self._numbering = numbering
        self._gpio = FakeGpio(lambda: 0)

    def make(self) -> Board:
        self._gpio = FakeGpio(lambda: 0)
        keys = {f"pin_{line.value}": self._pins.get(line, 0) for line in OutputLine}
        return GpioBoard(PinSettings(pin_numbering=self._numbering, **keys), self._gpio)

    def is_high(self, board: Board, line: OutputLine) -> bool:
        return self._gpio.levels.get(self._pins.get(line, -1), False)


GPIO = {
    "gpio, bcm": GpioCase(Numbering.bcm, PINS),
    "gpio, board": GpioCase(Numbering.board, dict(zip(PINS, (11, 12, 13, 15, 16, 18), strict=True))),
}
CASES = {name: Case(gpio.make, gpio.is_high) for name, gpio in GPIO.items()}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture
def board(case: Case) -> Iterator[Board]:
    made = case.make()
    yield made
    made.close()


def high(case: Case, board: Board) -> set[OutputLine]:
    return {line for line in OutputLine if case.is_high(board, line)}


def test_all_lines_are_low_when_it_is_made(case: Case, board: Board) -> None:
    assert high(case, board) == set()


@pytest.mark.parametrize("line", PINS, ids=lambda line: line.value)
def test_a_line_is_set_and_moves_no_other(case: Case, board: Board, line: OutputLine) -> None:
    board.write(line, True)
    assert high(case, board) == {line}
    board.write(line, True)
    assert high(case, board) == {line}
    board.write(line, False)
    assert high(case, board) == set()


def test_lines_are_set_beside_each_other(case: Case, board: Board) -> None:
    board.write(OutputLine.LIGHT, True)
    board.write(OutputLine.VALVE, True, 2_000 * MS)
    assert high(case, board) == {OutputLine.LIGHT, OutputLine.VALVE}
    board.write(OutputLine.VALVE, False)
    assert high(case, board) == {OutputLine.LIGHT}


def test_a_line_that_is_not_connected_is_left_alone(case: Case, board: Board) -> None:
    board.write(OutputLine.BRAIN_TTL, True, 100 * MS)
    assert high(case, board) == set()


def test_a_sign_of_life_changes_no_line(case: Case, board: Board) -> None:
    board.write(OutputLine.LIGHT, True)
    for _ in range(20):
        board.alive()
    assert high(case, board) == {OutputLine.LIGHT}


def test_a_bound_longer_than_any_session_is_no_error(case: Case, board: Board) -> None:
    board.write(OutputLine.LIGHT, True, 24 * 3600 * 1000 * MS)
    assert high(case, board) == {OutputLine.LIGHT}


def test_close_leaves_all_lines_low(case: Case, board: Board) -> None:
    for line in PINS:
        board.write(line, True, 2_000 * MS)
    for _ in range(2):
        board.close()
        assert high(case, board) == set()


def test_a_closed_board_refuses(case: Case, board: Board) -> None:
    board.close()
    with pytest.raises(OutputError, match="after"):
        board.write(OutputLine.VALVE, True, 50 * MS)
    assert high(case, board) == set()


def test_it_can_be_made_again(case: Case, board: Board) -> None:
    board.write(OutputLine.LIGHT, True)
    board.close()
    again = case.make()
    try:
        assert high(case, again) == set()
        again.write(OutputLine.FAIL_LED, True)
        assert high(case, again) == {OutputLine.FAIL_LED}
    finally:
        again.close()
