"""The recorder: what is handed over is what is read back, whatever is dropped, refused or killed."""

import contextlib
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import h5py
import numpy as np
import pytest

from core.errors import RecordingError
from core.values import Frame
from recording import link as link_module
from recording import schema
from recording.backlog import Backlog
from recording.csvrows import count_recorded
from recording.reader import open_session
from recording.recorder import RecorderResult
from tests.recording.samples import (
    NAMES,
    SHAPE,
    event_row,
    frame_row,
    image,
    make_recorder,
    same,
    timing_row,
    write_frame,
)

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def stopped(recorder):
    """The writer does not run in here."""
    os.kill(recorder.writer_pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(recorder.writer_pid, signal.SIGCONT)


def write_frames(recorder, count):
    for number in range(1, count + 1):
        write_frame(recorder, number)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("slots", [1, 8])
def test_offline_session_comes_back_whole(tmp_path, dtype, slots):
    events = [event_row(n, "mark", f'a "quoted", detail {n}') for n in range(1, 4)]
    with make_recorder(tmp_path, dtype=dtype, slots=slots) as recorder:
        for number in range(1, 121):
            write_frame(recorder, number, events if number == 7 else (), dtype=dtype)
        assert recorder.rows == 120
    result = recorder.close()
    assert result == RecorderResult(120, 120, 0, None)
    assert recorder.close() is result
    with open_session(tmp_path) as session:
        assert session.part_names == NAMES
        assert session.meta == {}
        expected = [frame_row(n, image=n - 1) for n in range(1, 121)]
        assert list(session.frames.rows()) == expected
        assert list(session.timing.rows()) == [timing_row(n) for n in range(1, 121)]
        assert session.events == tuple(events)
        images = session.images()
        assert images.shape == (120, *SHAPE)
        assert images.dtype == dtype
        assert all((images[n - 1] == image(n, dtype=dtype)).all() for n in range(1, 121))


def test_the_parts_of_movement_sessions_have_columns_of_their_own(tmp_path):
    with make_recorder(tmp_path, names=("speed_mm_s", "fl_l_x"), part_prefix="pose_") as recorder:
        write_frame(recorder, 1)
    header = (tmp_path / schema.FRAMES_CSV).read_text().split("\n")[0].split(",")
    assert header[6:8] == ["pose_speed_mm_s", "pose_fl_l_x"]
    with open_session(tmp_path) as session:
        assert session.part_names == ("speed_mm_s", "fl_l_x")


def test_equal_sessions_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        with make_recorder(tmp_path / name) as recorder:
            for number in range(1, 30):
                write_frame(recorder, number, [event_row(number)])
    for name in (schema.FRAMES_CSV, schema.EVENTS_CSV):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_without_images_only_the_log_is_written(tmp_path):
    with make_recorder(tmp_path, record_images=False) as recorder:
        for number in range(1, 6):
            write_frame(recorder, number)
    assert recorder.close() == RecorderResult(5, 0, 0, None)
    assert not (tmp_path / "image_stream.hdf5").exists()
    assert open_session(tmp_path).frames.image.tolist() == [-1] * 5


def test_real_time_drops_and_counts_images_but_no_rows(tmp_path):
    recorder = make_recorder(tmp_path, slots=4, wait=False)
    recorder.start()
    with stopped(recorder):
        for number in range(1, 1501):
            write_frame(recorder, number, [event_row(number)])
    assert recorder.images_dropped == 1496
    assert recorder.close() == RecorderResult(1500, 4, 1496, None, {"recorder_late": 1496})
    session = open_session(tmp_path)
    assert session.frames.image.tolist() == [0, 1, 2, 3] + [-1] * 1496
    assert session.frames.frame.tolist() == list(range(1, 1501))
    assert len(session.events) == 1500


def test_backlog_is_bounded_and_said_to_be_full(tmp_path, monkeypatch):
    monkeypatch.setattr("recording.link.Backlog", lambda handle: Backlog(handle, 32_768))
    recorder = make_recorder(tmp_path, slots=1, wait=False)
    recorder.start()
    with stopped(recorder), pytest.raises(RecordingError, match=r"took none of the last 1\d\d rows"):
        write_frames(recorder, 5000)
    result = recorder.close()
    assert result.frames == recorder.rows - 1
    assert "check the disk" in result.error


def test_offline_stall_is_an_error(tmp_path):
    recorder = make_recorder(tmp_path, slots=2)
    recorder.start()
    recorder._link.stall_s = 0.001
    with stopped(recorder), pytest.raises(RecordingError, match=r"took nothing for 0\.001 s"):
        write_frames(recorder, 10)
    assert recorder.close().frames == 2


@pytest.mark.parametrize("wait", [True, False])
def test_dead_writer_is_an_error_on_the_next_write(tmp_path, wait):
    recorder = make_recorder(tmp_path, wait=wait)
    recorder.start()
    write_frame(recorder, 1)
    os.kill(recorder.writer_pid, signal.SIGKILL)
    os.waitid(os.P_PID, recorder.writer_pid, os.WEXITED | os.WNOWAIT)
    for _ in range(2):
        with pytest.raises(RecordingError, match="died"):
            write_frame(recorder, 2)
    result = recorder.close()
    assert "died" in result.error
    assert result.frames in (0, 1)


@pytest.mark.parametrize(("wait", "kept"), [(True, 0), (False, 0), (False, 1)])
def test_images_that_died_with_the_writer_are_counted(tmp_path, wait, kept):
    recorder = make_recorder(tmp_path, slots=4, wait=wait)
    recorder.start()
    write_frames(recorder, kept)
    if kept:
        # Its next flush puts the row on the disk.
        while not count_recorded(tmp_path / "frames.csv")[0]:
            select.select([], [], [], 0.01)
    os.kill(recorder.writer_pid, signal.SIGSTOP)
    for number in range(kept + 1, kept + 4):
        write_frame(recorder, number)
    os.kill(recorder.writer_pid, signal.SIGKILL)
    os.waitid(os.P_PID, recorder.writer_pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(RecordingError, match="died"):
        write_frame(recorder, kept + 4)
    result = recorder.close()
    assert (result.images, result.images_dropped, result.images_dropped_by) == (kept, 4, {"recorder_lost": 4})


def test_no_image_is_lost_where_none_is_recorded(tmp_path):
    recorder = make_recorder(tmp_path, record_images=False)
    recorder.start()
    os.kill(recorder.writer_pid, signal.SIGKILL)
    os.waitid(os.P_PID, recorder.writer_pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(RecordingError, match="died"):
        write_frame(recorder, 1)
    assert recorder.close()[1:3] == (0, 0)


def test_large_and_many_events_arrive(tmp_path):
    many = [event_row(n, "lick", "x" * 50) for n in range(2000)]
    huge = [event_row(1, "note", "\N{MOUSE}" * 100_000)]
    with make_recorder(tmp_path) as recorder:
        write_frame(recorder, 1, many)
        write_frame(recorder, 2, huge)
    session = open_session(tmp_path)
    assert session.events[:2000] == tuple(many)
    assert session.events[2000].detail == "\N{MOUSE}" * 4096
    assert len(session.frames) == 2


@pytest.mark.parametrize(
    ("picture", "parts", "text"),
    [
        (np.zeros((8, 5, 3), np.uint8), (0.0, 0.0), "must deliver what it declared"),
        (np.zeros(SHAPE, np.uint16), (0.0, 0.0), "must deliver what it declared"),
        (np.zeros(SHAPE, np.uint8), (0.0,), "has 1 parts"),
    ],
    ids=["shape", "dtype", "parts"],
)
def test_a_frame_that_does_not_fit_is_refused_and_the_session_goes_on(tmp_path, picture, parts, text):
    with make_recorder(tmp_path) as recorder:
        with pytest.raises(RecordingError, match=text):
            recorder.write(Frame(picture, 1, 1), frame_row(1, parts=parts), timing_row(1), ())
        write_frame(recorder, 2)
    assert recorder.close() == RecorderResult(1, 1, 0, None)


def test_images_of_any_memory_layout_are_recorded(tmp_path):
    picture = np.arange(8 * 6 * 3, dtype=np.uint8).reshape(3, 6, 8).transpose(2, 1, 0)
    with make_recorder(tmp_path) as recorder:
        recorder.write(Frame(picture, 1, 1), frame_row(1), timing_row(1), ())
    with open_session(tmp_path) as session:
        assert (session.images()[0] == picture).all()


def test_numpy_scalars_are_written_as_numbers(tmp_path):
    row = frame_row(1, signal=np.float64(0.1), parts=(np.float32(0.5), np.float64("nan")), trial=np.int64(3))
    with make_recorder(tmp_path, record_images=False) as recorder:
        recorder.write(Frame(image(1), 1, 1), row, timing_row(1), ())
    (back,) = open_session(tmp_path).frames.rows()
    assert same(tuple(back), tuple(row))


def test_nothing_is_overwritten(tmp_path):
    with make_recorder(tmp_path) as recorder:
        write_frame(recorder, 1)
    before = (tmp_path / "image_stream.hdf5").read_bytes()
    with pytest.raises(RecordingError, match="never overwritten"):
        make_recorder(tmp_path).start()
    assert (tmp_path / "image_stream.hdf5").read_bytes() == before


@pytest.mark.parametrize(
    ("folder", "options", "text"),
    [
        ("missing", {}, "make the folder first"),
        (".", {"reserve_bytes": 1 << 62}, "kept for the log"),
        (".", {"slots": 1 << 20, "shape": (1 << 20, 1 << 20, 3)}, "lower recorder_buffer_s"),
    ],
    ids=["no folder", "full disk", "no memory"],
)
def test_start_fails_with_cause_and_cure_and_leaves_nothing_running(tmp_path, folder, options, text):
    recorder = make_recorder(tmp_path / folder, **options)
    with pytest.raises(RecordingError, match=text):
        recorder.start()
    assert text in recorder.close().error
    with pytest.raises(RecordingError, match=text):
        write_frame(recorder, 1)
    with pytest.raises(ProcessLookupError):
        os.kill(recorder.writer_pid or (1 << 22) + 1, 0)


def test_use_before_start_and_second_start_are_errors(tmp_path):
    with pytest.raises(RecordingError, match="raise recorder_buffer_s"):
        make_recorder(tmp_path, slots=0)
    recorder = make_recorder(tmp_path)
    with pytest.raises(RecordingError, match="call start"):
        write_frame(recorder, 1)
    with recorder, pytest.raises(RecordingError, match="started before"):
        recorder.start()
    with pytest.raises(RecordingError, match="not running"):
        write_frame(recorder, 1)
    assert make_recorder(tmp_path / "x").close() == RecorderResult(0, 0, 0, None)


def test_growing_session_can_be_read_by_others(tmp_path):
    with make_recorder(tmp_path) as recorder:
        for number in range(1, 20):
            write_frame(recorder, number)
        # Another process, as one process cannot hold a file open in two modes.
        code = (
            "import sys; from recording.reader import open_session\n"
            "with open_session(sys.argv[1]) as s: assert s.images().ndim == 4 and s.part_names == ('BC_L', 'BC_R')"
        )
        subprocess.run([sys.executable, "-W", "error", "-c", code, str(tmp_path)], cwd=ROOT, check=True, timeout=60)


def test_a_controller_that_never_closes_loses_nothing_and_says_nothing(tmp_path):
    script = tmp_path / "careless.py"
    script.write_text(
        "from pathlib import Path\n"
        "from tests.recording.samples import make_recorder, write_frame\n"
        "if __name__ == '__main__':\n"
        f"    recorder = make_recorder(Path({str(tmp_path)!r}), wait=False, slots=64)\n"
        "    recorder.start()\n"
        "    for number in range(1, 41):\n"
        "        write_frame(recorder, number)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(open_session(tmp_path).frames) == 40
    with h5py.File(tmp_path / "image_stream.hdf5", "r") as file:
        assert file["raw_images"].shape[0] == 40


def test_the_writer_outlives_the_signals_that_end_the_controller(tmp_path):
    with make_recorder(tmp_path) as recorder:
        write_frame(recorder, 1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(recorder.writer_pid, number)
        assert os.getsid(recorder.writer_pid) == recorder.writer_pid
        write_frame(recorder, 2)
    assert recorder.close() == RecorderResult(2, 2, 0, None)


def test_a_writer_that_cannot_be_ended_hangs_nobody(tmp_path, monkeypatch):
    """A process that waits in the kernel for a dead disk does not even die when it is killed."""

    class Undying:
        exitcode = None
        asked: ClassVar[list[float]] = []

        def join(self, timeout):
            self.asked.append(timeout)

        def kill(self):
            pass

    at_exit = []
    monkeypatch.setattr("recording.link.atexit.register", at_exit.append)
    recorder = make_recorder(tmp_path)
    recorder.start()
    recorder.close()
    link = recorder._link
    link._process = Undying()
    link.close()
    assert all(timeout <= link_module.CLOSE_S for timeout in Undying.asked)
    assert "restart this computer" in link.error
    assert link_module._exit_now in at_exit
