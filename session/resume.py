"""Going on with a session of today that ended before its last trial: as a further part of it, ``S2`` beside ``S1``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from behavior.settings import RewardBy
from core.errors import InputError, SourceError
from helper import SessionType
from recording.csvrows import shown
from recording.folder import folder_name, read_session_json
from recording.mend import is_begun
from recording.parts import parts_in, sessions_of
from recording.reader import open_session
from recording.recorded import check_rows
from recording.schema import FRAMES_CSV, RUNNING, SESSION_JSON
from session.recorded_meta import check_config, check_meta, trials_before
from session.recover_counts import RECOVERED, last_threshold, lasted_s
from session.settings import Settings

RESUMABLE = frozenset({"aborted", "stopped", "failed", "source_ended", "no_start", RECOVERED})
_SAME = ("session_type", "total_trials", "audio", "random_reward_rate")
"""Keys that the schedule is drawn by."""
_FRESH = "run without --resume"
_DAY = 8
"""Characters of a folder's name that are the day."""


@dataclass(frozen=True, slots=True)
class Resume:
    """How a session goes on.

    Attributes
    ----------
    session : Path
        The part that it goes on with.
    seed : int
        Of all parts.
    skip_trials : int
        Trials that all parts before came to an outcome of.
    keys : dict of str to str
        Keys of config.ini that begin where the part before ended: the threshold; what is left of a resting session.
    text : str
        A line for a person.
    changed : str
        Another, of keys that have other values now than the part before had; empty where there are none.
    """

    session: Path
    seed: int
    skip_trials: int
    keys: dict[str, str]
    text: str
    changed: str


def last_of_today(settings: Settings, wall_ns: int) -> Path:
    """Return the last part of the mouse's last session, which is of the local day of ``wall_ns`` (ns since 1970).

    Raises InputError where there is none of today, it is complete, or was another experiment.
    """
    home = Path(settings.recording.data_root) / settings.mouse
    sessions = sessions_of(home)
    if not sessions:
        raise InputError(f"--resume: mouse {settings.mouse} has no session in {home}; run without --resume")
    session = parts_in(sessions[-1])[-1]
    if sessions[-1].name[:_DAY] != folder_name(wall_ns)[:_DAY]:
        raise InputError(f"--resume: {session}, the last session of {settings.mouse}, is not of today; {_FRESH}")
    meta = read_session_json(session)
    outcome = str(meta.get("outcome"))
    if outcome != RUNNING and outcome not in RESUMABLE:
        raise InputError(f"--resume: {session}, the last session of {settings.mouse}, is {outcome}; {_FRESH}")
    if problems := [*_differences(meta, settings)]:
        raise InputError(f"--resume: {session} was another session: {'; '.join(problems)}; {_FRESH}")
    return session


def plan_resume(session: Path, settings: Settings, given: dict[str, str], seed: int | None) -> Resume:
    """Return how to go on with a session that has ended.

    Parameters
    ----------
    session : Path
        From ``last_of_today``, recovered where it had been killed.
    settings : Settings
        As config.ini and the command line have them.
    given : dict
        Keys that the command line sets.
    seed : int or None
        That the command line gives.

    Raises
    ------
    InputError
        Nothing is left of it, its session.ini was cut or changed, or the command line asks for what the part before
        decides.
    """
    meta = read_session_json(session)
    check_meta(session, meta, {"seed": int, "settings": dict})
    check_config(session, meta)
    if seed is not None and seed != meta.get("seed"):
        raise InputError(f"--seed {seed}: the session to resume has the seed {meta.get('seed')}; leave --seed out")
    before = trials_before(session, meta)
    had, threshold, gone_s = _what_was_had(session, meta, _first_threshold(session, meta, settings))
    done = before + had
    keys = _threshold_keys(settings, threshold)
    if settings.schedule.session_type is SessionType.behavior_recording:
        left_s = _number(session, "spont_sess_duration", meta["settings"].get("spont_sess_duration")) * 60 - gone_s
        keys["spont_sess_duration"] = repr(left_s / 60)
        over, what = left_s <= 0, f"with {left_s:.1f} s left"
    else:
        total = settings.schedule.total_trials
        over, what = done >= total, f"after {done} of {total} trials, threshold {threshold:g}"
    if over:
        raise InputError(f"--resume: nothing is left of {session}; {_FRESH}")
    for key in keys.keys() & {name.strip().lower() for name in given}:
        raise InputError(f"--set {key}: a resumed session goes on with what it came to; leave it out")
    text = f"resuming {session} ({meta.get('outcome')}) {what}"
    return Resume(session, int(meta["seed"]), done, keys, text, _changed(meta, settings, keys))


def _changed(meta: dict[str, Any], settings: Settings, keys: Mapping[str, str]) -> str:
    """Return which keys, other than those that go on, have other values than the part before had."""
    was, now = meta["settings"], settings.flat()
    others = [key for key in now if key in was and key not in keys and was[key] != now[key]]
    return f"other than before: {', '.join(f'{key} {now[key]} (was {was[key]})' for key in others)}" if others else ""


def _differences(meta: dict[str, Any], settings: Settings) -> Iterator[str]:
    """Yield how the session differs from what would be run now."""
    if meta.get("experiment") != settings.experiment:
        yield f"experiment {meta.get('experiment')}, now {settings.experiment}"
        return
    was, now = meta.get("settings") or {}, settings.flat()
    for key in _SAME:
        if was.get(key) != now[key]:
            yield f"{key} {was.get(key)}, now {now[key]}"


def _first_threshold(session: Path, meta: dict[str, Any], settings: Settings) -> float:
    """Return the threshold that a session began with. Raises SourceError."""
    was = settings.flat() | (meta.get("settings") or {})
    # By what is rewarded now: a threshold of the other kind has no meaning here.
    key, sign = _threshold_key(settings)
    return sign * _number(session, key, was[key], -1000.0)


def _number(session: Path, key: str, value: object, least: float = 0.0) -> float:
    """Return a number that session.json has. Raises SourceError where it is none of at least ``least``."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value < math.inf:
        return float(value)
    raise SourceError(f"{session / SESSION_JSON}: {key!r} is {shown(repr(value))}; restore it from a copy")


def _what_was_had(session: Path, meta: dict[str, Any], first: float) -> tuple[int, float, float]:
    """Return trials with an outcome, threshold at the end (``first`` without a frame), time gone, s.

    Raises InputError where frames were recorded and are gone.
    """
    if not is_begun(session / FRAMES_CSV):
        if (meta.get("counts") or {}).get("frames"):
            raise InputError(f"--resume: {session / FRAMES_CSV} is gone or empty; restore it from a copy, or {_FRESH}")
        return 0, first, 0.0
    with open_session(session) as recorded:
        check_rows(recorded)
        trials = int(np.count_nonzero(recorded.frames.outcome))
        return trials, last_threshold(recorded, first), lasted_s(recorded)


def _threshold_keys(settings: Settings, threshold: float) -> dict[str, str]:
    """Return the key that a session begins with this threshold by; none where it does so anyway."""
    if threshold == settings.threshold.reward_threshold:
        return {}
    key, sign = _threshold_key(settings)
    return {key: repr(sign * threshold)}


def _threshold_key(settings: Settings) -> tuple[str, int]:
    """Return the key that a session's first threshold is set by, and its sign there: a signal rises to the target."""
    if settings.movement is None:
        return "reward_threshold", 1
    return ("target_radius_mm", -1) if settings.movement.reward_by is RewardBy.target else ("speed_threshold", 1)
