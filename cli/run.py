"""``rigloop run``: one session of one mouse."""

from __future__ import annotations

import argparse
import json
import os
import secrets
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from cli.page_beside import page_beside
from cli.screen import say
from core.errors import InputError
from session.stop import StopRequest

if TYPE_CHECKING:
    from core.ports import Clock
    from session.resume import Resume
    from session.settings import Settings


def run(args: argparse.Namespace) -> int:
    """Run the session; print its summary, its folder and its figure. Returns the exit code."""
    with StopRequest(for_good=True) as stop:
        return _run(args, stop)


def _run(args: argparse.Namespace, stop: StopRequest) -> int:
    from camera.find_source import probe_source
    from cli.progress import ProgressBar
    from core.clock import MonotonicClock
    from hardware.settings import OutputKind
    from session.build import Options, default_live, default_outputs
    from session.calibration import start_warnings
    from session.live_controls import check_who
    from session.live_link import LiveLink
    from session.prepare import InterruptedEarly
    from session.runner import run_session
    from session.settings import load_settings

    overrides = read_overrides(args)
    settings = load_settings(
        args.config, args.mouse, experiment=args.experiment, overrides=overrides, probe=probe_source
    )
    _check_script(args, settings)
    clock = MonotonicClock()
    resume = _resume(args, settings, overrides, clock) if args.resume else None
    if resume is not None:
        keys = overrides | resume.keys
        settings = load_settings(
            args.config, args.mouse, experiment=args.experiment, overrides=keys, probe=probe_source
        )
    outputs = default_outputs(settings) if args.outputs is None else OutputKind(args.outputs)
    options = Options(
        seed=read_seed(args.seed) if resume is None else resume.seed,
        live=default_live(settings, outputs) if args.pace is None else args.pace == "real",
        outputs=outputs,
        accept_exposure=args.accept_exposure,
        skip_trials=0 if resume is None else resume.skip_trials,
        resumes=None if resume is None else resume.session,
        started_by="" if args.who is None else check_who(args.who),
    )
    for line in start_warnings(settings.valve, settings.outputs.calibration_max_age_days, clock.wall_ns()):
        say(f"rigloop run: warning: {line}", error=True)
    try:
        with _page(args, stop), LiveLink(clock, f"session-{os.getpid()}") as link:
            result = run_session(settings, options, clock, stop, ProgressBar(settings.mouse), link)
    except InterruptedEarly as why:
        made = "nothing was made" if resume is None else "no further part was made"
        say(f"rigloop run: stopped by {why} before the session began; {made}", error=True)
        return 130
    figure = draw_figure(result.session)
    for line in [*result.text(), f"figure      {figure}"]:
        say(line, error=args.json)
    if args.json:
        say(json.dumps(result.json()))
    return result.exit_code


def _page(args: argparse.Namespace, stop: StopRequest) -> AbstractContextManager[None]:
    """Return what serves the page meanwhile, if it is asked for."""
    return nullcontext() if args.page is None else page_beside(args, stop)


def _resume(args: argparse.Namespace, settings: Settings, overrides: dict[str, str], clock: Clock) -> Resume:
    """Find the session to go on with, and recover it where it, or its recorder, was killed. Raises InputError."""
    from cli.recover import recover_session
    from recording.folder import read_session_json
    from recording.schema import RECOVERABLE, RUNNING
    from session.resume import last_of_today, plan_resume

    session = last_of_today(settings, clock.wall_ns())
    outcome = read_session_json(session).get("outcome")
    if outcome in RECOVERABLE:
        # What is refused here has changed nothing.
        plan_resume(session, settings, overrides, args.seed)
        # Its tables, which the rest is counted from, and its counts must say the same.
        done = recover_session(session, clock)
        if outcome == RUNNING:
            say(f"rigloop run: recovered {session}, which was killed", error=True)
        for line in done.mended:
            say(f"rigloop run: {session.name}: {line}", error=True)
    resume = plan_resume(session, settings, overrides, args.seed)
    for line in filter(None, (resume.text, resume.changed)):
        say(f"rigloop run: {line}", error=True)
    return resume


def read_overrides(args: argparse.Namespace) -> dict[str, str]:
    """Return the keys that the command line sets, by where each comes from (``"--camera"``, ``"--set"``)."""
    overrides: dict[str, str] = {}
    for pair in args.set:
        key, equals, value = pair.partition("=")
        if not (equals and key.strip()):
            raise InputError(f"--set {pair}: write key=value, such as --set max_trial_dur=10")
        if key.strip() in overrides:
            raise InputError(f"--set {pair}: {key.strip()} is given twice; give it once")
        overrides[key.strip()] = value.strip()
    for key, value in (
        ("--camera", getattr(args, "camera", None)),
        ("--source", getattr(args, "source", None)),
        ("--data-root", getattr(args, "data_root", None)),
    ):
        if value is not None:
            overrides[key] = value
    return overrides


def read_seed(seed: int | None) -> int:
    """Return the seed of this session: the one asked for, or one drawn now (and recorded)."""
    if seed is None:
        return secrets.randbits(32)
    if not 0 <= seed < 2**63:
        raise InputError(f"--seed {seed}: give a whole number from 0 to 2**63 - 1")
    return seed


SCRIPTS = {
    "roi": "brain/cla_reward_punish_1roi.py",
    "roi_operation": "brain/cla_reward_punish_2roi.py",
    "movement": "behavior/cla_dlc_trials_speed.py",
}
"""What drives an experiment, and the script that is for it."""


def _check_script(args: argparse.Namespace, settings: Settings) -> None:
    """Refuse an experiment that is not the one this script is for."""
    wanted = getattr(args, "kind", None)
    if wanted is None:
        return
    if wanted == "two_cameras":
        _check_two_cameras(settings)
        return
    has = "movement" if settings.kind == "clmf" else "roi" if settings.rule.roi else "roi_operation"
    if has != wanted:
        raise InputError(
            f"mouse {args.mouse}: its experiment {settings.experiment} is driven by {has}, this script by {wanted}; "
            f"use {SCRIPTS[has]} or `rigloop run`, or choose another section with --experiment"
        )


def _check_two_cameras(settings: Settings) -> None:
    """Refuse an experiment that is no habituation with two cameras."""
    from helper import SessionType

    kind = settings.schedule.session_type
    if settings.camera2 is None:
        wrong, cure = "has one camera", "add second_camera = SECTION, the experiment section of the other camera"
    elif kind is not SessionType.behavior_recording:
        wrong, cure = f"has session_type = {kind.value}", "set session_type = behavior_recording"
    else:
        return
    raise InputError(
        f"mouse {settings.mouse}: its experiment {settings.experiment} {wrong}, and this script is for habituation "
        f"before two cameras; {cure}, choose another section with --experiment, or use `rigloop run`"
    )


def draw_figure(session: Path) -> str:
    """Draw the session's figure; a figure that fails costs nothing else."""
    from analysis.session_figure import draw_session

    try:
        return str(draw_session(session))
    except Exception as error:  # noqa: BLE001 - the data are safe; say it and go on
        return f"not drawn: {type(error).__name__}: {error}"
