"""``rigloop replay``: a recorded session through today's loop again, compared, or changed."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tqdm import tqdm

from cli.picture_path import check_picture
from cli.run import read_overrides
from cli.screen import columns, say
from core.errors import InputError

if TYPE_CHECKING:
    from session.replay import Replayed

EVERY = 256
"""The bar is told after so many frames."""


def run(args: argparse.Namespace) -> int:
    """Replay, print what differs, draw what would have happened. Returns 1 where something differs, else 0."""
    from session.replay import replay_session
    from session.replay_result import as_json, as_text, change_text, exit_code

    changes = read_overrides(args)
    if args.output is not None:
        _check_output(args.output, changed=bool(changes))
    with _Bar() as bar:
        replayed = replay_session(args.session, changes, bar.show)
    for line in as_text(replayed):
        say(line, error=args.json)
    figure = ""
    if replayed.change is not None:
        figure = str(_draw(replayed, args.output))
        for line in [*change_text(replayed.change), "", f"figure      {figure}"]:
            say(line, error=args.json)
    if args.json:
        say(json.dumps(as_json(replayed, figure)))
    return exit_code(replayed)


def _check_output(path: Path, *, changed: bool) -> None:
    """Raise InputError where no picture would be drawn, or it could not be put there."""
    if not changed:
        raise InputError(f"--output {path}: only a changed session is drawn; add --set key=value")
    check_picture("--output", path)
    if not path.absolute().parent.is_dir():
        raise InputError(f"--output {path}: there is no folder {path.parent}; make it first")


def _draw(replayed: Replayed, output: Path | None) -> Path:
    """Draw both sessions; return the picture's path. Raises RecordingError."""
    from analysis.replay_figure import draw_replay

    folder = replayed.session
    part = "" if folder.name == "S1" else f"-{folder.name}"
    path = output or Path(f"replay-{folder.parent.parent.name}-{folder.parent.name}{part}.png")
    draw_replay(replayed, path)
    return path


class _Bar:
    """A progress bar on stderr, where that is a terminal, of one pass after the other."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self._what = ""

    def show(self, what: str, frames: int, total: int) -> None:
        """Show how far a pass has come."""
        bar = self._bar
        if bar is None or what != self._what:
            self.close()
            self._what = what
            bar = self._bar = tqdm(
                total=total, desc=what, unit=" frames", file=sys.stderr, ncols=columns(), nrows=24, disable=None
            )
        if frames % EVERY == 0 or frames == total:
            bar.update(frames - bar.n)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()
        self._bar = None

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
