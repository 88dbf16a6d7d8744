"""``rigloop export``: a session in another program's format."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from cli.options import CONFIG
from cli.screen import columns, say
from cli.start import SIGNALS
from core.errors import BusyError, InputError

if TYPE_CHECKING:
    from tqdm import tqdm

    from recording.nwb import SubjectFacts
    from recording.recorded import RecordedSession


def run(args: argparse.Namespace) -> int:
    """Write the CLoPy folder or the NWB file; print what went in."""
    if args.nwb is not None:
        return _as_nwb(args)
    _refuse_idle(args)
    return _as_clopy(args)


def _refuse_idle(args: argparse.Namespace) -> None:
    """Raise InputError for an option that would do nothing."""
    given = {"images": args.images, "allow-incomplete": args.allow_incomplete or None, "config": args.config}
    for name, value in given.items():
        if value is not None:
            raise InputError(f"--{name}: does nothing with --clopy; leave it out, or give --nwb FILE in its place")


def _as_clopy(args: argparse.Namespace) -> int:
    from recording.clopy import export_clopy, write_clopy_files
    from recording.clopy_unlike import unlike_clopy
    from recording.reader import open_session

    with open_session(args.session) as session, _Stop() as stop, _Bar(stop, args.progress) as bar:
        folder = session.folder if args.clopy is None else args.clopy
        _check(session)
        _need_frames(session)
        write = write_clopy_files if args.clopy is None else export_clopy
        done = write(session, folder, bar.progress)
        unlike = unlike_clopy(session)
    left_out = f"; {done.left_out} frames without image, or not judged, were left out" if done.left_out else ""
    say(f"wrote {done.rows} frames to {folder}{left_out}")
    _warn_of_missing(done.missing_images)
    for line in unlike:
        say(f"rigloop export: warning: {line}", error=True)
    return 0


def _warn_of_missing(images: int) -> None:
    if images:
        say(f"rigloop export: warning: {images} images that the log names cannot be read", error=True)


def _check(session: RecordedSession) -> None:
    """Raise InputError where a session still runs, or session.ini is not what it was run with."""
    from recording.at_work import writer_of
    from recording.schema import RUNNING
    from session.recorded_meta import check_config

    if session.meta.get("outcome") == RUNNING and (writer := writer_of(session.folder)):
        raise BusyError(f"{session.folder}: process {writer} still writes its files; export it when that has ended")
    check_config(session.folder, session.meta)


def _need_frames(session: RecordedSession) -> None:
    """Raise InputError where nothing was recorded."""
    if not len(session.frames):
        raise InputError(f"{session.folder} has no frames, so there is nothing to export; give another session")


def _as_nwb(args: argparse.Namespace) -> int:
    from recording.nwb import NwbImages, export_nwb, need_nwb
    from recording.reader import open_session

    need_nwb()
    with open_session(args.session) as session, _Stop() as stop, _Bar(stop, args.progress) as bar:
        _check(session)
        done = export_nwb(
            session,
            args.nwb,
            _facts(args, session),
            images=NwbImages(args.images or "compress"),
            allow_incomplete=args.allow_incomplete,
            progress=bar.progress,
        )
    say(f"wrote {done.frames} frames and {done.images} images to {done.path}")
    _warn_of_missing(done.missing_images)
    if done.odd_texts:
        odd = ", ".join(done.odd_texts)
        say(f"rigloop export: warning: {odd}: characters that no NWB file can hold became U+FFFD", error=True)
    return 0


def _facts(args: argparse.Namespace, session: RecordedSession) -> SubjectFacts:
    """Return what is known of the mouse: by the session, by config.ini of today, and its weight of that day."""
    from recording.nwb import SubjectFacts
    from recording.nwb_clock import began
    from recording.nwb_file import mouse_of
    from session.subject_now import complete_subject, weight_on

    mouse = mouse_of(session)
    settings = session.meta.get("settings")
    subject = complete_subject(
        settings if isinstance(settings, dict) else {},
        args.config or CONFIG,
        mouse,
        str(session.meta.get("experiment") or ""),
    )
    begun = began(session)
    home = session.folder.absolute().parent.parent
    return SubjectFacts(subject, weight_on(home, f"{begun:%Y-%m-%d}") if begun else None)


class _Stop:
    """Ctrl-C, ``kill`` and a closed terminal as a wish that is looked at between two blocks of images.

    As an exception it could come out in a callback of HDF5's, where Python prints it and goes on.
    """

    def __init__(self) -> None:
        self._asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Stop:
        for number in SIGNALS:
            # nohup keeps its meaning.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: object) -> None:
        del number, frame
        self._asked = True

    def check(self) -> None:
        """Raise KeyboardInterrupt if it was asked for."""
        if self._asked:
            raise KeyboardInterrupt


class _Bar:
    """A progress bar on a terminal, that begins with the first image; and the place where a wish to stop is heard."""

    def __init__(self, stop: _Stop, always: bool) -> None:
        self._stop = stop
        self._always = always
        self._bar: tqdm[NoReturn] | None = None

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def progress(self, done: int, total: int) -> None:
        """Show how many images are done. Raises KeyboardInterrupt where a stop was asked for."""
        from tqdm import tqdm

        self._stop.check()
        if not total:
            return
        if self._bar is None:
            self._bar = tqdm(
                total=total,
                desc="images",
                file=sys.stderr,
                unit=" images",
                ncols=columns(),
                # A terminal that tells no height would get no bar.
                nrows=24,
                disable=False if self._always else None,
            )
        self._bar.update(done - self._bar.n)
