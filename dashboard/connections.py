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
    """One connection, until it becomes a WebSocket; let go where it is one too many, or says too little."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, if there is room."""
        super().connection_made(transport)
        if len(self.connections) > MOST:
            transport.abort()
        else:
            self._wait()

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

    def _wait(self) -> None:
        self._wait_no_more()
        self._late = self.loop.call_later(HEAD_S, self._give_up, self.cycle)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self, before: object) -> None:
        """Let go, unless a request has come since."""
        if self.cycle is before:
            self.transport.abort()
