"""The water of a mouse's day, read from its ledger: rewards, free drops and all else that opened the valve for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.clock import local_datetime
from hardware.ledger import Purpose, read_day

WATER_CSV = "water.csv"


@dataclass(frozen=True, slots=True)
class WaterToday:
    """What a mouse has had on one day.

    Attributes
    ----------
    seconds : float
        Time the valve was open for it, s.
    reward_s, free_s : float
        Of these, earned (or by chance) in sessions, and given by a person.
    warning : str
        What a person should look at in the ledger; empty where all is well.
    """

    seconds: float
    reward_s: float
    free_s: float
    warning: str = ""

    def text(self, max_day_water_s: float) -> str:
        """Return it as a line for a person."""
        return (
            f"water today {self.seconds:.3f} s of {max_day_water_s:g} s (max_day_water_s): rewards {self.reward_s:.3f} "
            f"s, free {self.free_s:.3f} s" + (f"; {self.warning}" if self.warning else "")
        )

    def json(self) -> dict[str, float]:
        """Return it as JSON has it."""
        return {"seconds": round(self.seconds, 6), "reward_s": round(self.reward_s, 6), "free_s": round(self.free_s, 6)}


def water_path(data_root: Path, mouse: str) -> Path:
    """Return a mouse's ledger; the guardian writes it."""
    return data_root / mouse / WATER_CSV


def water_today(data_root: Path, mouse: str, wall_ns: int) -> WaterToday:
    """Return the water of the local day of ``wall_ns`` (ns since 1970). Raises OutputError for a damaged ledger."""
    day = read_day(water_path(data_root, mouse), local_datetime(wall_ns).date())
    reward = day.by_purpose.get(Purpose.reward, 0.0)
    return WaterToday(day.seconds, reward, day.seconds - reward, day.warning)
