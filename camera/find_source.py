"""Tells what kind of recording a path is, and opens it."""

from __future__ import annotations

from pathlib import Path

from camera.folder_source import IMAGE_SUFFIXES, list_images, open_folder
from camera.hdf5_source import holds_images, open_hdf5
from camera.session_source import open_session_source
from camera.source import Source, SourceInfo
from camera.video_source import open_video
from core.errors import SourceError
from recording.clopy_clmf_read import find_movement_log, is_movement_log
from recording.reader import DEFAULT_IMAGE_FILE
from recording.schema import FRAMES_CSV, SESSION_JSON
from recording.video_file import VIDEO_SUFFIX

HDF5_SUFFIXES = frozenset({".hdf5", ".h5"})
VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".m4v", ".mpg", ".mpeg", ".webm", ".wmv", ".h264"})
SESSION_FOLDER = "S1"
_WANTED = "give a session folder, an .hdf5 file, a video, or a folder of images"


def probe_source(path: str | Path, framerate: float) -> SourceInfo:
    """Return what a recording holds, leaving it as it was.

    Parameters
    ----------
    path : str or Path
        Session folder (ours or CLoPy's), its file of images or video, another video, or a folder of images.
    framerate : float
        Frames per second where the recording has no times of its own.

    Raises
    ------
    SourceError
        With one line that names the path, what is wrong with it, and what to give instead.
    """
    source = open_source(path, framerate)
    try:
        return source.info(framerate)
    finally:
        source.close()


def open_source(path: str | Path, framerate: float) -> Source:
    """Open a recording, checked; parameters and errors as in ``probe_source``."""
    if not str(path).strip():
        raise SourceError(f"no recording to replay is named; set vid_root, or {_WANTED}")
    found = Path(path).expanduser()
    try:
        return _open_folder(found, framerate) if found.is_dir() else _open_file(found, framerate)
    except PermissionError as error:
        raise SourceError(f"{found}: may not be read ({error.strerror}); ask its owner, or {_WANTED}") from error


def _open_file(path: Path, framerate: float) -> Source:
    if not path.exists():
        raise SourceError(f"{path}: there is no such file or folder; {_WANTED}")
    if not path.is_file():  # opening a pipe would wait for its other end
        raise SourceError(f"{path}: is not a plain file; {_WANTED}")
    suffix = path.suffix.lower()
    if suffix in HDF5_SUFFIXES:
        if _is_session(path.parent):
            return open_session_source(path)
        return open_hdf5(path, framerate)
    if suffix in VIDEO_SUFFIXES:
        if suffix == VIDEO_SUFFIX and _is_session(path.parent):
            return open_session_source(path)
        return open_video(path, framerate)
    if is_movement_log(path):
        return open_session_source(path)
    if suffix in IMAGE_SUFFIXES:
        raise SourceError(f"{path}: is a single image; give the folder it is in")
    raise SourceError(f"{path}: is not a recording; {_WANTED}")


def _open_folder(folder: Path, framerate: float) -> Source:
    place = folder
    if (folder / SESSION_FOLDER).is_dir() and not (folder / DEFAULT_IMAGE_FILE).exists() and not _is_session(folder):
        place = folder / SESSION_FOLDER
    if _is_session(place):
        return open_session_source(place)
    if (log := find_movement_log(place)) is not None:
        return open_session_source(log)
    stream = _stream(place)
    if stream is not None:
        return open_hdf5(stream, framerate)
    if list_images(place):
        return open_folder(place, framerate)
    videos = _with_suffix(place, VIDEO_SUFFIXES)
    if len(videos) == 1:
        return open_video(videos[0], framerate)
    if videos:
        raise SourceError(f"{place}: holds {len(videos)} videos; name one of them, such as {videos[0]}")
    if others := _with_suffix(place, HDF5_SUFFIXES):
        return open_hdf5(others[0], framerate)  # which says why it is none
    if (place / SESSION_JSON).is_file():
        return open_session_source(place)  # which says what it lacks
    below = sorted(p for p in place.glob(f"*/{SESSION_FOLDER}") if p.is_dir())
    if below:
        raise SourceError(f"{place}: holds {len(below)} sessions; name one of them, such as {below[-1].parent}")
    what = "is empty" if not any(place.iterdir()) else "holds no recording"
    raise SourceError(f"{place}: the folder {what}; {_WANTED}")


def _is_session(folder: Path) -> bool:
    """Return whether a folder is a session of ours."""
    return (folder / FRAMES_CSV).is_file()


def _stream(folder: Path) -> Path | None:
    """Return the HDF5 file of a CLoPy folder: the one of the usual name, or the only one with images.

    DeepLabCut puts its .h5 tables beside videos and images; those are not recordings.
    """
    usual = folder / DEFAULT_IMAGE_FILE
    if usual.is_file():
        return usual
    files = [file for file in _with_suffix(folder, HDF5_SUFFIXES) if holds_images(file)]
    if len(files) > 1:
        raise SourceError(f"{folder}: holds {len(files)} recordings; name one of them, such as {files[0]}")
    return files[0] if files else None


def _with_suffix(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """Return the plain files of a folder with one of these suffixes, by name; hidden ones are left out."""
    files = (f for f in folder.iterdir() if f.suffix.lower() in suffixes and not f.name.startswith("."))
    return sorted(f for f in files if f.is_file())
