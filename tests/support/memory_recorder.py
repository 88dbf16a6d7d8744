"""Sessions whose recorder has no process: rows are kept in memory, and written as the writer does at the end."""

from collections.abc import Collection

import numpy as np
import pytest

from core.values import Lick, Operator, OperatorKind
from recording import schema
from recording.csvrows import frame_line, header_line, side_lines, timing_line
from recording.recorder import RecorderResult
from session import running
from session.build import build
from session.stop import StopRequest
from tests.support.sessions import run, settings_for


class MemoryRecorder:
    """Stands for ``recording.recorder.Recorder``.

    Attributes
    ----------
    lose : collection of int
        Of these frames the image finds no room, as in a ring that is full.
    """

    lose: Collection[int] = ()
    images_ended = ""

    def __init__(self, folder, image_shape, image_dtype, part_names, *, image_file, record_images, part_prefix, **how):
        self._folder, self._prefix, self._names = folder, part_prefix, part_names
        self._images = folder / image_file if record_images and image_file.endswith("hdf5") else None
        self._kept, self._rows, self._timings, self._side = [], [], [], []
        self._shape, self._dtype = image_shape, image_dtype

    @property
    def images_dropped_by(self):
        return {"recorder_late": len(self._rows) - len(self._kept)} if self._images is not None else {}

    def start(self):
        """Nothing to start."""

    def write(self, frame, row, timing, side):
        index = -1
        if self._images is not None and frame.number not in self.lose:
            index = len(self._kept)
            self._kept.append(frame.image.copy())
        self._rows.append(row._replace(image=index))
        self._timings.append(timing)
        self._side.extend(side)

    def note(self, side):
        self._side.extend(side)

    def close(self):
        import h5py

        self._put(schema.FRAMES_CSV, schema.frame_columns(self._names, self._prefix), self._rows,
                  lambda row: frame_line(row, len(self._names)))  # fmt: skip
        self._put(schema.TIMING_CSV, schema.TIMING_COLUMNS, self._timings, timing_line)
        for kind, name, columns in schema.SIDE_TABLES:
            self._put(name, columns, [each for each in self._side if type(each) is kind], side_lines)
        if self._images is not None:
            with h5py.File(self._images, "w") as file:
                images = np.array(self._kept, self._dtype).reshape(-1, *self._shape)
                file.create_dataset(schema.IMAGES, data=images)
        return RecorderResult(len(self._rows), len(self._kept), len(self._rows) - len(self._kept), None)

    def _put(self, name, columns, rows, line):
        (self._folder / name).write_text("".join([header_line(columns), *map(line, rows)]), encoding="utf-8")


class Wishes(StopRequest):
    """A person who wishes something at the n-th look."""

    def __init__(self, given: dict[int, tuple[Operator, ...]]) -> None:
        super().__init__()
        self._given, self._looks = given, 0

    def wish(self):
        self._looks += 1
        return (*self._given.get(self._looks, ()), *super().wish())


def record_with_licks(tmp_path):
    """Record a session of four trials with licks, crossings and a free drop; return its result."""

    def lick(*args):
        parts = build(*args)
        parts.rig.lick_sensor.read = lambda until_ns: (Lick(until_ns),) if until_ns % 11 == 0 else ()
        return parts

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "Recorder", MemoryRecorder)
        patch.setattr("session.prepare.build", lick)
        wishes = Wishes({70: (Operator(OperatorKind.FREE_WATER, who="page"),)})
        result = run(settings_for(tmp_path), stop=wishes)
    assert result.rewards > 0
    return result
