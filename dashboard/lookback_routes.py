"""The page's routes of what was recorded. All but one only read, for viewers, too.

============================== =========================================================================================
GET  /api/sessions             ``mouse`` (empty: all): ``sessions``, the newest first, ``mice``, ``notes``; or, where
                               folders are still being read, ``reading``: ``done`` of ``total``, and to be asked again
GET  /api/sessions.csv         ``mouse``: the same as `rigloop sessions --csv` prints it
GET  /api/curves/ID            a mouse's ``days``
GET  /api/sessions/KEY         what the session came to (``dashboard.session_report``), ``key``, ``hint``, and ``nwb``:
                               its size in bytes, null where there is none
GET  /api/sessions/KEY/figure.png
POST /api/sessions/KEY/nwb     ``who``, ``allow_incomplete``: writes the session as NWB. Returns the ``job``
GET  /api/sessions/KEY/nwb     the file, once that has ended
============================== =========================================================================================

A session's KEY is in the list; none leads out of a data root, whatever is asked for (``dashboard.session_keys``).
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import BusyError, RecordingError
from dashboard.job_routes import named
from dashboard.jobs import JobKind, Jobs
from dashboard.lookback import Reading, Root, csv_text, curve, data_roots, days_of, read_roots, session_list
from dashboard.requests import read_json
from dashboard.session_keys import NoSuchThingError, find_session, inside, session_key
from dashboard.session_report import report
from recording.nwb_name import SUFFIX, sanitised
from recording.parts import part_suffix
from recording.problems import describe
from recording.schema import FIGURE_PNG, SESSION_NWB
from session.session_list import hint

WAIT_S = 1.0
"""A list that takes longer is answered with how far it is."""
KEPT_S = 10.0
"""A list that nobody has fetched is good for so long."""

T = TypeVar("T")
Answer = Callable[[Request], Awaitable[Response]]


class LookBack:
    """What is read for the routes: one thread at a time, however many ask."""

    def __init__(self, config: Path, data_root: str | None) -> None:
        self._config = config
        self._data_root = data_root
        self._turn = asyncio.Lock()
        self._reading = Reading()
        self._all: asyncio.Task[tuple[list[Root], float]] | None = None

    async def all(self) -> list[Root] | Mapping[str, int]:
        """Return all sessions; where that takes longer than ``WAIT_S``, how far it is. Raises InputError."""
        now_s = asyncio.get_running_loop().time
        task = self._all
        if task is None or (task.done() and (task.exception() or task.result()[1] < now_s() - KEPT_S)):
            self._reading = Reading()
            task = self._all = asyncio.create_task(self._read_all())
        await asyncio.wait({task}, timeout=WAIT_S)
        if not task.done():
            return {"done": self._reading.done, "total": self._reading.total}
        if self._all is task:
            self._all = None
        return task.result()[0]

    async def _read_all(self) -> tuple[list[Root], float]:
        reading = self._reading
        roots = await self.in_turn(lambda: read_roots(self.roots(), None, reading.count))
        return roots, asyncio.get_running_loop().time()

    async def in_turn(self, work: Callable[[], T]) -> T:
        """Return what ``work`` does in a thread."""
        async with self._turn:
            return await asyncio.to_thread(work)

    def roots(self) -> list[Path]:
        """Return the data roots. Raises ConfigError."""
        return data_roots(self._config, self._data_root)

    def find(self, key: str) -> tuple[Path, str]:
        """Return data root and path of the session that a request names. Raises NoSuchThingError and ConfigError."""
        return find_session(self.roots(), key)

    def file(self, key: str, name: str) -> tuple[Path, str]:
        """Return a file of a session that is there, and the session's path. Raises as ``find``."""
        root, path = self.find(key)
        return inside(root / path, root / path / name), path

    def curve(self, mouse: str) -> dict[str, Any]:
        """Return a mouse's days. Raises NoSuchThingError."""
        roots = read_roots(self.roots(), mouse)
        if not any(root.rows for root in roots):
            raise NoSuchThingError(f"mouse {mouse[:60]}: has no session yet")
        return curve(roots, mouse)

    def report(self, key: str) -> dict[str, Any]:
        """Return what a session came to. Raises NoSuchThingError."""
        where, path = self.find(key)
        mouse = path.partition("/")[0]
        [root] = read_roots([where], mouse)
        row = next((each for each in root.rows if each.path == path), None)
        if row is None:
            raise NoSuchThingError(f"{path} holds no session; reload the list")
        weight = next((day.weight_g for day in days_of(root, mouse)[0] if row in day.sessions), None)
        folder = where / path
        return {
            "key": session_key(where, path),
            "session": path,
            "folder": str(folder),
            "mouse": mouse,
            "outcome": row.outcome,
            "kind": row.kind,
            "hint": hint(row, str(where), platform.node()),
            "nwb": size_of(folder / SESSION_NWB),
            **report(folder, row, weight),
        }

    def close(self) -> None:
        """End a look at all folders."""
        self._reading.stop = True


def lookback_routes(look: LookBack, jobs: Jobs, config: Path) -> list[BaseRoute]:
    """Return the routes."""

    async def sessions(request: Request) -> Response:
        found = await look.all()
        if isinstance(found, Mapping):
            return JSONResponse({"reading": found})
        mouse = request.query_params.get("mouse") or None
        return JSONResponse(await look.in_turn(lambda: session_list(found, mouse)))

    async def table(request: Request) -> Response:
        mouse = request.query_params.get("mouse") or None
        text = await look.in_turn(lambda: csv_text(read_roots(look.roots(), mouse), mouse))
        return Response(
            text, media_type="text/csv", headers={"content-disposition": 'attachment; filename="sessions.csv"'}
        )

    async def curves(request: Request) -> Response:
        mouse = request.path_params["mouse"]
        return JSONResponse(await look.in_turn(lambda: look.curve(mouse)))

    async def one(request: Request) -> Response:
        key = request.path_params["key"]
        return JSONResponse(await look.in_turn(lambda: look.report(key)))

    async def figure(request: Request) -> Response:
        file, _ = await asyncio.to_thread(look.file, request.path_params["key"], FIGURE_PNG)
        return FileResponse(file, media_type="image/png")

    async def make_nwb(request: Request) -> Response:
        given = await read_json(request, {"who": str, "allow_incomplete": bool})
        who = named(given["who"], request)
        root, path = await asyncio.to_thread(look.find, request.path_params["key"])
        job = await export(jobs, config, root, path, who, given["allow_incomplete"])
        return JSONResponse({"job": job})

    async def nwb(request: Request) -> Response:
        file, path = await asyncio.to_thread(look.file, request.path_params["key"], SESSION_NWB)
        return FileResponse(file, media_type="application/x-hdf5", filename=nwb_name(path))

    return [
        Route("/api/sessions", sessions),
        Route("/api/sessions.csv", table),
        Route("/api/curves/{mouse:path}", or_404(curves)),
        Route("/api/sessions/{key:path}/figure.png", or_404(figure)),
        Route("/api/sessions/{key:path}/nwb", or_404(make_nwb), methods=["POST"]),
        Route("/api/sessions/{key:path}/nwb", or_404(nwb)),
        Route("/api/sessions/{key:path}", or_404(one)),
    ]


async def export(jobs: Jobs, config: Path, root: Path, path: str, who: str, allow_incomplete: bool) -> dict[str, Any]:
    """Start writing a session as NWB, in place of the file that a page made before. Returns the job's facts.

    It goes into the session's own folder, where its video is, which it names.

    Raises
    ------
    BusyError
        Another one is being written; two at once would only be slower.
    RecordingError
        The old file cannot be removed.
    """
    for other in jobs.listed():
        if other["do"] == JobKind.export.value and other["code"] is None:
            raise BusyError(f"{other['subject']} is being written as NWB; wait until that has ended, or stop it")
    target = root / path / SESSION_NWB
    try:
        target.unlink(missing_ok=True)
    except OSError as error:
        raise RecordingError(describe("write", target, error)) from error
    words = [str(root / path), "--nwb", str(target), "--config", str(config), "--progress"]
    words += ["--allow-incomplete"] if allow_incomplete else []
    return (await jobs.start(JobKind.export, words, path, who)).facts()


def nwb_name(path: str) -> str:
    """Return the name under which a session's NWB file is given out: ``sub-M1_ses-20261120093015-S2.nwb``."""
    mouse, date, *_ = path.split("/")
    return f"sub-{sanitised(mouse)}_ses-{date}{part_suffix(Path(path))}{SUFFIX}"


def size_of(path: Path) -> int | None:
    """Return how many bytes a file has; None where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def or_404(route: Answer) -> Answer:
    """Return the route, which answers 404 for what is not there."""

    async def answer(request: Request) -> Response:
        try:
            return await route(request)
        except NoSuchThingError as error:
            return JSONResponse({"error": str(error)}, 404)

    return answer
