"""Keys of config.ini that the movement pipeline reads: which point, its speed, what begins a trial and what earns."""

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


class RewardBy(Enum):
    """What earns water, and is heard."""

    speed = "speed"
    target = "target"


class PoseFilter(Enum):
    """What smooths the control point before its speed is taken."""

    none = "none"
    one_euro = "one_euro"
    median = "median"


@dataclass(frozen=True, slots=True)
class MovementSettings:
    """Which body part is followed, how fast it must move or where it must go, and what begins a trial."""

    control_point: Annotated[str, Key("", "Body part whose movement is the signal, as the pose model names it.")] = (
        "fl_l"
    )
    min_likelihood: Annotated[
        float, Ge(0), Le(1), Key("", "A point that is trusted less than this is missing, 0 to 1.")
    ] = 0.6
    max_gap_s: Annotated[
        float, Ge(0), Le(10), Key("s", "A longer time without a trusted point makes the signal invalid.")
    ] = 0.2
    pose_filter: Annotated[
        PoseFilter, Key("", "Smooths the control point before its speed is taken: none, one_euro or median.")
    ] = PoseFilter.none
    one_euro_cutoff_hz: Annotated[
        float, Gt(0), Le(1000), Key("Hz", "Cutoff of the one_euro filter for a point at rest; lower is smoother.")
    ] = 2.0
    one_euro_beta: Annotated[
        float, Ge(0), Le(100), Key("1/mm", "Hz by which that cutoff rises per mm/s of speed; higher lags less.")
    ] = 0.1
    median_points: Annotated[
        int, Ge(3), Le(31), Key("", "Points of which the median filter takes the median of column and row.")
    ] = 3
    reward_by: Annotated[
        RewardBy, Key("", "What is heard and earns water: speed above the threshold, or reaching the target circle.")
    ] = RewardBy.speed
    speed_threshold: Annotated[
        float, Gt(0), Le(10_000), Key("mm/s", "The speed that earns water, at the start of the session.")
    ] = 170.0
    speed_threshold_px_per_frame: Annotated[
        float, Ge(0), Le(10_000), Key("px/frame", "The same in px per frame period, as CLoPy has it; 0: mm/s holds.")
    ] = 0.0
    trial_start: Annotated[
        TrialStart, Key("", "A trial begins when the point is still, when it is in the start circle, or at once.")
    ] = TrialStart.still
    joint_history_sec: Annotated[
        float, Gt(0), Le(600), Key("s", "Span over which the mean speed is taken for trial_start = still.")
    ] = 5.0
    still_speed: Annotated[float, Gt(0), Le(10_000), Key("mm/s", "The point is still below this mean speed.")] = 8.5
    still_speed_px_per_frame: Annotated[
        float, Ge(0), Le(10_000), Key("px/frame", "The same in px per frame period, as CLoPy has it; 0: mm/s holds.")
    ] = 0.0
    max_start_wait_s: Annotated[
        float,
        Ge(0),
        Le(36_000),
        Key("s", "The session ends when no trial may begin for this long after a rest; 0: it waits on."),
    ] = 600.0
    start_center: Annotated[tuple[Px, Px], Key("px", "Column, row of the start circle's centre.")] = (128.0, 128.0)
    start_radius_mm: Annotated[float, Gt(0), Le(1000), Key("mm", "Radius of the start circle.")] = 4.0
    target_center: Annotated[tuple[Px, Px], Key("px", "Column, row of the target circle's centre.")] = (128.0, 96.0)
    target_radius_mm: Annotated[float, Gt(0), Le(1000), Key("mm", "Radius of the target circle.")] = 6.0
    target_far_mm: Annotated[
        float,
        Ge(0),
        Le(1000),
        Key("mm", "Distance from the target's centre at which tone 0 plays; 0: that of the start circle's centre."),
    ] = 0.0
