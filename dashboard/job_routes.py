"""Starting and stopping programs from the page: a session, a preview, a flush.

============================ ===========================================================================================
POST /api/jobs               ``do``: run, preview or flush; ``who``, ``mouse``; run and preview: ``experiment`` (empty:
                             the mouse's own); run: ``resume``, ``accept_exposure``; flush: ``seconds``.
                             Returns the job
POST /api/jobs/N/stop        ``who``
============================ ===========================================================================================
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import InputError
from dashboard.jobs import JobKind, Jobs
from dashboard.requests import address_of, read_json
from session.config_file import read_config, shown
from session.live_controls import WHO_CHARACTERS, check_who
from session.rig_outputs import FLUSH_LIMIT_S

NUMBER = (int, float)
KEYS: Mapping[JobKind, Mapping[str, type | tuple[type, ...]]] = {
    JobKind.run: {"mouse": str, "experiment": str, "resume": bool, "accept_exposure": bool},
    JobKind.preview: {"mouse": str, "experiment": str},
    JobKind.flush: {"mouse": str, "seconds": NUMBER},
}
"""What each is asked with, beside ``do`` and ``who``."""


def job_routes(jobs: Jobs, config: Path, data_root: str | None) -> list[BaseRoute]:
    """Return the routes."""

    async def start(request: Request) -> Response:
        body = await read_json(request)
        kind = next((each for each in KEYS if each.value == body.get("do")), None)
        if kind is None:
            raise InputError(f"do = {shown(body.get('do'))}: give run, preview or flush")
        given = await read_json(request, {"do": str, "who": str, **KEYS[kind]})
        who = named(given["who"], request)
        mouse, experiment = await asyncio.to_thread(known, config, given["mouse"], given.get("experiment", ""))
        given |= {"mouse": mouse, "experiment": experiment}
        words = [f"--config={config}", *words_for(kind, given, who, data_root)]
        job = await jobs.start(kind, words, mouse, who)
        return JSONResponse({"job": job.facts()})

    async def stop(request: Request) -> Response:
        given = await read_json(request, {"who": str})
        job = jobs.one(request.path_params["number"])
        jobs.stop(job, named(given["who"], request))
        return JSONResponse({"job": job.facts()})

    return [
        Route("/api/jobs", start, methods=["POST"]),
        Route("/api/jobs/{number:int}/stop", stop, methods=["POST"]),
    ]


def named(who: str, request: Request) -> str:
    """Return who asks, with where from if that is not this computer. Raises InputError."""
    if not any(character.isalnum() for character in who):
        # Two dashes alone would be taken for the end of a command's options.
        raise InputError(f"who = {shown(who)}: give a name, one line of 1 to {WHO_CHARACTERS} characters")
    where = address_of(request)
    return check_who(f"{check_who(who)} at {where}" if where else who)


def known(config: Path, mouse: str, experiment: str) -> tuple[str, str]:
    """Return a mouse's ID and an experiment's section as config.ini writes them, ``experiment`` may be empty.

    Raises InputError where it names none such, ConfigError where it cannot be read.
    """
    file = read_config(config)
    section = file.mice.get(mouse.lower())
    if section is None:
        raise InputError(f"mouse = {shown(mouse)}: {config} has no such mouse; reload the page")
    chosen = file.experiments.get(experiment.lower())
    if experiment and chosen is None:
        raise InputError(f"experiment = {shown(experiment)}: {config} has no such section; reload the page")
    return section.title.removeprefix("mouse:"), chosen.title if chosen is not None else ""


def words_for(kind: JobKind, given: Mapping[str, Any], who: str, data_root: str | None) -> Sequence[str]:
    """Return the options of the command; no value can be taken for an option. Raises InputError."""
    words = [f"--mouse={given['mouse']}"]
    if kind is JobKind.flush:
        seconds = given["seconds"]
        if not 0 < seconds <= FLUSH_LIMIT_S:
            raise InputError(f"seconds = {shown(str(seconds))}: give more than 0 and at most {FLUSH_LIMIT_S:g} s")
        return [*words, f"--seconds={float(seconds)!r}", "--until-eof"]
    if given["experiment"]:
        words.append(f"--experiment={given['experiment']}")
    if kind is JobKind.preview:
        return [*words, "--no-picture", "--until-eof"]
    # A session that is watched keeps its frames' pace, whatever they come from.
    words += [f"--who={who}", "--pace=real"]
    if data_root is not None:
        words.append(f"--data-root={data_root}")
    words += [f"--{name.replace('_', '-')}" for name in ("resume", "accept_exposure") if given[name]]
    return words
