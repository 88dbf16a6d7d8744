"""``rigloop calibrate speaker``: each tone is played and its level taken; gains make them equally loud."""

from __future__ import annotations

import argparse
from contextlib import closing

from cli.ask import ask_number, naming, read_numbers
from cli.run import read_overrides
from cli.screen import say
from core.errors import InputError
from session.settings import Settings

COLUMNS = ("freq_hz", "level_db")
LARGEST_DB = 200.0
"""No sound level, whatever it is measured against, is further from 0 dB."""


def run(args: argparse.Namespace) -> int:
    """Measure (or read), store, print. Returns the exit code."""
    from core.clock import MonotonicClock
    from session.calibration_files import store, today
    from session.calibration_speaker import fit_speaker, speaker_path
    from session.rig_settings import load_rig

    if not 0.5 <= args.seconds <= 60:
        raise InputError(f"--seconds {args.seconds:g}: give 0.5 to 60; a level needs a while to settle")
    settings = load_rig(args.config, args.rig, args.mouse, read_overrides(args))
    if args.levels is not None:
        levels = [(freq, level) for freq, level in read_numbers(args.levels, COLUMNS, _check_row)]
    else:
        levels = _measure(args, settings)
    with naming(args.levels):
        found = fit_speaker(
            [freq for freq, _ in levels],
            [level for _, level in levels],
            settings.outputs.rig,
            settings.sound.loudness,
            today(MonotonicClock().wall_ns()),
        )
    path = speaker_path(args.config, found.rig)
    store(path, found)
    for line in found.text():
        say(line)
    if found.after_db > 1:
        say(
            f"rigloop calibrate: warning: the softest tone stays {found.after_db:.1f} dB below the others; use another "
            "speaker, or another start_freq",
            error=True,
        )
    say(f"stored      {path}")
    return 0


def _check_row(row: tuple[float, ...]) -> None:
    """Raise InputError for what is no tone or no level."""
    freq, level = row
    if freq <= 0:
        raise InputError(f"{freq:g} Hz is no tone; frequencies must be above 0 and rise")
    if wrong := _no_level(level):
        raise InputError(wrong)


def _no_level(level: float) -> str:
    """Return why no meter shows that; empty where one can."""
    return "" if abs(level) <= LARGEST_DB else f"{level:g} dB is no level; give -{LARGEST_DB:g} to {LARGEST_DB:g} dB"


def _measure(args: argparse.Namespace, settings: Settings) -> list[tuple[float, float]]:
    """Play each tone of the mouse's map; return frequencies and levels."""
    from core.tones import ToneMap
    from session.speaker_levels import play_levels

    freqs = sorted({*ToneMap(settings.tones).frequencies, settings.tones.single_freq})
    say(f"{len(freqs)} tones of {args.seconds:g} s at loudness {settings.sound.loudness:g}, one after the other")
    levels = []
    # Closed also where Ctrl-C comes while a person is asked.
    with closing(play_levels(settings, freqs, args.seconds, args.microphone)) as played:
        for freq, level in played:
            typed = level
            while typed is None:
                typed = ask_number(f"{freq:.1f} Hz: level that the meter showed, dB:", _no_level)
            levels.append((freq, typed))
    return levels
