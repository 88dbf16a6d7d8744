"""``rigloop threshold``: the threshold that a resting mouse reaches as often as wanted."""

from __future__ import annotations

import argparse
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from cli.screen import say
from core.errors import InputError, SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from core.spontaneous import Resting

FEW_TRIALS = 10
"""Below this many trials' worth of rest a share of successes is coarser than 10 %."""
_CURE = "restore it from a copy, or correct it by hand"


def run(args: argparse.Namespace) -> int:
    """Print the threshold and what it would have given; save it when asked."""
    from core.spontaneous import Resting
    from recording.reader import open_session
    from recording.recorded import check_rows
    from recording.schema import SESSION_JSON

    with open_session(args.session) as session:
        check_rows(session)
        frames, meta, file = session.frames, session.meta, session.folder / SESSION_JSON
    _refuse_target(meta, file)
    resting = Resting(frames.time_ns, frames.signal, frames.valid)
    trial_s = _number(meta, file, "max_trial_dur", 30.0, above=0.0)
    floor = _number(meta, file, "tone_floor", 0.0)
    found = _find(args, resting, trial_s)
    if found <= floor:
        raise InputError(
            f"the threshold would be {found:g}, not above tone_floor ({floor:g}); ask for fewer crossings or lower "
            "tone_floor"
        )
    say(f"threshold {found!r}: {_gives(resting, found, trial_s)}")
    for note in _notes(meta, resting, trial_s, bool((frames.trial > 0).any())):
        say(f"note: {note}")
    if args.save:
        _save(args, meta, file, found)
    return 0


def _refuse_target(meta: dict[str, Any], file: Path) -> None:
    """Raise InputError for a session whose signal is a distance: a circle has a radius, which is drawn, not found."""
    settings = meta.get("settings", {})
    if isinstance(settings, dict) and settings.get("reward_by") == "target":
        raise InputError(
            f"{file}: reward_by = target: what earned was reaching a circle, which has no threshold; set "
            "target_radius_mm, or rest the mouse with reward_by = speed"
        )


def _number(meta: dict[str, Any], file: Path, key: str, default: float, above: float = -math.inf) -> float:
    """Return a number of the session's settings, ``default`` where it has none. Raises SourceError."""
    settings = meta.get("settings", {})
    if not isinstance(settings, dict):
        raise SourceError(f'{file}: "settings" is {json.dumps(settings)}, not an object; {_CURE}')
    value = settings.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not above < value < math.inf:
        wanted = "a number" if math.isinf(above) else f"a number above {above:g}"
        raise SourceError(f'{file}: "{key}" of "settings" is {json.dumps(value)}, not {wanted}; {_CURE}')
    return float(value)


def _find(args: argparse.Namespace, resting: Resting, trial_s: float) -> float:
    """Return the threshold, with five decimals where those still give what was asked for, else in full."""
    if args.rate is not None:
        exact = resting.threshold_for_rate(args.rate)
    else:
        exact = resting.threshold_for_success(args.success, trial_s)
    short = math.floor(exact * 1e5) / 1e5
    at = np.array([short])
    if args.rate is not None:
        kept = float(resting.crossings(at)[0]) >= args.rate * resting.duration_s / 60
    else:
        kept = float(resting.success(at, trial_s)[0]) >= args.success
    return short if kept and short <= exact else exact


def _gives(resting: Resting, threshold: float, trial_s: float) -> str:
    """Return what this very threshold would have given in the session."""
    at = np.array([threshold])
    rate = float(resting.crossings(at)[0]) * 60 / resting.duration_s
    text = f"crossed {rate:.2f} times a minute in {resting.duration_s:.0f} s"
    if resting.duration_s >= trial_s:
        text += f", in {100 * float(resting.success(at, trial_s)[0]):.0f} % of trials of {trial_s:g} s"
    return text


def _notes(meta: dict[str, Any], resting: Resting, trial_s: float, had_trials: bool) -> list[str]:
    """Return what a person should know before trusting the figure."""
    notes = []
    if meta.get("outcome", "complete") != "complete":
        notes.append(f"this session's outcome is {meta['outcome']}; what it has recorded was used")
    if resting.duration_s < FEW_TRIALS * trial_s:
        few = f"less than {FEW_TRIALS} trials of {trial_s:g} s"
        notes.append(f"{resting.duration_s:.0f} s are {few}; a longer rest tells more")
    if had_trials:
        notes.append("this session had trials; a resting one (session_type = behavior_recording) tells more")
    return notes


def _save(args: argparse.Namespace, meta: dict[str, Any], file: Path, threshold: float) -> None:
    """Write the threshold to the mouse's section, if its settings are right with it. Raises InputError."""
    from session.config_edit import set_mouse_key
    from session.settings import load_settings

    mouse = args.mouse or meta.get("mouse")
    if not mouse:
        raise InputError(f"{args.session}: this session does not say whose it is; give --mouse ID with --save")
    if not isinstance(mouse, str):
        raise SourceError(f'{file}: "mouse" is {json.dumps(mouse)}, not a name; {_CURE}, or give --mouse ID')
    key = "speed_threshold" if meta.get("kind") == "clmf" else "reward_threshold"
    load_settings(args.config, mouse, overrides={key: repr(threshold)})
    set_mouse_key(args.config, mouse, key, repr(threshold))
    say(f"{args.config}: [mouse:{mouse}] {key} = {threshold!r}")
