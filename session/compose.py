"""Layers of keys (experiment, mouse, command line) become one draft of values, with every problem collected."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brain.settings import GeometrySettings, RuleSettings
from roi_manager import Shape
from session.calibration import reward_by_volume
from session.config_checks import Draft, check_memory, check_shape, check_together
from session.config_entries import ConfigFile, Entry, Problem, Section, absolute_path
from session.config_file import closest, odd_character, shown, write_value
from session.config_frames import Probe, check_frames
from session.config_keys import GROUPS, KINDS, PATHS, ConfigKey, keys_of, unknown_key
from session.config_movement import IN_PX, check_movement, first_threshold, lowest_signal, take_speeds
from session.config_rois import PREFIX, RoiSources, SeedTable, check_entry, read_seeds, resolve_roi, rule_names

FLAGS = {"--camera": "vid_source", "--source": "vid_root", "--data-root": "data_root"}
"""Options of the command line that stand for one key."""
_RULE = ("roi", "roi_operation")
_EITHER = (_RULE, *((mm, px) for mm, px in IN_PX.items()))
"""Keys of which a section gives one: whoever gives one of them, a mouse say, replaces both of its experiment."""


def read_overrides(overrides: Mapping[str, str]) -> tuple[dict[str, Entry], list[Problem]]:
    """Return the command line as entries of a layer, and its problems.

    A key of ``overrides`` is a config key (it came with ``--set``) or one of ``FLAGS``.
    """
    entries: dict[str, Entry] = {}
    problems = []
    for given, text in overrides.items():
        flag = given in FLAGS
        key = FLAGS[given] if flag else given.strip().lower()
        head = f"{given} {shown(text)}" if flag else f"--set {shown(given)}={shown(text)}"
        odd = odd_character(text) is not None
        entry = Entry(key, text.strip(), given if flag else "--set", head, Path.cwd(), rank=2, told=odd)
        if odd:
            problems.append(entry.problem("holds an unprintable character; delete it"))
        elif key in entries:
            problems.append(entry.problem(f"given twice (also as {entries[key].where}); leave one out"))
        entries.setdefault(key, entry)
    return entries, problems


def read_value(key: ConfigKey, entry: Entry) -> Any:
    """Return an entry's value; a path comes out absolute. Raises ValueError."""
    value = key.read(entry.value)
    if key.name in PATHS and value:
        value = absolute_path(entry.base, value)
        write_value(value)
    return value


def check_section(section: Section, kind: str | None, table: SeedTable) -> list[Problem]:
    """Return the problems of each key of a section by itself. Without a kind, a key of any kind will do."""
    return check_entries(section.entries, kind, table)[1]


def check_entries(entries: Mapping[str, Entry], kind: str | None, table: SeedTable) -> tuple[set[str], list[Problem]]:
    """Return the names of the keys that are wrong by themselves, and their problems.

    A key that is meant by a misspelt one is among the names, as its value is not known.
    """
    keys = {name: key for each in ([kind] if kind else KINDS) for name, key in keys_of(each).items()}
    known = [*keys, "experiment"] if any(entry.rank == 1 for entry in entries.values()) else list(keys)
    bad: set[str] = set()
    problems: list[Problem] = []
    for name, entry in entries.items():
        if name == "experiment" and entry.rank == 1:
            continue
        problem = None if entry.told else _check_alone(entry, keys, known, kind, table)
        if problem or entry.told:
            bad |= {name, *_meant(name, known)} - (set(entries) - {name})
            problems += [problem] if problem else []
    for pair in _EITHER:
        both = [entries[name] for name in pair if name in known and _gives(entries, name)]
        if len(both) == len(pair) and not any(entry.told for entry in both):
            problems.append(both[1].problem(f"given with {pair[0]} = {shown(both[0].value)}; delete one of the two"))
            bad.update(pair)
    return bad, problems


def _gives(entries: Mapping[str, Entry], name: str) -> bool:
    """Return whether a key of a pair is given; 0 px per frame and no text are its ways to say that it is not."""
    return name in entries and entries[name].value.strip() not in ("", "0")


def _check_alone(
    entry: Entry, keys: Mapping[str, ConfigKey], known: list[str], kind: str | None, table: SeedTable
) -> Problem | None:
    """Return the problem of a key by itself, or None."""
    name = entry.key
    if name in keys:
        try:
            read_value(keys[name], entry)
        except ValueError as error:
            return entry.problem(str(error))
        return None
    if name.startswith(PREFIX) and kind != "clmf":
        return check_entry(entry, table)
    if name == "experiment":
        return entry.problem("an experiment is chosen with --experiment, or in a mouse's section; move it there")
    return entry.problem(unknown_key(name, kind, known))


def _meant(name: str, known: list[str]) -> list[str]:
    """Return the keys that an unknown one may be meant for."""
    if name in known or name.startswith(PREFIX):
        return []
    _, point, roi = name.partition(".")
    near = closest(name, known)
    return [PREFIX + roi] * bool(point) + ([] if near is None else [near])


class Composition:
    """An experiment with a mouse's keys and the command line's on top of it.

    Attributes
    ----------
    draft : Draft
        Values and problems.
    table : SeedTable
    rois : dict
        Upper-case name to shape in px, in the rule's order.
    formula : str
        The ROI's name or the operation, empty for clmf.
    valve : ValveCalibration or None
        What a reward asked for by volume was measured with.
    """

    def __init__(
        self, file: ConfigFile, section: Section, layers: list[Mapping[str, Entry]], probe: Probe | None
    ) -> None:
        self.kind = section.title[:4].lower()
        self.draft = Draft(section, keys_of(self.kind))
        self.table, seed_problems = read_seeds(file)
        self.rois: dict[str, Shape] = {}
        self.formula = ""
        self.draft.problems += seed_problems
        for layer in layers:
            self._add(layer)
        for name, key in self.draft.keys.items():
            entry = self.draft.entries.get(name)
            readable = entry is not None and name not in self.draft.bad
            self.draft.values[name] = read_value(key, entry) if entry is not None and readable else _default(key, file)
        if self.kind == "clmf":
            take_speeds(self.draft)
        self.valve, reward_problems = reward_by_volume(self.draft, file.path)
        self.draft.problems += reward_problems
        # First, as a resolution that is not the recording's is no measure of anything else.
        self.draft.problems += check_frames(self.draft, probe)
        self.draft.problems += check_together(self.draft)
        if self.kind == "clmf":
            self.draft.problems += check_movement(self.draft)
        if self.kind == "clnf":
            self._resolve()

    def _add(self, layer: Mapping[str, Entry]) -> None:
        draft = self.draft
        bad, problems = check_entries(layer, self.kind, self.table)
        draft.problems += problems
        # A mouse that has its own rule has it instead of its experiment's, whichever of the two keys that used.
        for pair in _EITHER:
            for name in pair if any(_gives(layer, name) for name in pair) else ():
                draft.entries.pop(name, None)
                draft.bad.discard(name)
        for name, entry in layer.items():
            draft.entries[name] = entry
            draft.bad.discard(name)
        draft.bad |= bad

    def _resolve(self) -> None:
        """Give every ROI of the rule its shape."""
        draft = self.draft
        if not draft.known(*_RULE):
            return
        rule = RuleSettings(draft.values["roi"], draft.values["roi_operation"])
        if not rule.roi and not rule.roi_operation:
            if "" in draft.bad:
                return
            draft.problems.append(draft.section.problem("no rule; give roi = NAME, or roi_operation = FORMULA"))
            return
        key = "roi" if rule.roi else "roi_operation"
        try:
            names = rule_names(rule)
        except ValueError as error:
            draft.problems.append(draft.problem((key,), str(error)))
            return
        if rule.roi:
            draft.values["roi"] = names[0]
        self.formula = rule.roi.upper() or rule.roi_operation
        entries = {
            name[len(PREFIX) :].upper(): entry for name, entry in draft.entries.items() if name.startswith(PREFIX)
        }
        bad = {name.removeprefix(PREFIX).upper() for name in draft.bad if not name or name.startswith(PREFIX)}
        sources = RoiSources(self.table, entries, frozenset(bad))
        told = len(draft.problems)
        for name in names:
            self._resolve_one(name, sources, key)
        # An ROI that lies outside the frame may be large for the same reason.
        if len(draft.problems) == told:
            draft.problems += check_memory(draft, self.rois, key)

    def _resolve_one(self, name: str, sources: RoiSources, key: str) -> None:
        draft = self.draft
        geometry_read = draft.known("bregma", "ppmm", "roi_size")
        geometry = GeometrySettings(draft.values["ppmm"], draft.values["bregma"], draft.values["roi_size"])
        try:
            shape = resolve_roi(name, sources, geometry)
        except ValueError as error:
            draft.problems.append(draft.problem((key,), str(error)))
            return
        if shape is None:
            return
        self.rois[name] = shape
        problem = check_shape(draft, name, shape, sources.entries.get(name), key) if geometry_read else None
        if problem:
            draft.problems.append(problem)

    def groups(self) -> dict[str, Any]:
        """Return each settings dataclass by its attribute of ``Settings``; ``movement`` and ``pose`` only for clmf."""
        made: dict[str, Any] = {}
        for group, cls in GROUPS.items():
            values = {name: self.draft.values[name] for name, key in self.draft.keys.items() if key.group == group}
            if group == "threshold" and self.kind == "clmf":
                values["reward_threshold"] = first_threshold(self.draft.values)
            if group == "tones" and self.kind == "clmf":
                values["tone_floor"] = lowest_signal(self.draft.values)
            made[group] = None if group in ("movement", "pose") and self.kind != "clmf" else cls(**values)
        return made


def _default(key: ConfigKey, file: ConfigFile) -> Any:
    if key.name in PATHS and key.default:
        return absolute_path(Path(os.path.abspath(file.path)).parent, key.default)
    return key.default
