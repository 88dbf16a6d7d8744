"""Checks of values against each other, and of the recording behind them. Each problem is one line."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from brain.settings import MAX_HISTORY_S
from camera.settings import CameraKind
from core.errors import SourceError
from roi_manager import Shape
from session.config_file import Entry, Section, shown
from session.config_keys import ConfigKey
from session.config_rois import NAME, PREFIX

MIN_FRAMES = 2
"""Fewest frames in the history of dF/F; chosen because one frame is no baseline, its noise is the signal's."""
MAX_HISTORY_BYTES = 1 << 30
"""Most memory for the history of dF/F (1 GiB); chosen because a Raspberry Pi of 4 GiB has room for it."""


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
    if "dff_history" in draft.keys:
        yield from _check_history(draft)


def _order(draft: Draft, low: str, high: str, *, strict: bool = False, why: str = "") -> Iterator[str]:
    if not draft.known(low, high):
        return
    a, b = draft.values[low], draft.values[high]
    if a > b or (strict and a == b):
        wrong = "is not below" if strict else "is above"
        reason = f" ({why})" if why else ""
        text = f"{draft.say(low)} {wrong} {draft.say(high)}{reason}; lower {low} or raise {high}"
        yield draft.problem((high, low), text)


def _check_history(draft: Draft) -> Iterator[str]:
    """A baseline is made of frames."""
    if not draft.known("dff_history", "framerate"):
        return
    history, rate = draft.values["dff_history"], draft.values["framerate"]
    # The tolerance is for products such as 0.7 * (2 / 0.7).
    if history * rate >= MIN_FRAMES * (1 - 1e-9):
        return
    key, least = "dff_history", MIN_FRAMES / rate
    if least > MAX_HISTORY_S:
        key, least = "framerate", MIN_FRAMES / history
    text = f"{draft.say('dff_history')} s holds {history * rate:.3g} frames at {draft.say('framerate')} frames/s, "
    cure = f"{MIN_FRAMES} are needed; raise {key} to {math.ceil(least * 1000) / 1000:g} or more"
    yield draft.problem(("dff_history", "framerate"), text + cure)


def check_memory(draft: Draft, rois: Mapping[str, Shape], rule_key: str) -> Iterator[str]:
    """Yield the problem of ROIs whose history would not fit into memory: 2 channels of uint8, bounding boxes."""
    if not rois or not draft.known("dff_history", "framerate", "roi_size", "ppmm"):
        return
    boxes = {name: _box(shape) for name, shape in rois.items()}
    per_second = 2 * sum(width * height for width, height in boxes.values()) * draft.values["framerate"]
    need = per_second * draft.values["dff_history"]
    if need <= MAX_HISTORY_BYTES:
        return
    largest = sorted(boxes, key=lambda name: -math.prod(boxes[name]))
    named = ", ".join(f"{name} ({boxes[name][0]} x {boxes[name][1]} px)" for name in largest[:5])
    more = f" and {len(largest) - 5} more" if len(largest) > 5 else ""
    text = f"{draft.say('dff_history')} s of ROI{'s' * (len(boxes) > 1)} {named}{more} at {draft.say('framerate')} "
    text += f"frames/s needs {need / (1 << 30):.3g} GiB of memory, above {MAX_HISTORY_BYTES >> 30} GiB; "
    longest = math.floor(100 * MAX_HISTORY_BYTES / per_second) / 100
    shorter = f"shorten dff_history to {longest:g} s or less" if longest >= 0.1 else "shorten dff_history"
    keys = ("dff_history", "framerate", *(PREFIX + name.lower() for name in largest), "roi_size", "ppmm", rule_key)
    yield draft.problem(keys, f"{text}make the ROI{'s' * (len(boxes) > 1)} smaller, or {shorter}")


def _box(shape: Shape) -> tuple[int, int]:
    """Return width and height of a shape's bounding box, px."""
    x0, y0, x1, y1 = shape.bounds()
    return x1 - x0, y1 - y0


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
