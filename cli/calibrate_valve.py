"""``rigloop calibrate valve``: series of drops, weighed by a person, become ul per ms."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from cli.ask import AGAIN, ask_number, naming, numbers_of, read_numbers
from cli.rig_lines import Countdown, give, given_text
from cli.run import read_overrides
from cli.screen import say
from core.errors import InputError
from session.calibration_valve import Weighing
from session.drops import DropPlan
from session.settings import Settings
from session.stop import StopRequest

COLUMNS = ("duration_ms", "pulses", "grams")


class _Stopped(Exception):
    """A person stopped a series; the valve is shut."""


def run(args: argparse.Namespace) -> int:
    """Measure (or read), fit, store, draw. Returns the exit code."""
    from analysis.calibration_figure import draw_valve
    from core.clock import MonotonicClock
    from session.calibration import valve_path
    from session.calibration_files import store, today
    from session.calibration_valve import fit_valve
    from session.rig_settings import load_rig

    settings = load_rig(args.config, args.rig, args.mouse, read_overrides(args))
    rig = settings.outputs.rig
    try:
        weighings = _measure(args, settings) if args.weights is None else _read(args.weights)
    except _Stopped:
        say("rigloop calibrate: stopped; nothing was stored", error=True)
        return 130
    with naming(args.weights):
        found = fit_valve(weighings, rig, today(MonotonicClock().wall_ns()))
    path = valve_path(args.config, rig)
    store(path, found)
    for line in found.text():
        say(line)
    for line in found.warnings():
        say(f"rigloop calibrate: warning: {line}", error=True)
    say(f"stored      {path}")
    say(f"figure      {draw_valve(found, path.with_suffix('.png'))}")
    return 0


def _read(path: Path) -> list[Weighing]:
    """Return the series of a file."""
    return [Weighing(ms, int(pulses), grams) for ms, pulses, grams in read_numbers(path, COLUMNS, _check_row)]


def _check_row(row: tuple[float, ...]) -> None:
    """Raise InputError for a row that is no series."""
    from session.calibration_valve import check_weighing

    ms, pulses, grams = row
    if pulses != int(pulses):
        raise InputError(f"{pulses:g} pulses; they must be whole numbers")
    check_weighing(Weighing(ms, int(pulses), grams))


def _measure(args: argparse.Namespace, settings: Settings) -> list[Weighing]:
    """Give each series and ask for its weight."""
    plans = _plans(args, settings)
    total = sum(plan.total_s for _, plan in plans)
    _try_board(settings)
    say(f"{len(plans)} series of {args.pulses} drops, {total / 60:.1f} min in all; catch each in a tared vessel")
    weighings = []
    for ms, plan in plans:
        grams = None
        while grams is None:
            if ask_number(f"{ms:g} ms: put the tared vessel under the spout, then type 1", _not_one) is None:
                continue
            _give(settings, plan, ms)
            question = f"{ms:g} ms: grams of water caught ({AGAIN} gives the series once more):"
            grams = ask_number(question, partial(_no_weight, ms, args.pulses))
        weighings.append(Weighing(ms, args.pulses, grams))
    return weighings


def _plans(args: argparse.Namespace, settings: Settings) -> list[tuple[float, DropPlan]]:
    """Return the durations, ms, and what is given of each: all of them before the first drop. Raises InputError."""
    from session.rig_outputs import drops_of

    durations = numbers_of(args.durations_ms, "--durations-ms")
    if len(set(durations)) < 2:
        raise InputError(
            f"--durations-ms {args.durations_ms[:80]}: one duration makes no line; give two or more, such as 30,60,100"
        )
    return [(ms, drops_of(settings, ms / 1000, args.pulses, "--durations-ms")) for ms in durations]


def _not_one(number: float) -> str:
    return "" if number == 1 else f"{number:g} is not 1, which says that the vessel stands there"


def _no_weight(ms: float, pulses: int, grams: float) -> str:
    """Return why a series cannot weigh that; empty where it can."""
    from session.calibration_valve import check_weighing

    try:
        check_weighing(Weighing(ms, pulses, grams))
    except InputError as error:
        return str(error)
    return ""


def _try_board(settings: Settings) -> None:
    """Open and close the rig: what it lacks is said before a person fetches a vessel. Raises _Stopped, RigError."""
    from core.ports import Interrupted
    from hardware.ledger_rows import Purpose
    from session.rig_outputs import rig_guard

    with StopRequest() as stop:
        try:
            with rig_guard(settings, Purpose.prime, settings.outputs, lambda: not stop, for_mouse=False):
                pass
        except Interrupted:
            raise _Stopped from None
    if stop:
        raise _Stopped


def _give(settings: Settings, plan: DropPlan, ms: float) -> None:
    """Give one series. Raises _Stopped."""
    from core.clock import MonotonicClock
    from core.ports import Interrupted
    from hardware.ledger_rows import Purpose
    from session.rig_outputs import rig_guard

    clock = MonotonicClock()
    screen = Countdown(f"{ms:g} ms")
    with StopRequest() as stop:
        try:
            with rig_guard(settings, Purpose.prime, settings.outputs, lambda: not stop, for_mouse=False) as guard:
                given = give(guard, plan, clock, stop, screen)
        except Interrupted:
            raise _Stopped from None
    say(f"{ms:g} ms: {given_text(given)}")
    if given.stopped:
        raise _Stopped
