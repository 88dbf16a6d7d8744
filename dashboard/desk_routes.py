"""What the page asks of config.ini: its mice, their settings, and changes to them.

============================ ===========================================================================================
GET /api/mice                mice and experiments, with what is wrong with each
GET /api/mice/ID             a mouse's settings; ``?experiment=``: under another experiment than its own
POST /api/mice/ID/check      ``changes``: key to text, or null to take it out. What would be wrong then; writes nothing
POST /api/mice/ID/save       ``changes``, ``who``, and ``stamp`` if wanted: what the page had read. Writes them
============================ ===========================================================================================

Each is answered in a thread: files are read.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import ChangedError, InputError
from dashboard.desk import Desk, NoMouseError, RefusedError
from dashboard.job_routes import named
from dashboard.requests import read_json
from session.config_file import shown


def desk_routes(desk: Desk) -> list[BaseRoute]:
    """Return the routes."""

    async def mice(request: Request) -> Response:
        del request
        return JSONResponse(await asyncio.to_thread(desk.mice))

    async def mouse(request: Request) -> Response:
        experiment = request.query_params.get("experiment", "")
        return await _answer(desk.mouse, request.path_params["mouse"], experiment)

    async def check(request: Request) -> Response:
        given = await read_json(request, {"changes": dict})
        return await _answer(desk.check, request.path_params["mouse"], read_changes(given["changes"]))

    async def save(request: Request) -> Response:
        given = await read_json(request)
        keys = {"changes": dict, "who": str, **({"stamp": str} if "stamp" in given else {})}
        given = await read_json(request, keys)
        changes, who = read_changes(given["changes"]), named(given["who"], request)
        return await _answer(desk.save, request.path_params["mouse"], changes, who, given.get("stamp"))

    return [
        Route("/api/mice", mice),
        Route("/api/mice/{mouse}", mouse),
        Route("/api/mice/{mouse}/check", check, methods=["POST"]),
        Route("/api/mice/{mouse}/save", save, methods=["POST"]),
    ]


async def _answer(ask: Any, *given: Any) -> Response:
    """Return what the desk answers, in a thread, or what it refuses."""
    try:
        return JSONResponse(await asyncio.to_thread(ask, *given))
    except NoMouseError as error:
        return JSONResponse({"error": str(error)}, 404)
    except ChangedError as error:
        return JSONResponse({"error": str(error)}, 409)
    except RefusedError as error:
        return JSONResponse({"error": str(error), "problems": error.problems}, 422)


def read_changes(changes: dict[str, Any]) -> dict[str, str | None]:
    """Return changes whose values are texts or None. Raises InputError where one is another."""
    for key, value in changes.items():
        if value is not None and not isinstance(value, str):
            raise InputError(f"{shown(key)} = {shown(value)}: give a text as config.ini has it, or null")
    return changes
