"""``rigloop export``: a session in another program's format."""

from __future__ import annotations

import argparse


def run(args: argparse.Namespace) -> int:
    """Write the CLoPy folder; print what went in."""
    from recording.clopy import export_clopy
    from recording.reader import open_session

    left_out = export_clopy(open_session(args.session), args.clopy)
    print(f"wrote {args.clopy}" + (f"; {left_out} frames without image were left out" if left_out else ""))
    return 0
