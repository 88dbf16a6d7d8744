"""The water of a mouse's day: where it is written, and what came out as rewards, free drops and all else.

A day's limit must hold whatever ``data_root`` a session writes to. So a mouse's day is counted by a ledger of its own,
which all sessions of this user on this computer share; its copy beside the mouse's sessions is for people, and what
stands in it alone counts, too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.clock import local_datetime
from core.errors import InputError
from hardware.ledger_day import read_together
from hardware.ledger_rows import Purpose
from hardware.settings import BoardKind

if TYPE_CHECKING:
    from session.settings import Settings

WATER_CSV = "water.csv"
MEMORY_CSV = "water-memory.csv"
"""What was rehearsed with lines in memory: no mouse drank it."""
STATE_VARIABLE = "RIGLOOP_STATE"
"""Environment variable with the folder of what this user's sessions on this computer share."""


@dataclass(frozen=True, slots=True)
class WaterToday:
    """What a mouse has had on one day.

    Attributes
    ----------
    seconds : float
        Time the valve was open for it, s.
    reward_s, free_s : float
        Of these, earned (or by chance) in sessions, and given by a person.
    session_s : float
        Of these, given in the session that was asked about, s: drops that were cut count as far as they came.
    warning : str
        What a person should look at in the ledger; empty where all is well.
    """

    seconds: float
    reward_s: float
    free_s: float
    session_s: float = 0.0
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


def state_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of what this user's sessions share: RIGLOOP_STATE, else by the XDG rules. Makes nothing.

    Raises InputError where neither it nor a home is known, or RIGLOOP_STATE is relative.
    """
    if chosen := environment.get(STATE_VARIABLE):
        return _chosen_folder(chosen)
    shared = Path(environment.get("XDG_STATE_HOME", ""))
    # A relative path counts as none: the XDG base directory specification.
    if shared.is_absolute():
        return shared / "rigloop"
    try:
        return Path("~/.local/state/rigloop").expanduser()
    except RuntimeError as error:
        raise InputError(
            f"water of the day: this user has no home ({error}); give a folder with {STATE_VARIABLE}=DIR"
        ) from error


def _chosen_folder(chosen: str) -> Path:
    """Return RIGLOOP_STATE. Raises InputError for a relative one: each folder would have a day of its own."""
    try:
        folder = Path(chosen).expanduser()
    except RuntimeError:
        folder = Path()
    if not folder.is_absolute():
        raise InputError(f"{STATE_VARIABLE}={chosen[:80]}: is no absolute path; give one, such as /var/lib/rigloop")
    return folder


def water_path(data_root: Path, mouse: str) -> Path:
    """Return the copy of a mouse's ledger that lies beside its sessions; the guardian writes it."""
    return data_root / mouse / WATER_CSV


def memory_path(data_root: Path, mouse: str) -> Path:
    """Return the ledger of water that was rehearsed with lines in memory; no other session reads it."""
    return data_root / mouse / MEMORY_CSV


def water_ledgers(settings: Settings) -> tuple[Path, Path | None]:
    """Return the ledger that the mouse's day is counted by, and its copy (``hardware.guardian_spec.GuardSpec``).

    Lines in memory give no water: what is rehearsed with them goes into a file of its own. Raises InputError.
    """
    root = Path(settings.recording.data_root)
    if settings.pins.output_board is BoardKind.memory:
        return memory_path(root, settings.mouse), None
    return state_folder() / "water" / f"{settings.mouse}.csv", water_path(root, settings.mouse)


def water_today(settings: Settings, wall_ns: int, session: str = "") -> WaterToday:
    """Return the water of the mouse's local day of ``wall_ns`` (ns since 1970). Raises OutputError for damage.

    ``session`` is the name of a session's folder, for ``session_s``; empty: of none.
    """
    paths = [path for path in water_ledgers(settings) if path is not None]
    day = read_together(paths, local_datetime(wall_ns).date())
    reward = day.by_purpose.get(Purpose.reward, 0.0)
    session_s = day.by_session.get(session, 0.0) if session else 0.0
    return WaterToday(day.seconds, reward, day.seconds - reward, session_s, day.warning)
