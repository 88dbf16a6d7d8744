"""The trial state machine: ``step(plan, state, input) -> (state, commands)``. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le

from core.keys import Key


@dataclass(frozen=True, slots=True)
class TrialSettings:
    """Durations of a session's parts. All in seconds, fractions and zero allowed."""

    initial_rest_dur: Annotated[float, Ge(0), Le(7200), Key("s", "Rest before the first trial.")] = 30.0
    max_trial_dur: Annotated[float, Gt(0), Le(3600), Key("s", "Longest duration of a trial.")] = 30.0
    success_rest_dur: Annotated[float, Ge(0), Le(3600), Key("s", "Rest after a success.")] = 10.0
    fail_rest_dur: Annotated[float, Ge(0), Le(3600), Key("s", "Rest after a failed trial.")] = 15.0
    audio_delay: Annotated[float, Ge(0), Le(60), Key("s", "The tone follows the signal this much later.")] = 0.0
    reward_delay: Annotated[float, Ge(0), Le(60), Key("s", "Water comes this long after the crossing.")] = 1.0
    reward_dur: Annotated[float, Gt(0), Le(5), Key("s", "Opening time of the valve for one reward.")] = 0.3
    fail_led_dur: Annotated[float, Ge(0), Le(60), Key("s", "The fail LED is lit this long after a failed trial.")] = 0.5
    success_led_dur: Annotated[float, Ge(0), Le(60), Key("s", "The success LED is lit this long with the water.")] = 0.0
    spont_sess_duration: Annotated[
        float, Gt(0), Le(600), Key("min", "Duration of a behavior_recording (resting) session.")
    ] = 2.0
