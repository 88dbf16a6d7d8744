"""What a guardian is told when it is started."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hardware.ledger import Purpose
from hardware.settings import OutputSettings, PinSettings


@dataclass(frozen=True, slots=True)
class GuardSpec:
    """Lines, bounds, and where the water is written.

    Attributes
    ----------
    pins : PinSettings
    outputs : OutputSettings
    ledger : Path or None
        The mouse's ``water.csv``; None where no mouse drinks the water (a flush of the tubes): no day's bound then.
    purpose : Purpose
        What the water is for, in the ledger.
    session : str
        Name of the session's folder, in the ledger; empty outside a session.
    seed : int
        Of the intervals between sync pulses.
    """

    pins: PinSettings = field(default_factory=PinSettings)
    outputs: OutputSettings = field(default_factory=OutputSettings)
    ledger: Path | None = None
    purpose: Purpose = Purpose.reward
    session: str = ""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Orders:
    """The first message to a guardian and its watcher.

    Attributes
    ----------
    spec : GuardSpec
    session_s, day_s : float
        Water that the session and its day have had before this guardian, s.
    openings : tuple of (int, int)
        Start and end of the valve's openings in the last 10 s, ns (CLOCK_MONOTONIC), in order.
    """

    spec: GuardSpec
    session_s: float
    day_s: float
    openings: tuple[tuple[int, int], ...] = ()
