"""ROIs of config.ini: the [seeds] section, ``roi.NAME`` keys, and what the rule's names mean in px."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from brain.rule import parse_rule
from brain.settings import GeometrySettings, RuleSettings
from helper import Position, Seed, mm_to_px, seed_to_px
from roi_manager import Rect, Shape, parse_roi
from session.config_file import Entry, Section, nearest, shown

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,31}")
PREFIX = "roi."
MAX_SEED_MM = 20.0
"""Chosen because a mouse's cortex is 10 mm long."""

Seeds = Mapping[str, Seed]


@dataclass(frozen=True, slots=True)
class RoiSources:
    """All that a name of an ROI may refer to.

    Attributes
    ----------
    seeds : dict
        Upper-case name to Seed.
    entries : dict
        Upper-case NAME to the entry of its ``roi.NAME`` key.
    unreadable : frozenset of str
        Names of seeds and ``roi.NAME`` keys whose own problem has been told already.
    """

    seeds: Seeds
    entries: Mapping[str, Entry]
    unreadable: frozenset[str]

    def names(self) -> list[str]:
        """Return every name that a rule may use."""
        return [*self.entries, *seed_names(self.seeds)]


def seed_names(seeds: Seeds) -> list[str]:
    """Return the names of ROIs that seeds make: with _L and _R, or bare on the midline."""
    names = []
    for name, seed in seeds.items():
        names += [name] if seed.ml_mm == 0 else [f"{name}_L", f"{name}_R"]
    return names


def read_seeds(section: Section | None) -> tuple[dict[str, Seed], frozenset[str], list[str]]:
    """Return the seeds, the names of those that cannot be read, and the problems."""
    seeds: dict[str, Seed] = {}
    problems: list[str] = []
    bad: set[str] = set()
    for key, entry in (section.entries if section else {}).items():
        name = key.upper()
        try:
            seeds[name] = _read_seed(name, entry.value)
        except ValueError as error:
            bad.add(name)
            problems.append(entry.problem(str(error)))
    return seeds, frozenset(bad), problems


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


def check_entry(entry: Entry, seeds: Seeds, unreadable: Iterable[str]) -> str | None:
    """Return the problem of a ``roi.NAME`` key by itself, or None."""
    if NAME.fullmatch(entry.key[len(PREFIX) :]) is None:
        return entry.problem("not a name of an ROI; after roi. use letters, digits and _, 32 at most, no digit first")
    try:
        if NAME.fullmatch(entry.value):
            _seed_position(entry.value.upper(), seeds, unreadable)
        else:
            parse_roi(entry.value)
    except ValueError as error:
        return entry.problem(str(error))
    return None


def _seed_position(name: str, seeds: Seeds, unreadable: Iterable[str] = ()) -> tuple[Seed, str] | None:
    """Return the seed and side that a name means; None if that seed's own line is wrong. Raises ValueError."""
    base, side = (name[:-2], name[-1]) if name.endswith(("_L", "_R")) else (name, "")
    if {base, name} & set(unreadable):
        return None
    if base not in seeds:
        cure = nearest(name, seed_names(seeds)) or "; use a name of [seeds] with _L or _R, or a shape in px"
        raise ValueError(f"there is no seed {shown(name)}{cure if seeds else '; the file has no [seeds] section'}")
    seed = seeds[base]
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
    entry = sources.entries.get(name)
    if entry is not None and name in sources.unreadable:
        return None
    if entry is not None and NAME.fullmatch(entry.value) is None:
        return parse_roi(entry.value)
    target = entry.value.upper() if entry is not None else name
    if entry is None and target not in sources.names():
        near = nearest(name, sources.names())
        base = name[:-2] if name.endswith(("_L", "_R")) else name
        if near and base not in {*sources.seeds, *sources.unreadable}:
            raise ValueError(f"there is no ROI {name}{near}")
    found = _seed_position(target, sources.seeds, sources.unreadable)
    return None if found is None else _seed_shape(found, geometry)
