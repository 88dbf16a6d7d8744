"""The progress bar: a thread that looks at the live status a few times a second, so that a slow screen stops nobody."""

from __future__ import annotations

import shutil
import sys
import threading
from pathlib import Path

from session.loop import Status
from session.runner import SessionWatch

LOOKS_PER_S = 5.0
QUIET_S = 10.0
"""Where stderr is no terminal, a line this often."""


class ProgressBar(SessionWatch):
    """Shows frames, trial, successes and drops on stderr while the session runs.

    Owns one daemon thread, from ``started`` to ``ended``; a screen that blocks it (a stalled terminal) is left behind.
    """

    def __init__(self, mouse: str) -> None:
        self._mouse = mouse
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def started(self, folder: Path, status: Status, expected_frames: int | None, trials: int) -> None:
        """Begin to show."""
        print(f"session {folder}", file=sys.stderr)
        self._thread = threading.Thread(target=self._show, args=(status, expected_frames, trials), daemon=True)
        self._thread.start()

    def ended(self) -> None:
        """Show the last state and stop, within a second."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(1.0)

    def _show(self, status: Status, expected_frames: int | None, trials: int) -> None:
        from tqdm import tqdm

        terminal = sys.stderr.isatty()
        try:
            with tqdm(
                total=trials,
                desc=self._mouse,
                unit="trial",
                file=sys.stderr,
                # A terminal that does not tell its width would get no bar.
                ncols=shutil.get_terminal_size((100, 24)).columns,
                nrows=24,
                mininterval=0 if terminal else QUIET_S,
                bar_format="{desc}: {percentage:3.0f}%|{bar:20}| trial {n_fmt}/{total_fmt} [{elapsed}{postfix}]",
            ) as bar:
                while not self._over.wait(1 / LOOKS_PER_S if terminal else QUIET_S):
                    self._update(bar, status, expected_frames)
                self._update(bar, status, expected_frames)
        except OSError:
            # The screen is gone (a closed terminal); the session does not need it.
            return

    @staticmethod
    def _update(bar: object, status: Status, expected_frames: int | None) -> None:
        state = status.state
        seconds = (status.now_ns - status.first_ns) / 1e9
        frames = f"{status.frames}/{expected_frames}" if expected_frames else f"{status.frames}"
        bar.n = state.successes + status.fails  # type: ignore[attr-defined]  # tqdm's own attribute
        bar.set_postfix_str(  # type: ignore[attr-defined]
            f"{state.phase.value} {seconds:.0f} s, {frames} frames, {state.successes} successes, "
            f"{status.water} drops, {status.dropped} lost"
        )
