"""What a person may ask of a running session, as pure steps of the trial state; how a session falls silent and ends."""

from __future__ import annotations

import math
from collections.abc import Callable

from core.changes import check_change, for_the_rest, now_in_force, with_change
from core.threshold import ThresholdState
from core.trial_state import Phase, SessionPlan, TrialState
from core.values import Command, Mark, Operator, OperatorKind, Tone, Water


def silence(state: TrialState, commands: list[Command]) -> TrialState:
    """Stop the tone if one plays."""
    if state.freq_hz:
        commands.append(Tone(0.0))
    return state._replace(freq_hz=0.0, heard=())


def end_session(state: TrialState, why: str, commands: list[Command]) -> TrialState:
    """End the session; a trial that is running is cut short, which is an outcome of its own."""
    running = state.paused if state.phase is Phase.PAUSED else state.phase
    if running is Phase.TRIAL:
        commands.append(Mark("cut_short", state.trial))
    state = silence(state, commands)
    commands.append(Mark("session_end", 0, why))
    return state._replace(phase=Phase.DONE, due_ns=-1)


def _pause(plan: SessionPlan, state: TrialState, wish: Operator, now: int, commands: list[Command]) -> TrialState:
    """Stop the session's time: nothing sounds, counts or pays until it goes on."""
    del plan, wish
    if state.phase not in (Phase.REST, Phase.TRIAL):
        return state
    state = silence(state, commands)
    # While paused, since_ns and due_ns hold what had gone by and what was left.
    left = state.due_ns - now if state.due_ns >= 0 else -1
    return state._replace(phase=Phase.PAUSED, paused=state.phase, since_ns=now - state.since_ns, due_ns=left)


def _resume(plan: SessionPlan, state: TrialState, wish: Operator, now: int, commands: list[Command]) -> TrialState:
    """Go on where the pause began."""
    del plan, wish, commands
    if state.phase is not Phase.PAUSED:
        return state
    due = now + state.due_ns if state.due_ns >= 0 else -1
    return state._replace(phase=state.paused, since_ns=now - state.since_ns, due_ns=due, last_ns=now)


def _free_water(plan: SessionPlan, state: TrialState, wish: Operator, now: int, commands: list[Command]) -> TrialState:
    """Give one drop that no trial earned."""
    del wish
    commands.append(Water(plan.settings.reward_dur))
    commands.append(Mark("free_water", 0, repr(plan.settings.reward_dur)))
    # The valve gives it after a drop that is still running.
    return state._replace(dry_ns=max(now, state.dry_ns) + plan.drop_ns)


def _set_threshold(
    plan: SessionPlan, state: TrialState, wish: Operator, now: int, commands: list[Command]
) -> TrialState:
    """Change the threshold; one that has no place on the tone map is refused and marked."""
    del now
    if not (math.isfinite(wish.value) and wish.value > plan.tone_floor):
        commands.append(Mark("refused", 0, f"threshold {wish.value!r} is not above tone_floor {plan.tone_floor!r}"))
        return state
    commands.append(Mark("threshold", 0, repr(wish.value)))
    return state._replace(threshold=ThresholdState(wish.value))


def _stop_after_trial(
    plan: SessionPlan, state: TrialState, wish: Operator, now: int, commands: list[Command]
) -> TrialState:
    """Let the running trial, paused or not, be the last; in rest, begin the final rest; paused in rest, end.

    Who asks again, or in what is the last trial or the rest after it, changes nothing.
    """
    del wish
    ending = state.outcome == "stopped" or state.trial == len(plan.schedule)
    if not ending:
        state = state._replace(outcome="stopped", last_trial=True)
    if state.phase is Phase.PAUSED and state.paused is Phase.REST:
        return end_session(state, state.outcome, commands)
    if state.phase is Phase.REST and not ending:
        return state._replace(since_ns=now, rest_ns=plan.final_rest_ns)
    return state


def _stop_now(plan: SessionPlan, state: TrialState, wish: Operator, now: int, commands: list[Command]) -> TrialState:
    """End the session on this frame."""
    del plan, now
    return end_session(state._replace(outcome="aborted"), f"stopped by {wish.who or 'operator'}", commands)


def _abort_trial(plan: SessionPlan, state: TrialState, wish: Operator, now: int, commands: list[Command]) -> TrialState:
    """Cut short a trial in which a device was lost; what it had earned is not paid. The rest of a failed one follows.

    In rest nothing changes. A trial that is paused is cut short, and the pause goes on.
    """
    del wish
    state = silence(state, commands)
    paused = state.phase is Phase.PAUSED
    if (state.paused if paused else state.phase) is not Phase.TRIAL:
        return state
    commands.append(Mark("cut_short", state.trial))
    plan = for_the_rest(plan, state)
    last = state.last_trial or state.trial == len(plan.schedule)
    rest_ns = plan.final_rest_ns if last else plan.fail_rest_ns
    state = state._replace(rest_ns=rest_ns, last_trial=last, due_ns=-1)
    if paused:
        return state._replace(paused=Phase.REST, since_ns=0)
    return state._replace(phase=Phase.REST, since_ns=now)


def _set(plan: SessionPlan, state: TrialState, wish: Operator, now: int, commands: list[Command]) -> TrialState:
    """Change the plan from the next rest on; a change that it cannot have is refused and marked."""
    del now
    try:
        check_change(plan, wish.text)
    except ValueError as error:
        commands.append(Mark("refused", 0, str(error)))
        return state
    commands.append(Mark("set", 0, wish.text))
    return state._replace(changes=with_change(state.changes, wish.text))


def _note(plan: SessionPlan, state: TrialState, wish: Operator, now: int, commands: list[Command]) -> TrialState:
    """Log what a person saw."""
    del plan, now
    commands.append(Mark("note", state.trial, wish.text))
    return state


_Wish = Callable[[SessionPlan, TrialState, Operator, int, list[Command]], TrialState]
_WISHES: dict[OperatorKind, _Wish] = {
    OperatorKind.PAUSE: _pause,
    OperatorKind.RESUME: _resume,
    OperatorKind.FREE_WATER: _free_water,
    OperatorKind.SET_THRESHOLD: _set_threshold,
    OperatorKind.SET: _set,
    OperatorKind.NOTE: _note,
    OperatorKind.STOP_AFTER_TRIAL: _stop_after_trial,
    OperatorKind.STOP_NOW: _stop_now,
    OperatorKind.ABORT_TRIAL: _abort_trial,
}


def obey(plan: SessionPlan, state: TrialState, wish: Operator, now: int, commands: list[Command]) -> TrialState:
    """Apply one operator command, which is itself marked in the log."""
    if state.phase is Phase.DONE:
        return state
    commands.append(Mark("operator", state.trial, f"{wish.kind.value} {wish.who}".strip()))
    return _WISHES[wish.kind](now_in_force(plan, state), state, wish, now, commands)
