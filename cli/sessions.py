"""``rigloop sessions``: what was recorded, by mouse and day, and the learning curves."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cli.picture_path import check_picture
from cli.screen import say

if TYPE_CHECKING:
    from recording.index_find import Place
    from session.mouse_days import MouseDay


def run(args: argparse.Namespace) -> int:
    """Print the sessions and draw the curves. Returns the exit code."""
    from cli.sessions_text import table
    from recording.index import read_index
    from session.data_root import find_data_root
    from session.mouse_days import mouse_days
    from session.session_list import csv_lines, hints, json_lines

    if args.figure is not None:
        check_picture("--figure", args.figure.expanduser())
    if args.data_root is None:
        root = find_data_root(args.config, args.mouse)
    else:
        root = Path(args.data_root).expanduser().absolute()
    index = read_index(root, args.mouse, rebuild=args.rebuild, progress=_progress)
    days, notes = mouse_days(root, index.rows)
    as_lines = csv_lines if args.csv else json_lines if args.json else table
    lines = list(as_lines(days)) if days or args.csv else []
    for line in lines:
        say(line)
    for note in (*index.notes, *notes, *hints(index.rows, str(root), platform.node())):
        say(f"rigloop sessions: {note}", error=True)
    if not index.rows:
        whose = "" if args.mouse is None else f" of mouse {args.mouse}"
        say(f"no session{whose} in {root}", error=True)
    elif args.figure is not None or not (args.csv or args.json):
        _draw(days, args, root)
    return 0


def _progress(places: list[Place]) -> Iterable[Place]:
    """Show on a terminal how reading goes, where it takes longer than a moment."""
    from tqdm import tqdm

    if not sys.stderr.isatty():
        return places
    return tqdm(places, desc="reading sessions", unit=" sessions", file=sys.stderr, delay=0.5, leave=False)


def _draw(days: list[MouseDay], args: argparse.Namespace, root: Path) -> None:
    """Draw the figure, and say where it is. A figure nobody asked for by name may fail."""
    from analysis.learning_curve import draw_learning_curves
    from core.errors import RecordingError

    name = "learning-curves.png" if args.mouse is None else f"learning-curves-{args.mouse}.png"
    path = root / name if args.figure is None else args.figure.expanduser()
    to_stderr = args.csv or args.json
    try:
        say(f"figure {draw_learning_curves(days, path)}", error=to_stderr)
    except RecordingError as error:
        if args.figure is not None:
            raise
        say(f"rigloop sessions: no figure: {error} (--figure PNG draws it elsewhere)", error=True)
