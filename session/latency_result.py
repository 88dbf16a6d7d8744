"""What a latency test comes to: one row per flash of the light, and the percentiles of each step of its way. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

NONE = -1


class Flash(NamedTuple):
    """One flash and what came of it. Times are ns on the monotonic clock, ``NONE`` where it did not come.

    Attributes
    ----------
    light_ns : int
        The edge of the light's line, stamped by the guardian.
    capture_ns : int
        Capture time of the first frame that the loop took for bright.
    read_ns, decision_ns : int
        When the loop had that frame, and had decided on it; what follows is the commands' way. (An edge can come before
        the last command of its frame is issued, so that is no point to measure from.)
    edge_ns : int
        The edge of the answering line, stamped by the guardian.
    sound_ns : int
        When the other tone was heard.
    """

    light_ns: int = NONE
    capture_ns: int = NONE
    read_ns: int = NONE
    decision_ns: int = NONE
    edge_ns: int = NONE
    sound_ns: int = NONE


STAGES: Mapping[str, tuple[str, str]] = {
    "light_to_edge": ("light_ns", "edge_ns"),
    "light_to_sound": ("light_ns", "sound_ns"),
    "light_to_capture": ("light_ns", "capture_ns"),
    "capture_to_read": ("capture_ns", "read_ns"),
    "read_to_decision": ("read_ns", "decision_ns"),
    "decision_to_edge": ("decision_ns", "edge_ns"),
    "decision_to_sound": ("decision_ns", "sound_ns"),
}
"""Steps, from and to; the first two are end to end."""


class Decision(NamedTuple):
    """A frame on which the loop answered.

    Attributes
    ----------
    capture_ns, read_ns, decision_ns : int
        See ``Flash``.
    """

    capture_ns: int
    read_ns: int
    decision_ns: int


def match(
    asked_ns: Sequence[int],
    lights_ns: Iterable[int],
    decisions: Iterable[Decision],
    edges_ns: Iterable[int],
    sounds_ns: Iterable[int],
) -> tuple[Flash, ...]:
    """Put together what belongs to each flash: the first of each kind between its request and the next one's.

    Parameters
    ----------
    asked_ns : sequence of int
        When each flash was asked for, rising.
    lights_ns, edges_ns, sounds_ns : iterable of int
        Rising edges of the light and of the answer, and beginnings of the other tone, in any order.
    decisions : iterable of Decision
    """
    flashes = []
    by_time = sorted(decisions, key=lambda each: each.decision_ns)
    times = [sorted(each) for each in (lights_ns, edges_ns, sounds_ns)]
    for start, end in zip(asked_ns, [*asked_ns[1:], math.inf], strict=True):
        light, edge, sound = (next((t for t in each if start <= t < end), NONE) for each in times)
        decision = next((each for each in by_time if start <= each.decision_ns < end), Decision(NONE, NONE, NONE))
        flashes.append(Flash(light, *decision, edge, sound))
    return tuple(flashes)


def durations_ms(flashes: Iterable[Flash], stage: str) -> list[float]:
    """Return what a stage took in each flash that has both its ends, ms."""
    first, last = STAGES[stage]
    pairs = ((getattr(flash, first), getattr(flash, last)) for flash in flashes)
    return [(end - start) / 1e6 for start, end in pairs if NONE not in (start, end)]


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Return n, p50, p99, p999 and max; n alone where there is no value. Few values have their maximum as p999."""
    if not values:
        return {"n": 0}
    p50, p99, p999 = np.percentile(values, (50, 99, 99.9))
    return {
        "n": len(values),
        **{name: round(float(each), 4) for name, each in (("p50", p50), ("p99", p99), ("p999", p999))},
        "max": round(max(values), 4),
    }


@dataclass(frozen=True, slots=True)
class LatencyResult:
    """A latency test.

    Attributes
    ----------
    about : dict
        Date, rig, bench, camera, frame rate, lines, how the sound was heard.
    dark, lit : float
        Brightness of the image without and with the light, counts.
    frames, dropped : int
        Frames read, and lost.
    flashes : tuple of Flash
    """

    about: Mapping[str, Any]
    dark: float
    lit: float
    frames: int
    dropped: int
    flashes: tuple[Flash, ...]

    @property
    def missed(self) -> int:
        """Return the flashes that no edge answered."""
        return sum(flash.edge_ns == NONE for flash in self.flashes)

    def stages(self) -> dict[str, dict[str, float]]:
        """Return the percentiles of each stage, ms; a stage that never was is left out."""
        made = {stage: percentiles(durations_ms(self.flashes, stage)) for stage in STAGES}
        return {stage: each for stage, each in made.items() if each["n"]}

    def json(self) -> dict[str, Any]:
        """Return all of it as JSON has it, every flash included."""
        return {
            **self.about,
            "dark": round(self.dark, 2),
            "lit": round(self.lit, 2),
            "frames": self.frames,
            "dropped": self.dropped,
            "flashes": len(self.flashes),
            "missed": self.missed,
            "stages_ms": self.stages(),
            "times_ns": [dict(flash._asdict()) for flash in self.flashes],
        }

    def text(self) -> list[str]:
        """Return it as lines for a person."""
        rows = [
            f"{stage.replace('_', ' '):18} p50 {each['p50']:8.3f}  p99 {each['p99']:8.3f}  p99.9 {each['p999']:8.3f}  "
            f"max {each['max']:8.3f} ms  ({each['n']:g})"
            for stage, each in self.stages().items()
        ]
        heard = self.about.get("ear", "none")
        return [
            f"latency of {len(self.flashes)} flashes in {self.frames} frames, {self.missed} without answer, "
            f"{self.dropped} frames lost; brightness {self.dark:.1f} dark, {self.lit:.1f} lit; sound heard by: {heard}",
            *rows,
        ]
