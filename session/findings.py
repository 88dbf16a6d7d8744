"""What the doctor finds: a line each, with its cure where something is missing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class State(Enum):
    """How it stands with one thing."""

    found = "found"
    warning = "warning"
    missing = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for.

    Attributes
    ----------
    what : str
        Such as ``"output lines"``.
    state : State
    text : str
        What was found, or what is wrong.
    cure : str
        What to do about it; empty where nothing need be done.
    needed : bool
        Whether the mouse's section asks for it.
    """

    what: str
    state: State
    text: str
    cure: str = ""
    needed: bool = False

    def line(self) -> str:
        """Return it as a line for a person."""
        cure = f"; {self.cure}" if self.cure else ""
        state = self.state.value
        if self.state is State.missing:
            state = "MISSING" if self.needed else "not there"
        return f"{state:9}  {self.what:16} {self.text}{cure}"

    def json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**asdict(self), "state": self.state.value}


def found(what: str, text: str) -> Finding:
    """Return a thing that is there."""
    return Finding(what, State.found, text)


def warning(what: str, line: str) -> Finding:
    """Return a thing that works but is not as it should be; ``line`` holds what is wrong, ``; `` and the cure."""
    text, _, cure = line.partition("; ")
    return Finding(what, State.warning, text, cure)


def missing(what: str, line: str, needed: bool) -> Finding:
    """Return a thing that is not there; ``line`` as for ``warning``."""
    text, _, cure = line.partition("; ")
    return Finding(what, State.missing, text, cure, needed)


def exit_code(findings: list[Finding]) -> int:
    """Return 3 where something that is needed is missing, else 0."""
    return 3 if any(each.state is State.missing and each.needed for each in findings) else 0
