"""The threshold: fixed, or adapting to the mouse by what it earned in trial time (decision 5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from annotated_types import Ge, Gt, Le

from core.keys import Key
from core.values import as_ns


@dataclass(frozen=True, slots=True)
class ThresholdSettings:
    """What the signal must reach, and how that follows the mouse."""

    reward_threshold: Annotated[
        float, Gt(-1000), Le(1000), Key("dF/F or mm/s", "The signal that earns water, at the start of the session.")
    ] = 0.05
    adaptive_threshold: Annotated[bool, Key("", "Whether the threshold follows the mouse (0 or 1).")] = False
    adaptive_step: Annotated[float, Gt(0), Le(100), Key("dF/F or mm/s", "Size of one step of the threshold.")] = 0.002
    adaptive_epoch_s: Annotated[float, Ge(1), Le(3600), Key("s", "Trial time between two looks at the rewards.")] = 30.0
    threshold_min: Annotated[
        float, Gt(-1000), Le(1000), Key("dF/F or mm/s", "The threshold never adapts below this.")
    ] = 0.005
    threshold_max: Annotated[
        float, Gt(-1000), Le(1000), Key("dF/F or mm/s", "The threshold never adapts above this.")
    ] = 0.5


@dataclass(frozen=True, slots=True)
class ThresholdState:
    """The threshold now, and the epoch it is in.

    Attributes
    ----------
    value : float
        Current threshold, dF/F or mm/s.
    epoch_ns : int
        Trial time since the epoch began, ns.
    rewards : int
        Rewards earned in this epoch.
    """

    value: float
    epoch_ns: int = 0
    rewards: int = 0


def first_threshold(settings: ThresholdSettings) -> ThresholdState:
    """Return the state a session begins with."""
    return ThresholdState(settings.reward_threshold)


def adapt(settings: ThresholdSettings, state: ThresholdState, trial_ns: int, rewards: int) -> ThresholdState:
    """Add trial time and rewards; at the end of an epoch move the threshold.

    More than one reward in the epoch: up by a step. None: down by a step. One: unchanged. Time in rest is never given
    here, so a resting mouse does not lower its threshold.

    Parameters
    ----------
    trial_ns : int
        Trial time that went by since the last call, ns.
    rewards : int
        Rewards earned since the last call.
    """
    if not settings.adaptive_threshold:
        return state
    epoch_ns = state.epoch_ns + trial_ns
    earned = state.rewards + rewards
    length = as_ns(settings.adaptive_epoch_s)
    if epoch_ns < length:
        return replace(state, epoch_ns=epoch_ns, rewards=earned)
    step = settings.adaptive_step * ((earned > 1) - (earned == 0))
    value = state.value
    if step > 0:
        value = max(value, min(value + step, settings.threshold_max))
    elif step < 0:
        value = min(value, max(value + step, settings.threshold_min))
    # One step, however many epochs a gap in the frames was long: the mouse could not act in them.
    return ThresholdState(value, epoch_ns % length, 0)
