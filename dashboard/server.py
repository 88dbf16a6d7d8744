"""Serves the page: binds its address, tells where it is, and runs until a signal. A process that does nothing else."""

from __future__ import annotations

import errno
import secrets
import socket
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from core.clock import MonotonicClock
from core.errors import InputError
from dashboard.access import Access, Role
from dashboard.app import make_app
from dashboard.connections import Connection
from dashboard.hub import MESSAGE_CHARACTERS
from dashboard.parts import Page, parts_of

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on
HTTP_PORT = 80
END_S = 2
"""How long open connections are waited for at the end, s."""
UNSENT_BYTES = 64 * 1024
"""What the system keeps for a browser beyond what is on its way: a few updates. Left to itself it takes megabytes, and
one that reads slowly would see what was ten seconds ago."""


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

    def url(self, port: int) -> str:
        """Return where a browser finds it; of all addresses of this computer, by its name."""
        host = socket.gethostname() if self.host in EVERYWHERE else self.host
        return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


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
        # Of each connection, which has it from here.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        listening.bind(bound)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise InputError(f"{where}: the page cannot be served there ({error.strerror}); {_cure(error)}") from error
    return listening


def _cure(error: OSError) -> str:
    if error.errno == errno.EADDRNOTAVAIL:
        return "give an address of this computer with --host"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "give a --port above 1023"
    return "give another --port, or --port 0 for a free one"


def access_for(address: Address, port: int, tokens: Mapping[str, Role]) -> Access:
    """Return who may do what on a page that is served there.

    Raises
    ------
    InputError
        It is in the network, and there is no operator's token.
    """
    if not address.here and Role.operator not in tokens.values():
        raise InputError(f"--host {address.host}: a page in the network needs a token; give --token-file")
    # A browser leaves out the port that is HTTP's own.
    ports = (f":{port}", "") if port == HTTP_PORT else (f":{port}",)
    names = (*LOOPBACK[:2], f"[{LOOPBACK[2]}]")
    hosts = {f"{name}{end}" for name in names for end in ports} if address.here else set()
    return Access(frozenset(hosts), dict(tokens), lambda: secrets.token_urlsafe(32))


def serve(listening: socket.socket, access: Access, page: Page, over: Callable[[], bool]) -> None:
    """Serve until ``over``, which is asked ten times a second, says so; sessions that run go on."""
    parts = parts_of(page)
    app = make_app(parts.hub, access, MonotonicClock().now_ns, page.about(), parts.routes, parts.close)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        http=Connection,
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
    _Server(config, over).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Leaves the signals to the program, which heard them before there was a server, too."""

    def __init__(self, config: uvicorn.Config, over: Callable[[], bool]) -> None:
        super().__init__(config)
        self._over = over

    async def on_tick(self, counter: int) -> bool:
        """Return whether to end."""
        return await super().on_tick(counter) or self._over()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield
