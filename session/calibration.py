"""Rewards asked for by volume: ``reward_ul`` becomes ``reward_dur`` by the rig's valve calibration."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from core.clock import local_datetime
from core.errors import InputError
from session.calibration_files import calibration_folder, load
from session.calibration_valve import ValveCalibration
from session.config_checks import Draft
from session.config_entries import Problem

VALVE_JSON = "valve.json"
CURE = "calibrate it (rigloop calibrate valve --rig {rig}), or give reward_dur with reward_ul = 0"


def valve_path(config_path: Path, rig: str) -> Path:
    """Return where a rig's valve calibration is stored."""
    return calibration_folder(config_path, rig) / VALVE_JSON


def reward_by_volume(draft: Draft, config_path: Path) -> tuple[ValveCalibration | None, list[Problem]]:
    """Put the opening time for ``reward_ul`` into ``draft`` as ``reward_dur``, where a volume is asked for.

    Returns the calibration that was used, and the problems: none stored, the volume beyond what was weighed, the
    opening longer than ``max_pulse_s`` or ``final_rest_dur``. With a problem ``reward_dur`` counts as not known.
    """
    if not draft.known("reward_ul", "rig", "max_pulse_s", "final_rest_dur") or not draft.values["reward_ul"]:
        return None, []
    rig = draft.values["rig"]
    over = draft.entries.get("reward_dur")
    asked = draft.entries.get("reward_ul")
    if over is not None and asked is not None and over.rank > asked.rank:
        text = f"does nothing beside {draft.say('reward_ul')}; set reward_ul = 0 with it, or leave it out"
        return None, [over.problem(text)]
    try:
        found = load(valve_path(config_path, rig), ValveCalibration)
        draft.values["reward_dur"] = _opening_s(found, draft)
    except FileNotFoundError:
        problem = f"the valve of rig {rig} is not calibrated; {CURE.format(rig=rig)}"
    except InputError as error:
        problem = str(error)
    else:
        draft.bad.discard("reward_dur")
        return found, []
    draft.bad.add("reward_dur")
    return None, [draft.problem(("reward_ul",), problem)]


def _opening_s(found: ValveCalibration, draft: Draft) -> float:
    """Return the opening time, s. Raises InputError where it is none that may be asked for."""
    volume = draft.values["reward_ul"]
    if not (math.isfinite(found.ul_per_ms) and found.ul_per_ms > 0 and math.isfinite(found.offset_ul)):
        raise InputError(f"the calibration of {found.date} has no slope above 0; {CURE.format(rig=found.rig)}")
    opening = found.duration_s(volume)
    low, high = found.range_ul()
    # Rounding of the printed range must not refuse what it allows.
    slack = 1e-6 * high
    if not low - slack <= volume <= high + slack:
        raise InputError(
            f"beyond what was weighed on {found.date[:10]}, {low:.3g} to {high:.3g} ul; give a volume within it, or "
            f"calibrate {'longer' if volume > high else 'shorter'} openings"
        )
    for key in ("max_pulse_s", "final_rest_dur"):
        if opening > draft.values[key]:
            raise InputError(f"takes {opening:g} s, above {draft.say(key)}; lower reward_ul or raise {key}")
    return opening


def age_warning(date: str, max_age_days: float, wall_ns: int) -> str:
    """Return what is to be said of a calibration of that date at ``wall_ns`` (ns since 1970); empty while it is young.

    ``max_age_days`` 0 is: however old.
    """
    try:
        made = datetime.fromisoformat(date)
    except ValueError:
        return f"the valve's calibration has no date ({date!r}); calibrate it again"
    now = local_datetime(wall_ns)
    days = (now - (made if made.tzinfo else made.replace(tzinfo=now.tzinfo))).total_seconds() / 86_400
    if days < -1:
        return f"the valve's calibration is of {date[:10]}, which is to come; check the clock of this host"
    if not max_age_days or days <= max_age_days:
        return ""
    return (
        f"the valve was calibrated {days:.0f} days ago ({date[:10]}), more than calibration_max_age_days "
        f"({max_age_days:g}); calibrate it again"
    )


def start_warnings(found: ValveCalibration | None, max_age_days: float, wall_ns: int) -> list[str]:
    """Return what is said, and noted as events, at the start of a session that asks for a volume."""
    text = "" if found is None else age_warning(found.date, max_age_days, wall_ns)
    return [text] if text else []


def calibration_facts(found: ValveCalibration | None) -> dict[str, Any]:
    """Return what a session's record says of the calibration it used; empty where it used none."""
    return {} if found is None else {"valve": asdict(found)}
