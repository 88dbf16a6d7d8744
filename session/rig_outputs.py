"""A rig's outputs in the hand of one command: its lock taken, its guardian started, both let go of whatever happens."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError, RecordingError
from core.outputs import longest_opening_ns
from core.values import as_ns, as_seconds
from hardware.guardian_spec import GuardSpec
from hardware.ledger_rows import Purpose
from hardware.settings import OutputSettings
from session.calibration_files import calibration_folder
from session.drops import DropPlan
from session.locks import mouse_lock, rig_locks
from session.settings import Settings
from session.water_day import WATER_CSV, water_ledgers, water_today

if TYPE_CHECKING:
    from hardware.guard import Guard

FLUSH_LIMIT_S = 120.0
"""Longest flush, s: more than a metre of tube takes, and less than a tank that is emptied onto a floor."""
PIECE_S = 1.0
"""A flush is made of openings this long, s: none is longer than a valve is ever meant to be open in a session."""
LEAST_OPENING_NS = 1_000_000
"""Shortest opening that is given, ns: a valve takes a millisecond and more to move."""
LEAST_PAUSE_S = 0.2
"""Pause between two drops of a series, s: a droplet falls off, and the pressure settles."""
RIG_DAY_S = 36_000.0
"""Valve-open time of one rig in one day for water that is no mouse's, s: a bound for form's sake."""


@contextmanager
def rig_guard(
    settings: Settings, purpose: Purpose, outputs: OutputSettings, go_on: Callable[[], bool], *, for_mouse: bool
) -> Iterator[Guard]:
    """Take the rig (and the mouse), start its guardian, and close it at the end, valve first.

    Parameters
    ----------
    settings : Settings
    purpose : Purpose
        What is written beside the water: each opening before it begins, by the guardian, so that the row is there
        whatever ends this process or the guardian.
    outputs : OutputSettings
        Bounds that the guardian keeps.
    go_on : callable
        Asked ten times a second and more, until the lines are had, whether to go on.
    for_mouse : bool
        Whether the water is the mouse's: its locks are taken, too, and the guardian counts it to the mouse's day; else
        it goes into the rig's own log.

    Raises
    ------
    InputError
        The rig or the mouse is in a session.
    OutputError
        The lines cannot be had.
    Interrupted
        ``go_on`` returned False. With each of them nothing is left.
    """
    with ExitStack() as held:
        rig, everywhere = rig_locks(settings.outputs.rig, settings.mouse)
        held.enter_context(rig)
        if for_mouse:
            root = Path(settings.recording.data_root)
            held.enter_context(everywhere)
            held.enter_context(mouse_lock(root, settings.mouse))
            ledger, copy = water_ledgers(settings)
        else:
            ledger, copy = rig_log(settings), None
            _check_rig_log(ledger)
            # No mouse drinks it: its day is no bound here.
            outputs = replace(outputs, max_day_water_s=RIG_DAY_S)
        guard = make_guard(GuardSpec(settings.pins, outputs, ledger, copy, purpose))
        held.callback(guard.close)
        guard.start(go_on)
        yield guard


def make_guard(spec: GuardSpec) -> Guard:
    """Return the guardian's client, not started; the one place that tests replace."""
    from hardware.guard import Guard

    return Guard(spec)


def rig_log(settings: Settings) -> Path:
    """Return the rig's own log of water, that of flushes and calibrations; the guardian writes it."""
    return calibration_folder(settings.config_path, settings.outputs.rig) / WATER_CSV


def _check_rig_log(path: Path) -> None:
    """Raise RecordingError where the rig's log cannot be written; no key but the place of config.ini moves it.

    Makes its folder. Of a file that is another user's the guardian tells, with its cure.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            draft.touch()
            draft.unlink()
        elif path.stat().st_uid == os.geteuid():
            path.open("ab").close()
    except OSError as error:
        raise RecordingError(
            f"the rig's log of water {path} cannot be written ({error.strerror}); free space on that disk, or give "
            "this user the right to write there, beside config.ini"
        ) from error


def refuse_no_valve(settings: Settings) -> None:
    """Raise InputError where no valve is connected: it would be charged for water that does not come."""
    if not settings.pins.pin_valve:
        raise InputError(
            "pin_valve 0: no valve is connected, so no water can come; set pin_valve to the pin that the valve is on"
        )


def drops_of(settings: Settings, seconds: float, drops: int, key: str = "--seconds") -> DropPlan:
    """Return the plan of ``drops`` openings of ``seconds``, paced within ``max_duty``. Raises InputError.

    ``key`` is what a person gave the opening with.
    """
    refuse_no_valve(settings)
    bounds = settings.outputs
    if not 0 < seconds < math.inf or drops < 1:
        raise InputError(f"{drops} drops of {seconds:g} s: give one drop or more, of more than 0 s")
    _refuse_nothing(seconds, key)
    if seconds > bounds.max_pulse_s:
        raise InputError(f"one opening of {seconds:g} s is above max_pulse_s ({bounds.max_pulse_s:g}); {_shorter(key)}")
    longest_ns = longest_opening_ns(bounds.max_duty)
    if as_ns(seconds) > longest_ns:
        raise InputError(
            f"one opening of {seconds:g} s is above {as_seconds(longest_ns):g} s, all that max_duty "
            f"({bounds.max_duty:g}) leaves of any 10 s; {_shorter(key)}, or raise max_duty"
        )
    if drops * seconds > bounds.max_session_water_s:
        raise InputError(
            f"{drops} drops of {seconds:g} s are {drops * seconds:g} s of water, above max_session_water_s "
            f"({bounds.max_session_water_s:g}); give fewer"
        )
    pause = max(LEAST_PAUSE_S, bounds.min_pulse_gap_s, seconds * (1 / bounds.max_duty - 1))
    return DropPlan(drops, seconds, pause)


def _shorter(key: str) -> str:
    """Return how shorter openings are had; only free water is given as drops whose number is chosen with it."""
    return f"give shorter {key}" if key == "--durations-ms" else "give shorter ones with --drops N"


def _refuse_nothing(seconds: float, key: str) -> None:
    """Raise InputError for an opening in which no valve opens."""
    if as_ns(seconds) < LEAST_OPENING_NS:
        raise InputError(
            f"{key}: an opening of {seconds:g} s is below {as_seconds(LEAST_OPENING_NS):g} s, in which no valve opens; "
            "give a longer one"
        )


def refuse_over_day(settings: Settings, plan: DropPlan, wall_ns: int) -> None:
    """Raise InputError for more water than is left of the mouse's day, OutputError for a ledger that is damaged."""
    limit_s = settings.outputs.max_day_water_s
    had_s = water_today(settings, wall_ns).seconds
    # Whatever a row of the ledger says: a second above the limit is as full as 1e308.
    if as_ns(min(had_s, limit_s + 1)) + plan.pulses * as_ns(plan.duration_s) > limit_s * 1e9:
        asked = f"{plan.pulses} drops of {plan.duration_s:g} s are {plan.pulses * plan.duration_s:g} s of water"
        raise InputError(
            f"{asked}, above the {max(0.0, limit_s - had_s):.3f} s that mouse {settings.mouse} has left of "
            f"max_day_water_s ({limit_s:g}) today; give fewer, or raise max_day_water_s"
        )


def refuse_used_up(settings: Settings, wall_ns: int) -> None:
    """Raise InputError where not one reward is left of the mouse's day, OutputError for a ledger that is damaged."""
    limit_s, reward_s = settings.outputs.max_day_water_s, settings.trial.reward_dur
    had_s = water_today(settings, wall_ns).seconds
    if as_ns(had_s) + as_ns(reward_s) > limit_s * 1e9:
        raise InputError(
            f"the day's water of mouse {settings.mouse} is used up: it has had {had_s:.3f} s of max_day_water_s "
            f"({limit_s:g}) today, and a reward is {reward_s:g} s; train it tomorrow, or raise max_day_water_s"
        )


def flush_plan(settings: Settings, seconds: float) -> tuple[DropPlan, OutputSettings]:
    """Return the openings of a flush, and bounds that hold this flush and no more. Raises InputError."""
    refuse_no_valve(settings)
    if not 0 < seconds <= FLUSH_LIMIT_S:
        raise InputError(f"--seconds {seconds:g}: give more than 0 and at most {FLUSH_LIMIT_S:g} s, and flush again")
    _refuse_nothing(seconds, "--seconds")
    pieces = math.ceil(seconds / PIECE_S)
    piece = seconds / pieces
    bounds = replace(
        settings.outputs,
        max_pulse_s=PIECE_S,
        max_session_water_s=seconds + 0.001,
        max_duty=1.0,
        min_pulse_gap_s=0.0,
    )
    return DropPlan(pieces, piece, 0.0), bounds
