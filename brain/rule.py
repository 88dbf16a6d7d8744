"""The rule: a formula of ROIs such as ``BC_L-BC_R``, read without eval and run for every frame.

Grammar, blanks ignored, names in either case::

    sum     = product { ("+" | "-") product }
    product = factor { ("*" | "/") factor }
    factor  = "-" factor | "(" sum ")" | number | name
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

MAX_LENGTH = 1000
"""Longest formula, characters."""
MAX_DEPTH = 50
"""Most brackets or minus signs within each other; keeps the parser far from Python's recursion limit."""

_TOKEN = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|.")
_BINARY = {"+": operator.add, "-": operator.sub, "*": operator.mul}

_VALUE, _NUMBER, _APPLY, _NEGATE = range(4)

# One step of a postfix program: the kind, then an index into the values, a number, or a function of two numbers.
_Value = tuple[int, int, float, Callable[[float, float], float]]


def _divide(a: float, b: float) -> float:
    return a / b if b != 0 else math.nan


@dataclass(frozen=True, slots=True)
class Rule:
    """A formula of ROIs. Make it with ``parse_rule``.

    Attributes
    ----------
    text : str
        The formula as it was written, without blanks around it.
    names : tuple of str
        Its ROIs in upper case, in order of first appearance.
    """

    text: str
    names: tuple[str, ...]
    _program: tuple[_Value, ...] = field(repr=False, compare=False)

    def evaluate(self, values: Sequence[float]) -> float:
        """Return the formula's value.

        Parameters
        ----------
        values : sequence of float
            One value for each of ``names``, in their order.

        Returns
        -------
        float
            NaN after a division by zero, infinite or NaN after an overflow; numbers never make it raise.

        Raises
        ------
        ValueError
            If the number of values is not the number of names.
        """
        if len(values) != len(self.names):
            raise ValueError(f"rule {self.text!r} was given {len(values)} values; give one each for {self.names}")
        stack: list[float] = []
        # A stack machine, not nested closures: a sum of hundreds of terms must not recurse.
        for kind, index, number, function in self._program:
            if kind == _VALUE:
                # float() makes numpy scalars plain: theirs would warn where ours give NaN.
                stack.append(float(values[index]))
            elif kind == _APPLY:
                right = stack.pop()
                stack[-1] = function(stack[-1], right)
            elif kind == _NUMBER:
                stack.append(number)
            else:
                stack[-1] = -stack[-1]
        return stack[0]


def parse_rule(text: str) -> Rule:
    """Read a formula.

    Raises
    ------
    ValueError
        With the column (from 1), what stands there, and what to write instead.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"a rule of {len(text)} characters is too long; write at most {MAX_LENGTH}")
    parser = _Parser(text)
    parser.sum(0)
    if parser.kind:
        raise parser.error("an operator (+ - * /) or the end")
    if not parser.names:
        raise ValueError(f"rule {text!r} names no ROI; write one such as BC_L-BC_R")
    return Rule(text.strip(), tuple(parser.names), tuple(parser.program))


class _Parser:
    """Recursive descent; writes the program in postfix order as it reads."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: list[str] = []
        self.program: list[_Value] = []
        self._next = 0
        self.advance()

    def advance(self) -> None:
        """Read the next token into ``kind`` ("name", "number", the character itself, "" at the end) and ``token``."""
        while self._next < len(self.text) and self.text[self._next].isspace():
            self._next += 1
        self.column = self._next + 1
        match = _TOKEN.match(self.text, self._next)
        if match is None:
            self.kind = self.token = ""
            return
        self._next = match.end()
        self.token = match.group()
        self.kind = match.lastgroup or self.token

    def error(self, expected: str) -> ValueError:
        """Return the error of finding this token where ``expected`` should be."""
        found = repr(self.token) if self.kind else "the end"
        return ValueError(f"rule {self.text!r}, column {self.column}: {found} found; write {expected} here")

    def sum(self, depth: int) -> None:
        """Read products joined by + and -."""
        self.product(depth)
        while self.kind in ("+", "-"):
            sign = self.kind
            self.advance()
            self.product(depth)
            self.emit(_APPLY, function=_BINARY[sign])

    def product(self, depth: int) -> None:
        """Read factors joined by * and /."""
        self.factor(depth)
        while self.kind in ("*", "/"):
            sign = self.kind
            self.advance()
            self.factor(depth)
            self.emit(_APPLY, function=_BINARY.get(sign, _divide))

    def factor(self, depth: int) -> None:
        """Read a name, a number, a bracket, or any of them after a minus sign."""
        if depth > MAX_DEPTH:
            raise ValueError(
                f"rule {self.text[:80]!r}, column {self.column}: brackets or signs nest deeper than {MAX_DEPTH}; "
                "write it flatter"
            )
        if self.kind == "name":
            self.name()
        elif self.kind == "number":
            self.number()
        elif self.kind == "-":
            self.advance()
            self.factor(depth + 1)
            self.emit(_NEGATE)
        elif self.kind == "(":
            self.advance()
            self.sum(depth + 1)
            if self.kind != ")":
                raise self.error("an operator or the closing bracket ')'")
            self.advance()
        else:
            raise self.error("an ROI, a number or '('")

    def name(self) -> None:
        """Take an ROI."""
        name = self.token.upper()
        if name not in self.names:
            self.names.append(name)
        self.emit(_VALUE, index=self.names.index(name))
        self.advance()

    def number(self) -> None:
        """Take a number."""
        number = float(self.token)
        if math.isinf(number):
            raise self.error("a number below 1e308")
        self.emit(_NUMBER, number=number)
        self.advance()

    def emit(
        self, kind: int, index: int = 0, number: float = 0.0, function: Callable[[float, float], float] = _divide
    ) -> None:
        """Append one step to the program."""
        self.program.append((kind, index, number, function))
