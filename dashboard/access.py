"""Who may see the page, and who may do something on it: tokens, cookies, and where a request comes from. Pure.

On this computer alone (the default) nobody is asked who they are, but a request must be meant for it: its Host must be
one of the page's own names, so that no foreign page can reach it through a name of its own. In a network there is a
token for each role. Whoever gives it gets a cookie, which no script can read and no foreign page sends along. Whatever
changes something is a POST or a message of a WebSocket, and must come from the page itself: its Origin must be the
page's.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

COOKIE = "rigloop"
MAX_COOKIES = 200
"""Cookies of a role that are valid at a time; the oldest goes first."""
MAX_TOKEN = 500
WRONG_FREE = 5
"""So many wrong tokens are answered at once."""
WRONG_WAIT_NS = 2_000_000_000
"""After them, none is looked at until so much time has gone by since the last one."""


class Role(Enum):
    """What somebody may do: an operator everything, a viewer nothing but look."""

    operator = "operator"
    viewer = "viewer"


class Wait(Exception):
    """Too many wrong tokens have come; come again later."""


@dataclass
class Access:
    """Decides for each request.

    Parameters
    ----------
    hosts : frozenset of str
        The names by which the page may be called, with ports, lower-case; empty: any (a token guards it).
    tokens : dict
        Token to Role; empty: who reaches the page is an operator.
    new_cookie : callable
        Returns a text that nobody can guess.
    """

    hosts: frozenset[str]
    tokens: Mapping[str, Role]
    new_cookie: Callable[[], str]
    _cookies: dict[str, Role] = field(default_factory=dict)
    _wrong: int = 0
    _wrong_ns: int = 0

    def named(self, host: str) -> bool:
        """Return whether a request with this Host header is meant for the page."""
        return not self.hosts or host.lower() in self.hosts

    def role(self, cookie: str | None) -> Role | None:
        """Return what who has this cookie may do; None: nothing."""
        if not self.tokens:
            return Role.operator
        return self._cookies.get(cookie or "")

    def enter(self, token: str, now_ns: int) -> tuple[str, Role] | None:
        """Return a new cookie, and its role, for a token; None where it is none.

        Raises
        ------
        Wait
            After ``WRONG_FREE`` wrong ones in succession, each costs everybody ``WRONG_WAIT_NS``.
        """
        if self._wrong >= WRONG_FREE and now_ns - self._wrong_ns < WRONG_WAIT_NS:
            raise Wait
        found = None
        # All are compared, and each in the same time whatever is wrong with it.
        for known, role in self.tokens.items():
            if hmac.compare_digest(known.encode(), token[:MAX_TOKEN].encode("utf-8", "surrogatepass")):
                found = role
        if found is None:
            self._wrong += 1
            self._wrong_ns = now_ns
            return None
        self._wrong = 0
        cookie = self.new_cookie()
        # Of the role's own: viewers that come and come shut no operator out.
        same = [old for old, role in self._cookies.items() if role is found]
        for old in same[: max(0, len(same) + 1 - MAX_COOKIES)]:
            del self._cookies[old]
        self._cookies[cookie] = found
        return cookie, found

    def leave(self, cookie: str | None) -> None:
        """Let a cookie count no more."""
        self._cookies.pop(cookie or "", None)


def same_origin(origin: str | None, host: str) -> bool:
    """Return whether a request comes from the page itself: a browser says so by Origin, which no page can forge.

    Parameters
    ----------
    origin : str or None
        The Origin header. Programs that are no browser send none, and are refused as well: they can set one.
    host : str
        The Host header.
    """
    return origin is not None and origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}")
