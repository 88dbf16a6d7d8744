"""``run --page``: the page's server beside one session, as a process of its own that ends with it."""

from __future__ import annotations

import argparse
import re
import selectors
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cli.options import ROOT
from cli.screen import say
from core.errors import InputError
from session.stop import StopRequest

START_S = 30.0
"""A cold start of Python on a Pi takes seconds."""
LOOK_S = 0.1
END_S = 5.0


@contextmanager
def page_beside(args: argparse.Namespace, stop: StopRequest) -> Iterator[None]:
    """Serve the page while this context is open, and say where, on stderr.

    Parameters
    ----------
    args : Namespace
        Of ``run``: ``page`` (a port), ``config``, ``data_root``.
    stop : StopRequest
        Ends the waiting for the page.

    Raises
    ------
    InputError
        It cannot be served; before anything has begun.
    """
    words = ["serve", "--until-eof", f"--port={args.page}", f"--config={args.config.absolute()}"]
    if args.data_root is not None:
        words.append(f"--data-root={Path(args.data_root).expanduser().absolute()}")
    with tempfile.TemporaryFile() as said:
        server = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "cli.main", *words],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            # Ctrl-C is the session's; the page ends after it, with its input.
            start_new_session=True,
        )
        try:
            _wait_for_address(server, said, stop)
            yield
        finally:
            _end(server)


def _wait_for_address(server: subprocess.Popen[bytes], said: IO[bytes], stop: StopRequest) -> None:
    """Say where the page is. Raises InputError where it is nowhere."""
    with selectors.DefaultSelector() as ready:
        ready.register(_pipe(server.stdout), selectors.EVENT_READ)
        for _ in range(round(START_S / LOOK_S)):
            if stop:
                return
            if ready.select(LOOK_S):
                break
        else:
            server.kill()
    line = _pipe(server.stdout).readline().decode().strip()
    if found := re.search(r"http://\S+", line):
        say(f"rigloop run: the page is {found[0]}", error=True)
        return
    server.wait()
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    why = lines[-1].removeprefix("rigloop serve: ") if lines else f"it did not come up within {START_S:g} s"
    raise InputError(f"--page: {why}")


def _end(server: subprocess.Popen[bytes]) -> None:
    """Let the server end, and see that it does."""
    _pipe(server.stdin).close()
    try:
        server.wait(END_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    _pipe(server.stdout).close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise TypeError("the process has no such pipe")
    return pipe
