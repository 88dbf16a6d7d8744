"""Checks of values against each other. Each problem is one line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from brain.settings import MAX_HISTORY_S
from camera.setting_checks import setting_problems
from camera.settings import CameraSettings
from core.errors import InputError
from core.outputs import HIGHEST_TONE_HZ, longest_opening_ns
from core.values import as_ns, as_seconds
from hardware.loudness import read_table
from hardware.pins import pin_problems
from hardware.settings import LickSettings, PinSettings
from hardware.speaker_card import RATES
from helper import SessionType, tone_frequencies
from roi_manager import Shape
from session.config_entries import Entry, Problem, Section
from session.config_file import shown
from session.config_keys import ConfigKey
from session.config_rois import NAME, PREFIX

MIN_FRAMES = 2
"""Fewest frames in the history of dF/F; chosen because one frame is no baseline, its noise is the signal's."""
MAX_HISTORY_BYTES = 1 << 30
"""Most memory for the history of dF/F (1 GiB); chosen because a Raspberry Pi of 4 GiB has room for it."""
SPARE = 1.25
"""``brain.dff`` makes room for this many times the frames foreseen; a test holds what it takes against this."""
FRAME_DTYPE = "uint8"
"""What every camera delivers but replay, which delivers what was recorded."""


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
    dtype : {"uint8", "uint16"}
        Of the frames.
    problems : list of Problem
    """

    section: Section
    keys: Mapping[str, ConfigKey]
    entries: dict[str, Entry] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)
    dtype: str = FRAME_DTYPE
    problems: list[Problem] = field(default_factory=list)

    def known(self, *names: str) -> bool:
        """Return whether all these keys were read."""
        return not self.bad.intersection(names)

    def problem(self, names: tuple[str, ...], text: str) -> Problem:
        """Return a problem that points at the key which was given nearest to the command line."""
        given = [self.entries[name] for name in names if name in self.entries]
        return max(given, key=lambda entry: entry.rank).problem(text) if given else self.section.problem(text)

    def say(self, name: str) -> str:
        """Return ``key value``, such as ``tone_floor 0.1``."""
        return f"{name} {self.keys[name].write(self.values[name])}"


def check_together(draft: Draft) -> Iterator[Problem]:
    """Yield the problems of values that do not go together."""
    earns = "reward_threshold" if "reward_threshold" in draft.keys else "speed_threshold"
    yield from _order(draft, "tone_floor", earns, strict=True, why="the tones lie between the two")
    yield from _order(draft, "threshold_min", "threshold_max")
    yield from _order(draft, "reward_dur", "max_pulse_s", why="the valve would refuse")
    for bound in ("max_session_water_s", "max_day_water_s"):
        yield from _order(draft, "reward_dur", bound, why="the valve would refuse every reward")
    yield from _check_free_water(draft)
    yield from _check_duty(draft)
    yield from _order(draft, "reward_dur", "final_rest_dur", why="the session would end within its last drop")
    if draft.known("adaptive_threshold") and draft.values["adaptive_threshold"]:
        why = "the threshold adapts between threshold_min and threshold_max"
        yield from _order(draft, "threshold_min", earns, why=why)
        yield from _order(draft, earns, "threshold_max", why=why)
        yield from _order(draft, "tone_floor", "threshold_min", strict=True, why="the tones lie above tone_floor")
    yield from _check_tones(draft)
    yield from _check_gains(draft)
    yield from _check_pins(draft)
    yield from _check_camera(draft)
    if "dff_history" in draft.keys:
        yield from _check_history(draft)


def _order(draft: Draft, low: str, high: str, *, strict: bool = False, why: str = "") -> Iterator[Problem]:
    if not draft.known(low, high):
        return
    a, b = draft.values[low], draft.values[high]
    if a > b or (strict and a == b):
        wrong = "is not below" if strict else "is above"
        reason = f" ({why})" if why else ""
        text = f"{draft.say(low)} {wrong} {draft.say(high)}{reason}; lower {low} or raise {high}"
        yield draft.problem((high, low), text)


def _check_free_water(draft: Draft) -> Iterator[Problem]:
    """Drops at fixed intervals are those of resting sessions."""
    keys = ("free_reward_interval_s", "session_type")
    if not draft.known(*keys) or not draft.values[keys[0]]:
        return
    if draft.values["session_type"] is not SessionType.behavior_recording:
        cure = "set session_type = behavior_recording, or free_reward_interval_s = 0"
        yield draft.problem(keys, f"{draft.say(keys[0])} s gives drops in behavior_recording sessions only; {cure}")


def _check_duty(draft: Draft) -> Iterator[Problem]:
    """A drop that ``max_duty`` would never let out."""
    if not draft.known("reward_dur", "max_duty"):
        return
    longest_ns = longest_opening_ns(draft.values["max_duty"])
    if as_ns(draft.values["reward_dur"]) > longest_ns:
        text = f"{draft.say('reward_dur')} is above {as_seconds(longest_ns):g} s, all that {draft.say('max_duty')} "
        cure = "leaves of any 10 s (the valve would refuse); lower reward_dur or raise max_duty"
        yield draft.problem(("max_duty", "reward_dur"), text + cure)


def _check_tones(draft: Draft) -> Iterator[Problem]:
    """Tones that the sound card's sample rate cannot carry."""
    keys = ("n_tones", "start_freq", "single_freq", "sample_rate")
    if not draft.known(*keys):
        return
    n_tones, start, single, rate = (draft.values[key] for key in keys)
    highest_hz = max(*tone_frequencies(n_tones, start), single)
    if 2 * highest_hz < (rate or max(RATES)):
        return
    tones = ("single_freq",) if highest_hz == single else ("n_tones", "start_freq")
    says = " and ".join(draft.say(key) for key in tones)
    least = f"needs a sample_rate above {2 * highest_hz:.0f}, and {draft.say('sample_rate')}"
    least += f" chooses up to {max(RATES)}" if not rate else " is not"
    cure = f"raise sample_rate (up to 192000 Hz), or lower {' or '.join(tones)}"
    if highest_hz >= HIGHEST_TONE_HZ:
        cure = f"lower {' or '.join(tones)}: no card plays {HIGHEST_TONE_HZ:.0f} Hz"
    yield draft.problem((*tones, "sample_rate"), f"the highest tone, {highest_hz:.0f} Hz ({says}), {least}; {cure}")


def _check_gains(draft: Draft) -> Iterator[Problem]:
    """A table of loudness that cannot be read."""
    if not draft.known("sound_gains") or not draft.values["sound_gains"]:
        return
    try:
        read_table(Path(draft.values["sound_gains"]))
    except InputError as error:
        what = str(error).partition("; run:")[0]
        cure = "give a table of gains, or leave sound_gains empty for what rigloop calibrate speaker stored"
        yield draft.problem(("sound_gains",), f"{what}; {cure}")


def _check_pins(draft: Draft) -> Iterator[Problem]:
    """Lines and sensors on one pin, or on pins that cannot carry them."""
    groups = [{each.name: draft.values.get(each.name) for each in fields(kind)} for kind in (PinSettings, LickSettings)]
    if draft.known(*groups[0], *groups[1]):
        for keys, text in pin_problems(PinSettings(**groups[0]), LickSettings(**groups[1])):  # type: ignore[arg-type]
            yield draft.problem(keys, text)


def _check_camera(draft: Draft) -> Iterator[Problem]:
    """Settings that no camera of its kind can keep."""
    values = {each.name: draft.values.get(each.name) for each in fields(CameraSettings)}
    if draft.known(*values):
        for keys, text in setting_problems(CameraSettings(**values)):  # type: ignore[arg-type]
            yield draft.problem(keys, text)


def _check_history(draft: Draft) -> Iterator[Problem]:
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


def history_bytes(draft: Draft, pixels: int) -> int:
    """Return how much memory ``brain.dff`` takes for ROIs of so many pixels: its ring of frames, and its sums."""
    foreseen: float = draft.values["dff_history"] * draft.values["framerate"]
    frames = math.ceil(foreseen * SPARE) + 3
    return pixels * (_per_frame(draft) * frames + 16)


def _per_frame(draft: Draft) -> int:
    """Return how many bytes a pixel takes in each frame of the history: two channels."""
    return 2 * np.dtype(draft.dtype).itemsize


def check_memory(draft: Draft, rois: Mapping[str, Shape], rule_key: str) -> Iterator[Problem]:
    """Yield the problem of ROIs whose history would not fit into memory."""
    if not rois or not draft.known("dff_history", "framerate", "roi_size", "ppmm"):
        return
    pixels = sum(shape.area_px for shape in rois.values())
    need = history_bytes(draft, pixels)
    if need <= MAX_HISTORY_BYTES:
        return
    boxes = {name: _box(shape) for name, shape in rois.items()}
    largest = sorted(boxes, key=lambda name: -math.prod(boxes[name]))
    named = ", ".join(f"{name} ({boxes[name][0]} x {boxes[name][1]} px)" for name in largest[:5])
    more = f" and {len(largest) - 5} more" if len(largest) > 5 else ""
    text = f"{draft.say('dff_history')} s of ROI{'s' * (len(boxes) > 1)} {named}{more} at {draft.say('framerate')} "
    text += (
        f"frames/s ({draft.dtype}) needs {need / (1 << 30):.3g} GiB of memory, above {MAX_HISTORY_BYTES >> 30} GiB; "
    )
    frames = (MAX_HISTORY_BYTES / pixels - 16) // _per_frame(draft) - 3
    longest = math.floor(100 * frames / SPARE / draft.values["framerate"] * (1 - 1e-9)) / 100
    shorter = f"shorten dff_history to {longest:g} s or less" if longest >= 0.1 else "shorten dff_history"
    keys = ("dff_history", "framerate", *(PREFIX + name.lower() for name in largest), "roi_size", "ppmm", rule_key)
    yield draft.problem(keys, f"{text}make the ROI{'s' * (len(boxes) > 1)} smaller, or {shorter}")


def _box(shape: Shape) -> tuple[int, int]:
    """Return width and height of a shape's bounding box, px."""
    x0, y0, x1, y1 = shape.bounds()
    return x1 - x0, y1 - y0


def check_shape(draft: Draft, name: str, shape: Shape, entry: Entry | None, rule_key: str) -> Problem | None:
    """Return the problem of an ROI that lies outside the frame, or None."""
    width, height = draft.values["resolution"]
    if not draft.known("resolution") or shape.fits(width, height):
        return None
    text = f"ROI {name} ({shown(shape.text())}) lies outside the frame of {width} x {height} px; "
    if entry is not None and NAME.fullmatch(entry.value) is None:
        return entry.problem(text + "move it, or correct resolution")
    names = (rule_key, "bregma", "ppmm", "resolution")
    return draft.problem(names, text + "correct bregma, ppmm or resolution, or place it with roi." + name)
