"""How many connections the page has at most, and how long each may take to say what it wants."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 200
"""Connections at a time; a browser has six, and one that stays. A process may have 1024 files open."""
HEAD_S = 10.0
"""A request has come this long after its connection, or after the answer before it."""


class Connection(H11Protocol):
    """One connection, until it becomes a WebSocket; let go where there are too many, or it says too little."""

    since = 0.0
    """When it began to wait for a request, s of the event loop."""
    _late: asyncio.TimerHandle | None = None
    _before: object = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; of too many, the one goes that has waited the longest for a request, or this one."""
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > MOST:
            waiting = [each for each in self.connections if isinstance(each, Connection) and each.waits]
            min(waiting, key=lambda each: each.since)._let_go()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._wait_no_more()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: Any) -> None:
        """Become a WebSocket, which has pings."""
        self._wait_no_more()
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._wait()
        super().on_response_complete()

    @property
    def waits(self) -> bool:
        """Whether no request has come yet, or none after the answer before."""
        return self._late is not None and self.cycle is self._before

    def _wait(self) -> None:
        self._wait_no_more()
        self._before = self.cycle
        self.since = self.loop.time()
        self._late = self.loop.call_later(HEAD_S, self._give_up)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        if self.waits:
            self._let_go()

    def _let_go(self) -> None:
        self._wait_no_more()
        self.transport.abort()
