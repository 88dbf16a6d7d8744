"""A movement session in figures: the words of its figure. Pure."""

from __future__ import annotations

from collections import Counter
from textwrap import wrap

import numpy as np

from analysis.movement_data import Movement
from analysis.session_panels import runs, settings_of
from core.values import SKIPPED
from recording.reader import RecordedSession

MOST_REASONS = 3
"""Reasons of missing signals that are named, the most frequent ones."""
LONGEST = 66
"""Letters that fit into a line; a longer one is broken."""


def summary(session: RecordedSession, movement: Movement) -> list[str]:
    """Return the lines: trials and water, speed, how well the part was seen, frames that are missing, by cause."""
    lines = [_trials(session), *_movement(session, movement), *_seen(movement), *_frames(session)]
    return [part for line in [*lines, *_reasons(session)] for part in wrap(line, LONGEST, subsequent_indent="    ")]


def _trials(session: RecordedSession) -> str:
    frames = session.frames
    outcomes = Counter(trial.outcome for trial in runs(frames))
    drops = int((frames.water > 0).sum())
    return (
        f"trials: {outcomes[1]} success, {outcomes[-1]} fail"
        f"{f', {outcomes[0]} cut short' if outcomes[0] else ''};  water: {drops} drop{'s' * (drops != 1)}"
    )


def _movement(session: RecordedSession, movement: Movement) -> list[str]:
    """Return how fast the point was, and how far it went while it was seen."""
    known = movement.speed[np.isfinite(movement.speed)]
    if not known.size:
        return ["speed: never known"]
    median, high, highest = (float(value) for value in np.percentile(known, (50, 99, 100)))
    lines = [f"speed: median {median:.1f}, 99 % below {high:.0f}, highest {highest:.0f} mm/s"]
    ppmm = float(settings_of(session).get("ppmm", 0.0))
    if ppmm > 0:
        steps = np.hypot(np.diff(movement.x), np.diff(movement.y))[movement.trusted[1:] & movement.trusted[:-1]]
        lines.append(f"way: {steps.sum() / ppmm / 1000:.2f} m between frames that show the point")
    return lines


def _seen(movement: Movement) -> list[str]:
    if not len(movement.rows):
        return []
    share = 100 * float(movement.trusted.mean())
    return [
        f"{movement.part}: trusted in {share:.1f} % of the frames judged" if share else f"{movement.part}: never seen"
    ]


def _frames(session: RecordedSession) -> list[str]:
    """Return how many frames there are, and how many the pose estimation and the camera took out."""
    frames = session.frames
    skipped, lost = int((frames.reason == SKIPPED).sum()), int(frames.dropped.sum())
    return [f"frames: {len(frames)}", f"  {skipped} skipped by pose estimation", f"  {lost} lost by the camera"]


def _reasons(session: RecordedSession) -> list[str]:
    """Return why judged frames gave no signal, the most frequent reasons first."""
    frames = session.frames
    missing = ~frames.valid & (frames.reason != SKIPPED)
    found = Counter(str(reason) for reason in frames.reason[missing])
    return [f"  {count} without signal: {reason}" for reason, count in found.most_common(MOST_REASONS)]
