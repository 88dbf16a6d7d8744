"""The tables and images that a session left which nobody closed: first looked at, then mended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from behavior.pipeline import part_names
from camera.hdf5_source import Hdf5Images
from core.errors import RecordingError, SourceError
from core.values import as_ns
from recording.folder import read_session_json, sync_folder
from recording.hdf5_index import whole_images
from recording.hdf5_mark import has_mark, open_without_mark, take_mark_off
from recording.mend import TABLES, begin_tables, cut_half_line, forget_images, is_begun, lacking
from recording.problems import describe
from recording.reader import read_begun
from recording.recorded import RecordedSession, check_order
from recording.schema import (
    DFF_PREFIX,
    EVENTS_CSV,
    FRAMES_CSV,
    IMAGES,
    INPUTS_CSV,
    MISSING_CSV,
    POSE_PREFIX,
    SCHEMA_VERSION,
    TIMING_CSV,
    WITH_INPUTS,
)
from recording.video_read import VideoImages, is_video
from session.settings import Settings

ASIDE = ".unreadable"
"""What is put behind the name of a file that was begun and holds nothing yet."""
POWER_S = 30.0
"""A power failure takes 4 s and the time of a sync, which a slow card needs many seconds for."""
FRAMES_BRING = frozenset({"drop", "skip", "repeat", "lick", "session_end"})
"""Kinds of events outside of trials that no session has before its first frame."""
_NEW = (INPUTS_CSV, MISSING_CSV)
"""Tables that schema 1 did not have."""


@dataclass(frozen=True, slots=True)
class Remains:
    """What a recording left.

    Attributes
    ----------
    folder : Path
    images : int
        Images whole in their file.
    unwritten : int
        Rows that name none of these.
    unnamed : int
        Of these, how many come after the last that a row names.
    image_path : Path
        The file; may be missing.
    marked : bool
        Whether it is marked as being written.
    unreadable : bool
        Whether it was begun only, so that it cannot be read and no row names an image of it.
    lacks : tuple of str
        Tables that have no header.
    part_names : tuple of str
        Names of the parts, for the header of a table that was not begun.
    part_prefix : str
        As of the recorder.
    """

    folder: Path
    images: int
    unwritten: int
    unnamed: int
    image_path: Path
    marked: bool
    unreadable: bool
    lacks: tuple[str, ...]
    part_names: tuple[str, ...]
    part_prefix: str


def look_at(folder: Path, settings: Settings | None, *, without_images: bool = False) -> Remains:
    """Read all of a recording, change nothing.

    Parameters
    ----------
    folder : Path
        The session's folder, or that of its second camera.
    settings : Settings or None
        Of the session; None for a second camera, which has no parts.
    without_images : bool
        Whether its file of images may be gone.

    Raises
    ------
    SourceError
        Something in it is damaged, or gone while the rest tells that it was there; names the file.
    """
    meta = read_session_json(folder)
    session, lacks = read_begun(folder, meta), lacking(folder)
    if meta.get("schema", SCHEMA_VERSION) < WITH_INPUTS:
        lacks = tuple(name for name in lacks if name not in _NEW or (folder / name).is_file())
    check_order(session)
    _check_named(session)
    named, path = session.frames.image, session.image_path
    images, marked, unreadable = 0, False, False
    if path.is_file():
        try:
            images, marked = _count(path)
        except SourceError:
            if named.max(initial=-1) >= 0:
                raise
            unreadable = True
    elif (rows := int(np.count_nonzero(named >= 0))) and not without_images:
        raise SourceError(
            f"{path} is not there, and {rows} rows of {FRAMES_CSV} name its images; put it back, or a link to where it "
            "lies now; where it is lost for good, add --without-images"
        )
    if not without_images:
        _refuse_cut_images(session, images)
    if FRAMES_CSV in lacks:
        _refuse_lost_frames(session, images)
    names, prefix = _parts(settings, meta)
    unwritten = int(np.count_nonzero(named >= images))
    unnamed = max(images - int(named.max(initial=-1)) - 1, 0)
    return Remains(folder, images, unwritten, unnamed, path, marked, unreadable, lacks, names, prefix)


def _check_named(session: RecordedSession) -> None:
    """Raise SourceError where rows do not name one image after the other: some are gone, or not of this session."""
    frames = session.frames
    rows = np.flatnonzero(frames.image >= 0)
    if len(wrong := np.flatnonzero(frames.image[rows] != np.arange(len(rows)))):
        row = rows[wrong[0]]
        raise SourceError(
            f"{session.folder / FRAMES_CSV}: frame {frames.frame[row]} names image {frames.image[row]}, expected "
            f"{wrong[0]}: rows are gone, or of another session; restore it from a copy"
        )


def _refuse_cut_images(session: RecordedSession, images: int) -> None:
    """Raise SourceError where more images are gone than a power failure takes: to forget them is not undone."""
    frames = session.frames
    rows = np.flatnonzero(frames.image >= images)
    if len(rows) and frames.time_ns[-1] - frames.time_ns[rows[0]] > as_ns(POWER_S):
        raise SourceError(
            f"{session.image_path}: {images} images are whole, and {len(rows)} more are named by rows of {FRAMES_CSV}, "
            "more than a power failure takes; restore it from a copy; where they are lost for good, add "
            "--without-images"
        )


def _parts(settings: Settings | None, meta: dict[str, Any]) -> tuple[tuple[str, ...], str]:
    """Return names and prefix of the columns of the parts; of body parts as far as session.json tells them."""
    if settings is None:
        return (), DFF_PREFIX
    if settings.kind != "clmf":
        return tuple(settings.rois), DFF_PREFIX
    pose = (meta.get("devices") or {}).get("pose")
    names = pose.get("bodyparts") if isinstance(pose, dict) else None
    return part_names(tuple(str(name) for name in names) if isinstance(names, list) else ()), POSE_PREFIX


def mend(remains: Remains) -> list[str]:
    """Make the files such that every program reads them; return what was done, a line each. Raises RecordingError."""
    done = []
    folder, path = remains.folder, remains.image_path
    if remains.unreadable:
        aside = path.with_name(path.name + ASIDE)
        try:
            path.rename(aside)
            sync_folder(folder)
        except OSError as error:
            raise RecordingError(describe("rename", path, error)) from error
        done.append(f"{path.name} was begun and holds no image: now {aside.name}")
    if remains.marked:
        take_mark_off(path)
        done.append(f"{path.name} is marked as being written no more")
    done += _begin(remains)
    for table in TABLES:
        if is_begun(folder / table) and (half := cut_half_line(folder / table)):
            done.append(f"{table}: a last line that was cut short is gone ({half} bytes)")
    if rows := forget_images(folder / FRAMES_CSV, remains.images):
        done.append(f"{FRAMES_CSV}: {rows} rows whose image did not reach the disk have image -1")
    if remains.unnamed:
        done.append(f"{path.name}: its last {remains.unnamed} images are named by no row; their rows were lost")
    return done


def _refuse_lost_frames(session: RecordedSession, images: int) -> None:
    """Raise SourceError where a session without rows of frames has what only frames bring."""
    of_frames = [each for each in session.events if each.trial or each.kind in FRAMES_BRING]
    has = {
        session.image_path.name: images,
        TIMING_CSV: len(session.timing),
        EVENTS_CSV: len(of_frames),
        INPUTS_CSV: len(session.inputs or ()),
        MISSING_CSV: len(session.missing or ()),
    }
    path = session.folder / FRAMES_CSV
    for name, count in has.items():
        if count:
            what = "images" if name == session.image_path.name else "rows"
            state = "has no row" if path.is_file() else "is not there"
            raise SourceError(f"{path} {state} while {name} has {count} {what}; restore it from a copy")


def _begin(remains: Remains) -> list[str]:
    """Give a session the tables that it lacks; return what was done, a line each.

    Where frames were recorded, a table that is gone stays gone: an empty one would say that nothing had happened.
    """
    done, begin = [], []
    for name in remains.lacks:
        if FRAMES_CSV in remains.lacks or (remains.folder / name).is_file():
            begin.append(name)
            done.append(f"{name} had no header, and so no row; now it has one")
        else:
            done.append(f"{name} is not there: what it told is missing in the counts")
    begin_tables(remains.folder, begin, remains.part_names, remains.part_prefix)
    return done


def _count(path: Path) -> tuple[int, bool]:
    """Return how many images of a file are whole, and whether it is marked. Raises SourceError."""
    if is_video(path):
        video = VideoImages(path)
        video.close()
        return len(video), False
    marked = has_mark(path)
    if marked:
        with open_without_mark(path) as file:
            return _whole(file, path), marked
    images = Hdf5Images(path)
    try:
        return images.whole(), marked
    finally:
        images.close()


def _whole(file: Any, path: Path) -> int:
    return whole_images(file[IMAGES], path.stat().st_size) if IMAGES in file else 0
