"""``rigloop serve``: the page beside the rig, until Ctrl-C; sessions that it started or shows go on."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cli.options import ROOT
from cli.screen import say
from cli.until_eof import end_with_input
from session.stop import StopRequest

if TYPE_CHECKING:
    from dashboard.parts import Page


def run(args: argparse.Namespace) -> int:
    """Serve the page. Returns the exit code."""
    # The server hands a signal on when it has ended; what takes it then must do nothing more.
    with StopRequest(for_good=True):
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    from dashboard.server import Address, access_for, listen, serve
    from dashboard.tokens import new_tokens, read_tokens

    _end_when_closed()
    if args.until_eof:
        end_with_input(_end)
    address = Address(args.host, args.port)
    tokens = {}
    if not address.here:
        tokens = new_tokens() if args.token_file is None else read_tokens(args.token_file)
    page = page_of(args.config, args.data_root)
    with listen(address) as listening:
        port = listening.getsockname()[1]
        access = access_for(address, port, tokens)
        say(f"rigloop serve: http://{address.host}:{port}/ (Ctrl-C ends the page, not a session)")
        for token, role in tokens.items():
            say(f"  {role.value}'s token: {token}")
        serve(listening, access, page)
    say("rigloop serve: the page is closed; sessions go on")
    return 0


def page_of(config: Path, data_root: str | None) -> Page:
    """Return what the page works on. Raises InputError."""
    from dashboard.parts import Page
    from session.provenance import software

    return Page(
        config=config.absolute(),
        data_root=data_root,
        command=(sys.executable, "-m", "cli.main"),
        program=ROOT,
        version=str(software()["rigloop"]),
    )


def _end_when_closed() -> None:
    """Let a terminal that is closed end the page, as Ctrl-C does; ``nohup`` keeps its meaning."""
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _end)


def _end(*why: object) -> None:
    """End the server, in order."""
    del why
    os.kill(os.getpid(), signal.SIGTERM)
