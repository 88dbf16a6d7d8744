"""What a guardian is told when it is started."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hardware.ledger_rows import Purpose
from hardware.settings import OutputSettings, PinSettings


@dataclass(frozen=True, slots=True)
class GuardSpec:
    """Lines, bounds, and where the water is written.

    Attributes
    ----------
    pins : PinSettings
    outputs : OutputSettings
    ledger : Path or None
        Where each opening is written (``hardware.ledger``), and the day's water is counted by; None where no water is
        to come: no day's bound then.
    copy : Path or None
        Written like ``ledger``, after it, and read with it: the ``water.csv`` beside the mouse's sessions.
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
    copy: Path | None = None
    purpose: Purpose = Purpose.reward
    session: str = ""
    seed: int = 0

    @property
    def ledgers(self) -> tuple[Path, ...]:
        """Return the files that each opening is written into, in the order of writing and of locking."""
        return tuple(path for path in (self.ledger, self.copy) if path is not None)


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
