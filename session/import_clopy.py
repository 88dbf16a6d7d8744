"""CLoPy's config.ini, or the copy of it in a session folder (CLoPy's own or exported for it), as a config.ini of ours.

Every key of the old file gets exactly one line of the report: taken over (mapped), changed (converted) or left out
(dropped). What CLoPy had in its scripts instead of its file is written out, with a line of its own (added).
"""

from __future__ import annotations

import configparser
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import InputError
from helper import Seed, mm_to_px
from session.config_file import decode, nearest, read_bytes, shown
from session.config_keys import ConfigKey, keys_of
from session.import_values import (
    ADDED,
    CAMERAS,
    DROPPED_KEYS,
    NOT_EXPORTED,
    PX_PER_FRAME,
    RENAMED,
    SECTIONS,
    number,
    parse_seeds_mm,
    saved_roi,
    targets,
)
from session.settings import ini_section


@dataclass(frozen=True, slots=True)
class ImportLine:
    """What became of one key.

    Attributes
    ----------
    section, key : str
        As in the old file (for ``added``: our section and key).
    action : {"mapped", "converted", "dropped", "added"}
    text : str
        What it became, and why.
    """

    section: str
    key: str
    action: str
    text: str


@dataclass(frozen=True, slots=True)
class Imported:
    """A converted configuration.

    Attributes
    ----------
    ini_text : str
        Our config.ini, without mice.
    lines : tuple of ImportLine
        Every key of the old file once, in its order, and what was added.
    """

    ini_text: str
    lines: tuple[ImportLine, ...]


def import_clopy(old_path: Path) -> Imported:
    """Convert a configuration of CLoPy.

    Raises
    ------
    InputError
        If the file cannot be read, or has none of the sections that CLoPy's scripts use.
    """
    old = _read(old_path)
    known = targets(old)
    if not known:
        raise InputError(
            f"{shown(old_path, 300)}: no section of CLoPy's; it has {_names(list(old))}, "
            f"and one of {_names(SECTIONS)} is needed"
        )
    lines: list[ImportLine] = []
    sections: dict[str, dict[str, str]] = {}
    seeds: dict[str, Seed] = {}
    for name, keys in old.items():
        target = known.get(name)
        if target is None or target in sections:
            lines += [_stray(name, key, target) for key in keys]
            continue
        conversion = _Conversion(name, target, keys, seeds)
        conversion.run()
        seeds = conversion.seeds
        sections[target] = conversion.out
        lines += conversion.lines
    head = f"; Made by rigloop import-config from {shown(old_path.name)}. Add a section [mouse:ID] for each mouse.\n\n"
    parts = [ini_section(title, entries) for title, entries in sections.items()]
    if seeds:
        written = {seed: f"{place.ap_mm!r}, {place.ml_mm!r}" for seed, place in seeds.items()}
        parts.append("; AP, ML in mm from bregma\n" + ini_section("seeds", written))
    return Imported(head + "\n".join(parts), tuple(lines))


def _read(path: Path) -> dict[str, dict[str, str]]:
    """Return each section's keys as CLoPy reads them, but for a section called DEFAULT, which is none of its own."""
    old = configparser.RawConfigParser(default_section="\0", strict=True)
    text = decode(path, read_bytes(path))
    try:
        old.read_string(text, shown(path, 300))
    except configparser.Error as error:
        raise InputError(f"{shown(str(error).replace(chr(10), ' '), 500)}; correct that line and try again") from None
    # CLoPy's parser reads %% as a single %.
    return {name: {key: value.replace("%%", "%") for key, value in old.items(name)} for name in old.sections()}


def _names(names: Mapping[str, object] | list[str]) -> str:
    return ", ".join(f"[{shown(name)}]" for name in list(names)[:20]) or "no section at all"


def _stray(section: str, key: str, target: str | None) -> ImportLine:
    if target is not None:
        return ImportLine(section, key, "dropped", f"{target} is made from another section of this file already")
    if section == "configsection":
        return ImportLine(section, key, "dropped", "named the section that the session used; a mouse names it now")
    return ImportLine(section, key, "dropped", "no script of CLoPy's reads this section")


@dataclass(slots=True)
class _Conversion:
    """One section on its way."""

    name: str
    target: str
    keys: Mapping[str, str]
    seeds: dict[str, Seed]
    out: dict[str, str] = field(default_factory=dict)
    lines: list[ImportLine] = field(default_factory=list)

    @property
    def known(self) -> Mapping[str, ConfigKey]:
        """The keys that our section may have."""
        return keys_of(self.target[:4])

    def run(self) -> None:
        """Convert every key, then add what stood in the script."""
        special: dict[str, Callable[[str, str], None]] = {
            "vid_source": self._camera,
            "vid_root": self._recording,
            "seeds_mm": self._seeds,
            "speed_threshold": self._speed,
            "shutter_speed": self._exposure,
        }
        for key, value in self.keys.items():
            own = key in self.known or key == "seeds_mm"
            convert = special.get(key, self._plain) if own else self._plain
            convert(key, value)
        for key, (text, why) in ADDED[self.target].items():
            if key not in self.out:
                self.out[key] = text
                reason = why if self.name in SECTIONS else NOT_EXPORTED
                self.lines.append(ImportLine(self.target, key, "added", f"{key} = {text}: {reason}"))
        if self.target.startswith("clmf"):
            self._add_speeds()

    def _line(self, key: str, action: str, text: str) -> None:
        self.lines.append(ImportLine(self.name, key, action, text))

    def _put(self, old: str, new: str, value: str, why: str = "") -> None:
        """Write a key and its line. A value that our key cannot hold is dropped with the reason."""
        try:
            written = self.known[new].write(self.known[new].read(value))
        except ValueError as error:
            self._line(old, "dropped", f"{new} = {shown(value)}: {error}")
            return
        if new in self.out:
            self._line(old, "dropped", f"{new} is set already, to {self.out[new]}")
            return
        self.out[new] = written
        same = old == new and written.replace(" ", "") == value.replace(" ", "")
        action = "converted" if why or not same else "mapped"
        self._line(old, action, f"{new} = {written}{f': {why}' if why else ''}")

    def _plain(self, key: str, value: str) -> None:
        if key in DROPPED_KEYS:
            self._line(key, "dropped", DROPPED_KEYS[key])
        elif key == "bregma" and key not in self.known:
            self._line(key, "dropped", "there is no cortex in a video of behaviour")
        elif (new := RENAMED.get(key, key)) in self.known:
            self._put(key, new, value, f"called {new} here" if new != key else "")
        elif (shape := saved_roi(key, value, self._size_px())) is not None:
            cure = f"add roi.{key.upper()} = {shape} to use it" if self.target.startswith("clnf") else "it is not used"
            self._line(key, "dropped", f"a position that CLoPy saved and never read, its ROIs come from seeds; {cure}")
        else:
            self._line(key, "dropped", f"not a key of ours{nearest(key, self.known)}")

    def _size_px(self) -> tuple[int, int] | None:
        """Return the size of CLoPy's ROIs, ``roi_size`` (mm) times ``ppmm``; None where these cannot be read."""
        if "roi_size" not in self.known:
            return None
        given = self.keys.get("roi_size", self.keys.get("roi_size_mm", ""))
        try:
            width, height = self.known["roi_size"].read(given)
            ppmm = self.known["ppmm"].read(self.keys.get("ppmm", ""))
        except ValueError:
            return None
        return mm_to_px(width, ppmm), mm_to_px(height, ppmm)

    def _camera(self, key: str, value: str) -> None:
        kind = CAMERAS.get(value.strip().lower())
        if kind is None:
            near = nearest(value, CAMERAS)
            self._line(key, "dropped", f"camera class {shown(value)} is unknown{near}; give vid_source")
        elif kind == "replay" and not self.keys.get("vid_root", "").strip():
            self._line(key, "dropped", "a recording without vid_root cannot be replayed; give both yourself")
        else:
            self._put(key, key, kind, "" if value.strip().lower() == kind else f"{value.strip()} of CLoPy")

    def _recording(self, key: str, value: str) -> None:
        if CAMERAS.get(self.keys.get("vid_source", "").strip().lower()) == "replay":
            self._put(key, key, value)
        else:
            self._line(key, "dropped", f"vid_source is a camera; vid_source = replay would replay {shown(value)}")

    def _exposure(self, key: str, value: str) -> None:
        """Take the exposure over, or what fits into a frame of it: CLoPy ships 60 ms at 30 frames/s."""
        try:
            rate = float(self.known["framerate"].read(self.keys.get("framerate", "")))
        except ValueError:
            rate = 0.0
        asked_us, frame_us = number(value), int(1e6 / rate) if rate else None
        if asked_us is None or frame_us is None or asked_us <= frame_us:
            self._put(key, key, value)
        else:
            why = f"{shown(value)} us do not fit into a frame at {rate:g} frames/s, so no camera exposed for so long"
            self._put(key, key, str(frame_us), why)

    def _seeds(self, key: str, value: str) -> None:
        try:
            seeds = parse_seeds_mm(value)
        except ValueError as error:
            self._line(key, "dropped", f"{error}; write a section [seeds] yourself")
            return
        moved = [name for name, seed in seeds.items() if self.seeds.get(name, seed) != seed]
        if moved:
            # One section must not move the ROIs of another without a word.
            also = f"{', '.join(moved)} lie elsewhere than in the section before, whose places are kept"
            self._line(key, "converted", f"[seeds]: {also}; give roi.NAME = x,y,w,h in {self.target} where it matters")
        else:
            self._line(key, "converted", f"{len(seeds)} seeds in [seeds], once for all experiments, as AP, ML in mm")
        self.seeds = {**seeds, **self.seeds}

    def _speed(self, key: str, value: str) -> None:
        speed = self._mm_per_s(number(value))
        if speed is None:
            self._line(
                key, "dropped", "px/frame cannot become mm/s without number, framerate and ppmm; give it in mm/s"
            )
        else:
            why = f"{shown(value)} px/frame at {self.keys['framerate']} frames/s and {self.keys['ppmm']} px/mm, in mm/s"
            self._put(key, key, f"{speed:.6g}", why)

    def _mm_per_s(self, px_per_frame: float | None) -> float | None:
        try:
            framerate, ppmm = (self.known[name].read(self.keys.get(name, "")) for name in ("framerate", "ppmm"))
        except ValueError:
            return None
        return None if px_per_frame is None else float(px_per_frame * framerate / ppmm)

    def _add_speeds(self) -> None:
        """Write the speeds that CLoPy's script holds in px/frame, for this camera and scale."""
        for key, (px_per_frame, why) in PX_PER_FRAME.items():
            speed = self._mm_per_s(px_per_frame)
            if speed is not None and key not in self.out:
                try:
                    self.known[key].read(f"{speed:.6g}")
                except ValueError:
                    continue
                self.out[key] = f"{speed:.6g}"
                text = f"{key} = {self.out[key]}: {why} ({px_per_frame:g} px/frame), in mm/s"
                self.lines.append(ImportLine(self.target, key, "added", text))
