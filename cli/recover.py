"""``rigloop recover``: finish the folder of a session that was killed."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.run import draw_figure
from cli.screen import say
from recording.schema import FIGURE_PNG

if TYPE_CHECKING:
    from core.ports import Clock
    from session.recover import Recovery


def run(args: argparse.Namespace) -> int:
    """Recover the session; print what it came to. Returns the exit code."""
    from core.clock import MonotonicClock

    done = recover_session(args.session, MonotonicClock(), without_images=args.without_images)
    for line in lines_of(done):
        say(line, error=args.json)
    if args.json:
        counts: dict[str, Any] = {"session": str(done.session), "outcome": done.outcome}
        if done.result is not None:
            counts |= done.result.json()
        say(json.dumps(counts | {"recovered": done.result is not None, "mended": list(done.mended)}))
    return 0


def recover_session(path: Path, clock: Clock, *, without_images: bool = False) -> Recovery:
    """Recover a session, with a bar of its steps where stderr is a terminal.

    Raises as ``session.recover.recover``.
    """
    from tqdm import tqdm

    from session.recover import STEPS, recover

    with tqdm(
        total=len(STEPS), file=sys.stderr, disable=None, leave=False, delay=0.1, bar_format="{desc} |{bar:10}|"
    ) as bar:

        def tell(step: str) -> None:
            bar.n = STEPS.index(step)
            bar.set_description_str(f"recover: {step}")

        return recover(path, clock, draw_figure, tell, without_images=without_images)


def lines_of(done: Recovery) -> list[str]:
    """Return what was done as lines for a person."""
    if done.result is None:
        return [f"nothing to recover: {done.session} is {done.outcome}"]
    figure = done.session / FIGURE_PNG
    drawn = [f"figure      {figure}"] if figure.is_file() else []
    return [*(f"mended      {line}" for line in done.mended), *done.result.text(), *drawn]
