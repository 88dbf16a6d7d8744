"""``rigloop weigh``: a mouse's weight, kept beside its sessions and compared with its baseline."""

from __future__ import annotations

import argparse
from pathlib import Path

from cli.run import read_overrides
from cli.screen import say


def run(args: argparse.Namespace) -> int:
    """Write the weight down; say what it means. Returns the exit code."""
    from core.clock import MonotonicClock
    from session.calibration_files import today
    from session.settings import load_settings
    from session.water_day import water_today
    from session.weights import Weight, append_weight, check_baseline, check_grams, read_weights, report_weight

    check_grams(args.grams)
    settings = load_settings(args.config, args.mouse, overrides={"reward_ul": "0", **read_overrides(args)})
    check_baseline(settings.outputs.baseline_weight_g)
    root = Path(settings.recording.data_root)
    wall_ns = MonotonicClock().wall_ns()
    weight = Weight(today(wall_ns), args.grams, args.note)
    before = read_weights(root / settings.mouse)
    append_weight(root / settings.mouse, weight)
    report = report_weight(before, weight, settings.outputs.baseline_weight_g)
    for line in report.text():
        say(line)
    say(water_today(settings, wall_ns).text(settings.outputs.max_day_water_s))
    if warning := report.warning():
        say(f"rigloop weigh: warning: mouse {settings.mouse}: {warning}", error=True)
    return 0
