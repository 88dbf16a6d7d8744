"""``rigloop water``: free water for a mouse, within the same bounds as a session's, counted to its day."""

from __future__ import annotations

import argparse

from cli.rig_lines import Countdown, give, given_text
from cli.run import read_overrides
from cli.screen import say
from session.settings import Settings
from session.stop import StopRequest


def run(args: argparse.Namespace) -> int:
    """Give the drops; Ctrl-C closes the valve at once. Returns the exit code."""
    with StopRequest(for_good=True) as stop:
        return _run(args, stop)


def _run(args: argparse.Namespace, stop: StopRequest) -> int:
    from core.clock import MonotonicClock
    from hardware.ledger_rows import Purpose
    from session.calibration import start_warnings
    from session.rig_outputs import drops_of, refuse_over_day, rig_guard
    from session.water_day import water_today

    clock = MonotonicClock()
    settings = _settings(args)
    seconds = settings.trial.reward_dur if args.ul is not None else args.seconds
    plan = drops_of(settings, seconds, args.drops, "--seconds" if args.ul is None else "--ul")
    refuse_over_day(settings, plan, clock.wall_ns())
    for line in start_warnings(settings.valve, settings.outputs.calibration_max_age_days, clock.wall_ns()):
        say(f"rigloop water: warning: {line}", error=True)
    screen = Countdown(f"water for {settings.mouse}")
    with rig_guard(settings, Purpose.free, settings.outputs, lambda: not stop, for_mouse=True) as guard:
        given = give(guard, plan, clock, stop, screen)
    volume = "" if settings.valve is None else f" ({given.pulses * args.ul:g} ul)"
    say(f"water for {settings.mouse}: {given_text(given)}{volume}")
    say(water_today(settings, clock.wall_ns()).text(settings.outputs.max_day_water_s))
    return 130 if given.stopped else 0


def _settings(args: argparse.Namespace) -> Settings:
    """Return the mouse's settings, with the volume asked for in place of its reward's."""
    from session.settings import load_settings

    overrides = read_overrides(args)
    # The reward of its sessions is another matter, and may ask for a calibration that is not needed here.
    volume = "0" if args.ul is None else repr(args.ul)
    return load_settings(args.config, args.mouse, overrides={**overrides, "reward_ul": volume})
