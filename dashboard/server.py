"""Serves the page: binds its address, tells where it is, and runs until a signal. A process that does nothing else."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass

import uvicorn

from core.clock import MonotonicClock
from core.errors import InputError
from dashboard.access import Access, Role
from dashboard.app import make_app
from dashboard.hub import MESSAGE_CHARACTERS
from dashboard.parts import Page, parts_of

LOOPBACK = ("127.0.0.1", "localhost", "::1")
END_S = 2
"""How long open connections are waited for at the end, s."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the page is served.

    Attributes
    ----------
    host : str
        Address or name to listen on; one of LOOPBACK: this computer alone.
    port : int
        0: one that is free.
    """

    host: str = "127.0.0.1"
    port: int = 8017

    @property
    def here(self) -> bool:
        """Whether nobody but this computer reaches it."""
        return self.host in LOOPBACK


def listen(address: Address) -> socket.socket:
    """Return a socket that listens there. Raises InputError."""
    where = f"{address.host}:{address.port}"
    try:
        family, kind, protocol, _, bound = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InputError(f"--host {address.host}: is no address of this computer ({error.strerror})") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(bound)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise InputError(
            f"{where}: the page cannot be served there ({error.strerror}); give another --port, or --port 0 for a "
            "free one"
        ) from error
    return listening


def access_for(address: Address, port: int, tokens: Mapping[str, Role]) -> Access:
    """Return who may do what on a page that is served there.

    Raises
    ------
    InputError
        It is in the network, and there is no operator's token.
    """
    if not address.here and Role.operator not in tokens.values():
        raise InputError(f"--host {address.host}: a page in the network needs a token; give --token-file")
    hosts = {f"{name}:{port}" for name in (*LOOPBACK[:2], f"[{LOOPBACK[2]}]")} if address.here else set()
    return Access(frozenset(hosts), dict(tokens), lambda: secrets.token_urlsafe(32))


def serve(listening: socket.socket, access: Access, page: Page) -> None:
    """Serve until SIGINT or SIGTERM, which are raised again at the end; sessions that run go on."""
    parts = parts_of(page)
    app = make_app(parts.hub, access, MonotonicClock().now_ns, page.about(), parts.routes, parts.close)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=4 * MESSAGE_CHARACTERS,
        ws_max_queue=16,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=END_S,
        server_header=False,
        date_header=False,
        # A proxy's word for where a browser is would be anybody's word.
        proxy_headers=False,
    )
    uvicorn.Server(config).run(sockets=[listening])
