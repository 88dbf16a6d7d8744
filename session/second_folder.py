"""What is recorded of a second camera: the folder ``camera2`` of the session, which reads and replays as a session."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.errors import RecordingError, RigError
from core.losses import losses_of
from core.ports import Camera, Described, Losing
from core.values import Frame
from recording.folder import read_session_json, sync_folder, write_session_json
from recording.problems import describe
from recording.recorder import Recorder
from recording.schema import SCHEMA_VERSION, SECOND_FOLDER, FrameRow, TimingRow
from session.frame_tally import FrameTally, as_text
from session.loop_rows import missing_rows, rows_after
from session.parts import ring_slots
from session.second_section import KEY, PREFIX, SecondSection
from session.settings import Settings

RECORDED_ONLY = "recorded only"
"""Reason of its frames: no signal is made of them."""
_FILE_KEY = {"clnf": "raw_image_file", "clmf": "video_file"}
"""Key that names the file of images, by the kind of the section."""


@dataclass(frozen=True, slots=True)
class SecondCounts:
    """What the recording of a second camera came to.

    Attributes
    ----------
    frames, dropped : int
        Frames recorded, and frames lost on the way, from the session's first frame on.
    images, images_dropped : int
        Of the frames, those whose image is on disk (counted there, after closing), and those whose image was not kept:
        the recorder was behind, or the disk full.
    file : str
        Name of the file of images in the session's folder; empty where none are recorded.
    first_frame_ns : int
        Time of its first frame, -1 if none came.
    interruptions : int
        How often the camera was lost.
    ended : str
        Why it was not recorded to the session's end; empty if it was.
    error : str
        What its recorder failed with; empty if nothing did.
    tally : FrameTally
        By cause: ``dropped``, ``images_dropped``, and the frames that were given again.
    """

    frames: int
    dropped: int
    images: int
    images_dropped: int
    file: str
    first_frame_ns: int
    interruptions: int
    ended: str
    error: str
    tally: FrameTally = field(default_factory=FrameTally)

    def json(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        names = ("frames", "dropped", "images", "images_dropped", "file", "first_frame_ns", "interruptions", "ended")
        by_cause = self.tally.json()
        del by_cause["skipped"]  # none of its frames is judged
        return {name: getattr(self, name) for name in names} | {"by_cause": by_cause}

    def text(self) -> str:
        """Return it as a line for a person."""
        tally = self.tally
        images = f"images recorded {self.images}, not recorded {self.images_dropped}{as_text(tally.images_dropped)}"
        again = f"; repeated {sum(tally.repeated.values())}{as_text(tally.repeated)}" if tally.repeated else ""
        lost = f"; the camera was lost {self.interruptions} times" if self.interruptions else ""
        ended = f"; not to the end: {self.ended}" if self.ended else ""
        frames = f"{self.frames} frames, lost {self.dropped}{as_text(tally.dropped)}"
        return f"camera2     {frames}; {images}{again}{lost}{ended}"


class SecondFolder:
    """The recording of a second camera, in a folder of its own. Used by one thread, the loop's.

    Owns a recorder, and with it a writer process, that ``close`` ends.

    Parameters
    ----------
    session : Path
        The session's folder.
    second : SecondSection
    settings : Settings
        Of the session: whether images are recorded, under which name, and how far the writer may lag behind.
    camera : Camera
        Connected.
    live : bool
        Whether frames keep the host's time, so that a late writer costs images.
    """

    def __init__(self, session: Path, second: SecondSection, settings: Settings, camera: Camera, live: bool) -> None:
        recording = settings.recording
        self._folder = session / SECOND_FOLDER
        self._second = second
        self._settings = settings
        self._camera = camera
        self._made = False
        self._first_ns = -1
        self._last = 0, -1
        self._frames = 0
        self._tally = FrameTally()
        self._file: str = getattr(recording, _FILE_KEY[second.kind])
        self._recorder = Recorder(
            self._folder,
            camera.frame_shape,
            camera.frame_dtype,
            (),
            image_file=self._file,
            record_images=recording.record_images,
            slots=ring_slots(recording.recorder_buffer_s, second.camera.framerate, camera),
            wait=not live,
            video_codec=recording.video_codec,
            framerate=second.camera.framerate,
        )

    @property
    def frames(self) -> int:
        """Frames recorded so far."""
        return self._frames

    @property
    def images_ended(self) -> str:
        """Why images are recorded no more while the log is; empty as long as both are."""
        return self._recorder.images_ended

    def start(self) -> None:
        """Make the folder and its session.json ("running" until the end), and start the writer. Raises RecordingError.

        Takes about 0.5 s.
        """
        try:
            self._folder.mkdir()
            sync_folder(self._folder.parent)
        except OSError as error:
            raise RecordingError(describe("make", self._folder, error)) from error
        self._made = True
        camera = {name.removeprefix(PREFIX): value for name, value in self._second.flat().items()}
        recording = self._settings.recording
        meta = {
            "schema": SCHEMA_VERSION,
            "mouse": self._settings.mouse,
            "experiment": self._second.section,
            "kind": self._second.kind,
            "outcome": "running",
            "started_wall_ns": read_session_json(self._folder.parent).get("started_wall_ns"),
            "devices": {"camera": dict(self._camera.facts)} if isinstance(self._camera, Described) else {},
            "settings": camera
            | {_FILE_KEY[self._second.kind]: self._file, "record_images": recording.record_images, KEY: ""},
        }
        write_session_json(self._folder, meta)
        self._recorder.start()

    def write(self, frame: Frame, read_ns: int) -> None:
        """Record a frame that was read at ``read_ns`` (host's clock). Raises RecordingError, as the recorder does."""
        if not self._frames:
            self._first_ns = frame.time_ns
        self._frames += 1
        self._last = frame.number, frame.time_ns
        if frame.dropped:
            self._tally = self._tally.lose(losses_of(frame.dropped, frame.lost))
        row = FrameRow(
            frame.number,
            frame.time_ns,
            frame.sensor_ns,
            frame.dropped,
            image=-1,
            signal=math.nan,
            parts=(),
            valid=False,
            reason=RECORDED_ONLY,
            threshold=math.nan,
            freq_hz=0.0,
            phase="rest",
            trial=0,
            audio=0,
            outcome=0,
            water=0,
            licks=0,
        )
        timing = TimingRow(frame.number, read_ns, read_ns, read_ns, read_ns)
        self._recorder.write(frame, row, timing, missing_rows(frame))

    def take_rest(self) -> None:
        """Record what the camera, which has been closed, lost after its last frame. Raises RecordingError."""
        if self._frames and isinstance(self._camera, Losing) and (lost := self._camera.lost_since):
            self._tally = self._tally.lose(lost)
            self._recorder.note(rows_after(lost, *self._last))

    def tally_now(self) -> FrameTally:
        """Return what was lost, given again or not kept so far, by cause. Any thread."""
        return self._tally.with_images(self._recorder.images_dropped_by)

    def repeat(self, cause: str, frames: int = 1) -> None:
        """Count frames that were given again, and are not recorded."""
        self._tally = self._tally.repeat(cause, frames)

    def close(self, outcome: str, interruptions: int, ended: str) -> SecondCounts:
        """Have everything written and counted; end the writer. Raises nothing; called once."""
        recorded = self._recorder.close()
        counts = SecondCounts(
            frames=self._frames,
            dropped=sum(self._tally.dropped.values()),
            images=recorded.images,
            images_dropped=recorded.images_dropped,
            file=f"{SECOND_FOLDER}/{self._file}" if self._settings.recording.record_images else "",
            first_frame_ns=self._first_ns,
            interruptions=interruptions,
            ended=ended,
            error=recorded.error or "",
            tally=self._tally.with_images(recorded.images_dropped_by),
        )
        if not self._made:
            return counts
        try:
            meta = read_session_json(self._folder)
            final = "failed" if counts.error else outcome
            meta.update(outcome=final, error=counts.error, first_frame_ns=self._first_ns, counts=counts.json())
            write_session_json(self._folder, meta)
        except RigError as failure:
            return replace(counts, error=counts.error or str(failure))
        return counts
