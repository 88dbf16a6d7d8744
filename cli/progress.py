"""The progress bar: a thread that looks at the live status a few times a second, so that a slow screen stops nobody."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm

from cli.mouse_lines import MouseLines
from cli.screen import columns, say
from session.frame_tally import FrameTally, as_text
from session.status import Status
from session.watch import Goal, SessionWatch

LOOKS_PER_S = 5.0
QUIET_S = 10.0
"""Where stderr is no terminal, a line this often."""
UNCUT = 10_000
"""Columns of what is no terminal."""


class ProgressBar(SessionWatch):
    """Shows frames, trial, successes and drops on stderr while the session runs.

    Owns one daemon thread, from ``started`` to ``ended``; a screen that blocks it (a stalled terminal) is left behind.
    """

    def __init__(self, mouse: str) -> None:
        self._mouse = mouse
        self._making = MouseLines()
        self._over = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._warnings: deque[str] = deque()

    def preparing(self, stage: str) -> None:
        """Say each stage once."""
        self._making.preparing(stage)

    def prepared(self, about: Mapping[str, Any]) -> None:
        """Say what lives in the network, and what runs it."""
        self._making.prepared(about)

    def started(self, folder: Path, status: Status, goal: Goal) -> None:
        """Begin to show. The camera runs already, so that nothing here may wait for a screen."""
        self._thread = threading.Thread(target=self._show, args=(folder, status, goal), daemon=True)
        self._thread.start()

    def warn(self, text: str) -> None:
        """Say it above the bar, at the bar's next look."""
        self._warnings.append(text)

    def closing(self) -> None:
        """Say from now on that files are being closed, so that nobody takes a slow disk for a hang."""
        self._closing.set()

    def ended(self) -> None:
        """Show the last state and stop, within a second."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(1.0)

    def _show(self, folder: Path, status: Status, goal: Goal) -> None:
        say(f"session {folder}", error=True)
        terminal = sys.stderr.isatty()
        counted = "trial {n_fmt}/{total_fmt}" if goal.trials else "{n:.0f} of {total:.0f} s"
        try:
            with tqdm(
                total=goal.trials or goal.rest_s,
                desc=self._mouse,
                file=sys.stderr,
                # A file takes a line of any length.
                ncols=columns() if terminal else UNCUT,
                nrows=24,
                mininterval=0 if terminal else QUIET_S,
                bar_format=f"{{desc}}: |{{bar:10}}| {counted} [{{elapsed}}{{postfix}}]",
            ) as bar:
                while not self._over.wait(1 / LOOKS_PER_S if terminal else QUIET_S):
                    self._say_warnings(bar)
                    _update(bar, status, goal, "closing files" if self._closing.is_set() else status.state.phase.value)
                    bar.refresh()
                self._say_warnings(bar)
                _update(bar, status, goal, status.state.phase.value)
        except OSError:
            # The screen is gone (a closed terminal); the session does not need it.
            return

    def _say_warnings(self, bar: tqdm[NoReturn]) -> None:
        """Say what has come since the last look."""
        while self._warnings:
            bar.write(f"warning: {self._warnings.popleft()}", file=sys.stderr)


def _update(bar: tqdm[NoReturn], status: Status, goal: Goal, phase: str) -> None:
    """Put the live counts into the bar, which shows them at its next refresh."""
    state = status.state
    phase = "waits for a start" if state.waiting and phase == "rest" else phase
    seconds = (status.now_ns - status.first_ns) / 1e9
    bar.n = state.successes + status.fails if goal.trials else min(seconds, goal.rest_s)
    tally = status.tally
    skipped = f"{status.skipped} skipped{_causes(tally.skipped)}, " if status.skipped else ""
    unkept = {cause: n for cause, n in status.images_dropped_by().items() if n}
    images = f"{sum(unkept.values())} images lost{_causes(unkept)}, " if unkept else ""
    repeated = f"{_counted('repeated', tally.repeated)}, " if tally.repeated else ""
    second = _beside(status.second())
    frames = f"{status.frames}/{goal.frames}" if goal.frames else f"{status.frames}"
    bar.set_postfix_str(
        # A narrow screen cuts off the end, which matters least.
        f"{phase}, {state.successes} successes, {status.water} drops, {status.dropped} lost"
        f"{_causes(tally.dropped)}, {images}{skipped}{repeated}{second}{frames} frames in {seconds:.0f} s",
        refresh=False,
    )


def _beside(second: FrameTally) -> str:
    """Return what a second camera lost or gave again; an empty text where there is nothing, or no such camera."""
    counts = {"lost": second.dropped, "images lost": second.images_dropped, "repeated": second.repeated}
    said = " and ".join(_counted(word, by_cause) for word, by_cause in counts.items() if by_cause)
    return f"camera2 {said}, " if said else ""


def _counted(word: str, by_cause: Mapping[str, int]) -> str:
    return f"{sum(by_cause.values())} {word}{_causes(by_cause)}"


def _causes(by_cause: Mapping[str, int]) -> str:
    """Return ``as_text``; a single cause without its count, which stands before it."""
    return f" ({next(iter(by_cause))})" if len(by_cause) == 1 else as_text(by_cause)
