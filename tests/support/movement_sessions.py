"""Writes recorded movement sessions from tracks of body parts, judged by the trial logic itself."""

import json
from typing import NamedTuple

import numpy as np

from core.schedule import TrialPlan
from core.threshold import ThresholdSettings
from core.tones import ToneSettings
from core.trial import SessionPlan, TrialSettings, begin, step
from core.values import SKIPPED, Lick, Mark, Signal, TrialInput, Water
from helper import SessionType
from recording import csvrows, schema
from recording.schema import EventRow, FrameRow
from recording.settings import VideoCodec
from recording.video_file import VideoFile

SETTINGS = {
    "control_point": "snout", "min_likelihood": 0.6, "max_gap_s": 0.2, "reward_by": "speed", "speed_threshold": 170.0,
    "trial_start": "still", "start_center": [320.0, 240.0], "start_radius_mm": 4.0, "target_center": [400.0, 180.0],
    "target_radius_mm": 6.0, "ppmm": 8.0, "resolution": [640, 480], "framerate": 30.0,
}  # fmt: skip
MISSING = "snout: likelihood below min_likelihood for longer than max_gap_s"


class Tracks(NamedTuple):
    """Body parts over time: ``time_ns`` (n,), ``points`` (n, parts, 3) as in ``Pose``, their names."""

    time_ns: np.ndarray
    points: np.ndarray
    names: tuple[str, ...] = ("snout",)


def wander(rng, seconds, fps=30.0, size=(640, 480), reach=900.0):
    """Return the track of one part that rests and runs, px/s at most about ``reach``; it is lost now and then."""
    n = round(seconds * fps)
    runs = np.zeros(n)
    for start in rng.uniform(0, seconds, max(1, round(seconds / 6))):
        length = rng.uniform(0.4, 2.0)
        at = np.arange(n) / fps
        runs += rng.gamma(2.0, reach / 6) * np.exp(-(((at - start) / length) ** 2))
    heading = np.cumsum(rng.normal(0, 0.25, n))
    steps = np.column_stack([np.cos(heading), np.sin(heading)]) * (runs / fps)[:, None]
    path = np.cumsum(steps, axis=0) + np.array(size) / 2
    folded = np.mod(path, 2 * np.array(size))
    place = np.where(folded > size, 2 * np.array(size) - folded, folded) + rng.normal(0, 0.3, (n, 2))
    likelihood = np.clip(0.98 - rng.gamma(1.0, 0.01, n), 0, 1)
    for start in rng.integers(0, max(1, n), round(seconds / 25)):
        likelihood[start : start + int(rng.integers(2, 30))] = 0.2
    return Tracks((np.arange(n) * 1e9 / fps).astype(np.int64), np.column_stack([place, likelihood])[:, None, :])


def plan_for(trials, threshold, **settings):
    times = {"initial_rest_dur": 5.0, "max_trial_dur": 20.0, "success_rest_dur": 5.0, "fail_rest_dur": 8.0, **settings}
    return SessionPlan(
        TrialSettings(**times),
        ToneSettings(tone_floor=-100.0 if threshold < 0 else 0.0),
        ThresholdSettings(reward_threshold=threshold, threshold_min=-100.0, threshold_max=1000.0),
        SessionType.normal_audio_normal_reward,
        [TrialPlan(True, None)] * trials,
        0.0,
    )


def signals(tracks, settings, skipped):
    """Return a Signal for each frame: speed from the times of known points, held over short gaps."""
    point = tracks.names.index(settings["control_point"])
    ppmm, target = settings["ppmm"], np.array(settings["target_center"])
    last, last_ns, speed, away = None, 0, np.nan, np.nan
    for now, pose, skip in zip(tracks.time_ns, tracks.points, skipped, strict=True):
        if skip:
            yield Signal(np.nan, False, SKIPPED, (np.nan,) * (2 + 3 * len(tracks.names)))
            continue
        x, y, likelihood = pose[point]
        if likelihood >= settings["min_likelihood"]:
            place = np.array([x, y])
            if last is not None:
                speed = float(np.hypot(*(place - last))) / ppmm / ((now - last_ns) / 1e9)
            last, last_ns, away = place, now, float(np.hypot(*(place - target))) / ppmm
        elif last is None or now - last_ns > settings["max_gap_s"] * 1e9:
            last, speed, away = None, np.nan, np.nan
        value = speed if settings["reward_by"] == "speed" else -away
        valid = bool(np.isfinite(value))
        yield Signal(value, valid, "" if valid else MISSING, (speed, away, *pose.ravel().tolist()))


def write_session(folder, tracks, *, trials=60, skipped=None, lost=0, image=None, until=None, **changes):
    """Write a session's folder as the recorder leaves it; return it.

    ``until`` cuts the log there, as a kill does; ``lost`` frames are missing before the tenth.
    """
    settings = {**SETTINGS, **changes}
    by_speed = settings["reward_by"] == "speed"
    plan = plan_for(trials, settings["speed_threshold"] if by_speed else -settings["target_radius_mm"])
    names = (
        "speed_mm_s",
        "target_mm",
        *(f"{name}_{what}" for name in tracks.names for what in ("x", "y", "likelihood")),
    )
    skipped = np.zeros(len(tracks.time_ns), bool) if skipped is None else skipped
    state, rows, events = begin(plan), [], []
    given = signals(tracks, settings, skipped)
    for number, (now, signal) in enumerate(zip(tracks.time_ns.tolist(), given, strict=True), start=1):
        licks = (Lick(now),) if state.dry_ns > 0 and state.dry_ns < now < state.dry_ns + 2e9 and number % 4 == 0 else ()
        state, commands = step(plan, state, TrialInput(now, signal, licks))
        verdict, water = state.verdict, sum(isinstance(command, Water) for command in commands)
        rows.append(
            FrameRow(
                number, now, 0, lost if number == 10 else 0, -1 if image is None else number - 1, signal.value,
                signal.parts, signal.valid, signal.reason, verdict.threshold, state.freq_hz, verdict.phase.value,
                verdict.trial, int(verdict.audio), verdict.outcome, water, len(licks),
            )
        )  # fmt: skip
        events += [EventRow(now, mark.kind, mark.trial, mark.detail) for mark in commands if isinstance(mark, Mark)]
        if verdict.phase.value == "done":
            break
    return write_folder(folder, settings, names, rows[:until], events, image, "running" if until else "complete")


def write_folder(folder, settings, names, rows, events, image, outcome):
    folder.mkdir(parents=True)
    meta = {"mouse": "M3", "experiment": "clmf_speed", "kind": "clmf", "outcome": outcome, "settings": settings}
    (folder / schema.SESSION_JSON).write_text(json.dumps(meta))
    lines = [csvrows.header_line(schema.frame_columns(names, schema.POSE_PREFIX))]
    lines += [csvrows.frame_line(row, len(names)) for row in rows]
    (folder / schema.FRAMES_CSV).write_text("".join(lines))
    lines = [csvrows.header_line(schema.EVENT_COLUMNS), *map(csvrows.side_lines, events)]
    (folder / schema.EVENTS_CSV).write_text("".join(lines))
    if image is not None:
        video = VideoFile(folder / "behavior_video.mkv", image.shape, image.dtype.name, VideoCodec.ffv1)
        video.append(image, 0)
        video.close()
    return folder
