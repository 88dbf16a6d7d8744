"""What a scan of config.ini gives: sections, their keys with their lines, and problems with theirs."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class Problem(NamedTuple):
    """Something that is wrong, as one line for a person.

    Attributes
    ----------
    line : int
        Line number in the file, from 1; 0 for what stands on none (the command line).
    text : str
    """

    line: int
    text: str


def in_order(problems: Iterable[Problem]) -> list[str]:
    """Return the texts, each once, in the order of the file's lines; those of the command line come last."""
    placed = sorted(problems, key=lambda problem: problem.line or math.inf)
    return list(dict.fromkeys(problem.text for problem in placed))


def absolute_path(base: Path, value: str) -> str:
    """Return a path of config.ini without ``~`` and ``..``; a relative one counts from ``base``."""
    return os.path.abspath(os.path.join(base, os.path.expanduser(value)))


@dataclass(frozen=True, slots=True)
class Entry:
    """One key and its value, and where they stand.

    Attributes
    ----------
    key : str
        In lower case; empty for a line that cannot be read and names no key either.
    value : str
        Without comment, blanks around it, or quotes.
    where : str
        File and line; the option on the command line.
    head : str
        How a problem line begins, such as ``config.ini:12: [clnf_1roi] max_trial_dur = abc``.
    base : Path
        The folder from which a relative path in ``value`` counts.
    line : int
        Line number, from 1; 0 on the command line.
    rank : int
        0 in an experiment's section, 1 in a mouse's, 2 on the command line.
    told : bool
        Whether a problem of its form has been told, so that ``value`` is not what was meant.
    """

    key: str
    value: str
    where: str
    head: str
    base: Path
    line: int = 0
    rank: int = 0
    told: bool = False

    def problem(self, text: str) -> Problem:
        """Return the problem of this entry."""
        return Problem(self.line, f"{self.head}: {text}")


@dataclass(slots=True)
class Section:
    """A section.

    Attributes
    ----------
    title : str
        As it is written, such as ``mouse:DEMO``.
    where : str
        File and line.
    head : str
        How a problem of the whole section begins.
    line : int
        Line number of its header, from 1.
    entries : dict
        Lower-case key to Entry.
    """

    title: str
    where: str
    head: str
    line: int
    entries: dict[str, Entry] = field(default_factory=dict)

    def problem(self, text: str) -> Problem:
        """Return the problem of this section."""
        return Problem(self.line, f"{self.head}: {text}")


@dataclass(slots=True)
class ConfigFile:
    """What stands in a file.

    Attributes
    ----------
    path : Path
    sections : dict
        Lower-case name to Section.
    problems : list of Problem
        Problems of form: lines that cannot be read, duplicates, unknown sections.
    lost : list of str
        Headers, in lower case, that are among the problems and may be any section's.
    """

    path: Path
    sections: dict[str, Section] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def mice(self) -> dict[str, Section]:
        """Lower-case ID to section."""
        return {name[6:]: section for name, section in self.sections.items() if name.startswith("mouse:")}

    @property
    def experiments(self) -> dict[str, Section]:
        """Lower-case name to section."""
        return {
            name: section
            for name, section in self.sections.items()
            if name != "seeds" and not name.startswith("mouse:")
        }
