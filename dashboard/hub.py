"""What runs on this machine, and who looks at it: finds sessions, follows each, and brings browsers' wishes to them.

Owns a ``Feed`` per session, in the process's event loop.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from core.errors import InputError, RigError
from dashboard.access import Role
from dashboard.clients import Client
from dashboard.feed import Feed
from dashboard.live_reader import LiveReader, Refused, find_live
from session.live_controls import STOP_NOW

BROWSERS = 100
"""Browsers at a time: those that look leave room for those that ask."""
LOOK_S = 1.0
"""Time between two looks for new sessions."""
MESSAGE_CHARACTERS = 4000
"""Longest message of a browser."""
OWN = ("id", "do", "who", "live")


class Hub:
    """See the module."""

    def __init__(self) -> None:
        self._feeds: dict[str, Feed] = {}
        self._clients: dict[Client, Feed | None] = {}
        self.jobs: Callable[[], list[dict[str, Any]]] = list
        """Returns the programs that the page started."""
        self.problem = ""
        """Why sessions cannot be looked for, empty while they can."""

    def live(self) -> list[dict[str, Any]]:
        """Return what runs: ``name``, ``what``, ``mouse``, ``experiment``, ``rig`` of each, the oldest first."""
        keys = ("what", "mouse", "experiment", "rig")
        return [{"name": name, **{key: feed.about[key] for key in keys}} for name, feed in self._feeds.items()]

    def feed(self, name: str) -> Feed | None:
        """Return the session of this name, None where none runs."""
        return self._feeds.get(name)

    def facts(self) -> dict[str, Any]:
        """Return what every browser is told: ``live``, ``jobs`` and ``problem``."""
        return {"live": self.live(), "jobs": self.jobs(), "problem": self.problem}

    async def keep_looking(self) -> None:
        """Find sessions until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next look may find them
                self.problem = f"sessions cannot be looked for: {type(error).__name__}: {error}"
                self.tell_all()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Find sessions that have begun since the last look, and follow them."""
        before = (tuple(self._feeds), self.problem)
        try:
            found = await asyncio.to_thread(find_live, tuple(self._feeds))
            self.problem = ""
        except RigError as error:
            found, self.problem = [], str(error)
        for name in found:
            if name not in self._feeds:
                # One that ends meanwhile, or has not begun to look, is looked for again.
                with suppress(RigError):
                    await self._follow(name)
        if (tuple(self._feeds), self.problem) != before:
            self.tell_all()

    async def _follow(self, name: str) -> None:
        """Follow a session, or tell why it lets nobody in. Raises RigError where it may later."""
        try:
            reader = await asyncio.to_thread(LiveReader, name)
        except Refused as error:
            self.problem = str(error)
        else:
            self._feeds[name] = Feed(name, reader, self._over)

    def tell_all(self) -> None:
        """Tell every browser what runs."""
        facts = {"t": "live", **self.facts()}
        for client in self._clients:
            client.tell(facts)

    @property
    def full(self) -> bool:
        """Whether there is room for no browser more."""
        return len(self._clients) >= BROWSERS

    def enter(self, client: Client) -> None:
        """Let a browser in; it looks at nothing yet."""
        self._clients[client] = None
        client.tell({"t": "live", **self.facts()})

    def leave(self, client: Client) -> None:
        """Forget a browser."""
        feed = self._clients.pop(client, None)
        if feed is not None:
            feed.remove(client)

    async def dismiss(self, may: Callable[[str | None], bool]) -> None:
        """Let go of browsers that were let in by a cookie that counts no more."""
        out = [client for client in self._clients if not may(client.cookie)]
        for client in out:
            self.leave(client)
        await asyncio.gather(*(client.close() for client in out))

    def hear(self, client: Client, role: Role, text: str, origin: str) -> None:
        """Take a browser's message, and answer it, now or later.

        Parameters
        ----------
        client, role
        text : str
            JSON: ``id``, ``do``, ``who``, ``live`` and what ``session.live_controls`` lists for each ``do``. ``look``
            (without ``who``) shows the session ``live``.
        origin : str
            The browser's address, which is recorded with its user's name; empty for this computer.
        """
        number: object = None
        try:
            message = _read(text)
            number = message.get("id")
            self._do(client, role, message, origin)
        except InputError as error:
            client.tell(
                {"t": "answer", "id": number if isinstance(number, int) else None, "ok": False, "text": str(error)}
            )

    def ask_end(self, name: str, who: str, otherwise: Callable[[], None]) -> bool:
        """Ask a session to end now; call ``otherwise`` if it does not. Return False where no such one runs."""
        feed = self._feeds.get(name)
        if feed is None:
            return False

        def answered(ok: bool, text: str) -> None:
            del text
            if not ok:
                otherwise()

        feed.ask({"do": STOP_NOW, "who": who}, answered)
        return True

    async def close(self) -> None:
        """Let go of all sessions, which go on, and of all browsers."""
        for feed in tuple(self._feeds.values()):
            feed.close()
        self._feeds.clear()
        clients = tuple(self._clients)
        self._clients.clear()
        await asyncio.gather(*(client.close() for client in clients))

    def _do(self, client: Client, role: Role, message: Mapping[str, Any], origin: str) -> None:
        number, do, name = message.get("id"), message.get("do"), message.get("live")
        if not isinstance(number, int) or isinstance(number, bool):
            raise InputError("id: give a whole number")
        feed = self._feeds.get(name) if isinstance(name, str) else None
        if feed is None:
            raise InputError("live: no such session runs now; choose one that does")
        if do == "look":
            if set(message) != {"id", "do", "live"}:
                raise InputError("look: give do, id, live and nothing else")
            self._look_at(client, feed)
            client.tell({"t": "answer", "id": number, "ok": True, "text": f"this is {feed.about['mouse']}"})
            return
        if role is not Role.operator:
            raise InputError("who looks with a viewer's token changes nothing; sign in with the operator's")
        control = {key: value for key, value in message.items() if key != "live"}
        if origin and isinstance(control.get("who"), str):
            control["who"] = f"{control['who']} at {origin}"

        def answered(ok: bool, text: str) -> None:
            client.tell({"t": "answer", "id": number, "ok": ok, "text": text})

        feed.ask(control, answered)

    def _look_at(self, client: Client, feed: Feed) -> None:
        before = self._clients.get(client)
        if before is not None:
            before.remove(client)
        self._clients[client] = feed
        feed.add(client)

    def _over(self, feed: Feed) -> None:
        self._feeds.pop(feed.name, None)
        for client, looked in self._clients.items():
            if looked is feed:
                self._clients[client] = None
        self.tell_all()


def _read(text: str) -> dict[str, Any]:
    """Return a message. Raises InputError."""
    if len(text) > MESSAGE_CHARACTERS:
        raise InputError(f"a message of {len(text)} characters is too long; give {MESSAGE_CHARACTERS} at most")
    try:
        message = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise InputError("the message is no JSON") from None
    if not isinstance(message, dict):
        raise InputError("the message is JSON, and no object")
    for key, value in message.items():
        if not isinstance(value, str | int):
            raise InputError(f"{key[:60]!r}: give a text, or a whole number for id")
    return message


def _refuse(constant: str) -> None:
    raise ValueError(constant)
