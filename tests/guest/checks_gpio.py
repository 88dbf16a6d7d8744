"""Output lines of a Raspberry Pi header: GpioBoard on the real rpi-lgpio, levels as the world outside sees them."""

from __future__ import annotations

from pathlib import Path

from core.errors import OutputError
from hardware.board import OutputLine
from hardware.boards import make_board
from hardware.settings import BoardKind, PinSettings
from tests.guest.expect import raises
from tests.guest.sim import SimLine

PINS = PinSettings(output_board=BoardKind.rpi_lgpio, pin_success_led=5, pin_sync=6)
LINES = {
    OutputLine.VALVE: 27,
    OutputLine.SUCCESS_LED: 5,
    OutputLine.FAIL_LED: 12,
    OutputLine.LIGHT: 21,
    OutputLine.BEHAVIOUR_TTL: 17,
    OutputLine.SYNC: 6,
}


def _levels() -> dict[OutputLine, bool]:
    return {line: SimLine(number).high for line, number in LINES.items()}


def check_each_line_and_no_other_follows_what_is_written() -> None:
    board = make_board(PINS)
    assert not any(_levels().values())
    assert not list(Path().glob(".lgd*")), "lgpio's pipes lie about in the working folder"
    for line in LINES:
        board.write(line, True)
        assert _levels() == {each: each is line for each in LINES}
        board.write(line, False)
    assert not any(_levels().values())
    # Not connected: left alone.
    board.write(OutputLine.BRAIN_TTL, True)
    assert not any(_levels().values())
    board.close()


def check_all_lines_are_low_and_free_after_close() -> None:
    for _ in range(2):
        board = make_board(PINS)
        for line in LINES:
            board.write(line, True)
        assert all(_levels().values())
        board.close()
        assert not any(_levels().values())
        board.close()
        with raises(OutputError, "closed"):
            board.write(OutputLine.VALVE, True)


def check_a_busy_line_is_named_and_those_before_it_are_free_again() -> None:
    import gpiod

    with (
        gpiod.request_lines("/dev/gpiochip0", consumer="another", config={21: gpiod.LineSettings()}),
        raises(OutputError, "pin_light 21: is held by another program"),
    ):
        make_board(PINS)
    make_board(PINS).close()


def check_a_pin_that_the_board_has_not_is_named() -> None:
    with raises(OutputError, "pin_valve 99"):
        make_board(PinSettings(output_board=BoardKind.rpi_lgpio, pin_valve=99))
