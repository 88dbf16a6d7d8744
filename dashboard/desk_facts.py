"""What config.ini says of a mouse, as the page shows it: each value as text, each problem beside its key, ROIs in px.

Keys are in lower case, names of ROIs and seeds in upper case, as config.ini has it: neither minds the case.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from brain.settings import GeometrySettings
from core.changes import KEYS
from dashboard.desk_keys import field, is_roi, may_change
from session.compose import Composition
from session.config_entries import Entry, Problem, Section
from session.config_file import shown
from session.config_keys import PATHS
from session.config_rois import NAME, PREFIX, RoiSources, resolve_roi
from session.mouse_draft import MouseDraft
from session.rig_outputs import FLUSH_LIMIT_S

Told = dict[str, Any]
"""A problem: ``key`` (None where it is about none) and ``text``, one line."""


NOTHING: dict[str, Any] = {
    "rois": {},
    "seed_rois": {},
    "seeds": {},
    "resolution": None,
    "ppmm": None,
    "bregma": None,
    "camera": None,
    "changeable": [],
    "editable": [],
}
"""What is known of a mouse without an experiment, beside its own lines."""


def problems_told(problems: Iterable[Problem], draft: MouseDraft) -> list[Told]:
    """Return problems, each once, in the order of the file's lines, with the key that each is about.

    Beside a key its own text will do; what is about none says where it stands.
    """
    entries: dict[int, tuple[Section, Entry]] = {}
    for section in (draft.own, draft.section):
        if section is not None:
            entries |= {entry.line: (section, entry) for entry in section.entries.values()}
    told: dict[str, Told] = {}
    for problem in sorted(problems, key=lambda problem: problem.line or math.inf):
        section, entry = entries.get(problem.line, (None, None))
        head = f"{entry.head}: " if entry is not None else ""
        if section is None or entry is None or not entry.key or not problem.text.startswith(head):
            told[problem.text] = {"key": None, "text": in_short(problem.text, draft.path)}
            continue
        where = "" if section is draft.section else f" (it stands in [{shown(section.title)}])"
        told[problem.text] = {"key": entry.key, "text": problem.text.removeprefix(head) + where}
    return list(told.values())


def in_short(text: str, path: Path) -> str:
    """Return a line with the file's name in place of its path."""
    return text.replace(shown(path, 300), path.name)


def mouse_facts(draft: MouseDraft) -> dict[str, Any]:
    """Return all that the page is told of a mouse that the file names."""
    section, own, made = draft.section, draft.own, draft.made
    assert section is not None
    entries = {key: entry for key, entry in section.entries.items() if key != "experiment"}
    facts: dict[str, Any] = {
        "mouse": section.title[6:],
        "experiment": own.title if own is not None else "",
        "kind": made.kind if made is not None else None,
        "rig": values_of(made)["rig"] if made is not None else None,
        "problems": problems_told(draft.problems, draft),
        "values": {key: entry.value for key, entry in entries.items()},
        "own": list(entries),
        "stamp": stamp_of(draft),
        "max_flush_s": FLUSH_LIMIT_S,
    }
    return facts | (NOTHING if made is None else _composed_facts(made))


def _composed_facts(made: Composition) -> dict[str, Any]:
    """Return what an experiment and a mouse's keys on top of it come to."""
    values, draft = values_of(made), made.draft
    clnf = made.kind == "clnf"
    earns = "reward_threshold" if clnf else "speed_threshold"
    exposure = ("shutter_speed", "iso")
    return {
        "values": values,
        **roi_facts(made),
        "seeds": {name: {"AP": seed.ap_mm, "ML": seed.ml_mm} for name, seed in made.table.seeds.items()},
        "resolution": list(draft.values["resolution"]),
        "ppmm": draft.values["ppmm"],
        "bregma": list(draft.values["bregma"]) if clnf else None,
        "camera": {
            "vid_source": draft.values["vid_source"].value,
            "exposure_keys": {name: field(draft.keys[name], values[name], made.kind) for name in exposure},
        },
        "changeable": [field(draft.keys[name], values[name], made.kind) for name in (earns, *KEYS)],
        "editable": may_change(draft.keys),
    }


def values_of(made: Composition) -> dict[str, str]:
    """Return each key's value as config.ini takes it: as it stands in the file, else what holds without."""
    draft = made.draft
    values = {}
    for name, key in draft.keys.items():
        entry = draft.entries.get(name)
        # A path's default has been made absolute: config.ini would not say it so.
        bare = key.default if name in PATHS else key.write(draft.values[name])
        values[name] = entry.value if entry is not None else bare
    return values | {name: entry.value for name, entry in draft.entries.items() if is_roi(name)}


def roi_facts(made: Composition) -> dict[str, Any]:
    """Return the ROIs in px: those that the rule names or a key places, and where each seed would put one.

    ``rois`` has for each its shape as ``text``, the ``seed`` that put it there or None, whether the rule has it
    (``used``), and its ``key`` in config.ini where it has one. ``seed_rois`` has the shape of each seed's name.
    """
    draft = made.draft
    if made.kind != "clnf" or not draft.known("bregma", "ppmm", "roi_size"):
        return {"rois": {}, "seed_rois": {}}
    geometry = GeometrySettings(draft.values["ppmm"], draft.values["bregma"], draft.values["roi_size"])
    placed = {name[len(PREFIX) :].upper(): entry for name, entry in draft.entries.items() if is_roi(name)}
    readable = {name: entry for name, entry in placed.items() if entry.key not in draft.bad}
    rois = {}
    for name, text in _shapes([*made.rois, *readable], RoiSources(made.table, readable, frozenset()), geometry):
        entry = readable.get(name)
        by_seed = name if entry is None else entry.value.upper() if NAME.fullmatch(entry.value) else None
        key = entry.key if entry is not None else None
        rois[name] = {"text": text, "seed": by_seed, "used": name in made.rois, "key": key}
    seeds = RoiSources(made.table, {}, frozenset())
    return {"rois": rois, "seed_rois": dict(_shapes(made.table.names(), seeds, geometry))}


def _shapes(names: Iterable[str], sources: RoiSources, geometry: GeometrySettings) -> Iterator[tuple[str, str]]:
    """Yield name and text of each shape that can be made; of the others the problems tell."""
    for name in dict.fromkeys(names):
        try:
            shape = resolve_roi(name, sources, geometry)
        except ValueError:
            continue
        if shape is not None:
            yield name, shape.text()


def stamp_of(draft: MouseDraft) -> str:
    """Return what changes with any line of the file that concerns this mouse."""
    sections = [each for each in (draft.section, draft.own) if each is not None]
    said: list[Any] = [[each.title, *((key, entry.value) for key, entry in each.entries.items())] for each in sections]
    if draft.made is not None:
        said.append(sorted(draft.made.table.seeds.items()))
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
