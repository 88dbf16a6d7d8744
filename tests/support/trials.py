"""Runs the pure trial logic over a signal, as a session would, and tells what came out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.schedule import ScheduleSettings, draw_schedule
from core.threshold import ThresholdSettings
from core.tones import ToneSettings
from core.trial import Phase, SessionPlan, TrialSettings, TrialState, Verdict, begin, step
from core.values import Command, Mark, Operator, Pulse, Signal, Tone, TrialInput, Water, as_ns

QUICK = TrialSettings(
    initial_rest_dur=1.0,
    max_trial_dur=3.0,
    success_rest_dur=1.0,
    fail_rest_dur=2.0,
    final_rest_dur=0.5,
    reward_delay=0.5,
)
FIXED = ThresholdSettings(reward_threshold=0.1)


@dataclass
class Story:
    """Everything a run of the trial logic said, frame by frame."""

    times: list[int] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    freqs: list[float] = field(default_factory=list)
    commands: list[tuple[int, Command]] = field(default_factory=list)
    state: TrialState | None = None

    def marks(self, kind: str) -> list[tuple[int, Mark]]:
        return [(k, c) for k, c in self.commands if isinstance(c, Mark) and c.kind == kind]

    def frames(self, *kinds: type) -> list[int]:
        return [k for k, c in self.commands if isinstance(c, kinds)]

    @property
    def water(self) -> list[int]:
        return self.frames(Water)

    @property
    def tones(self) -> list[tuple[int, float]]:
        return [(k, c.freq_hz) for k, c in self.commands if isinstance(c, Tone)]

    @property
    def fail_leds(self) -> list[int]:
        return self.frames(Pulse)

    @property
    def outcomes(self) -> list[int]:
        return [v.outcome for v in self.verdicts if v.outcome]


def make_plan(
    trial: TrialSettings = QUICK,
    threshold: ThresholdSettings = FIXED,
    schedule: ScheduleSettings | None = None,
    tones: ToneSettings | None = None,
    seed: int = 0,
    pulse_gap_s: float = 0.0,
    **more: object,
) -> SessionPlan:
    schedule = schedule or ScheduleSettings(total_trials=3)
    plans = draw_schedule(schedule, np.random.default_rng(seed))
    return SessionPlan(trial, tones or ToneSettings(), threshold, schedule.session_type, plans, pulse_gap_s, **more)


def play(
    plan: SessionPlan,
    values: Sequence[float | Signal] | Callable[[int], float | Signal],
    fps: float = 10.0,
    wishes: Mapping[int, tuple[Operator, ...]] | None = None,
    max_frames: int = 20_000,
) -> Story:
    """Feed frame k (from 0) at k/fps until the session is done or the values end."""
    story = Story(state=begin(plan))
    n = len(values) if isinstance(values, Sequence) else max_frames
    for k in range(n):
        value = values[k] if isinstance(values, Sequence) else values(k)
        signal = value if isinstance(value, Signal) else Signal(value, True)
        time_ns = as_ns(k / fps)
        given = TrialInput(time_ns, signal, (), (wishes or {}).get(k, ()))
        state, commands = step(plan, story.state, given)
        story.state = state
        story.times.append(time_ns)
        story.verdicts.append(state.verdict)
        story.freqs.append(state.freq_hz)
        story.commands.extend((k, command) for command in commands)
        if state.phase is Phase.DONE:
            break
    return story


def pulses_at(*frames: int) -> Callable[[int], float]:
    """A signal of 0 with one high frame (0.2) at each given frame."""
    return lambda k: 0.2 if k in frames else 0.0
