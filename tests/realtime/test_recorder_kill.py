"""Kill the writer, kill the controller, fill the disk: what was recorded until a second before can be opened."""

import contextlib
import errno
import os
import random
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.clock import MonotonicClock
from core.errors import RecordingError
from recording.reader import open_session
from tests.recording.samples import image, make_recorder, write_frame
from tests.support.processes import await_end

ROOT = Path(__file__).resolve().parents[2]
SHAPE = (64, 64, 3)
RATE = 100
CLOCK = MonotonicClock()
LOST_NS = 1_000_000_000
"""What a kill of the writer may cost: rows are flushed every 0.5 s, the rest is slack for a loaded machine."""
MOMENTS = [0.02, *(round(random.Random(1).uniform(0.1, 2.5), 2) for _ in range(4))]


def run_at_full_speed(recorder, count):
    """Record without a pause."""
    for number in range(1, count + 1):
        write_frame(recorder, number, shape=SHAPE)


def run_at_rate(recorder, seconds):
    """Record at RATE frames per second; return when each frame had been handed over, ns."""
    begin = CLOCK.now_ns()
    handed_ns = []
    for number in range(1, round(seconds * RATE) + 1):
        CLOCK.sleep_until_ns(begin + number * 10**9 // RATE)
        write_frame(recorder, number, shape=SHAPE)
        handed_ns.append(CLOCK.now_ns())
    return handed_ns


def least_kept(handed_ns, killed_ns):
    """Return how many frames must be there: those that were handed over more than a second before the kill.

    By their times, as a loop that is held up hands many over at once.
    """
    return sum(time_ns < killed_ns - LOST_NS for time_ns in handed_ns)


def check_folder(folder, least, handed_over):
    """Everything opens, nothing contradicts itself, and so many frames are there at least."""
    with open_session(folder) as session:
        count = len(session.frames)
        assert least <= count <= handed_over
        assert session.frames.frame.tolist() == list(range(1, count + 1))
        assert least <= len(session.timing) <= handed_over
        images = session.images()
        assert session.frames.image.max(initial=-1) < images.shape[0]
        for row, index in zip(session.frames.frame, session.frames.image, strict=True):
            assert index == row - 1
            assert (images[index] == image(row, SHAPE)).all()


def shared_memory():
    """Return what lies in shared memory but for the output lines of tests, maybe of another run on this machine."""
    return {name for name in os.listdir("/dev/shm") if not name.startswith("rigloop-lines-")}


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_writer(tmp_path, moment):
    before = shared_memory()
    recorder = make_recorder(tmp_path, shape=SHAPE, slots=400, wait=False)
    recorder.start()
    pid = recorder.writer_pid
    handed_ns = run_at_rate(recorder, moment)
    handed_over, least = len(handed_ns), least_kept(handed_ns, CLOCK.now_ns())
    os.kill(pid, signal.SIGKILL)
    await_end(pid)
    with pytest.raises(RecordingError, match="died"):
        write_frame(recorder, handed_over + 1, shape=SHAPE)
    result = recorder.close()
    assert "died" in result.error
    assert least <= result.frames <= handed_over
    check_folder(tmp_path, least, handed_over)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert shared_memory() <= before


LAGGING = """
import os, signal, sys
from pathlib import Path
from tests.realtime.test_recorder_kill import SHAPE
from tests.recording.samples import make_recorder, write_frame
if __name__ == "__main__":
    recorder = make_recorder(Path(sys.argv[1]), shape=SHAPE, slots=60, wait=False)
    recorder.start()
    os.kill(recorder.writer_pid, signal.SIGSTOP)
    for number in range(1, 2001):
        write_frame(recorder, number, shape=SHAPE)
    print(recorder.writer_pid, flush=True)
    signal.pause()
"""


def test_killed_controller_whose_writer_lags_loses_no_row(tmp_path):
    """A card that stalls for 20 s at 100 frames/s: the rows wait with the controller, which is killed."""
    folder = tmp_path / "S1"
    folder.mkdir()
    script = tmp_path / "controller.py"
    script.write_text(LAGGING)
    command = [sys.executable, str(script), str(folder)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as controller:
        writer = int(controller.stdout.readline())
        controller.kill()
        controller.wait(timeout=20)
    os.kill(writer, signal.SIGCONT)
    await_end(writer)
    with open_session(folder) as session:
        assert session.frames.frame.tolist() == list(range(1, 2001))
        assert len(session.timing) == 2000
        assert session.images().shape[0] == 60, "those the ring had room for"
        assert session.frames.image.tolist() == [*range(60), *[-1] * 1940]


CONTROLLER = """
import sys
from pathlib import Path
from tests.realtime.test_recorder_kill import SHAPE, RATE, CLOCK
from tests.recording.samples import make_recorder, write_frame
if __name__ == "__main__":
    recorder = make_recorder(Path(sys.argv[1]), shape=SHAPE, slots=400, wait=False)
    recorder.start()
    print(recorder.writer_pid, flush=True)
    begin = CLOCK.now_ns()
    for number in range(1, 100_000):
        CLOCK.sleep_until_ns(begin + number * 10**9 // RATE)
        write_frame(recorder, number, shape=SHAPE)
        print(number, flush=True)
"""


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_controller(tmp_path, moment):
    before = shared_memory()
    folder = tmp_path / "S1"
    folder.mkdir()
    script = tmp_path / "controller.py"
    script.write_text(CONTROLLER)
    command = [sys.executable, "-W", "error", str(script), str(folder)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as controller:
        writer = int(controller.stdout.readline())
        CLOCK.sleep_until_ns(CLOCK.now_ns() + round(moment * 1e9))
        controller.kill()
        numbers, complaints = controller.communicate(timeout=20)
    await_end(writer)
    lines = numbers.split()
    last = int(lines[-1]) if lines else 0
    with open_session(folder) as session:
        # The number is printed after the frame was handed over: one more may be there.
        assert len(session.frames) in (last, last + 1)
        handed_over = len(session.frames)
        assert len(session.timing) == handed_over
        assert session.images().shape[0] == handed_over
    check_folder(folder, handed_over, handed_over)
    assert complaints == ""
    assert shared_memory() <= before


def small_disk(folder):
    """Mount a small tmpfs; return whether that was allowed."""
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "rigloop-test", str(folder)]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def limited_disk(folder, limit):
    """A folder whose files cannot grow without end: a small disk for root, else a limit on the size of a file."""
    if small_disk(folder):
        try:
            yield errno.ENOSPC
        finally:
            subprocess.run(["umount", str(folder)], check=True, capture_output=True)
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield errno.EFBIG
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("wait", [True, False])
def test_a_full_disk_ends_the_images_and_then_the_log_with_a_cure(tmp_path, wait):
    with limited_disk(tmp_path, 3_000_000) as number:
        with make_recorder(tmp_path, shape=SHAPE, slots=16, wait=wait) as recorder:
            pid = recorder.writer_pid
            if number == errno.EFBIG:
                # Only images reach that size.
                run_at_rate(recorder, 5)
            else:
                with pytest.raises(RecordingError, match=r"cannot write .*\.csv: " + os.strerror(number)):
                    run_at_rate(recorder, 60)
                assert "data_root" in recorder.close().error
            result = recorder.close()
            assert os.strerror(number) in result.images_ended
            assert "image_stream.hdf5" in result.images_ended
            assert result.images > 100
            assert result.images_dropped_by["disk_full"] == recorder.rows - result.images - recorder._tally.late
            with open_session(tmp_path) as session:
                kept = session.frames.image[session.frames.image >= 0]
                assert kept.max() < session.images().shape[0]
                rows = session.frames.frame[session.frames.image >= 0]
                assert all((session.images()[i] == image(n, SHAPE)).all() for i, n in zip(kept, rows, strict=True))
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize(("record", "much"), [(run_at_rate, 6), (run_at_full_speed, 1000)])
def test_reserve_ends_the_images_and_keeps_the_log(tmp_path, record, much):
    disk = os.statvfs(tmp_path)
    mounted = small_disk(tmp_path)
    # Without the right to mount: just below what is free now.
    reserve = 1 << 20 if mounted else disk.f_bavail * disk.f_frsize - (4 << 20)
    try:
        with make_recorder(tmp_path, shape=SHAPE, slots=16, wait=True, reserve_bytes=reserve) as recorder:
            record(recorder, much)
            assert "kept for the log" in recorder.images_ended
            result = recorder.close()
            assert result.error is None
            assert result.images_dropped_by == {"disk_full": result.images_dropped}
            assert result.images + result.images_dropped == result.frames == recorder.rows
            with open_session(tmp_path) as session:
                assert session.frames.frame.tolist() == list(range(1, recorder.rows + 1))
                assert session.frames.image.tolist() == [*range(result.images), *[-1] * result.images_dropped]
                assert session.images().shape[0] == result.images
                [event] = session.events
                assert (event.kind, event.detail) == ("images_ended", f"disk_full: {result.images_ended}")
                at = int(np.flatnonzero(session.frames.time_ns == event.time_ns)[0])
                assert result.images - 1 <= at <= result.images
        if mounted:
            disk = os.statvfs(tmp_path)
            assert disk.f_bavail * disk.f_frsize > reserve * 3 // 4
    finally:
        if mounted:
            subprocess.run(["umount", str(tmp_path)], check=True, capture_output=True)


def test_the_loop_does_not_wait_for_the_writer(tmp_path):
    recorder = make_recorder(tmp_path, shape=(256, 256, 3), slots=30, wait=False)
    recorder.start()
    spans = []
    for number in range(1, 301):
        CLOCK.sleep_until_ns(CLOCK.now_ns() + 2_000_000)
        begin = CLOCK.now_ns()
        write_frame(recorder, number, shape=(256, 256, 3))
        spans.append(CLOCK.now_ns() - begin)
    assert recorder.close().frames == 300
    # The picture is made within the span; the recorder's share is 10 to 50 us here.
    assert sorted(spans)[150] < 2_000_000
