"""What a session is made of: its settings, the plan that never changes, and the state that each frame replaces."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, NamedTuple

from annotated_types import Ge, Gt, Le

from core.keys import Key
from core.schedule import DRY, RANDOM, TrialPlan
from core.threshold import ThresholdSettings, ThresholdState, first_threshold
from core.tones import ToneMap, ToneSettings
from core.values import as_ns, as_seconds
from helper import SessionType


@dataclass(frozen=True, slots=True)
class TrialSettings:
    """Durations of a session's parts. Fractions and zero are allowed."""

    initial_rest_dur: Annotated[float, Ge(0), Le(7200), Key("s", "Rest before the first trial.")] = 30.0
    max_trial_dur: Annotated[float, Gt(0), Le(3600), Key("s", "Longest duration of a trial.")] = 30.0
    success_rest_dur: Annotated[float, Ge(0), Le(3600), Key("s", "Rest after a success.")] = 10.0
    fail_rest_dur: Annotated[float, Ge(0), Le(3600), Key("s", "Rest after a failed trial.")] = 15.0
    final_rest_dur: Annotated[
        float, Ge(0), Le(600), Key("s", "Recording goes on this long after the last trial; at least reward_dur.")
    ] = 2.0
    audio_delay: Annotated[float, Ge(0), Le(60), Key("s", "The tone follows the signal this much later.")] = 0.0
    reward_delay: Annotated[
        float, Ge(0), Le(60), Key("s", "Water comes this long after the crossing, or when the drop before it is over.")
    ] = 1.0
    reward_dur: Annotated[float, Gt(0), Le(5), Key("s", "Opening time of the valve for one reward.")] = 0.3
    reward_ul: Annotated[
        float, Ge(0), Le(100), Key("ul", "Volume of one reward, by the rig's calibrated valve; 0: reward_dur holds.")
    ] = 0.0
    fail_led_dur: Annotated[float, Ge(0), Le(60), Key("s", "The fail LED is lit this long after a failed trial.")] = 0.5
    success_led_dur: Annotated[float, Ge(0), Le(60), Key("s", "The success LED is lit this long with the water.")] = 0.0
    spont_sess_duration: Annotated[
        float, Gt(0), Le(600), Key("min", "Duration of a behavior_recording (resting) session.")
    ] = 2.0
    free_reward_interval_s: Annotated[
        float, Ge(0), Le(3600), Key("s", "In behavior_recording sessions a drop comes this often by itself; 0: none.")
    ] = 0.0


class Phase(Enum):
    """Where a session is."""

    REST = "rest"
    TRIAL = "trial"
    PAUSED = "paused"
    DONE = "done"


class Verdict(NamedTuple):
    """What the frame that was just given counted as; a row of the log.

    Attributes
    ----------
    phase : Phase
    trial : int
        Trial the frame belongs to, 0 in rest.
    audio : bool
        Whether that trial sounds.
    outcome : int
        On the last frame of a trial 1 (success) or -1 (fail), else 0.
    threshold : float
        The threshold that was used, dF/F or mm/s.
    """

    phase: Phase
    trial: int
    audio: bool
    outcome: int
    threshold: float


class TrialState(NamedTuple):
    """All that the next frame's decision depends on. Times are ns on the frames' clock.

    Attributes
    ----------
    phase : Phase
    trial : int
        Trials begun so far.
    since_ns : int
        Start of the phase.
    rest_ns : int
        Length of the current rest.
    last_ns : int
        Time of the previous frame, -1 before the first.
    threshold : ThresholdState
    below : bool
        Whether the last valid signal was below the threshold, so that the next one at or above it is a crossing.
    due_ns : int
        When latched water is due, -1 if nothing is latched.
    paid : int
        Crossings paid in this trial (more than one only in continuous_rewards).
    successes, rewards : int
        Trials won and drops given to a crossing or by chance, so far.
    dry_ns : int
        When the last drop is over and the next one may begin.
    freq_hz : float
        The tone that plays, 0 for silence.
    heard : tuple of (int, float)
        Tones of this trial that ``audio_delay`` still holds back: time of the frame, frequency.
    last_trial : bool
        No trial may begin any more.
    paused : Phase
        The phase a pause interrupted.
    waiting : bool
        A rest is over, and the signal does not let a trial begin.
    end_ns : int
        When the brain camera's line fell, which tells it of the end; -1 before.
    end_told : bool
        Whether the pulse that follows on it has been given.
    free_ns : int
        When the last drop came that the session gives by itself, at first its start.
    outcome : {"complete", "stopped", "aborted", "no_start"}
        How the session ends, or ended: by itself, as a person asked for after a trial, at once, or since no trial could
        begin for ``max_start_wait_s``.
    changes, in_force : tuple of str
        What a person changed in the plan, as ``core.changes`` reads it, in their order; and what of it holds: in a
        trial, what was changed before it began.
    verdict : Verdict
    """

    phase: Phase
    trial: int
    since_ns: int
    rest_ns: int
    last_ns: int
    threshold: ThresholdState
    below: bool
    due_ns: int
    paid: int
    successes: int
    rewards: int
    dry_ns: int
    freq_hz: float
    heard: tuple[tuple[int, float], ...]
    last_trial: bool
    paused: Phase
    waiting: bool
    end_ns: int
    end_told: bool
    free_ns: int
    outcome: str
    changes: tuple[str, ...]
    in_force: tuple[str, ...]
    verdict: Verdict


Redraw = Callable[[SessionType], tuple[TrialPlan, ...]]


class SessionPlan:
    """What a session is to be: settings in ns, the tone map, and what chance drew ahead. It never changes.

    Parameters
    ----------
    trial : TrialSettings
    tones : ToneSettings
    threshold : ThresholdSettings
    session_type : SessionType
    schedule : tuple of TrialPlan
        From ``core.schedule.draw_schedule``.
    pulse_gap_s : float
        Least pause between two openings of the valve, s.
    max_start_wait_s : float
        The session ends when no trial may begin for so long after a rest, s; 0: it waits on.
    end_pulse : bool
        Whether the brain camera is told of the session's end: its line goes low, high and low.
    redraw : callable or None
        Returns the schedule that a session of another type would have; None where the type stays as it is.
    """

    def __init__(
        self,
        trial: TrialSettings,
        tones: ToneSettings,
        threshold: ThresholdSettings,
        session_type: SessionType,
        schedule: tuple[TrialPlan, ...],
        pulse_gap_s: float = 0.0,
        *,
        max_start_wait_s: float = 0.0,
        end_pulse: bool = False,
        redraw: Redraw | None = None,
    ) -> None:
        self.settings = trial
        self.tones = tones
        self.session_type = session_type
        self.pulse_gap_s = pulse_gap_s
        self.max_start_wait_s = max_start_wait_s
        self.redraw = redraw
        self.variants: dict[tuple[str, ...], SessionPlan] = {}
        self.tone_map = ToneMap(tones)
        self.tone_floor = tones.tone_floor
        self.single_freq = tones.single_freq
        self.threshold = threshold
        self.schedule = schedule
        self.resting = session_type is SessionType.behavior_recording
        self.random = session_type in RANDOM
        self.dry = session_type in DRY
        self.single_tone = session_type is SessionType.single_audio_normal_reward
        self.continuous = session_type is SessionType.continuous_rewards
        self.first_rest_ns = as_ns(trial.spont_sess_duration * 60) if self.resting else as_ns(trial.initial_rest_dur)
        self.max_trial_ns = as_ns(trial.max_trial_dur)
        self.success_rest_ns = as_ns(trial.success_rest_dur)
        self.fail_rest_ns = as_ns(trial.fail_rest_dur)
        self.final_rest_ns = as_ns(trial.final_rest_dur)
        self.audio_delay_ns = as_ns(trial.audio_delay)
        self.reward_delay_ns = as_ns(trial.reward_delay)
        self.drop_ns = as_ns(trial.reward_dur + pulse_gap_s)
        self.free_interval_ns = as_ns(trial.free_reward_interval_s) if self.resting else 0
        self.max_start_wait_ns = as_ns(max_start_wait_s)
        self.end_pulse = end_pulse
        self.water_after_ns = tuple(_wait_ns(plan) for plan in schedule)

    @property
    def longest_s(self) -> float:
        """Return how long the session lasts at most, s, were it never paused: no trial is won before its time is up."""
        rest = max(self.success_rest_ns, self.fail_rest_ns)
        trial = self.max_trial_ns + self.reward_delay_ns + self.drop_ns + rest
        trials = 0 if self.resting else len(self.schedule)
        return as_seconds(self.first_rest_ns + trials * trial + self.final_rest_ns)


def _wait_ns(plan: TrialPlan) -> int | None:
    """Return when random water comes after the trial's start, ns; None if never."""
    return None if plan.water_after_s is None or math.isinf(plan.water_after_s) else as_ns(plan.water_after_s)


def begin(plan: SessionPlan) -> TrialState:
    """Return the state before the first frame."""
    threshold = first_threshold(plan.threshold)
    return TrialState(
        phase=Phase.REST,
        trial=0,
        since_ns=0,
        rest_ns=plan.first_rest_ns,
        last_ns=-1,
        threshold=threshold,
        below=False,
        due_ns=-1,
        paid=0,
        successes=0,
        rewards=0,
        dry_ns=0,
        freq_hz=0.0,
        heard=(),
        last_trial=plan.resting,
        paused=Phase.REST,
        waiting=False,
        end_ns=-1,
        end_told=False,
        free_ns=0,
        outcome="complete",
        changes=(),
        in_force=(),
        verdict=Verdict(Phase.REST, 0, False, 0, threshold.value),
    )
