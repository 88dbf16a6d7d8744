"""The loop's end of the recorder. The files are written by another process, ``recording.writer``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import numpy as np

from core.errors import RecordingError
from core.values import Frame, Image
from recording.csvrows import count_recorded
from recording.image_tally import ImageTally
from recording.link import WriterLink
from recording.problems import describe
from recording.ring import ImageRing, make_ring_memory
from recording.schema import DFF_PREFIX, FRAMES_CSV, FrameRow, SideRow, TimingRow
from recording.session_files import WriterSpec
from recording.settings import RESERVE_BYTES, VideoCodec
from recording.video_file import VIDEO_SUFFIX, check_video_frames
from recording.wire import NO_SLOT, pack_frame, pack_side


class RecorderResult(NamedTuple):
    """What a recording came to.

    Attributes
    ----------
    frames : int
        Rows in frames.csv, counted in the closed file.
    images : int
        Images in the file, counted after it was closed and opened again (after an error: those that can be read).
    images_dropped : int
        Images that were not kept.
    error : str or None
        The first thing that failed. That images ended early is no failure.
    images_dropped_by : dict of str to int
        The images that were not kept, by cause: ``recorder_late`` (the ring was full), ``disk_full`` (too little room
        on the disk, a quota, a limit on the size of a file), ``image_file_failed`` (another error of their file) or
        ``recorder_lost`` (handed over, and lost with a writer that died or stalled). With ``images`` they are all that
        came to ``write``.
    images_ended : str
        Why images were not recorded to the end, and the cure; empty where they were.
    """

    frames: int
    images: int
    images_dropped: int
    error: str | None
    images_dropped_by: Mapping[str, int] = {}
    images_ended: str = ""


class Recorder:
    """Records a session: hands images and rows to the writer process. Used by one thread, the loop's.

    Owns the shared memory for images and the link to the writer; ``close`` ends both.

    Parameters
    ----------
    folder : Path
        The session folder; its files must not exist.
    image_shape : tuple of int
        (height, width, 3).
    image_dtype : str
        ``"uint8"`` or ``"uint16"``.
    part_names : tuple of str
        Names of ``FrameRow.parts``.
    part_prefix : str
        What their columns of frames.csv begin with, one of ``schema.PART_PREFIXES``.
    image_file : str
        Name of the file of images; one in ``.mkv`` is a video.
    record_images : bool
        Whether images are recorded; rows always are.
    slots : int
        Images the writer may lag behind, at least 1.
    wait : bool
        Offline: wait for the writer, nothing is dropped. Else the loop never waits: an image without a free slot is
        dropped and counted, its row is kept with ``image`` -1.
    reserve_bytes : int
        Images end when less than this is free on the disk, so that the log stays whole.
    video_codec : VideoCodec
        Of a video.
    framerate : float
        Frames per second that a video's players are told; each frame has its own time.

    Raises
    ------
    RecordingError
        No slot, or a codec that cannot keep such images.
    """

    def __init__(
        self,
        folder: Path,
        image_shape: tuple[int, int, int],
        image_dtype: str,
        part_names: tuple[str, ...],
        *,
        image_file: str,
        record_images: bool,
        slots: int,
        wait: bool,
        part_prefix: str = DFF_PREFIX,
        reserve_bytes: int = RESERVE_BYTES,
        video_codec: VideoCodec = VideoCodec.h264,
        framerate: float = 30.0,
    ) -> None:
        if slots < 1:
            raise RecordingError(f"slots is {slots}; the recorder needs at least 1: raise recorder_buffer_s")
        self._dtype = np.dtype(image_dtype)
        if record_images and Path(image_file).suffix.lower() == VIDEO_SUFFIX:
            check_video_frames(video_codec, self._dtype.name)
        self._spec = WriterSpec(
            folder=Path(folder).absolute(),
            image_shape=image_shape,
            image_dtype=self._dtype.name,
            part_names=tuple(part_names),
            part_prefix=part_prefix,
            image_file=image_file if record_images else "",
            slots=slots if record_images else 0,
            reserve_bytes=reserve_bytes,
            controller=os.getpid(),
            video_codec=video_codec,
            framerate=framerate,
        )
        self._wait = wait
        self._link = WriterLink(self._spec, patient=wait)
        self._ring: ImageRing | None = None
        self._images: list[Image] = []
        self._running = False
        self._rows = 0
        self._tally = ImageTally()
        self._result: RecorderResult | None = None

    @property
    def rows(self) -> int:
        """Rows handed over so far."""
        return self._rows

    @property
    def images_dropped(self) -> int:
        """Images that were not taken so far: no slot of the ring was free, or images have ended."""
        return self._tally.late + self._tally.after_end

    @property
    def images_ended(self) -> str:
        """Why images are recorded no more while rows are, and the cure; empty as long as both are."""
        return self._link.images_ended.text if self._link.images_ended is not None else ""

    @property
    def writer_pid(self) -> int:
        """Process id of the writer, 0 before ``start``."""
        return self._link.pid

    @property
    def images_dropped_by(self) -> dict[str, int]:
        """The images that were not taken so far, by cause. Any thread."""
        return self._tally.by_cause(self._ended_by)

    def start(self) -> None:
        """Start the writer and wait until its files are open. Called once, before the first frame; takes about 0.5 s.

        Raises
        ------
        RecordingError
            The files cannot be made, there is not enough memory or disk, or the writer does not come up.
        """
        if self._running or self._result is not None:
            raise RecordingError("this recorder was started before; make a new one for a new session folder")
        try:
            self._open()
            self._running = True
        except OSError as error:
            folder = self._spec.folder
            self._link.fail(str(error) if isinstance(error, RecordingError) else describe("record to", folder, error))
            raise RecordingError(self._link.error) from error
        finally:
            if not self._running:
                self.close()

    def write(self, frame: Frame, row: FrameRow, timing: TimingRow, side: Sequence[SideRow]) -> None:
        """Record one frame; ``row.image`` is set by the writer. The image is copied before this returns.

        Raises
        ------
        RecordingError
            Something failed, now or in the writer since the last call; it names the file, the cause and the cure. Where
            the writer still runs, the row was handed over all the same, so that the end of the session can be logged.
            That images have ended is none: see ``images_ended``.
        """
        if not self._running:
            raise RecordingError(self._link.error or "the recorder is not running; call start() before write()")
        if len(row.parts) != len(self._spec.part_names):
            raise RecordingError(
                f"frame {row.frame} has {len(row.parts)} parts, the recorder was made for "
                f"{', '.join(self._spec.part_names) or 'none'}; give the pipeline's names"
            )
        if self._ring is not None:
            self._check(frame.image)
            self._tally.given += 1
        self._link.receive(0)
        slot = self._keep(frame.image) if self._ring is not None else NO_SLOT
        for message in pack_frame(slot, row, timing, side):
            self._link.send(message)
        self._rows += 1
        if self._link.error:
            raise RecordingError(self._link.error)

    def note(self, side: Sequence[SideRow]) -> None:
        """Record what belongs to no frame, such as the end of a session that was cut short.

        Raises
        ------
        RecordingError
            As ``write``.
        """
        if not self._running:
            raise RecordingError(self._link.error or "the recorder is not running; call start() before note()")
        for message in pack_side(side):
            self._link.send(message)
        if self._link.error:
            raise RecordingError(self._link.error)

    def close(self) -> RecorderResult:
        """Have everything written, synced, closed and counted; end the writer. Raises nothing; twice is allowed."""
        if self._result is None:
            frames = images = 0
            counted = None
            if self._running:
                counted = self._link.finish()
                if counted is not None:
                    frames, images = counted.frames, counted.images
                else:
                    frames, images = count_recorded(self._spec.folder / FRAMES_CSV)
            self._running = False
            self._link.close()
            self._images = []
            if self._ring is not None:
                self._ring.close()
            by = self._tally.all_by_cause(self._ended_by, images, whole=counted is not None)
            error, ended = self._link.error or None, self.images_ended
            self._result = RecorderResult(frames, images, sum(by.values()), error, by, ended)
        return self._result

    def __enter__(self) -> Recorder:
        if not self._running:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> None:
        spec = self._spec
        if not spec.slots:
            self._link.start(None)
            return
        memory = make_ring_memory(spec.slots, spec.image_shape, spec.image_dtype)
        try:
            self._ring = ImageRing(memory, spec.slots, spec.image_shape, spec.image_dtype)
            self._images = self._ring.images
            self._link.start(memory)
        finally:
            os.close(memory)

    @property
    def _ended_by(self) -> str:
        """Cause of the images' end, empty where they have not ended."""
        return self._link.images_ended.cause if self._link.images_ended is not None else ""

    def _check(self, image: Image) -> None:
        """Raise RecordingError for an image that the recording was not begun for."""
        if image.shape != self._spec.image_shape or image.dtype != self._dtype:
            raise RecordingError(
                f"an image is {image.shape} {image.dtype}, the recording {self._spec.image_shape} {self._dtype}; "
                "the camera must deliver what it declared"
            )

    def _keep(self, image: Image) -> int:
        """Copy an image into a free slot; return the slot, or NO_SLOT where the image is dropped."""
        while self._wait and not self._link.free and self._link.images_ended is None:
            self._link.receive(self._link.stall_s)
        if not self._link.free:
            if self._link.images_ended is None:
                self._tally.late += 1
            else:
                self._tally.after_end += 1
            return NO_SLOT
        slot = self._link.free.pop()
        np.copyto(self._images[slot], image)
        return slot
