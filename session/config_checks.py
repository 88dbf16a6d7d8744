"""Checks of values against each other, and of the recording behind them. Each problem is one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from camera.settings import CameraKind
from core.errors import SourceError
from roi_manager import Shape
from session.config_file import Entry, Section, shown
from session.config_keys import ConfigKey
from session.config_rois import NAME


class Recording(Protocol):
    """What a probe tells of a recording."""

    @property
    def width(self) -> int:
        """Columns of its frames, px."""

    @property
    def height(self) -> int:
        """Rows of its frames, px."""

    @property
    def n_frames(self) -> int:
        """Number of frames."""


Probe = Callable[[str, float], Recording]
"""``probe(path, framerate)`` opens a recording for a look; raises ``core.errors.SourceError``."""


@dataclass(slots=True)
class Draft:
    """An experiment's values while they are checked.

    Attributes
    ----------
    section : Section
        The experiment's section.
    keys : dict
        The keys its kind has.
    entries : dict
        Key to the entry that holds for it; a key without one has its default.
    values : dict
        Key to value; a bad one has its default here.
    bad : set of str
        Keys whose value cannot be read; checks that need one are left out.
    problems : list of str
    """

    section: Section
    keys: Mapping[str, ConfigKey]
    entries: dict[str, Entry] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def known(self, *names: str) -> bool:
        """Return whether all these keys were read."""
        return not self.bad.intersection(names)

    def problem(self, names: tuple[str, ...], text: str) -> str:
        """Return a problem line that points at the key which was given nearest to the command line."""
        given = [self.entries[name] for name in names if name in self.entries]
        return max(given, key=lambda entry: entry.rank).problem(text) if given else self.section.problem(text)

    def say(self, name: str) -> str:
        """Return ``key value``, such as ``tone_floor 0.1``."""
        return f"{name} {self.keys[name].write(self.values[name])}"


def check_together(draft: Draft) -> Iterator[str]:
    """Yield the problems of values that do not go together."""
    earns = "reward_threshold" if "reward_threshold" in draft.keys else "speed_threshold"
    yield from _order(draft, "tone_floor", earns, strict=True, why="the tones lie between the two")
    yield from _order(draft, "threshold_min", "threshold_max")
    yield from _order(draft, "reward_dur", "max_pulse_s", why="the valve would refuse")
    yield from _order(draft, "reward_dur", "final_rest_dur", why="the session would end within its last drop")
    if draft.known("adaptive_threshold") and draft.values["adaptive_threshold"]:
        why = "the threshold adapts between threshold_min and threshold_max"
        yield from _order(draft, "threshold_min", earns, why=why)
        yield from _order(draft, earns, "threshold_max", why=why)
        yield from _order(draft, "tone_floor", "threshold_min", strict=True, why="the tones lie above tone_floor")
    if "start_center" in draft.keys:
        yield from _check_start(draft)


def _order(draft: Draft, low: str, high: str, *, strict: bool = False, why: str = "") -> Iterator[str]:
    if not draft.known(low, high):
        return
    a, b = draft.values[low], draft.values[high]
    if a > b or (strict and a == b):
        wrong = "is not below" if strict else "is above"
        reason = f" ({why})" if why else ""
        text = f"{draft.say(low)} {wrong} {draft.say(high)}{reason}; lower {low} or raise {high}"
        yield draft.problem((high, low), text)


def _check_start(draft: Draft) -> Iterator[str]:
    """A trial that begins in a circle outside the image never begins."""
    if not draft.known("trial_start", "start_center", "resolution"):
        return
    (x, y), (width, height) = draft.values["start_center"], draft.values["resolution"]
    if draft.values["trial_start"].value == "start_roi" and not (0 <= x < width and 0 <= y < height):
        text = f"the start circle's centre lies outside the frame of {width} x {height} px; give column, row inside it"
        yield draft.problem(("start_center", "resolution"), text)


def check_shape(draft: Draft, name: str, shape: Shape, entry: Entry | None, rule_key: str) -> str | None:
    """Return the problem of an ROI that lies outside the frame, or None."""
    width, height = draft.values["resolution"]
    if not draft.known("resolution") or shape.fits(width, height):
        return None
    text = f"ROI {name} ({shown(shape.text())}) lies outside the frame of {width} x {height} px; "
    if entry is not None and NAME.fullmatch(entry.value) is None:
        return entry.problem(text + "move it, or correct resolution")
    names = (rule_key, "bregma", "ppmm", "resolution")
    return draft.problem(names, text + "correct bregma, ppmm or resolution, or place it with roi." + name)


def check_source(draft: Draft, probe: Probe | None) -> Iterator[str]:
    """Yield the problems of the recording that would be replayed."""
    values = draft.values
    if not draft.known("vid_source", "vid_root") or values["vid_source"] is not CameraKind.replay:
        return
    if not values["vid_root"]:
        text = "replay needs a recording; give vid_root, or --source"
        yield draft.problem(("vid_source",), text)
        return
    if probe is None or not draft.known("framerate"):
        return
    try:
        recording = probe(values["vid_root"], values["framerate"])
    except (SourceError, OSError) as error:
        yield draft.problem(("vid_root",), shown(error, 300))
        return
    size = (recording.width, recording.height)
    if draft.known("resolution") and tuple(values["resolution"]) != size:
        given = " x ".join(str(side) for side in values["resolution"])
        text = f"resolution {given} px is not the recording's {size[0]} x {size[1]} px; "
        yield draft.problem(("resolution", "vid_root"), text + f"write resolution = {size[0]}, {size[1]}")
