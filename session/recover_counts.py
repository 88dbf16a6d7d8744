"""What a session that was killed came to, counted in its tables: the same numbers as at a normal end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.values import SKIPPED
from recording.csvrows import shown
from recording.recorded import RecordedSession
from recording.schema import SECOND_FOLDER
from session.recover_tally import records_images, tally_of, without_image
from session.result import SessionResult
from session.second_folder import SecondCounts
from session.settings import Settings
from session.timing import Latencies
from session.water_day import WaterToday

RECOVERED = "recovered"
BY_SESSION = "counts_by_session"
"""What session.json keeps the counts as that a session had made itself, where its tables have others."""
_COUNTED = ("frames", "trials", "successes", "rewards", "water", "dropped", "images", "images_dropped")


def result_of(
    session: RecordedSession,
    settings: Settings,
    images: int,
    unwritten: int,
    outcome: str,
    today: WaterToday | None,
    second: SecondCounts | None,
) -> SessionResult:
    """Return counts, times and latencies of a session by its rows.

    Parameters
    ----------
    session : RecordedSession
    settings : Settings
        Of its session.ini.
    images : int
        Images that its file holds.
    unwritten : int
        Rows whose image did not reach the disk.
    outcome : str
    today : WaterToday or None
        What the ledger says of its day; None where no real water flowed.
    second : SecondCounts or None
    """
    frames, timing = session.frames, session.timing
    skipped = int(np.count_nonzero(frames.reason == SKIPPED))
    successes = int(np.count_nonzero(frames.outcome > 0))
    live = session.meta.get("pace") == "real"
    tally = tally_of(session, session.events, skipped, unwritten, second=False)
    return SessionResult(
        session=session.folder,
        outcome=outcome,
        error=str(session.meta.get("error") or ""),
        trials=int(np.count_nonzero(frames.outcome)),
        successes=successes,
        rewards=_rewards(session),
        water=int(frames.water.sum()),
        frames=len(frames),
        dropped=sum(tally.dropped.values()),
        skipped=skipped,
        images=images,
        images_dropped=without_image(session),
        duration_s=_span_ns(frames.time_ns) / 1e9,
        wall_s=_span_ns(timing.read_ns) / 1e9,
        latency_us=_latencies(session, since_capture=False),
        lateness_us=_latencies(session, since_capture=True) if live else {},
        interruptions=_interruptions(session, second=False),
        threshold=last_threshold(session, settings.threshold.reward_threshold),
        water_today=today,
        second_camera=second,
        tally=tally,
    )


def second_counts(first: RecordedSession, session: RecordedSession, images: int, unwritten: int) -> SecondCounts:
    """Return what a second camera's recording came to.

    Parameters
    ----------
    first : RecordedSession
        The session, whose events tell of the camera.
    session : RecordedSession
        What was recorded of the camera.
    images : int
        Images that its file holds.
    unwritten : int
        Rows whose image did not reach the disk.
    """
    frames = session.frames
    tally = tally_of(session, first.events, 0, unwritten, second=True)
    return SecondCounts(
        frames=len(frames),
        dropped=sum(tally.dropped.values()),
        images=images,
        images_dropped=without_image(session),
        file=f"{SECOND_FOLDER}/{session.image_path.name}" if records_images(session) else "",
        first_frame_ns=first_frame_ns(session),
        interruptions=_interruptions(first, second=True),
        ended="",
        error="",
        tally=tally,
    )


def last_threshold(session: RecordedSession, first: float) -> float:
    """Return the threshold that the next frame would have been judged by; ``first`` where there was no frame."""
    frames = session.frames
    if not len(frames):
        return first
    # What the last frame was judged by, unless that frame, or an operator since, changed it.
    changed = [e for e in session.events if e.kind == "threshold" and e.time_ns >= frames.time_ns[-1]]
    return float(changed[-1].detail) if changed else float(frames.threshold[-1])


def lasted_s(session: RecordedSession) -> float:
    """Return how long a session has lasted on the frames' clock, s, pauses not counted."""
    frames = session.frames
    steps = np.diff(frames.time_ns)
    return float(steps[frames.phase[:-1] != "paused"].sum()) / 1e9


def facts_of(session: RecordedSession, wall_ns: int) -> dict[str, Any]:
    """Return what session.json says of a recovery beside the counts."""
    times = session.frames.time_ns
    return {"last_frame_ns": int(times[-1]) if len(times) else -1, "recovered_wall_ns": wall_ns}


def first_frame_ns(session: RecordedSession) -> int:
    """Return the time of the first frame, ns; -1 if none came."""
    return int(session.frames.time_ns[0]) if len(session.frames) else -1


def is_behind(session: RecordedSession) -> bool:
    """Return whether session.json counts other frames than the tables have, or fewer images than they name.

    So it is where the recorder died, or hung, before its session ended: frames are counted as they are handed over.
    """
    counts = counts_of(session)
    named = int(np.count_nonzero(session.frames.image >= 0))
    return counts.get("frames") != len(session.frames) or named > (counts.get("images") or 0)


def differences(session: RecordedSession, result: SessionResult) -> list[str]:
    """Return how session.json's counts differ from those of the tables, a few words each; of a session that failed.

    None where its recorder came to its end: what the session itself counted is right then.
    """
    counts, now = counts_of(session), result.json()
    differ = [f"{key} {now[key]} (was {shown(counts.get(key))})" for key in _COUNTED if now[key] != counts.get(key)]
    second = result.second_camera
    second_differs = second is not None and counts.get("second_camera") != second.json()
    if second_differs:
        differ.append("those of the second camera")
    return differ if is_behind(session) or second_differs else []


def counts_of(session: RecordedSession) -> dict[str, Any]:
    """Return what session.json counts; empty where it has none."""
    return session.meta.get("counts") or {}


def data_root_of(session: Path) -> Path:
    """Return the data root of a session by the layout of folders."""
    return session.parents[2]


def _rewards(session: RecordedSession) -> int:
    """Return the drops that a crossing or chance earned.

    All water of trials but the free drops: the last rows of frames.csv may be ahead of the events.
    """
    frames = session.frames
    in_trial = frames.phase == "trial"
    free_ns = [event.time_ns for event in session.events if event.kind == "free_water"]
    return int(frames.water[in_trial].sum()) - int(np.isin(free_ns, frames.time_ns[in_trial]).sum())


def _interruptions(session: RecordedSession, *, second: bool) -> int:
    lost = [event.detail for event in session.events if event.kind == "lost"]
    return sum(
        detail.startswith(f"{SECOND_FOLDER}:") == second and "goes on without it" not in detail for detail in lost
    )


def _span_ns(times: Any) -> int:
    return int(times[-1] - times[0]) if len(times) else 0


def _latencies(session: RecordedSession, *, since_capture: bool) -> dict[str, float]:
    """Return percentiles of the frames that were judged, from reading to the last command, or capture to reading."""
    timing, frames = session.timing, session.frames
    both = min(len(timing), len(frames))
    judged = timing.command_ns[:both] > 0
    begin = frames.time_ns[:both] if since_capture else timing.read_ns[:both]
    end = timing.read_ns[:both] if since_capture else timing.command_ns[:both]
    latencies = Latencies()
    for ns in (end - begin)[judged].tolist():
        latencies.add(ns)
    return latencies.percentiles_us()
