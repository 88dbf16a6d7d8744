"""The trial state machine: ``step(plan, state, input) -> (state, commands)``. Pure: whole sessions run without a rig.

REST lasts its duration and until the signal has warmed up and lets a trial begin (in movement experiments the paw is
still, or in its place); then a TRIAL begins on that frame. In a trial the tone
follows the signal. A *crossing* is a valid signal at or above the threshold after one below it: a signal that was
high already when the trial began has crossed in rest, which counts for nothing. A crossing at any time up to
``max_trial_dur`` is latched: the trial is a success and water comes ``reward_delay`` later, the tone going on until
then; later still if the drop before it is not over. After the last trial the session goes on for ``final_rest_dur``,
so that the last drop is delivered whole, and is DONE.
"""

from __future__ import annotations

from core.changes import for_the_rest, now_in_force, take_changes
from core.session_end import give_free_reward, tell_of_end
from core.threshold import adapt
from core.trial_state import Phase, SessionPlan, TrialSettings, TrialState, Verdict, begin
from core.values import WARM_UP, Command, Line, Mark, Pulse, Signal, Tone, TrialInput, Water
from core.wishes import end_session, obey, silence

__all__ = ["Phase", "SessionPlan", "TrialSettings", "TrialState", "Verdict", "begin", "step"]


def step(plan: SessionPlan, state: TrialState, given: TrialInput) -> tuple[TrialState, tuple[Command, ...]]:
    """Judge one frame.

    Parameters
    ----------
    plan : SessionPlan
    state : TrialState
        What the previous frame returned, or ``begin(plan)``.
    given : TrialInput
        Frame time (strictly later than the previous one's), signal, licks, operator commands.

    Returns
    -------
    state : TrialState
        Its ``verdict`` says what this frame counted as.
    commands : tuple of Command
        In the order in which they are to be carried out.
    """
    commands: list[Command] = []
    if state.last_ns < 0:
        state = state._replace(since_ns=given.time_ns, free_ns=given.time_ns)
    for wish in given.operator:
        state = obey(plan, state, wish, given.time_ns, commands)
    state = take_changes(state)
    plan = now_in_force(plan, state)
    state = state._replace(verdict=Verdict(state.phase, 0, False, 0, state.threshold.value))
    if state.phase is Phase.REST:
        state = _rest(plan, state, given, commands)
    if state.phase is Phase.TRIAL:
        state = _trial(plan, state, given, commands)
    # Judged by the threshold this frame was judged by: a threshold that then falls to the signal has been reached.
    signal = given.signal
    below = signal.value < state.verdict.threshold if signal.valid else state.below
    return state._replace(last_ns=given.time_ns, below=below), tuple(commands)


def _rest(plan: SessionPlan, state: TrialState, given: TrialInput, commands: list[Command]) -> TrialState:
    """Wait; then begin the next trial, or end the session."""
    over = given.time_ns - state.since_ns >= state.rest_ns
    if state.last_trial:
        state = give_free_reward(plan, state, given.time_ns, over, commands)
        state, over = tell_of_end(plan, state, given.time_ns, over, commands)
        return end_session(state, state.outcome, commands) if over else state
    if not over or given.signal.reason == WARM_UP:
        return state
    if given.signal.waits:
        return _wait_for_start(plan, state, given, commands)
    number = state.trial + 1
    commands.append(Mark("trial_start", number, "sound" if plan.schedule[number - 1].audio else "silent"))
    return state._replace(
        phase=Phase.TRIAL, trial=number, since_ns=given.time_ns, due_ns=-1, paid=0, heard=(), last_ns=given.time_ns,
        waiting=False,
    )  # fmt: skip


def _wait_for_start(plan: SessionPlan, state: TrialState, given: TrialInput, commands: list[Command]) -> TrialState:
    """Mark that the mouse is waited for; end a session that has waited for too long."""
    if not state.waiting:
        commands.append(Mark("start_waits", 0, given.signal.waits))
    state = state._replace(waiting=True)
    if 0 < plan.max_start_wait_ns <= given.time_ns - state.since_ns - state.rest_ns:
        commands.append(Mark("start_waits", 0, f"too long: {given.signal.waits}"))
        return state._replace(
            last_trial=True, outcome="no_start", since_ns=given.time_ns, rest_ns=plan.final_rest_ns, waiting=False
        )
    return state


def _trial(plan: SessionPlan, state: TrialState, given: TrialInput, commands: list[Command]) -> TrialState:
    """Judge a frame inside a trial: crossing, water, time-out, tone, threshold."""
    now = given.time_ns
    elapsed = now - state.since_ns
    threshold = state.threshold
    audio = plan.schedule[state.trial - 1].audio
    outcome = 0
    if state.due_ns < 0 and elapsed <= plan.max_trial_ns and _crosses(plan, state, given.signal, elapsed):
        state = state._replace(due_ns=max(now + plan.reward_delay_ns, state.dry_ns))
        commands.append(Mark("chance" if plan.random else "crossing", state.trial, repr(given.signal.value)))
    paid = 0
    if 0 <= state.due_ns <= now:
        paid = 1
        state = _pay(plan, state, now, commands)
        outcome = 0 if plan.continuous else 1
    if outcome == 0 and state.due_ns < 0 and elapsed >= plan.max_trial_ns:
        outcome = 1 if state.paid else -1
    if not plan.random:
        adapted = adapt(plan.threshold, threshold, now - state.last_ns, paid)
        if adapted.value != threshold.value:
            commands.append(Mark("threshold", state.trial, repr(adapted.value)))
        state = state._replace(threshold=adapted)
    state = state._replace(verdict=Verdict(Phase.TRIAL, state.trial, audio, outcome, threshold.value))
    if outcome:
        return _finish_trial(plan, state, now, outcome, commands)
    return _sound(plan, state, given, threshold.value, commands) if audio else state


def _crosses(plan: SessionPlan, state: TrialState, signal: Signal, elapsed: int) -> bool:
    """Whether this frame earns water: by chance in random_reward sessions, else by crossing the threshold upwards."""
    if plan.random:
        wait = plan.water_after_ns[state.trial - 1]
        return wait is not None and elapsed >= wait
    return state.below and signal.valid and signal.value >= state.threshold.value


def _pay(plan: SessionPlan, state: TrialState, now: int, commands: list[Command]) -> TrialState:
    """Give what a latched crossing earned; in a session without reward, only mark it."""
    if plan.dry:
        return state._replace(due_ns=-1, paid=state.paid + 1)
    commands.append(Water(plan.settings.reward_dur))
    if plan.settings.success_led_dur > 0:
        commands.append(Pulse(Line.SUCCESS_LED, plan.settings.success_led_dur))
    commands.append(Mark("reward", state.trial, repr(plan.settings.reward_dur)))
    return state._replace(due_ns=-1, paid=state.paid + 1, rewards=state.rewards + 1, dry_ns=now + plan.drop_ns)


def _finish_trial(plan: SessionPlan, state: TrialState, now: int, outcome: int, commands: list[Command]) -> TrialState:
    """Go from a trial to the rest that its outcome earns."""
    success = outcome > 0
    if not success and plan.settings.fail_led_dur > 0:
        commands.append(Pulse(Line.FAIL_LED, plan.settings.fail_led_dur))
    commands.append(Mark("success" if success else "fail", state.trial))
    state = silence(state, commands)
    last = state.last_trial or state.trial == len(plan.schedule)
    plan = for_the_rest(plan, state)
    rest = plan.final_rest_ns if last else plan.success_rest_ns if success else plan.fail_rest_ns
    return state._replace(
        phase=Phase.REST, since_ns=now, rest_ns=rest, last_trial=last, successes=state.successes + success, due_ns=-1
    )


def _sound(
    plan: SessionPlan, state: TrialState, given: TrialInput, threshold: float, commands: list[Command]
) -> TrialState:
    """Choose the tone of this frame, ``audio_delay`` later than the signal it belongs to."""
    if plan.single_tone:
        freq = plan.single_freq
    else:
        freq = plan.tone_map.frequency(given.signal.value, threshold) if given.signal.valid else 0.0
    if plan.audio_delay_ns:
        freq, heard = _delayed((*state.heard, (given.time_ns, freq)), given.time_ns - plan.audio_delay_ns)
        state = state._replace(heard=heard)
    if freq != state.freq_hz:
        commands.append(Tone(freq))
        state = state._replace(freq_hz=freq)
    return state


def _delayed(heard: tuple[tuple[int, float], ...], until_ns: int) -> tuple[float, tuple[tuple[int, float], ...]]:
    """Return the newest tone that is due, and what is still to be kept (that tone first). Silence before the first."""
    due = 0
    while due < len(heard) and heard[due][0] <= until_ns:
        due += 1
    return (heard[due - 1][1], heard[due - 1 :]) if due else (0.0, heard)
