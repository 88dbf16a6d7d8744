"""What a session does by itself in its last rest: drops of habituation, and the pulse that tells another camera."""

from __future__ import annotations

from core.trial_state import SessionPlan, TrialState
from core.values import Command, Level, Line, Mark, Pulse, Water, as_ns

END_PULSE_S = 0.1
"""How long the brain camera's line is low, and then high, at the session's end, s: longer than its period."""


def give_free_reward(plan: SessionPlan, state: TrialState, now: int, over: bool, commands: list[Command]) -> TrialState:
    """In a resting session, give a drop every ``free_reward_interval_s``, as long as its rest lasts."""
    if not plan.free_interval_ns or over or state.end_ns >= 0 or now - state.free_ns < plan.free_interval_ns:
        return state
    commands.append(Water(plan.settings.reward_dur))
    commands.append(Mark("free_water", 0, repr(plan.settings.reward_dur)))
    # One drop, however long a gap in the frames was; the next one keeps to the clock of those before.
    late = (now - state.free_ns) % plan.free_interval_ns
    return state._replace(free_ns=now - late, dry_ns=max(now, state.dry_ns) + plan.drop_ns)


def tell_of_end(
    plan: SessionPlan, state: TrialState, now: int, over: bool, commands: list[Command]
) -> tuple[TrialState, bool]:
    """Lower the brain camera's line in the last rest, then give it a pulse; return whether the session is over.

    A resting session has no last rest: it gets one. Where the last rest is too short, the session ends with the pulse.
    """
    if not plan.end_pulse:
        return state, over
    if state.end_ns < 0:
        if plan.resting and state.outcome == "complete":
            if not over:
                return state, False
            state = state._replace(since_ns=now, rest_ns=plan.final_rest_ns)
        commands.append(Level(Line.BRAIN_TTL, False))
        return state._replace(end_ns=now), False
    since = now - state.end_ns
    if not state.end_told:
        if since >= as_ns(END_PULSE_S):
            commands.append(Pulse(Line.BRAIN_TTL, END_PULSE_S))
            state = state._replace(end_told=True, end_ns=now)
        return state, False
    return state, over and since >= as_ns(END_PULSE_S)
