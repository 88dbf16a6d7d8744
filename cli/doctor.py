"""``rigloop doctor``: what this machine has and lacks; outputs switched on request; the latency of the whole way."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.run import read_overrides
from cli.screen import say
from core.errors import InputError, RecordingError
from session.stop import StopRequest

if TYPE_CHECKING:
    from core.values import Line
    from session.settings import Settings


_OF_LATENCY: dict[str, Any] = {
    "frames": 900,
    "bench": "rig",
    "line": "light",
    "answer": "success_led",
    "ear": "none",
    "microphone": "",
    "seed": 0,
    "output": None,
}
"""Options that only --latency has, and what stands for those that are not given."""


def run(args: argparse.Namespace) -> int:
    """Look, or toggle, or measure. Returns the exit code."""
    if args.toggle and args.latency:
        raise InputError("--toggle and --latency: give one of the two")
    _refuse_idle(args)
    if args.latency:
        for name, default in _OF_LATENCY.items():
            if getattr(args, name) is None:
                setattr(args, name, default)
        return _latency(args)
    if args.toggle:
        return _toggle(args)
    return _examine(args)


def _refuse_idle(args: argparse.Namespace) -> None:
    """Raise InputError for an option that would do nothing."""
    for name in () if args.latency else _OF_LATENCY:
        if getattr(args, name) is not None:
            raise InputError(f"--{name}: does nothing without --latency; leave it out, or give --latency")
    if args.yes and not args.toggle:
        raise InputError("--yes: does nothing without --toggle; leave it out, or give --toggle")
    if args.json and args.toggle:
        raise InputError("--json: --toggle has no such output; leave it out")
    if args.rig is not None and args.mouse is None and not (args.toggle or args.latency):
        raise InputError("--rig: does nothing without --toggle or --latency; give one, or --mouse ID in its place")


def _settings(args: argparse.Namespace) -> Settings:
    """Return the settings of the mouse, or of the one rig of config.ini."""
    from session.rig_settings import load_rig

    return load_rig(args.config, args.rig, args.mouse, read_overrides(args))


def _examine(args: argparse.Namespace) -> int:
    from session.doctor import examine
    from session.findings import State, exit_code
    from session.machine import this_machine

    if args.mouse is None and (args.set or args.camera):
        raise InputError("--set and --camera change a mouse's section; give --mouse ID with them")
    findings = examine(this_machine(), None if args.mouse is None else _settings(args))
    code = exit_code(findings)
    for each in findings:
        say(each.line(), error=args.json)
    counts = {state.value: sum(each.state is state for each in findings) for state in State}
    needed = sum(each.needed and each.state is State.missing for each in findings)
    whose = "" if args.mouse is None else f"; of what mouse {args.mouse} needs, {needed or 'nothing'} missing"
    say(f"{counts['found']} found, {counts['warning']} warnings, {counts['missing']} not there{whose}", error=args.json)
    if args.json:
        facts: dict[str, Any] = {"exit_code": code, "findings": [each.json() for each in findings]}
        say(json.dumps(facts))
    return code


def _toggle(args: argparse.Namespace) -> int:
    from session.toggle import toggle

    settings = _settings(args)
    if args.yes:
        valve = True
    elif settings.pins.pin_valve:
        valve = _agreed("the valve is about to open for 0.05 s: type yes to let it, anything else leaves it shut")
    else:
        valve = False
    failed = []
    with StopRequest(for_good=True) as stop:
        for toggled in toggle(settings, valve, lambda: bool(stop)):
            say(toggled.text())
            failed += [toggled.name] if toggled.failed else []
    if stop:
        return 130
    if failed:
        say(f"rigloop doctor: no edge of {', '.join(failed)} was told; see above", error=True)
    return 3 if failed else 0


def _agreed(question: str) -> bool:
    import sys

    say(question)
    return sys.stdin.readline().strip().lower() == "yes"


def _latency(args: argparse.Namespace) -> int:
    from analysis.latency_figure import draw_latency
    from recording.folder import replace_file
    from session.latency_rig import LatencyChoice, latency_bench
    from session.latency_test import measure

    if args.frames < 50:
        raise InputError(f"--frames {args.frames}: give 50 or more; a flash takes about 10")
    choice = LatencyChoice(
        args.bench, _line(args.line, "--line"), _line(args.answer, "--answer"), args.ear, args.microphone, args.seed
    )
    settings = _settings(args)
    folder = _folder(args.output, settings)
    with StopRequest(for_good=True) as stop, latency_bench(settings, choice, lambda: not stop) as bench:
        say(f"latency: {args.frames} frames, bench {choice.bench}; Ctrl-C ends it early", error=args.json)
        result = measure(bench, args.frames, args.seed, lambda: bool(stop))
    for line in result.text():
        say(line, error=args.json)
    stored = folder / "latency.json"
    replace_file(stored, json.dumps(result.json(), indent=1) + "\n", chosen=True)
    say(f"stored      {stored}", error=args.json)
    say(f"figure      {draw_latency(result, folder / 'latency.png')}", error=args.json)
    if args.json:
        say(json.dumps({key: value for key, value in result.json().items() if key != "times_ns"}))
    if not result.stages():
        say("rigloop doctor: no flash was answered; look at both lines with --toggle", error=True)
        return 3
    return 130 if stop else 0


def _line(name: str, option: str) -> Line:
    from core.values import Line

    try:
        return Line(name)
    except ValueError:
        raise InputError(f"{option} {name[:40]}: there are {', '.join(each.value for each in Line)}") from None


def _folder(chosen: Path | None, settings: Settings) -> Path:
    """Return where the results go, made, having tried that it can be written. Raises RecordingError."""
    from session.calibration_files import calibration_folder

    folder = chosen or calibration_folder(settings.config_path, settings.outputs.rig)
    draft = folder / f".latency.{os.getpid()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft.touch()
        draft.unlink()
    except OSError as error:
        raise RecordingError(
            f"{folder}: cannot be written ({error.strerror}); give another place with --output"
        ) from error
    return folder
