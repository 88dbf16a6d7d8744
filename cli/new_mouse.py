"""``rigloop new-mouse``: a section for a new mouse, copied from another's, comments and all."""

from __future__ import annotations

import argparse

from cli.screen import say


def run(args: argparse.Namespace) -> int:
    """Add the section; print where."""
    from session.config_edit import add_mouse

    add_mouse(args.config, args.id, args.other)
    say(f"{args.config}: added [mouse:{args.id}], copied from [mouse:{args.other}]; edit it, then: rigloop check")
    return 0
