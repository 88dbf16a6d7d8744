"""The words of a movement preview: one line a second on the screen, and the text of its picture. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from analysis.preview_text import when
from behavior.settings import MovementSettings, RewardBy
from session.preview import Sight
from session.settings import Settings

MOST_ROWS = 16
"""Body parts that the picture's table has rows for; more are counted, and those that are not trusted come first."""


class BodyPart(NamedTuple):
    """One body part in one frame.

    Attributes
    ----------
    name : str
    x, y : float
        Column and row, px; NaN where it was not found.
    likelihood : float
    trusted : bool
        Whether it is found and its likelihood is at least ``min_likelihood``.
    """

    name: str
    x: float
    y: float
    likelihood: float
    trusted: bool


def body_parts(sight: Sight, names: Sequence[str], least: float) -> list[BodyPart]:
    """Return the body parts in the order of the pipeline's ``names``, which are those of ``sight.signal.parts``."""
    values = dict(zip(names, sight.signal.parts, strict=False))
    found = []
    for part in part_names(names):
        x, y, likelihood = (values.get(f"{part}_{what}", math.nan) for what in ("x", "y", "likelihood"))
        trusted = bool(math.isfinite(x) and math.isfinite(y) and likelihood >= least)
        found.append(BodyPart(part, x, y, likelihood, trusted))
    return found


def part_names(names: Sequence[str]) -> list[str]:
    """Return the names of the body parts of a movement pipeline's ``names``."""
    return [name.removesuffix("_likelihood") for name in names if name.endswith("_likelihood")]


def head_line(sight: Sight) -> str:
    """Return the picture's second line: frame, time, frame rate, and the frames that are missing, by cause."""
    return "  ·  ".join(when(sight))


def screen_line(sight: Sight, names: Sequence[str], settings: Settings) -> str:
    """Return one line: frame, time, frame rate, signal, likelihood, and whether a trial could begin."""
    movement = movement_of(settings)
    likelihood = dict(zip(names, sight.signal.parts, strict=False)).get(f"{movement.control_point}_likelihood")
    sure = [] if likelihood is None else [f"likelihood {_two(likelihood)}"]
    return "  ".join([*when(sight), signal_text(sight, settings), *sure, start_text(sight)])


def signal_text(sight: Sight, settings: Settings) -> str:
    """Return the signal and what it must reach, or why there is none."""
    movement, limit, value = movement_of(settings), limit_of(settings), sight.signal.value
    point = movement.control_point
    if not sight.signal.valid:
        return f"{point}: NO SIGNAL ({sight.signal.reason})"
    if movement.reward_by is RewardBy.target:
        return f"{point} is {-value:.1f} mm from the target (radius {limit:g} mm)"
    return f"{point} {value:.1f} mm/s (threshold {limit:g} mm/s)"


def limit_of(settings: Settings) -> float:
    """Return what earns water: the threshold of the speed, mm/s, or the radius of the target circle, mm."""
    movement = movement_of(settings)
    by_target = movement.reward_by is RewardBy.target
    return movement.target_radius_mm if by_target else settings.threshold.reward_threshold


def start_text(sight: Sight) -> str:
    """Return whether a trial could begin on this frame, or why not."""
    return f"no trial could begin: {sight.signal.waits}" if sight.signal.waits else "a trial could begin"


def table(parts: Sequence[BodyPart]) -> list[tuple[str, bool]]:
    """Return the rows of the picture's table, the heading first, each with whether the part is trusted."""
    wide = max([9, *(len(part.name) for part in parts)])
    shown = sorted(parts, key=lambda part: part.trusted) if len(parts) > MOST_ROWS else list(parts)
    rows = [(f"{'body part':<{wide}}{'column':>9}{'row':>8}{'likelihood':>12}", True)]
    for part in shown[:MOST_ROWS]:
        place = f"{_one(part.x):>9}{_one(part.y):>8}{_two(part.likelihood):>12}"
        rows.append((f"{part.name:<{wide}}{place}", part.trusted))
    if len(shown) > MOST_ROWS:
        rows.append((f"and {len(shown) - MOST_ROWS} more", True))
    return rows


def movement_of(settings: Settings) -> MovementSettings:
    """Return the movement settings. Raises TypeError for a neurofeedback experiment, which has none."""
    if settings.movement is None:
        raise TypeError(f"experiment {settings.experiment} measures no movement")
    return settings.movement


def _one(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1f}"


def _two(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"
