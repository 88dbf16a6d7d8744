"""What chance decides, drawn ahead: which trials sound, and when random water comes. A pure function of the seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from core.keys import Key
from helper import SessionType

SILENT = frozenset(
    {
        SessionType.no_audio_normal_reward,
        SessionType.no_audio_random_reward,
        SessionType.no_audio_no_reward,
        SessionType.behavior_recording,
    }
)
RANDOM = frozenset({SessionType.normal_audio_random_reward, SessionType.no_audio_random_reward})
DRY = frozenset({SessionType.normal_audio_no_reward, SessionType.no_audio_no_reward, SessionType.behavior_recording})


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """How many trials of what kind."""

    total_trials: Annotated[int, Ge(1), Le(10_000), Key("", "Number of trials in the session.")] = 60
    session_type: Annotated[SessionType, Key("", "What the mouse hears and what it drinks for; see the reference.")] = (
        SessionType.normal_audio_normal_reward
    )
    audio: Annotated[float, Ge(0), Le(1), Key("", "Probability that a trial has sound, 0 to 1.")] = 1.0
    random_reward_rate: Annotated[
        float, Ge(0), Le(10), Key("1/s", "Mean rate of water in random_reward sessions, during trials.")
    ] = 0.03


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """What was drawn for one trial.

    Attributes
    ----------
    audio : bool
        Whether this trial sounds.
    water_after_s : float or None
        In random_reward sessions, when water comes after the trial's start, s (may lie beyond its end); else None.
    """

    audio: bool
    water_after_s: float | None


def draw_schedule(settings: ScheduleSettings, rng: np.random.Generator) -> tuple[TrialPlan, ...]:
    """Draw all trials of a session. The n-th is trial n+1.

    Each trial draws for itself, so that any probability fits any number of trials. Water at a constant rate is a
    Poisson process: the wait is exponential.
    """
    silent = settings.session_type in SILENT
    random = settings.session_type in RANDOM
    plans = []
    for _ in range(settings.total_trials):
        audio = bool(rng.random() < settings.audio) and not silent
        wait = None
        if random:
            rate = settings.random_reward_rate
            wait = float(rng.exponential(1 / rate)) if rate > 0 else float("inf")
        plans.append(TrialPlan(audio, wait))
    return tuple(plans)
