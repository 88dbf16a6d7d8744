"""The words of a preview: one line a second on the screen, and the text of its picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

from brain.exposure import Channel, Exposure, Verdict
from session.preview import Sight

MOST_ROWS = 12
"""ROIs that the picture's table has rows for; more are counted, and the bad ones come first."""
LONGEST_FORMULA = 90
"""Letters of the rule that fit into a line of the picture beside the rest."""


def by_roi(exposures: Sequence[Exposure]) -> dict[str, list[Exposure]]:
    """Return the channels of each ROI, in the order given."""
    rois: dict[str, list[Exposure]] = {}
    for found in exposures:
        rois.setdefault(found.roi, []).append(found)
    return rois


def is_good(channels: Sequence[Exposure]) -> bool:
    """Return whether an ROI is neither saturated nor dark in any of its channels."""
    return all(found.verdict is Verdict.good for found in channels)


def verdict_text(channels: Sequence[Exposure]) -> str:
    """Return what is said of one ROI: ``good``, or such as ``SATURATED in green``."""
    bad = [f"{found.verdict.value.upper()} in {found.channel.name}" for found in channels]
    return (
        ", ".join(text for text, found in zip(bad, channels, strict=True) if found.verdict is not Verdict.good)
        or "good"
    )


def screen_line(sight: Sight) -> str:
    """Return one line: frame, time, frame rate, and each ROI's verdict with what it rests on, bad ones first."""
    rois = by_roi(sight.exposures)
    names = sorted(rois, key=lambda name: is_good(rois[name]))
    return "  ".join([*when(sight), *(f"{name} {verdict_text(rois[name])} ({_counts(rois[name])})" for name in names)])


def head_line(sight: Sight, formula: str) -> str:
    """Return the picture's second line: frame, time, frame rate, and the signal a session would have."""
    signal = sight.signal
    formula = formula if len(formula) <= LONGEST_FORMULA else formula[: LONGEST_FORMULA - 3] + "..."
    why = f" ({signal.reason})" if signal.reason else ""
    return "  ·  ".join([*when(sight), f"signal {formula} = {_percent(signal.value)}{why}"])


def table(sight: Sight, names: Sequence[str]) -> list[tuple[str, bool]]:
    """Return the rows of the picture's table, the heading first, each with whether it is good.

    Parameters
    ----------
    sight : Sight
    names : sequence of str
        Names of ``sight.signal.parts``.
    """
    rois = by_roi(sight.exposures)
    dff = dict(zip(names, sight.signal.parts, strict=False))
    wide = max([3, *map(len, rois)])
    used = [channel for channel in Channel if any(found.channel is channel for found in sight.exposures)]
    heads = "".join(f"{channel.name:>10}  saturated" for channel in used)
    rows = [(f"{'ROI':<{wide}}{heads}{'dF/F':>10}   verdict", True)]
    shown = sorted(rois, key=lambda name: is_good(rois[name])) if len(rois) > MOST_ROWS else list(rois)
    for name in shown[:MOST_ROWS]:
        cells = "".join(f"{found.mean:>10.1f}{_share(found.saturated):>11}" for found in rois[name])
        value = _percent(dff.get(name, math.nan))
        rows.append((f"{name:<{wide}}{cells}{value:>10}   {verdict_text(rois[name])}", is_good(rois[name])))
    if len(shown) > MOST_ROWS:
        rows.append((f"and {len(shown) - MOST_ROWS} more", True))
    return rows


def when(sight: Sight) -> list[str]:
    """Return frame number, time, frame rate, and the frames that were lost or skipped, as far as there are any."""
    fps = [] if math.isnan(sight.fps) else [f"{sight.fps:.1f} frames/s"]
    lost = [f"{sight.lost} lost"] if sight.lost else []
    skipped = [f"{sight.skipped} skipped by pose estimation"] if sight.skipped else []
    return [f"frame {sight.frame.number}", f"{sight.time_s:.1f} s", *fps, *lost, *skipped]


def _counts(channels: Sequence[Exposure]) -> str:
    return ", ".join(
        f"{found.channel.name} {found.mean:.0f}"
        + (f" with {_share(found.saturated)} saturated" if found.saturated else "")
        for found in channels
    )


def _share(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"


def _percent(value: float) -> str:
    # Adding 0 turns -0 into 0.
    return "-" if math.isnan(value) else f"{round(100 * value, 1) + 0.0:+.1f} %"
