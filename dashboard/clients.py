"""One browser: what is to be sent to it, of which only the newest state counts, and what it sends.

A browser that reads too slowly gets fewer updates, never older ones, and costs nobody else a thing. One that takes
nothing for ``STUCK_S`` is let go; it comes back by itself once it can.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

STUCK_S = 10.0
MESSAGES = 200
"""Messages that may wait; a browser that has let so many lie is let go."""


class Client:
    """See the module. A ``dashboard.feed.Watcher``.

    Parameters
    ----------
    socket : WebSocket
        Accepted.
    cookie : str or None
        By which it was let in.

    Attributes
    ----------
    cookie : str or None
    skipped : int
        Updates that a newer one took the place of.
    """

    def __init__(self, socket: WebSocket, cookie: str | None = None) -> None:
        self._socket = socket
        self.cookie = cookie
        self._messages: deque[str] = deque()
        self._update: Callable[[], bytes] | None = None
        self._something = asyncio.Event()
        self._gone = False
        self.skipped = 0

    def give(self, update: Callable[[], bytes]) -> None:
        """Take what makes an update, in place of the one that waits, if one does; called once it can be sent."""
        self.skipped += self._update is not None
        self._update = update
        self._something.set()

    def forget(self) -> None:
        """Leave out the update that waits."""
        self._update = None

    def tell(self, message: Mapping[str, Any]) -> None:
        """Take a message; all are sent, before the next update."""
        if len(self._messages) >= MESSAGES:
            self._gone = True
        else:
            self._messages.append(json.dumps(message, allow_nan=False, separators=(",", ":")))
        self._something.set()

    async def send(self) -> None:
        """Send until the browser is gone, or takes nothing more."""
        with suppress(WebSocketDisconnect, RuntimeError, asyncio.TimeoutError, OSError):
            while not self._gone:
                await self._something.wait()
                self._something.clear()
                while self._messages and not self._gone:
                    await asyncio.wait_for(self._socket.send_text(self._messages.popleft()), STUCK_S)
                if (update := self._update) is not None and not self._gone:
                    self._update = None
                    await asyncio.wait_for(self._socket.send_bytes(update()), STUCK_S)
        self._gone = True

    async def close(self, code: int = 1001) -> None:
        """Close the connection, if it is open still; wait for nobody."""
        self._gone = True
        self._something.set()
        if self._socket.application_state is WebSocketState.CONNECTED:
            with suppress(RuntimeError, asyncio.TimeoutError, OSError, WebSocketDisconnect):
                await asyncio.wait_for(self._socket.close(code), 1.0)
