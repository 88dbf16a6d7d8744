"""Starting and stopping programs from the page: a session, a preview, a flush.

============================ ===========================================================================================
POST /api/jobs               ``do``: run, preview or flush; ``who``, ``mouse``; run and preview: ``experiment`` (empty:
                             the mouse's own); run: ``resume``, ``accept_exposure``; flush: ``seconds``.
                             Returns the job
POST /api/jobs/N/stop        ``who``
============================ ===========================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import InputError
from dashboard.jobs import JobKind, Jobs
from dashboard.requests import address_of, read_json
from session.config_file import read_config
from session.live_controls import check_who

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
            raise InputError(f"do = {str(body.get('do'))[:60]}: give run, preview or flush")
        given = await read_json(request, {"do": str, "who": str, **KEYS[kind]})
        who = named(given["who"], request)
        mouse = known_mouse(config, given["mouse"])
        words = ["--config", str(config), *words_for(kind, mouse, given, who, data_root)]
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
    where = address_of(request)
    return check_who(f"{check_who(who)} at {where}" if where else who)


def known_mouse(config: Path, mouse: str) -> str:
    """Return a mouse's ID as config.ini writes it. Raises InputError where it names none such."""
    section = read_config(config).mice.get(mouse.lower())
    if section is None:
        raise InputError(f"mouse = {mouse[:60]}: {config} has no such mouse; reload the page")
    return section.title.removeprefix("mouse:")


def words_for(kind: JobKind, mouse: str, given: Mapping[str, Any], who: str, data_root: str | None) -> Sequence[str]:
    """Return the options of the command; no value can be taken for an option. Raises InputError."""
    words = [f"--mouse={mouse}"]
    if kind is JobKind.flush:
        seconds = float(given["seconds"])
        if not 0 < seconds < math.inf:
            raise InputError(f"seconds = {given['seconds']}: give seconds above 0")
        return [*words, f"--seconds={seconds!r}", "--until-eof"]
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
