"""Where a session that is given out in CLoPy's form is not what CLoPy's readers take it for."""

from __future__ import annotations

import re
from typing import Any

from helper import Position, Seed, mm_to_px, seed_to_px
from recording.clopy_clmf import is_movement
from recording.clopy_clnf import log_columns
from recording.clopy_read import FIRST_COLUMNS, LAST_COLUMNS
from recording.recorded import RecordedSession, is_clopys
from recording.schema import CLOPY_LOG, ROI_PREFIX
from roi_manager import Rect

_GREEN_MINUS_BLUE = "green_minus_blue"


def unlike_clopy(session: RecordedSession) -> tuple[str, ...]:
    """Return a line for each key of a session that CLoPy's files have no word for, and what their reader will find.

    None of a session that CLoPy recorded, nor of a movement session; nor of an ROI whose place was not recorded.
    """
    if is_clopys(session) or is_movement(session):
        return ()
    settings = session.meta.get("settings") or {}
    lines = []
    for name in session.part_names:
        placed = str(settings.get(ROI_PREFIX + name) or "").replace(" ", "")
        seeded = _by_seed(name, settings, session.meta.get("seeds") or {})
        if placed and placed != seeded:
            lines.append(
                f"{ROI_PREFIX}{name} = {settings[ROI_PREFIX + name]}: CLoPy's readers place an ROI by its seed, bregma "
                f"and roi_size alone ({seeded or 'here they find no such seed'}): from the images they compute other "
                "dF/F than the log has"
            )
    mode = settings.get("dff_mode") or _GREEN_MINUS_BLUE
    if mode != _GREEN_MINUS_BLUE:
        lines.append(
            f"dff_mode = {mode}: CLoPy's readers know {_GREEN_MINUS_BLUE} alone: from the images they compute other "
            "dF/F than the log has"
        )
    columns = log_columns(session)[len(FIRST_COLUMNS) : -len(LAST_COLUMNS)]
    if not _is_known(columns, session.part_names):
        lines.append(
            f"roi_operation = {settings.get('roi_operation') or 'not recorded'}: {CLOPY_LOG} has the columns "
            f"{', '.join(columns)}; CLoPy's readers know one ROI, or two and one of + - * / between them"
        )
    return tuple(lines)


def _by_seed(name: str, settings: dict[str, Any], seeds: dict[str, Any]) -> str:
    """Return the rectangle at which CLoPy's readers look for an ROI, empty where they find none."""
    # A seed on the midline has no side.
    base, side = (name[:-2], name[-1]) if name.endswith(("_L", "_R")) else (name, "")
    try:
        ppmm = float(settings["ppmm"])
        row, col = settings["bregma"]
        width, height = (mm_to_px(side_mm, ppmm) for side_mm in settings["roi_size"])
        seed = Seed(float(seeds[base]["AP"]), float(seeds[base]["ML"]))
        return Rect.around(seed_to_px(seed, side, Position(row, col), ppmm), width, height).text()
    except (KeyError, TypeError, ValueError, OverflowError):
        # Not recorded, or not as we write it: they do not find it either.
        return ""


def _is_known(columns: tuple[str, ...], names: tuple[str, ...]) -> bool:
    """Return whether dF/F stands in one of the two forms of CLoPy's log."""
    if len(columns) == 1:
        return True
    if len(names) != 2:
        return False
    first, second = (re.escape(f"{name}dff") for name in names)
    return re.fullmatch(rf"{first}[-+*/]{second}", columns[-1]) is not None
