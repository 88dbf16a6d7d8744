"""``rigloop export``: a session in another program's format."""

from __future__ import annotations

import argparse

from cli.screen import say


def run(args: argparse.Namespace) -> int:
    """Write the CLoPy folder; print what went in."""
    from recording.clopy import export_clopy, write_clopy_files
    from recording.reader import open_session

    with open_session(args.session) as session:
        folder = session.folder if args.clopy is None else args.clopy
        done = write_clopy_files(session, folder) if args.clopy is None else export_clopy(session, folder)
    left_out = f"; {done.left_out} frames without image, or not judged, were left out" if done.left_out else ""
    say(f"wrote {done.rows} frames to {folder}{left_out}")
    return 0
