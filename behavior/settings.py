"""Keys of config.ini that the movement pipeline reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from annotated_types import Ge, Gt, Le

from core.keys import Key

Px = Annotated[float, Ge(-16_384), Le(16_384)]


class TrialStart(Enum):
    """What a mouse must do before a trial begins."""

    still = "still"
    start_roi = "start_roi"
    immediate = "immediate"


@dataclass(frozen=True, slots=True)
class MovementSettings:
    """Which body part is followed, how fast it must move, and what begins a trial."""

    dlc_model_path: Annotated[str, Key("", "Folder of the exported DeepLabCut model, or its .pt file.")] = ""
    control_point: Annotated[str, Key("", "Body part whose speed is the signal, as the pose model names it.")] = "fl_l"
    min_likelihood: Annotated[
        float, Ge(0), Le(1), Key("", "A point the model trusts less than this is not used, 0 to 1.")
    ] = 0.6
    max_gap_s: Annotated[
        float, Ge(0), Le(10), Key("s", "A longer time without a trusted point makes the signal invalid.")
    ] = 0.2
    speed_threshold: Annotated[
        float, Gt(0), Le(10_000), Key("mm/s", "The speed that earns water, at the start of the session.")
    ] = 170.0
    trial_start: Annotated[
        TrialStart, Key("", "A trial begins when the point is still, when it is in the start circle, or at once.")
    ] = TrialStart.still
    joint_history_sec: Annotated[
        float, Gt(0), Le(600), Key("s", "Span over which the mean speed is taken for trial_start = still.")
    ] = 5.0
    still_speed: Annotated[float, Gt(0), Le(10_000), Key("mm/s", "The point is still below this mean speed.")] = 8.5
    start_center: Annotated[tuple[Px, Px], Key("px", "Column, row of the start circle's centre.")] = (128.0, 128.0)
    start_radius_mm: Annotated[float, Gt(0), Le(1000), Key("mm", "Radius of the start circle.")] = 4.0
    target_center: Annotated[tuple[Px, Px], Key("px", "Column, row of the target circle's centre.")] = (128.0, 96.0)
    target_radius_mm: Annotated[float, Gt(0), Le(1000), Key("mm", "Radius of the target circle.")] = 6.0
