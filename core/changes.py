"""What a person may change in a session's plan while it runs: durations and the type of its trials. Pure.

A change is a text, ``key = value``, as in config.ini, which is also how it is recorded. It holds from the next rest or
trial on: one that has begun, paused or not, stays as it is.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, get_type_hints

from annotated_types import Ge, Gt, Le

from core.threshold import ThresholdSettings
from core.trial_state import Phase, SessionPlan, TrialSettings, TrialState
from helper import SessionType

DURATIONS = ("max_trial_dur", "success_rest_dur", "fail_rest_dur", "reward_delay", "audio_delay")
"""Durations that may be changed, s."""
TYPE = "session_type"
KEYS = (*DURATIONS, TYPE)
_KEYS_OF: dict[type, dict[str, Any]] = {
    each: get_type_hints(each, include_extras=True) for each in (TrialSettings, ThresholdSettings)
}
"""What is said of each key; looked up once, since it takes longer than all else that a frame decides."""


def read_change(text: str) -> tuple[str, float | SessionType]:
    """Return the key and the new value of a change.

    Raises
    ------
    ValueError
        It is no change, or the value is out of bounds; says what to give instead.
    """
    key, equals, value = (part.strip() for part in text.partition("="))
    if not equals or key not in KEYS:
        raise ValueError(f"{key!r} cannot be changed in a running session; what can is {', '.join(KEYS)}")
    if key == TYPE:
        try:
            return key, SessionType[value]
        except KeyError:
            raise ValueError(f"{TYPE} = {value}: is none of {', '.join(SessionType.__members__)}") from None
    try:
        number = float(value)
    except ValueError:
        raise ValueError(f"{key} = {value}: is no number; give seconds") from None
    check_bounds(TrialSettings, key, number)
    return key, number


def check_change(plan: SessionPlan, text: str) -> None:
    """Raise ValueError for a change that this plan cannot have."""
    key, value = read_change(text)
    if not isinstance(value, SessionType):
        return
    resting = SessionType.behavior_recording
    if plan.resting or value is resting:
        raise ValueError(
            f"{key} = {value.value}: a session with trials and one of {resting.value} are begun as such; end this one"
        )
    if plan.redraw is None:
        raise ValueError(f"{key} = {value.value}: this session keeps its type")


def changed(plan: SessionPlan, changes: tuple[str, ...]) -> SessionPlan:
    """Return the plan with these changes, the last of a key holding. Equal changes give the same plan."""
    if not changes:
        return plan
    if (known := plan.variants.get(changes)) is not None:
        return known
    wanted: dict[str, Any] = dict(read_change(text) for text in changes)
    kind = wanted.pop(TYPE, plan.session_type)
    schedule = plan.schedule if kind is plan.session_type or plan.redraw is None else plan.redraw(kind)
    other = SessionPlan(
        replace(plan.settings, **wanted), plan.tones, plan.threshold, kind, schedule, plan.pulse_gap_s,
        max_start_wait_s=plan.max_start_wait_s, end_pulse=plan.end_pulse, redraw=plan.redraw,
    )  # fmt: skip
    plan.variants[changes] = other
    return other


def take_changes(state: TrialState) -> TrialState:
    """Let what was changed hold, unless a trial runs, paused or not."""
    running = state.paused if state.phase is Phase.PAUSED else state.phase
    if running is Phase.TRIAL or state.in_force is state.changes:
        return state
    return state._replace(in_force=state.changes)


def for_the_rest(plan: SessionPlan, state: TrialState) -> SessionPlan:
    """Return the plan that gives the length of a rest that begins now."""
    return changed(plan, state.changes)


def now_in_force(plan: SessionPlan, state: TrialState) -> SessionPlan:
    """Return the plan that holds on this frame."""
    return changed(plan, state.in_force)


def check_bounds(settings: type, key: str, number: float) -> None:
    """Raise ValueError for a number that config.ini would not let pass for a key of these settings."""
    if not math.isfinite(number):
        raise ValueError(f"{key} = {number}: is not finite; give a number")
    for bound in _KEYS_OF[settings][key].__metadata__:
        match bound:
            case Ge(ge=(int() | float()) as least) if number < least:
                raise ValueError(f"{key} = {number:g}: is below {least:g}; give that or more")
            case Gt(gt=(int() | float()) as least) if number <= least:
                raise ValueError(f"{key} = {number:g}: is not above {least:g}; give more")
            case Le(le=(int() | float()) as most) if number > most:
                raise ValueError(f"{key} = {number:g}: is above {most:g}; give that or less")


def with_change(changes: tuple[str, ...], text: str) -> tuple[str, ...]:
    """Return what was changed, with one change more in place of those of the same key."""
    key, _ = read_change(text)
    return (*(each for each in changes if read_change(each)[0] != key), text)
