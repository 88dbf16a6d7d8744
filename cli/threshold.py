"""``rigloop threshold``: the threshold that a resting mouse reaches as often as wanted."""

from __future__ import annotations

import argparse

import numpy as np

from core.errors import InputError

FEW_TRIALS = 10
"""Below this many trials' worth of rest a share of successes is coarser than 10 %."""


def run(args: argparse.Namespace) -> int:
    """Print the threshold and what it would have given; save it when asked."""
    from core.spontaneous import Resting
    from recording.reader import open_session
    from session.config_edit import set_mouse_key

    session = open_session(args.session)
    frames = session.frames
    resting = Resting(frames.time_ns, frames.signal, frames.valid)
    settings = session.meta.get("settings", {})
    trial_s = float(settings.get("max_trial_dur", 30.0))
    if args.rate is not None:
        found = resting.threshold_for_rate(args.rate)
    else:
        found = resting.threshold_for_success(args.success, trial_s)
    floor = float(settings.get("tone_floor", 0.0))
    if found <= floor:
        raise InputError(
            f"the threshold would be {found:.5f}, not above tone_floor ({floor:g}); ask for fewer crossings or lower "
            "tone_floor"
        )
    at = np.array([found])
    rate = float(resting.crossings(at)[0]) * 60 / resting.duration_s
    print(f"threshold {found:.5f}: crossed {rate:.2f} times a minute in {resting.duration_s:.0f} s", end="")
    if resting.duration_s >= trial_s:
        print(f", in {100 * resting.success(at, trial_s)[0]:.0f} % of trials of {trial_s:g} s", end="")
    print()
    if (outcome := session.meta.get("outcome")) != "complete":
        print(f"note: this session's outcome is {outcome}; what it has recorded was used")
    if resting.duration_s < FEW_TRIALS * trial_s:
        few = f"less than {FEW_TRIALS} trials of {trial_s:g} s"
        print(f"note: {resting.duration_s:.0f} s are {few}; a longer rest tells more")
    if (frames.trial > 0).any():
        print("note: this session had trials; a resting one (session_type = behavior_recording) tells more")
    if args.save:
        mouse = session.meta["mouse"]
        set_mouse_key(args.config, mouse, "reward_threshold", f"{found:.5f}")
        print(f"{args.config}: [mouse:{mouse}] reward_threshold = {found:.5f}")
    return 0
