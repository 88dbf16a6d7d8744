"""Room on the disk for a session's images: whether there is enough ahead, and what follows when they end early."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.errors import InputError
from recording.folder import check_space
from recording.schema import SECOND_FOLDER
from recording.settings import RESERVE_BYTES, DiskFull, RecordingSettings
from session.stop import StopRequest

WHO = "disk"
"""Who asks for the end of a session that is not to go on without images, in its log."""


def check_room(recording: RecordingSettings, need_bytes: int) -> str:
    """Return a warning where the disk may fill before the session's end; empty where there is room for all of it.

    Parameters
    ----------
    recording : RecordingSettings
    need_bytes : int
        Most that the session's images can take.

    Raises
    ------
    InputError
        What is kept for the log is not free, or a session that is to end with its images might not keep them all.
    """
    if not recording.record_images:
        return ""
    root = Path(recording.data_root)
    problem = check_space(root, RESERVE_BYTES, need_bytes)
    if not problem:
        return ""
    if log_problem := check_space(root, RESERVE_BYTES, 0):
        raise InputError(log_problem)
    if recording.disk_full is DiskFull.end:
        raise InputError(f"{problem}; disk_full = go_on begins all the same")
    return f"images may end before the session does: {problem}"


def watch_images(
    first: Callable[[], str],
    second: Callable[[], str],
    policy: DiskFull,
    stop: StopRequest,
    warn: Callable[[str], None],
    note: Callable[[str, str], None],
) -> tuple[ImagesWatch, ImagesWatch]:
    """Return what watches the images of a session and of a camera beside it.

    The session's recorder logs its own end; that of the second camera stands in the session's log as well, by ``note``.
    """
    return (
        ImagesWatch(first, policy, stop, warn),
        ImagesWatch(
            second,
            policy,
            stop,
            lambda text: warn(f"{SECOND_FOLDER}: {text}"),
            lambda why: note("images_ended", f"{SECOND_FOLDER}: {why}"),
        ),
    )


class ImagesWatch:
    """Tells once that images are recorded no more, and asks for the session's end where the settings say so.

    Used by the loop's thread, after each turn.

    Parameters
    ----------
    ended : callable
        Returns why they ended; empty as long as they have not.
    policy : DiskFull
    stop : StopRequest
    tell : callable
        Told once, what a person should know.
    note : callable, optional
        Told why, once, for the session's log; not after the session's end, when the log is closed.
    """

    def __init__(
        self,
        ended: Callable[[], str],
        policy: DiskFull,
        stop: StopRequest,
        tell: Callable[[str], None],
        note: Callable[[str], None] | None = None,
    ) -> None:
        self._ended = ended
        self._policy = policy
        self._stop = stop
        self._tell = tell
        self._note = note
        self._told = False

    def check(self, over: bool = False) -> None:
        """Look; ``over``: the session has ended already, and nothing is asked any more."""
        if self._told or not (why := self._ended()):
            return
        self._told = True
        if over:
            self._tell(f"images were not recorded to the end: {why}")
            return
        if self._note is not None:
            self._note(why)
        if self._policy is DiskFull.end:
            self._tell(f"images are recorded no more, the session ends (disk_full = end): {why}")
            self._stop.after_trial(WHO)
        else:
            self._tell(f"images are recorded no more, the log and the session go on (disk_full = go_on): {why}")
