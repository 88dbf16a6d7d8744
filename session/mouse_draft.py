"""A mouse's keys, its experiment's and the command line's on top of each other: what is in force, and every problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from session.compose import Composition, check_section, read_overrides
from session.config_entries import ConfigFile, Entry, Problem, Section
from session.config_file import SAFE_NAME, closest, may_be_lost, nearest, shown, unsafe_mouse
from session.config_frames import Probe
from session.config_rois import read_seeds
from session.second_section import SecondSection, find_second


@dataclass(frozen=True, slots=True)
class MouseDraft:
    """What a file says of a mouse.

    Attributes
    ----------
    path : Path
        The file.
    problems : list of Problem
        All that concern a session of this mouse; without any, the rest is as a session takes it.
    section, own : Section or None
        The mouse's, and its experiment's; None where there is none.
    made : Composition or None
        The two and the command line on top of each other; None where one of the two is missing.
    camera2 : SecondSection or None
    """

    path: Path
    problems: list[Problem]
    section: Section | None = None
    own: Section | None = None
    made: Composition | None = None
    camera2: SecondSection | None = None


def draft_mouse(
    file: ConfigFile,
    mouse: str,
    experiment: str | None = None,
    overrides: Mapping[str, str] | None = None,
    probe: Probe | None = None,
) -> MouseDraft:
    """Put together what a file says of a mouse; ``load_settings`` tells of the parameters. Never raises."""
    layer, problems = read_overrides(overrides or {})
    problems += file.problems
    section = find_mouse(file, mouse)
    if isinstance(section, Missing):
        return MouseDraft(file.path, section.beside(problems))
    own = find_own(file, section, experiment)
    if isinstance(own, Missing):
        return MouseDraft(file.path, own.beside([*problems, *alone(file, section, None)]), section)
    made = Composition(file, own, [own.entries, named(section), layer], probe)
    camera2, second_problems = find_second(file, made.draft, made.table, probe)
    problems += [*made.draft.problems, *second_problems]
    return MouseDraft(file.path, problems, section, own, made, camera2)


def named(section: Section) -> dict[str, Entry]:
    """Return what a mouse's section gives on top of its experiment."""
    return {name: entry for name, entry in section.entries.items() if name != "experiment"}


def alone(file: ConfigFile, section: Section, kind: str | None) -> list[Problem]:
    """Return the problems of a section's keys, each by itself."""
    return check_section(section, kind, read_seeds(file)[0])


@dataclass(frozen=True, slots=True)
class Missing:
    """What is said of a section that is not there.

    Attributes
    ----------
    problem : Problem
    follows : bool
        Whether it may only follow from another problem that has been told.
    """

    problem: Problem
    follows: bool

    def beside(self, told: list[Problem]) -> list[Problem]:
        """Return the problems that were told, and this one if it is one of its own."""
        return told if self.follows and told else [*told, self.problem]


def find_mouse(file: ConfigFile, mouse: str) -> Section | Missing:
    """Return a mouse's section, or what there is instead."""
    if SAFE_NAME.fullmatch(mouse) is None:
        return Missing(Problem(0, f"--mouse {shown(mouse)}: {unsafe_mouse(mouse)}"), follows=False)
    section = file.mice.get(mouse.lower())
    if section is not None:
        return section
    known = [each.title[6:] for each in file.mice.values()]
    there = f"there are {', '.join(known[:20])}{', ...' if len(known) > 20 else ''}" if known else "there is none"
    text = f"no mouse {mouse!r} ({there}); add [mouse:{mouse}] with its experiment{nearest(mouse, known)}"
    problem = Problem(0, f"{shown(file.path, 300)}: {text}")
    return Missing(problem, follows=may_be_lost(file, f"mouse:{mouse.lower()}"))


def find_own(file: ConfigFile, section: Section, experiment: str | None) -> Section | Missing:
    """Return the section of the experiment that a mouse runs, or what there is instead."""
    entry = section.entries.get("experiment")
    name = experiment if experiment is not None else entry.value if entry is not None else None
    if name is None:
        there = ", ".join(own.title for own in file.experiments.values()) or "none yet; add [clnf_1roi]"
        problem = section.problem(f"names no experiment; add experiment = NAME (there are: {shown(there)})")
        return Missing(problem, follows=closest("experiment", section.entries) is not None or "" in section.entries)
    own = file.experiments.get(name.lower())
    if own is not None:
        return own
    titles = [each.title for each in file.experiments.values()]
    there = f"; the file has {', '.join(titles[:20])}" if titles else "; the file has none, add [clnf_1roi]"
    text = f"there is no experiment {shown(name)!r}{nearest(name, titles) or there}"
    lost = may_be_lost(file, name.lower())
    if experiment is None and entry is not None:
        return Missing(entry.problem(text), follows=lost or entry.told)
    return Missing(Problem(0, f"--experiment {shown(name)}: {text}"), follows=lost)
