"""``rigloop serve``: the page beside the rig, until Ctrl-C; sessions that it started or shows go on."""

from __future__ import annotations

import argparse
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
    with StopRequest(for_good=True) as stop:
        return _run(args, stop)


def _run(args: argparse.Namespace, stop: StopRequest) -> int:
    from dashboard.server import Address, access_for, listen, serve
    from dashboard.tokens import new_tokens, read_tokens

    if args.until_eof:
        end_with_input(stop.request)
    address = Address(args.host, args.port)
    tokens = {}
    if not address.here:
        tokens = new_tokens() if args.token_file is None else read_tokens(args.token_file)
    page = page_of(args.config, args.data_root)
    with listen(address) as listening:
        port = listening.getsockname()[1]
        access = access_for(address, port, tokens)
        say(f"rigloop serve: {address.url(port)} (Ctrl-C ends the page, not a session)")
        for token, role in tokens.items():
            say(f"  {role.value}'s token: {token}")
        serve(listening, access, page, lambda: bool(stop))
    say("rigloop serve: the page is closed; sessions go on")
    return 0


def page_of(config: Path, data_root: str | None) -> Page:
    """Return what the page works on. Raises InputError."""
    from dashboard.parts import Page
    from session.provenance import software

    return Page(
        config=config.absolute(),
        # Programs run in a folder of their own.
        data_root=None if data_root is None else str(Path(data_root).expanduser().absolute()),
        command=(sys.executable, "-m", "cli.main"),
        program=ROOT,
        version=str(software()["rigloop"]),
    )
