"""Writes a recorded session as an NWB file, with all that was recorded of it.

The file is built under a temporary name beside its own, and gets that when it is whole and on the disk. Memory holds
the session's tables, as the session itself does, and a block of images.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InputError, MissingError, RecordingError, RigError
from recording import nwb_tables as tables
from recording.draft_folder import draft_name, stale_drafts
from recording.folder import sync_folder
from recording.nwb_clock import SessionClock
from recording.nwb_file import camera_of, kind_of, make_file, mouse_of
from recording.nwb_images import NO_UNIT, ImagePlan, NwbImages, check_link, kept_rows, put_images, video_series
from recording.nwb_imaging import add_frames, add_planes, add_series
from recording.nwb_movement import add_movement, add_pose
from recording.nwb_name import SUFFIX, dandi_folder, dandi_name, is_file_name
from recording.nwb_signals import add_rois, add_signals
from recording.nwb_subject import SubjectFacts, check_complete, check_values
from recording.nwb_text import OddTexts
from recording.nwb_trials import trials_table
from recording.problems import describe, error_number
from recording.reader import open_session
from recording.recorded import RecordedSession, check_all_images, check_end, check_rows
from recording.schema import FRAMES_CSV, SECOND_FOLDER
from recording.video_read import is_video

__all__ = ["NwbExport", "NwbImages", "SubjectFacts", "export_nwb", "need_nwb"]

_OTHER_SUFFIXES = (".h5", ".hdf5", ".zarr")


@dataclass(frozen=True, slots=True)
class NwbExport:
    """What was written.

    Attributes
    ----------
    path : Path
    frames, images, missing_images : int
        Rows; images in the file, linked or named by it, of all cameras; rows that name an image which cannot be read.
    odd_texts : tuple of str
        Files with characters that cannot be decoded, or that HDF5 cannot hold: U+FFFD stands for each.
    """

    path: Path
    frames: int
    images: int
    missing_images: int
    odd_texts: tuple[str, ...] = ()


def need_nwb() -> None:
    """Raise MissingError where a library is not installed that NWB files are written with; imports none."""
    missing = [name for name in ("pynwb", "ndx_pose") if importlib.util.find_spec(name) is None]
    if missing:
        names = ", ".join(missing).replace("_", "-")
        raise MissingError(f"{names}: not installed, and NWB files are written with it; run `make nwb`")


def export_nwb(
    session: RecordedSession,
    path: Path,
    facts: SubjectFacts,
    *,
    images: NwbImages = NwbImages.compress,
    allow_incomplete: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> NwbExport:
    """Write a session as NWB.

    Parameters
    ----------
    session : RecordedSession
        Ours, also one that was killed, or CLoPy's.
    path : Path
        The file, ending in ``.nwb``, which must not exist; or a folder, in which it is called as DANDI organises it:
        ``sub-ID/sub-ID_ses-ID_MODALITIES.nwb``.
    facts : SubjectFacts
    images : NwbImages
        Of image files: ``compress`` copies them, ``link`` shows those of the recording, which must stay where they
        are. A video always stays beside the file, and is named in it. ``none`` leaves both out.
    allow_incomplete : bool
        Whether to write although the keys lack that an archive wants.
    progress : callable
        ``progress(done, total)`` in images, now and then; what it raises ends the export, and leaves nothing.

    Raises
    ------
    InputError
        The file exists, the session has no frame, the mouse's data lack, or images cannot be linked.
    SourceError
        The session's images are damaged.
    MissingError
        pynwb or ndx-pose is not installed.
    RecordingError
        The file cannot be written, or what was recorded cannot be said in NWB; nothing is left of it. ``details`` has
        the traceback.
    """
    if not len(session.frames):
        raise InputError(f"{session.folder}: has no frame, and an NWB file of nothing is none; give another session")
    need_nwb()
    target = Path(path).expanduser().absolute()
    with ExitStack() as opened, _in_one_line("the file", target):
        odd = OddTexts()
        session = opened.enter_context(odd.session(session))
        mouse = mouse_of(session)
        if not allow_incomplete:
            check_complete(mouse, facts.settings, imaged=kind_of(session) == "clnf")
        facts = check_values(mouse, facts)
        whole = is_file_name(target)
        folder = target.parent if whole else target / dandi_folder(mouse)
        if not target.is_dir():
            _check_free(target)
        second = session.folder / SECOND_FOLDER
        others = []
        if (second / FRAMES_CSV).is_file():
            others = [opened.enter_context(odd.session(opened.enter_context(open_session(second))))]
        for each in (session, *others):
            check_rows(each)
            check_all_images(each)
        check_end(session)
        build = _Build(session, others, facts, folder, images, odd)
        target = target if whole else folder / dandi_name(build.file)
        _check_free(target)
        _write(build, target, progress)
        return NwbExport(target, len(session.frames), build.images, build.missing_images, tuple(odd.files))


@contextmanager
def _in_one_line(what: str, path: Path) -> Iterator[None]:
    """Raise a RecordingError, with the traceback as its details, for whatever pynwb, hdmf and h5py may raise."""
    try:
        yield
    except RigError:
        raise
    except Exception as error:
        if error_number(error):
            text = describe("write", path, error, chosen=True)
        else:
            cause = next(iter(str(error).splitlines()), "")
            text = (
                f"{path}: {what} cannot be written as NWB ({type(error).__name__}: {cause}); nothing was written: "
                "restore the session's files from a copy"
            )
        failed = RecordingError(text)
        failed.details = traceback.format_exc()
        raise failed from error


class _Build:
    """The file in memory, and the images that are still to be put into it."""

    def __init__(
        self,
        session: RecordedSession,
        others: list[RecordedSession],
        facts: SubjectFacts,
        folder: Path,
        images: NwbImages,
        odd: OddTexts,
    ) -> None:
        self.session = session
        self.plans: list[ImagePlan] = []
        self.mode = images
        self.images = 0
        self.missing_images = 0
        self._folder = folder
        with _in_one_line("what session.json says", session.folder):
            self.clock = SessionClock(session, others)
            self.file = make_file(session, self.clock, facts, odd)
            camera = camera_of(self.file, session)
        with _in_one_line("images and signals", session.folder):
            if kind_of(session) == "clnf":
                self._neurofeedback(camera, facts)
            else:
                self._movement(camera)
        with _in_one_line("trials, frames and events", session.folder):
            self._tables()
        for other in others:
            with _in_one_line("the second camera", other.folder):
                self._second(other)

    def _neurofeedback(self, camera: Any, facts: SubjectFacts) -> None:
        session, clock = self.session, self.clock
        planes = add_planes(self.file, session, camera, facts.settings)
        green = None
        if self._wants(session):
            green, plan = add_series(self.file, session, clock, planes, self.mode)
            self._plan(plan)
        module = self.file.create_processing_module("ophys", "ROIs, and what the loop computed of them.")
        rule = session.meta.get("formula") or "the rule"
        add_signals(self.file, module, session, clock, NO_UNIT, f"dF/F, {rule} (0.05 is 5 %), as the loop computed it.")
        add_rois(module, session, clock, planes[0], green)

    def _movement(self, camera: Any) -> None:
        session, clock = self.session, self.clock
        video = self._camera_images(session, "BehaviorVideo", camera)
        module = self.file.create_processing_module("behavior", "Movement, as it was tracked while the session ran.")
        by_target = (session.meta.get("settings") or {}).get("reward_by") == "target"
        what = "Minus the distance to the target." if by_target else "Speed of the control point."
        add_signals(self.file, module, session, clock, "mm" if by_target else "mm/s", what)
        add_movement(module, session, clock)
        add_pose(self.file, module, session, clock, camera, video)

    def _tables(self) -> None:
        session, clock, file = self.session, self.clock, self.file
        file.trials = trials_table(session, clock, "in the unit of the signal")
        file.add_acquisition(tables.frames_table(session, clock))
        if (timing := tables.timing_table(session)) is not None:
            file.add_acquisition(timing)
        more = (tables.inputs_table(session, clock), tables.missing_table(session, clock))
        for table in (*tables.events_tables(session, clock), *more):
            if table is not None:
                file.add_events_table(table)

    def _second(self, other: RecordedSession) -> None:
        """Add a second camera: its images, and its frames' times."""
        if not len(other.frames):
            return
        camera = camera_of(self.file, other, SECOND_FOLDER)
        self._camera_images(other, "SecondCamera", camera)
        self.file.add_acquisition(tables.frames_table(other, self.clock, "second_camera_frames"))
        if (timing := tables.timing_table(other, "second_camera_host_times")) is not None:
            self.file.add_acquisition(timing)

    def _camera_images(self, session: RecordedSession, name: str, camera: Any) -> Any:
        """Add a camera's frames as they are; return the series, None where there are none."""
        if not self._wants(session):
            return None
        if not is_video(session.image_path):
            series, plan = add_frames(self.file, session, self.clock, name, camera, self.mode)
            self._plan(plan)
            return series
        about = "The frames that were recorded, in a video beside this file."
        series = video_series(session, name, about, self.clock, self._folder, camera)
        self.file.add_acquisition(series)
        self.images += len(kept_rows(session))
        return series

    def _wants(self, session: RecordedSession) -> bool:
        """Whether images are exported; counts those that rows name and nobody can read."""
        if self.mode is NwbImages.none:
            return False
        if not session.has_images:
            self.missing_images += int((session.frames.image >= 0).sum())
            return False
        if self.mode is NwbImages.link and not is_video(session.image_path):
            check_link(session)
        kept = len(kept_rows(session))
        self.missing_images += int((session.frames.image >= 0).sum()) - kept
        return kept > 0

    def _plan(self, plan: ImagePlan | None) -> None:
        if plan is not None:
            self.plans.append(plan)
            self.images += len(plan.index)


def _check_free(path: Path) -> None:
    """Raise InputError where a file would have to be overwritten, or has the name of another format's."""
    if path.suffix.lower() in _OTHER_SUFFIXES:
        raise InputError(f"--nwb {path}: an NWB file ends in {SUFFIX}; give such a name, or a folder")
    if path.exists():
        raise InputError(f"--nwb {path}: exists, and is not overwritten; give another name, or delete it")


def _write(build: _Build, target: Path, progress: Callable[[int, int], None] | None) -> None:
    """Write under a temporary name, sync, and rename; leave nothing behind where that fails."""
    draft = draft_name(target, SUFFIX)
    made = [each for each in (target.parent, *target.parent.parents) if not each.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for left in stale_drafts(target, SUFFIX):
            with contextlib.suppress(OSError):
                left.unlink()
        _fill(build, draft, progress)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        _check_free(target)
        os.rename(draft, target)
        for folder in (target.parent, *(each.parent for each in made)):
            sync_folder(folder)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _fill(build: _Build, draft: Path, progress: Callable[[int, int], None] | None) -> None:
    from pynwb import NWBHDF5IO

    with NWBHDF5IO(str(draft), "w") as io:
        io.write(build.file)
    put_images(draft, build.plans, build.mode, progress)
