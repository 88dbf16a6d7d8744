"""ROIs of config.ini: the [seeds] section, ``roi.NAME`` keys, and what the rule's names mean in px."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from brain.rule import parse_rule
from brain.settings import GeometrySettings, RuleSettings
from helper import Position, Seed, mm_to_px, seed_to_px
from roi_manager import Rect, Shape, parse_roi
from session.config_entries import ConfigFile, Entry, Problem
from session.config_file import may_be_lost, nearest, shown

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,31}")
PREFIX = "roi."
MAX_SEED_MM = 20.0
"""Chosen because a mouse's cortex is 10 mm long."""


@dataclass(frozen=True, slots=True)
class SeedTable:
    """The seeds of a file.

    Attributes
    ----------
    seeds : dict
        Upper-case name to Seed.
    unreadable : frozenset of str
        Names whose own problem has been told already; an empty name stands for any.
    absence : str
        Why there is no seed at all, as the end of a problem line; empty if there is one, read or not.
    """

    seeds: Mapping[str, Seed]
    unreadable: frozenset[str] = frozenset()
    absence: str = ""

    def names(self) -> list[str]:
        """Return the names of ROIs that seeds make: with _L and _R, or bare on the midline."""
        names = []
        for name in [*self.seeds, *sorted(self.unreadable - {""})]:
            midline = name in self.seeds and self.seeds[name].ml_mm == 0
            names += [name] if midline else [f"{name}_L", f"{name}_R"]
        return names


@dataclass(frozen=True, slots=True)
class RoiSources:
    """All that a name of an ROI may refer to.

    Attributes
    ----------
    table : SeedTable
    entries : dict
        Upper-case NAME to the entry of its ``roi.NAME`` key.
    unreadable : frozenset of str
        NAMEs whose key's own problem has been told already; an empty one stands for any.
    """

    table: SeedTable
    entries: Mapping[str, Entry]
    unreadable: frozenset[str]

    def names(self) -> list[str]:
        """Return every name that a rule may use."""
        return [*self.entries, *self.table.names()]


def read_seeds(file: ConfigFile) -> tuple[SeedTable, list[Problem]]:
    """Return the seeds of a file, and their problems."""
    seeds: dict[str, Seed] = {}
    problems: list[Problem] = []
    bad: set[str] = set()
    section = file.sections.get("seeds")
    if section is None and may_be_lost(file, "seeds"):
        bad.add("")
    for key, entry in (section.entries if section else {}).items():
        name = key.upper()
        if entry.told:
            bad.add(name)
            continue
        try:
            seeds[name] = _read_seed(name, entry.value)
        except ValueError as error:
            bad |= {name, _base(name)[0]}
            problems.append(entry.problem(str(error)))
    absence = "the file has no [seeds] section" if section is None else "the section [seeds] is empty"
    return SeedTable(seeds, frozenset(bad), "" if seeds or bad else f"; {absence}"), problems


def _base(name: str) -> tuple[str, str]:
    """Split the name of an ROI into seed and side."""
    return (name[:-2], name[-1]) if name.endswith(("_L", "_R")) else (name, "")


def _read_seed(name: str, text: str) -> Seed:
    if NAME.fullmatch(name) is None:
        raise ValueError("not a name of a seed; use letters, digits and _, 32 at most, no digit first")
    if name.endswith(("_L", "_R")):
        raise ValueError("a seed stands for both sides; name it without _L or _R and give ML as 0 or more")
    cure = f"give AP, ML in mm from bregma, such as 2.5, 1.5, at most {MAX_SEED_MM:g} away"
    try:
        ap, ml = (float(part) for part in text.replace("_", "?").split(","))
    except ValueError:
        raise ValueError(f"not two numbers; {cure}") from None
    # Written so that NaN is out of range too.
    if not abs(ap) <= MAX_SEED_MM or not abs(ml) <= MAX_SEED_MM:
        raise ValueError(f"out of range; {cure}")
    if ml < 0:
        raise ValueError("ML is a distance from the midline, 0 or more; the side is in the ROI's name (_L, _R)")
    return Seed(ap, ml)


def check_entry(entry: Entry, table: SeedTable) -> Problem | None:
    """Return the problem of a ``roi.NAME`` key by itself, or None."""
    if NAME.fullmatch(entry.key[len(PREFIX) :]) is None:
        return entry.problem("not a name of an ROI; after roi. use letters, digits and _, 32 at most, no digit first")
    try:
        if NAME.fullmatch(entry.value):
            _seed_position(entry.value.upper(), table)
        else:
            parse_roi(entry.value)
    except ValueError as error:
        return entry.problem(str(error))
    return None


def _seed_position(name: str, table: SeedTable) -> tuple[Seed, str] | None:
    """Return the seed and side that a name means; None if that seed's own line is wrong. Raises ValueError."""
    base, side = _base(name)
    if {base, name} & table.unreadable:
        return None
    if base not in table.seeds:
        if "" in table.unreadable:
            return None
        cure = "; use a name of [seeds] with _L or _R, or a shape in px"
        raise ValueError(f"there is no seed {shown(name)}{table.absence or nearest(name, table.names()) or cure}")
    seed = table.seeds[base]
    if side and seed.ml_mm == 0:
        raise ValueError(f"seed {base} lies on the midline and has no side; write {base}")
    if not side and seed.ml_mm != 0:
        raise ValueError(f"seed {base} is on both sides; write {base}_L or {base}_R")
    return seed, side


def _seed_shape(found: tuple[Seed, str], geometry: GeometrySettings) -> Rect:
    seed, side = found
    centre = seed_to_px(seed, side, Position(*geometry.bregma), geometry.ppmm)
    width, height = (mm_to_px(side_mm, geometry.ppmm) for side_mm in geometry.roi_size)
    return Rect.around(centre, width, height)


def rule_names(rule: RuleSettings) -> tuple[str, ...]:
    """Return the upper-case names of the ROIs, in order. Raises ValueError."""
    if rule.roi:
        if NAME.fullmatch(rule.roi) is None:
            raise ValueError("not one name; give one ROI here, or a formula in roi_operation")
        return (rule.roi.upper(),)
    return parse_rule(rule.roi_operation).names


def resolve_roi(name: str, sources: RoiSources, geometry: GeometrySettings) -> Shape | None:
    """Return the shape of one ROI of the rule, px; None if its own problem has been told. Raises ValueError."""
    if name in sources.unreadable:
        return None
    entry = sources.entries.get(name)
    if entry is not None and NAME.fullmatch(entry.value) is None:
        return parse_roi(entry.value)
    target = entry.value.upper() if entry is not None else name
    if entry is None and target not in sources.names():
        if "" in sources.unreadable:
            return None
        near = nearest(name, sources.names())
        if near and _base(name)[0] not in {*sources.table.seeds, *sources.table.unreadable}:
            raise ValueError(f"there is no ROI {name}{near}")
    found = _seed_position(target, sources.table)
    return None if found is None else _seed_shape(found, geometry)
