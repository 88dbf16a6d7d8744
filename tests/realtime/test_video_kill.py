"""Kill the writer or the controller of a session with a video: all but the last second decodes, frame for row."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.clock import MonotonicClock
from core.errors import RecordingError
from core.values import Frame
from recording.mkv_index import whole_frames
from recording.reader import open_session
from recording.settings import VideoCodec
from tests.realtime.test_recorder_kill import least_kept, limited_disk
from tests.recording.samples import frame_row, timing_row
from tests.recording.videos import VIDEO, make_video_recorder, number_of, write_picture
from tests.support.processes import await_end

ROOT = Path(__file__).resolve().parents[2]
CLOCK = MonotonicClock()
MOMENTS = [0.02, 0.7, 2.3]
RATES = [30, 100]


def run_at_rate(recorder, seconds, rate, told=lambda number: None):
    """Hand over pictures at ``rate`` per second; return when each had been, ns."""
    begin = CLOCK.now_ns()
    handed_ns = []
    for number in range(1, round(seconds * rate) + 1):
        CLOCK.sleep_until_ns(begin + number * 10**9 // rate)
        write_picture(recorder, number, 10**9 // rate)
        handed_ns.append(CLOCK.now_ns())
        told(number)
    return handed_ns


def check_folder(folder, least, handed_over):
    """Every row names the frame that it belongs to, and so many are there at least."""
    with open_session(folder) as session:
        count = len(session.frames)
        assert least <= count <= handed_over
        assert session.frames.frame.tolist() == list(range(1, count + 1))
        assert session.frames.image.tolist() == list(range(count))
        images = session.images()
        assert count <= len(images) <= handed_over
        assert [number_of(images[index]) for index in range(count)] == list(range(1, count + 1))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_writer(tmp_path, moment, rate):
    recorder = make_video_recorder(tmp_path, slots=400, wait=False, framerate=float(rate))
    recorder.start()
    pid = recorder.writer_pid
    handed_ns = run_at_rate(recorder, moment, rate)
    handed_over, least = len(handed_ns), least_kept(handed_ns, CLOCK.now_ns())
    os.kill(pid, signal.SIGKILL)
    await_end(pid)
    with pytest.raises(RecordingError, match="died"):
        write_picture(recorder, handed_over + 1)
    assert "died" in recorder.close().error
    check_folder(tmp_path, least, handed_over)


CONTROLLER = """
import sys
from pathlib import Path
from recording.settings import VideoCodec
from tests.realtime.test_video_kill import CLOCK, run_at_rate
from tests.recording.videos import make_video_recorder
if __name__ == "__main__":
    rate = int(sys.argv[2])
    recorder = make_video_recorder(Path(sys.argv[1]), slots=400, wait=False, video_codec=VideoCodec(sys.argv[3]))
    recorder.start()
    print(recorder.writer_pid, flush=True)
    run_at_rate(recorder, 100, rate, lambda number: print(number, CLOCK.now_ns(), flush=True))
"""


def handed(said):
    """Return (number, when it had been handed over, ns) of each frame of which a controller says so in a whole line."""
    return [tuple(map(int, line.split())) for line in said.splitlines(keepends=True) if line.endswith("\n")]


@pytest.mark.parametrize("codec", VideoCodec)
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_controller_loses_no_frame(tmp_path, moment, codec):
    folder = tmp_path / "S1"
    folder.mkdir()
    script = tmp_path / "controller.py"
    script.write_text(CONTROLLER)
    command = [sys.executable, "-W", "error", str(script), str(folder), "100", codec.value]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as controller:
        writer = int(controller.stdout.readline())
        first = controller.stdout.readline()
        CLOCK.sleep_until_ns(CLOCK.now_ns() + round(moment * 1e9))
        controller.kill()
        others, complaints = controller.communicate(timeout=20)
    await_end(writer)
    last = handed(first + others)[-1][0]
    assert complaints == ""
    with open_session(folder) as session:
        count = len(session.frames)
        assert len(session.images()) == len(session.timing) == count
    # The number is printed after the frame was handed over: one more may be there.
    assert count in (last, last + 1)
    check_folder(folder, count, count)


def test_writer_and_controller_killed_at_once(tmp_path):
    """As by the kernel when memory runs out, or a session that is ended by its group."""
    folder = tmp_path / "S1"
    folder.mkdir()
    script = tmp_path / "controller.py"
    script.write_text(CONTROLLER)
    command = [sys.executable, str(script), str(folder), "100", "h264"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as controller:
        writer = int(controller.stdout.readline())
        while whole_frames(folder / VIDEO) < 200:
            assert controller.poll() is None
            CLOCK.sleep_until_ns(CLOCK.now_ns() + 10**7)
        killed_ns = CLOCK.now_ns()
        for pid in (writer, controller.pid):
            os.kill(pid, signal.SIGKILL)
        said, _ = controller.communicate(timeout=20)
    await_end(writer)
    least = least_kept([time_ns for _, time_ns in handed(said)], killed_ns)
    assert least > 0
    check_folder(folder, least, whole_frames(folder / VIDEO) + 1)


@pytest.mark.parametrize("codec", VideoCodec)
def test_full_disk_ends_the_video_and_keeps_what_is_there(tmp_path, codec):
    with limited_disk(tmp_path, 3_000_000) as number:
        with make_video_recorder(tmp_path, slots=16, wait=True, video_codec=codec, shape=(640, 960, 3)) as recorder:
            # Nothing is kept for the log here, which a disk ends too, and a limit on the size of a file does not.
            with contextlib.suppress(RecordingError):
                fill(recorder)
            result = recorder.close()
        assert result.error is None or f".csv: {os.strerror(number)}" in result.error
        assert re.search(rf"cannot write .*{VIDEO}: " + os.strerror(number), result.images_ended)
        assert result.images + result.images_dropped == recorder.rows
        with open_session(tmp_path) as session:
            kept = session.frames.image[session.frames.image >= 0]
            assert kept.max() < len(session.images())
            assert result.images == len(session.images())


def fill(recorder):
    """Hand over noise until there is an error."""
    rng = np.random.default_rng(1)
    for number in range(1, 500):
        image = rng.integers(0, 256, (640, 960, 3)).astype(np.uint8)
        recorder.write(Frame(image, number, number * 10**7), frame_row(number), timing_row(number), ())
