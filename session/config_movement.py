"""Movement experiments: speeds in px per frame become mm/s, what earns a threshold; checks of the two circles."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from behavior.pose_open import problems
from behavior.pose_settings import PoseSettings
from behavior.settings import RewardBy, TrialStart
from session.config_checks import Draft
from session.config_entries import Problem

IN_PX: Mapping[str, str] = {
    "speed_threshold": "speed_threshold_px_per_frame",
    "still_speed": "still_speed_px_per_frame",
}
"""Speeds in mm/s, and the keys that give them in px per frame period."""


def take_speeds(draft: Draft) -> None:
    """Turn speeds in px per frame into mm/s, so that nothing behind here knows of pixels per frame."""
    if not draft.known("framerate", "ppmm"):
        return
    for key, in_px in IN_PX.items():
        if draft.known(in_px) and draft.values[in_px] > 0:
            draft.values[key] = draft.values[in_px] * draft.values["framerate"] / draft.values["ppmm"]
            draft.values[in_px] = 0.0


def first_threshold(values: Mapping[str, Any]) -> float:
    """Return what the signal must reach: a speed, mm/s; minus the target's radius, mm, where reaching it earns."""
    by_target = values["reward_by"] is RewardBy.target
    return float(-values["target_radius_mm"] if by_target else values["speed_threshold"])


def lowest_signal(values: Mapping[str, Any]) -> float:
    """Return the signal at which the lowest tone plays: ``tone_floor``, or minus the distance that is far, mm."""
    return -_far_mm(values) if values["reward_by"] is RewardBy.target else float(values["tone_floor"])


def _far_mm(values: Mapping[str, Any]) -> float:
    """Return the distance from the target's centre at which the lowest tone plays, mm."""
    between_px = math.dist(values["start_center"], values["target_center"])
    return float(values["target_far_mm"] or between_px / values["ppmm"])


def check_movement(draft: Draft) -> Iterator[Problem]:
    """Yield the problems of a movement experiment's values."""
    yield from _check_circles(draft)
    yield from _check_target(draft)
    yield from _check_wait(draft)
    names = [field.name for field in fields(PoseSettings)]
    if draft.known(*names, "resolution"):
        settings = PoseSettings(**{name: draft.values[name] for name in names})
        for keys, text in problems(settings, draft.values["resolution"]):
            # The line begins with the key and its value where they stand; once is enough.
            yield draft.problem(keys, text.removeprefix(f"{keys[0]} = {draft.values[keys[0]]}: "))


def _check_circles(draft: Draft) -> Iterator[Problem]:
    """A circle that matters and lies outside the image is never reached."""
    if not draft.known("resolution", "trial_start", "reward_by"):
        return
    width, height = draft.values["resolution"]
    matters = {
        "start": draft.values["trial_start"] is TrialStart.start_roi,
        "target": draft.values["reward_by"] is RewardBy.target,
    }
    for circle, needed in matters.items():
        key = f"{circle}_center"
        if not needed or not draft.known(key):
            continue
        x, y = draft.values[key]
        if not (0 <= x < width and 0 <= y < height):
            cure = f"of {width} x {height} px; give column, row inside it"
            yield draft.problem((key, "resolution"), f"the {circle} circle's centre lies outside the frame {cure}")


def _check_wait(draft: Draft) -> Iterator[Problem]:
    """A paw that has to be watched for longer than a session waits for it."""
    keys = ("joint_history_sec", "max_start_wait_s", "initial_rest_dur")
    if not draft.known(*keys, "trial_start") or draft.values["trial_start"] is not TrialStart.still:
        return
    watched, wait, rest = (draft.values[key] for key in keys)
    if wait > 0 and watched > rest + wait:
        text = f"{draft.say(keys[0])} s is above {draft.say(keys[2])} and {draft.say(keys[1])} s together, so that no "
        yield draft.problem(keys, f"{text}trial would begin; lower joint_history_sec, or raise max_start_wait_s")


def _check_target(draft: Draft) -> Iterator[Problem]:
    """Where reaching the target earns: the tones need a way to it, and no threshold adapts."""
    keys = ("reward_by", "target_radius_mm", "target_far_mm", "target_center", "start_center", "ppmm")
    if not draft.known(*keys) or draft.values["reward_by"] is not RewardBy.target:
        return
    far_mm, radius_mm = _far_mm(draft.values), draft.values["target_radius_mm"]
    if far_mm <= radius_mm:
        given = "target_far_mm" if draft.values["target_far_mm"] else "start_center"
        what = f"the lowest tone plays {far_mm:.3g} mm from the target's centre, within target_radius_mm {radius_mm:g}"
        yield draft.problem((given, "target_radius_mm"), f"{what}; raise target_far_mm or lower target_radius_mm")
    if draft.known("adaptive_threshold") and draft.values["adaptive_threshold"]:
        text = "a target circle does not adapt (reward_by = target); set adaptive_threshold = 0, or reward_by = speed"
        yield draft.problem(("adaptive_threshold", "reward_by"), text)
