"""``rigloop serve``: the page beside the rig, until Ctrl-C; sessions that it started or shows go on."""

from __future__ import annotations

import argparse

from cli.screen import say


def run(args: argparse.Namespace) -> int:
    """Serve the page. Returns the exit code."""
    from dashboard.server import Address, access_for, listen, serve
    from dashboard.tokens import new_tokens, read_tokens
    from session.provenance import software

    address = Address(args.host, args.port)
    tokens = {}
    if not address.here:
        tokens = new_tokens() if args.token_file is None else read_tokens(args.token_file)
    with listen(address) as listening:
        port = listening.getsockname()[1]
        access = access_for(address, port, tokens)
        say(f"rigloop serve: http://{address.host}:{port}/ (Ctrl-C ends the page, not a session)")
        for token, role in tokens.items():
            say(f"  {role.value}'s token: {token}")
        serve(listening, access, {"version": software()["rigloop"], "config": str(args.config)})
    return 0
