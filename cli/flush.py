"""``rigloop flush``: the rig's valve stays open for a while, to fill or clean the tube; no mouse is charged with it."""

from __future__ import annotations

import argparse

from cli.rig_lines import Countdown, give, given_text
from cli.run import read_overrides
from cli.screen import say
from cli.until_eof import end_with_input
from session.stop import StopRequest


def run(args: argparse.Namespace) -> int:
    """Flush; Ctrl-C closes the valve at once. Returns the exit code."""
    with StopRequest(for_good=True) as stop:
        return _run(args, stop)


def _run(args: argparse.Namespace, stop: StopRequest) -> int:
    from core.clock import MonotonicClock
    from hardware.ledger_rows import Purpose
    from session.rig_outputs import flush_plan, rig_guard, rig_log
    from session.rig_settings import load_rig

    if args.until_eof:
        end_with_input(stop.request)
    settings = load_rig(args.config, args.rig, args.mouse, read_overrides(args))
    plan, bounds = flush_plan(settings, args.seconds)
    clock = MonotonicClock()
    screen = Countdown(f"flush of {settings.outputs.rig}")
    with rig_guard(settings, Purpose.flush, bounds, lambda: not stop, for_mouse=False) as guard:
        given = give(guard, plan, clock, stop, screen)
    say(f"flush of {settings.outputs.rig}: {given_text(given)}; written to {rig_log(settings)}")
    return 130 if given.stopped else 0
