"""All files of one running session together; an error in one closes that one and leaves the others going."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import RecordingError
from core.values import Image
from recording import schema
from recording.csvrows import count_recorded, frame_line, header_line, side_lines, timing_line
from recording.files import ImageFile, LineFile, Syncer
from recording.folder import free_bytes, sync_folder
from recording.problems import DISK_FULL, FILE_ERRORS, IMAGE_FILE_FAILED, describe, end_cause
from recording.settings import VideoCodec
from recording.video_file import VIDEO_SUFFIX, VideoFile

SYNC_S = 3.0
_FILE_OF = {kind: name for kind, name, _ in schema.SIDE_TABLES}
_TIME_AT = schema.FrameRow._fields.index("time_ns")
_TRIAL_AT = schema.FrameRow._fields.index("trial")
# At full speed a small disk fills within one flush: free space is looked at after so much of the reserve was written.
_LOOKS_PER_RESERVE = 8


@dataclass(frozen=True)
class WriterSpec:
    """What the writer process is told at its start.

    Attributes
    ----------
    folder : Path
        An absolute session folder.
    image_shape : tuple of int
        (height, width, 3).
    image_dtype : str
    part_names : tuple of str
    part_prefix : str
        What their columns of frames.csv begin with.
    image_file : str
        Name of the file of images, empty where none are recorded; one in ``.mkv`` is a video.
    slots : int
        Slots of the ring.
    reserve_bytes : int
        Images end when less than this is free on the disk, so that the log stays whole.
    controller : int
        Process id of the controller.
    video_codec : VideoCodec
        Of a video.
    framerate : float
        Frames per second that a video's players are told.
    """

    folder: Path
    image_shape: tuple[int, int, int]
    image_dtype: str
    part_names: tuple[str, ...]
    part_prefix: str
    image_file: str
    slots: int
    reserve_bytes: int
    controller: int
    video_codec: VideoCodec = VideoCodec.h264
    framerate: float = 30.0


class ImagesEnded(NamedTuple):
    """Why images are recorded no more, while the log is.

    Attributes
    ----------
    cause : {"disk_full", "image_file_failed"}
    text : str
        Names file, cause and cure.
    """

    cause: str
    text: str


class SessionFiles:
    """The files of a session while it runs. Used by the writer process alone; the constructor raises OSError.

    Images that cannot be written are no problem of the session's: they end, which is an event in its log.

    Attributes
    ----------
    problems : list of str
        What failed of the log, oldest first; each names file, cause and cure.
    ended : ImagesEnded or None
        That the images ended before the session did.
    """

    def __init__(self, spec: WriterSpec) -> None:
        self.problems: list[str] = []
        self.ended: ImagesEnded | None = None
        self._logged_end = False
        self._newest: Any = None
        self._spec = spec
        self._kept = 0
        self._unchecked = 0
        self._pending: list[tuple[int, Any]] = []
        self._timings: list[Any] = []
        self._side: dict[str, list[schema.SideRow]] = {name: [] for _, name, _ in schema.SIDE_TABLES}
        columns = {
            schema.FRAMES_CSV: schema.frame_columns(spec.part_names, spec.part_prefix),
            schema.TIMING_CSV: schema.TIMING_COLUMNS,
            **{name: columns for _, name, columns in schema.SIDE_TABLES},
        }
        self._logs: dict[str, LineFile | None] = {
            name: LineFile(spec.folder / name, header_line(header)) for name, header in columns.items()
        }
        self._images: ImageFile | VideoFile | None = None
        paths = [spec.folder / name for name in columns]
        if spec.image_file:
            path = spec.folder / spec.image_file
            if (full := self._too_full()) is not None:
                raise RecordingError(full.text)
            self._images = _open_images(path, spec)
            # Images first, so that a power failure leaves few rows that name a lost one.
            paths.insert(0, path)
        sync_folder(spec.folder)
        self._syncer = Syncer(paths, SYNC_S)
        self._syncer.start()

    def add(self, image: Image | None, row: Any, timing: Any, side: Sequence[schema.SideRow]) -> None:
        """Take a frame: its image is written now, its rows with the next ``flush``."""
        index = -1
        if row is not None:
            self._newest = row
        if image is not None:
            self._make_sure_of_space(image.nbytes)
        if image is not None and self._images is not None:
            try:
                index = self._images.append(image, row[_TIME_AT])
            except FILE_ERRORS as error:
                self._end_images(_ended_by("write", self._images.path, error))
        if row is not None:
            self._pending.append((index, row))
            self._timings.append(timing)
        for each in side:
            self._side[_FILE_OF[type(each)]].append(each)

    def flush(self) -> None:
        """Bring all that was added to where it survives this process: images first, so that no row names a lost one."""
        if self._images is not None:
            try:
                self._images.flush()
            except FILE_ERRORS as error:
                self._end_images(_ended_by("write", self._images.path, error))
        if self._images is not None and (full := self._too_full()) is not None:
            self._end_images(full)
        self._look_at_syncer()
        self._flush_rows(self._ready())

    def _ready(self) -> int:
        """Return how many of the pending rows may be written: none names an image that is still on its way.

        A video's last frame is, until the next one comes: its row, and those behind it, wait for that.
        """
        if self._images is not None:
            for place, (index, _) in enumerate(self._pending):
                if index >= self._images.flushed:
                    return place
        return len(self._pending)

    def _flush_rows(self, ready: int) -> None:
        """Write the first ``ready`` rows, before them their times and all that stands beside them.

        So whatever kills this process in between, a row of frames.csv has its inputs, events and times as well.
        """
        # Where they ended before the first frame.
        self._log_end()
        for name, side in self._side.items():
            self._append(name, partial(_side_lines, side))
            side.clear()
        self._append(schema.TIMING_CSV, lambda: [timing_line(row) for row in self._timings[:ready]])
        self._append(schema.FRAMES_CSV, lambda: self._frame_lines(self._pending[:ready]))
        del self._pending[:ready], self._timings[:ready]

    def close(self) -> tuple[int, int]:
        """Flush, close everything, and count what is there.

        Returns
        -------
        tuple of int
            Rows in frames.csv; images in the file, counted after it was closed and opened again.
        """
        self.flush()
        if self._images is not None:
            try:
                self._kept = self._images.close()
            except FILE_ERRORS as error:
                self._kept = self._images.flushed
                self.ended = _ended_by("close", self._images.path, error)
            self._images = None
        self._flush_rows(len(self._pending))
        for log in self._logs.values():
            if log is not None:
                try:
                    log.close()
                except OSError as error:
                    self.problems.append(describe("close", log.path, error))
        self._syncer.stop()
        self._look_at_syncer()
        return count_recorded(self._spec.folder / schema.FRAMES_CSV)[0], self._kept

    def _frame_lines(self, pending: Sequence[tuple[int, Any]]) -> list[str]:
        kept = self._images.flushed if self._images is not None else self._kept
        parts = len(self._spec.part_names)
        image_at = schema.FrameRow._fields.index("image")
        return [
            frame_line((*row[:image_at], index if index < kept else -1, *row[image_at + 1 :]), parts)
            for index, row in pending
        ]

    def _append(self, name: str, lines: Callable[[], list[str]]) -> None:
        log = self._logs[name]
        if log is None:
            return
        try:
            log.append(lines())
        except FILE_ERRORS as error:
            self._logs[name] = None
            self.problems.append(describe("write", log.path, error))
            try:
                log.close()
            except OSError as later:
                self.problems.append(describe("close", log.path, later))

    def _look_at_syncer(self) -> None:
        """Take what the disk would not keep: images end with it, a file of the log is a problem."""
        while self._syncer.failed:
            path, error = self._syncer.failed.popitem()
            ended = _ended_by("sync", path, error)
            # Once all images are in their closed file nothing ends any more: it is a failure like the log's.
            if path.name == self._spec.image_file and (self._images is not None or self.ended is not None):
                self._end_images(ended)
            elif ended.text not in self.problems:
                self.problems.append(ended.text)

    def _end_images(self, why: ImagesEnded) -> None:
        self.ended = self.ended or why
        self._log_end()
        if self._images is not None:
            self._kept = self._images.give_up()
            self._images = None

    def _log_end(self) -> None:
        """Note once, as an event at the newest frame, that images have ended: it is there whoever dies next."""
        if self.ended is None or self._logged_end or self._newest is None:
            return
        self._logged_end = True
        detail = f"{self.ended.cause}: {self.ended.text}"
        event = schema.EventRow(self._newest[_TIME_AT], "images_ended", self._newest[_TRIAL_AT], detail)
        self._side[schema.EVENTS_CSV].append(event)

    def _make_sure_of_space(self, n_bytes: int) -> None:
        """End the images where ``n_bytes`` more might reach into the reserve; looks at the disk now and then."""
        self._unchecked += n_bytes
        if self._images is None or self._unchecked * _LOOKS_PER_RESERVE < self._spec.reserve_bytes:
            return
        self._unchecked = n_bytes
        if (full := self._too_full()) is not None:
            self._end_images(full)

    def _too_full(self) -> ImagesEnded | None:
        """Return why no more images are to be written; None where there is room."""
        try:
            free = free_bytes(self._spec.folder)
        except OSError as error:
            return ImagesEnded(IMAGE_FILE_FAILED, describe("look for free space in", self._spec.folder, error))
        if free >= self._spec.reserve_bytes:
            return None
        text = (
            f"cannot write {self._spec.folder / self._spec.image_file}: {free / 1e6:.0f} MB are free there, less than "
            f"the {self._spec.reserve_bytes / 1e6:.0f} MB kept for the log; free space, or move data_root"
        )
        return ImagesEnded(DISK_FULL, text)


def _ended_by(action: str, path: Path, error: BaseException) -> ImagesEnded:
    return ImagesEnded(end_cause(error), describe(action, path, error))


def _open_images(path: Path, spec: WriterSpec) -> ImageFile | VideoFile:
    """Begin the file of images that its name asks for."""
    if path.suffix.lower() == VIDEO_SUFFIX:
        return VideoFile(path, spec.image_shape, spec.image_dtype, spec.video_codec, spec.framerate)
    return ImageFile(path, spec.image_shape, spec.image_dtype)


def _side_lines(side: Sequence[schema.SideRow]) -> list[str]:
    return [side_lines(each) for each in side]
