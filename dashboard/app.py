"""The page's routes: its own files, signing in, what runs, and the WebSocket through which a session is watched.

More routes come with the parts that have them (``more``); what each may be asked for stands beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.errors import InputError, RigError
from dashboard.access import COOKIE, Access, Role, Wait
from dashboard.clients import Client
from dashboard.guard import Guard
from dashboard.hub import Hub
from dashboard.requests import address_of, read_json

STATIC = Path(__file__).resolve().parent / "static"
COOKIE_S = 7 * 24 * 3600


def make_app(
    hub: Hub,
    access: Access,
    now_ns: Callable[[], int],
    about: Mapping[str, Any],
    more: Sequence[BaseRoute] = (),
    close: Sequence[Callable[[], Any]] = (),
) -> Starlette:
    """Return the page as an ASGI application.

    Parameters
    ----------
    hub, access
    now_ns : callable
        The host's monotonic clock.
    about : dict
        What whoever may look is told with ``/api/state``: ``version``, ``config``.
    more : sequence of routes
    close : sequence of callables
        Called at the end, before the hub is closed.
    """

    async def index(request: Request) -> Response:
        del request
        return FileResponse(STATIC / "index.html")

    async def state(request: Request) -> Response:
        role: Role | None = request.state.role
        if role is None:
            return JSONResponse({"role": None})
        return JSONResponse({"role": role.value, **about, **hub.facts()})

    async def login(request: Request) -> Response:
        token = (await read_json(request, {"token": str}))["token"]
        try:
            entered = access.enter(token.strip(), now_ns())
        except Wait:
            return JSONResponse({"error": "too many wrong tokens; wait two seconds"}, 429)
        if entered is None:
            return JSONResponse({"error": "this token is not the one that rigloop printed"}, 403)
        await hub.dismiss(lambda cookie: access.role(cookie) is not None)
        response = JSONResponse({"role": entered[1].value})
        response.set_cookie(COOKIE, entered[0], max_age=COOKIE_S, httponly=True, samesite="strict")
        return response

    async def logout(request: Request) -> Response:
        access.leave(request.state.cookie)
        await hub.dismiss(lambda cookie: access.role(cookie) is not None)
        response = JSONResponse({"role": None})
        response.delete_cookie(COOKIE)
        return response

    async def watch(socket: WebSocket) -> None:
        if hub.full:
            # Before it is accepted, which the browser is told as 403; it tries again by itself.
            await socket.close()
            return
        await socket.accept()
        client = Client(socket, socket.state.cookie)
        hub.enter(client)
        try:
            async with anyio.create_task_group() as group:

                async def until_gone(talk: Callable[[], Awaitable[None]]) -> None:
                    await talk()
                    group.cancel_scope.cancel()

                group.start_soon(until_gone, client.send)
                group.start_soon(until_gone, lambda: _hear(socket, client, hub))
        finally:
            hub.leave(client)
            with anyio.CancelScope(shield=True):
                await client.close()

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        del app
        looking = asyncio.create_task(hub.keep_looking())
        try:
            yield
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
            for each in close:
                result = each()
                if asyncio.iscoroutine(result):
                    await result
            await hub.close()

    routes: list[BaseRoute] = [
        Route("/", index),
        Route("/api/state", state),
        Route("/api/login", login, methods=["POST"]),
        Route("/api/logout", logout, methods=["POST"]),
        WebSocketRoute("/ws", watch),
        *more,
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, access=access)],
        exception_handlers={InputError: _bad, RigError: _failed, HTTPException: _http},
        lifespan=life,
    )


async def _hear(socket: WebSocket, client: Client, hub: Hub) -> None:
    role: Role = socket.state.role
    where = address_of(socket)
    with suppress(WebSocketDisconnect):
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            hub.hear(client, role, message.get("text") or "", where)


async def _bad(request: Request, error: Exception) -> Response:
    del request
    return JSONResponse({"error": str(error)}, 422)


async def _failed(request: Request, error: Exception) -> Response:
    del request
    return JSONResponse({"error": str(error)}, 409)


async def _http(request: Request, error: Exception) -> Response:
    """Tell what an error says, in place of HTTP's own words."""
    del request
    if not isinstance(error, HTTPException):
        return JSONResponse({"error": str(error)}, 500)
    words = error.detail
    if words == HTTPStatus(error.status_code).phrase:
        words = {404: "there is no such thing", 405: "not so"}.get(error.status_code, words)
    return JSONResponse({"error": words}, error.status_code, error.headers)
