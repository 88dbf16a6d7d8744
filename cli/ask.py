"""Asking a person for a number, and reading files of numbers. stdin may be a pipe."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.screen import say
from core.errors import InputError, SourceError

AGAIN = "again"


def _anything(number: float) -> str:
    """Find nothing wrong."""
    del number
    return ""


def ask_number(question: str, problem: Callable[[float], str] = _anything) -> float | None:
    """Return the number that a person types; None for ``again``. Raises InputError at the end of stdin.

    ``problem`` says what is wrong with a number, in words; it is then asked for again. Empty: nothing is.
    """
    while True:
        say(question)
        line = sys.stdin.readline()
        if not line:
            raise InputError("stdin has ended without an answer; type numbers, or give them as a file (see --help)")
        words = line.strip().lower()
        if words == AGAIN:
            return None
        try:
            number = float(words.replace(",", "."))
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            wrong = problem(number)
            if not wrong:
                return number
            say(f"{wrong}; type it again, or {AGAIN}", error=True)
            continue
        say(f"{line.strip()[:40]!r} is no number; type one such as 0.512, or {AGAIN}", error=True)


@contextmanager
def naming(place: Path | str | None) -> Iterator[None]:
    """Put the place, where there is one, before the text of an InputError."""
    try:
        yield
    except InputError as error:
        if place is None:
            raise
        raise InputError(f"{place}: {error}") from error


def read_numbers(
    path: Path, columns: tuple[str, ...], check: Callable[[tuple[float, ...]], object]
) -> list[tuple[float, ...]]:
    """Return the rows of a CSV of numbers whose first line names these columns.

    ``check`` raises InputError for a row that cannot be. Raises SourceError, or that one, with the line.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [(at, [cell.strip() for cell in row]) for at, row in enumerate(csv.reader(file), 1) if any(row)]
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not a text"
        raise SourceError(f"{path}: cannot be read ({why}); give a CSV with the columns {','.join(columns)}") from error
    if not rows or tuple(rows[0][1]) != columns:
        raise SourceError(f"{path}: the first line must be {','.join(columns)}")
    numbers = []
    for at, row in rows[1:]:
        try:
            numbers.append(tuple(float(cell) for cell in row))
        except ValueError:
            numbers.append(())
        if len(numbers[-1]) != len(columns) or not all(map(math.isfinite, numbers[-1])):
            raise SourceError(f"{path}:{at}: {','.join(row)[:80]!r} is not {len(columns)} numbers; correct the line")
        with naming(f"{path}:{at}"):
            check(numbers[-1])
    return numbers


def numbers_of(text: str, option: str, count: int | None = None) -> tuple[float, ...]:
    """Return numbers separated by commas. Raises InputError."""
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or not all(map(math.isfinite, numbers)) or count not in (None, len(numbers)):
        wanted = "numbers" if count is None else f"{count} numbers"
        raise InputError(f"{option} {text[:80]}: give {wanted}, separated by commas")
    return numbers
