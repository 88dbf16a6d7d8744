"""Keys of config.ini that outputs read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from annotated_types import Ge, Gt, Le

from core.keys import Key


class OutputKind(Enum):
    """Whether commands reach real devices."""

    real = "real"
    fake = "fake"


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """Bounds of what may come out of the rig."""

    max_pulse_s: Annotated[
        float, Gt(0), Le(5), Key("s", "Longest single opening of the valve; a longer one is refused.")
    ] = 1.0
    max_session_water_s: Annotated[
        float, Gt(0), Le(3600), Key("s", "Valve-open time of one session; more is refused and the session ends.")
    ] = 60.0
    rig: Annotated[str, Key("", "Name of this rig; one session at a time runs on it.")] = "rig1"
    min_pulse_gap_s: Annotated[
        float, Ge(0), Le(60), Key("s", "Shortest pause between two openings of the valve; a drop waits for it.")
    ] = 0.0
