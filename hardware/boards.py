"""Makes the board that the pins hang on."""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import OutputError
from hardware.board import Board
from hardware.memory_board import TRACE_VARIABLE, MemoryBoard
from hardware.settings import BoardKind, PinSettings


def preload(pins: PinSettings) -> None:
    """Import what ``make_board`` will need, so that it is quick when it is needed; touches no line, raises nothing."""


def make_board(pins: PinSettings) -> Board:
    """Return the board, all lines low. Raises OutputError."""
    if pins.output_board is not BoardKind.memory:
        raise OutputError(f"output_board {pins.output_board.value} is not there in this version; use memory")
    trace = os.environ.get(TRACE_VARIABLE)
    return MemoryBoard(pins, Path(trace) if trace else None)
