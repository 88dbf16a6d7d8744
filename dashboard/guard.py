"""Lets through only requests that are meant for the page, from who may make them; everything else ends here.

Stands in front of every route, as ASGI middleware, so that none can be forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import cookie_parser
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.access import COOKIE, Access, Role, same_origin

READS = frozenset({"GET", "HEAD"})
OPEN = frozenset({"/", "/api/login", "/api/logout", "/api/state"})
"""What somebody without a token may reach, beside the files of the page itself: to be told to sign in."""
STATIC = "/static/"
BODY_BYTES = 64 * 1024
HEADERS = [
    (b"content-security-policy",
     b"default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
     b"frame-ancestors 'none'; base-uri 'none'; form-action 'self'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]  # fmt: skip


class Guard:
    """See the module. ``scope["state"]`` tells a route the ``role`` of who asks, a Role or None, and the ``cookie``."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        cookie = _cookie(headers)
        role = self._access.role(cookie)
        refused = self._refuse(scope, headers, role)
        scope.setdefault("state", {}).update(role=role, cookie=cookie)
        if scope["type"] == "websocket":
            if refused:
                # Before it is accepted, which the browser is told as 403.
                await receive()
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(each for each in HEADERS if each[0] not in given)]
            await send(message)

        if refused:
            status, text = refused
            # What it may be sending still is not read.
            closing = {} if scope["method"] in READS else {"connection": "close"}
            await JSONResponse({"error": text}, status, closing)(scope, receive, with_headers)
            return
        await self._app(scope, receive, with_headers)

    def _refuse(self, scope: Scope, headers: Mapping[str, str], role: Role | None) -> tuple[int, str] | None:
        """Return status and reason for a request that is not let through."""
        host = headers.get("host", "")
        if not self._access.named(host):
            return 403, f"Host {host!r} is not this page's name; use the address that rigloop printed"
        path = scope["path"]
        free = path in OPEN or path.startswith(STATIC)
        if scope["type"] == "websocket" or scope["method"] not in READS:
            if not same_origin(headers.get("origin"), host):
                return 403, "this request does not come from the page; open the page and do it there"
            length = headers.get("content-length", "")
            # In pieces it may be of any length, whatever length it tells as well.
            told = length.isdecimal() and "transfer-encoding" not in headers
            if scope["type"] == "http" and not (told and int(length) <= BODY_BYTES):
                return 413, f"a request must tell its length, {BODY_BYTES} bytes at most"
        if free:
            return None
        if role is None:
            return 401, "sign in first, with the token that rigloop printed"
        if scope["type"] == "http" and scope["method"] not in READS and role is not Role.operator:
            return 403, "who looks with a viewer's token changes nothing; sign in with the operator's"
        return None


def _cookie(headers: Mapping[str, str]) -> str | None:
    """Return the page's cookie."""
    return cookie_parser(headers.get("cookie", "")).get(COOKIE)
