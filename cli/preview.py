"""``rigloop preview``: a picture of what a session would see, every second, and no session."""

from __future__ import annotations

import argparse
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cli.mouse_lines import MouseLines
from cli.picture_path import check_picture
from cli.run import read_overrides, read_seed
from cli.screen import say, say_over
from cli.until_eof import end_with_input
from core.errors import InputError, RecordingError
from session.preview import PreviewResult, PreviewView, Sight
from session.settings import Settings
from session.stop import StopRequest

if TYPE_CHECKING:
    from analysis.preview_figure import PreviewFigure
    from analysis.preview_pose import PosePreview


def run(args: argparse.Namespace) -> int:
    """Show until a person stops it, which is its normal end. Returns the exit code."""
    with StopRequest(for_good=True) as stop:
        return _run(args, stop)


def _run(args: argparse.Namespace, stop: StopRequest) -> int:
    from camera.find_source import probe_source
    from core.clock import MonotonicClock
    from session.build import Options, default_outputs
    from session.live_link import LiveLink
    from session.preview import run_preview
    from session.settings import load_settings

    if args.seconds is not None and not 0 < args.seconds < math.inf:
        raise InputError(f"--seconds {args.seconds:g}: give seconds above 0")
    settings = load_settings(
        args.config, args.mouse, experiment=args.experiment, overrides=read_overrides(args), probe=probe_source
    )
    options = Options(
        seed=read_seed(args.seed), live=args.pace == "real", outputs=default_outputs(settings), lines_only=True
    )
    if args.until_eof:
        end_with_input(stop.request)
    path = None if args.no_picture else _output(args.output, settings)
    view = OnThePage(settings) if path is None else Pictures(settings, path)
    clock = MonotonicClock()
    try:
        with LiveLink(clock, f"preview-{os.getpid()}") as link:
            result = run_preview(settings, options, clock, stop, view, args.seconds, link)
    finally:
        view.leave_line()
    say(_end(result, stop, path))
    return 0


class Lines(MouseLines, PreviewView):
    """Says what a person should know, on stderr."""

    def warn(self, text: str) -> None:
        """Say what is not as it should be."""
        say(f"rigloop preview: {text}", error=True)

    def leave_line(self) -> None:
        """Let what is said next begin on a line of its own."""


class OnThePage(Lines):
    """Draws no picture: `rigloop serve` shows the preview.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._mouse = settings.mouse

    def opened(self, names: tuple[str, ...], frame_shape: tuple[int, int, int]) -> None:
        """Say where it is to be seen."""
        del names, frame_shape
        say(f"preview of {self._mouse}: on the page of `rigloop serve`; Ctrl-C ends it")


class Pictures(Lines):
    """Writes each sight as a picture, and a line about it on stdout.

    Parameters
    ----------
    settings : Settings
    path : Path
        The PNG.
    """

    def __init__(self, settings: Settings, path: Path) -> None:
        super().__init__()
        self._settings = settings
        self.path = path
        self._moves = settings.kind == "clmf"
        self._names: tuple[str, ...] = ()
        self._figure: PreviewFigure | PosePreview | None = None
        self._said = False

    def opened(self, names: tuple[str, ...], frame_shape: tuple[int, int, int]) -> None:
        """Make what all pictures share, which takes most of a second."""
        from analysis.preview_figure import PreviewFigure
        from analysis.preview_pose import PosePreview

        figure = PosePreview if self._moves else PreviewFigure
        self._names = names
        self._figure = figure(self._settings, names, frame_shape, self.path)
        say(f"preview of {self._settings.mouse}: {self.path}, anew every second; Ctrl-C ends it")

    def show(self, sight: Sight) -> None:
        """Draw, then say so. Raises RecordingError where the picture cannot be written."""
        if self._figure is not None:
            self._figure.draw(sight)
        say_over(self._line(sight))
        self._said = True

    def _line(self, sight: Sight) -> str:
        """Return what is said of a sight on the screen."""
        from analysis import preview_pose_text, preview_text

        if self._moves:
            return preview_pose_text.screen_line(sight, self._names, self._settings)
        return preview_text.screen_line(sight)

    def leave_line(self) -> None:
        """Let what is said next begin on a line of its own."""
        if self._said and sys.stdout is not None and sys.stdout.isatty():
            say("")


def _output(chosen: Path | None, settings: Settings) -> Path:
    """Return where the picture goes, having tried that it can. Raises InputError, RecordingError."""
    data_root = Path(settings.recording.data_root).expanduser().absolute()
    path = data_root / f"preview-{settings.mouse}.png" if chosen is None else chosen.absolute()
    option = "data_root" if chosen is None else "--output"
    check_picture(option, path)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        if chosen is None:
            data_root.mkdir(parents=True, exist_ok=True)
        draft.touch()
        draft.unlink()
    except OSError as error:
        # A folder that is not there is a slip of who typed it; the rest is what this machine refuses.
        slip = chosen is not None and isinstance(error, (FileNotFoundError, NotADirectoryError))
        kind = InputError if slip else RecordingError
        raise kind(
            f"{option} {path}: the picture cannot be written there ({error.strerror}); give another place with --output"
        ) from error
    return path


def _end(result: PreviewResult, stop: StopRequest, path: Path | None) -> str:
    """Return the last line: why it is over, and where the picture is, if one was drawn."""
    why = {
        "stopped": f"stopped by {stop.reason}",
        "seconds": "its time is over",
        "source_ended": "the recording has ended",
    }[result.end]
    if path is None:
        return f"preview: {why} after {result.time_s:.1f} s, {result.frames} frames"
    shown = f"{result.pictures} picture{'s' * (result.pictures > 1)}, the last one is {path}"
    return f"preview: {why} after {result.time_s:.1f} s; {shown if result.pictures else 'no frame came, no picture'}"
