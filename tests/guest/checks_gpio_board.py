"""As ``checks_gpio``, with pins counted by their place on the header; one process has one way of counting."""

from __future__ import annotations

from hardware.board import OutputLine
from hardware.boards import make_board
from hardware.settings import BoardKind, Numbering, PinSettings
from tests.guest.sim import SimLine


def check_the_seventh_place_of_the_header_is_line_4() -> None:
    pins = PinSettings(
        output_board=BoardKind.rpi_lgpio,
        pin_numbering=Numbering.board,
        pin_valve=7,
        pin_fail_led=0,
        pin_light=0,
        pin_behaviour_ttl=0,
    )
    board = make_board(pins)
    board.write(OutputLine.VALVE, True)
    assert SimLine(4).high
    board.close()
    assert not SimLine(4).high
