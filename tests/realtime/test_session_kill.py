"""Whole sessions whose processes are killed, at any moment: at most the last second is missing, all the rest opens.

Which frames were handed over, and when, a witness says that is none of the recording's (``witness``).
"""

import os
import random
import signal
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from core.clock import MonotonicClock
from recording.reader import open_session
from recording.schema import EVENTS_CSV, FRAMES_CSV, INPUTS_CSV, MISSING_CSV, TIMING_CSV
from tests.support.processes import await_end, children_of

ROOT = Path(__file__).resolve().parents[2]
CLOCK = MonotonicClock()
LOST_NS = 1_000_000_000
"""What a kill of the writer may cost."""
AT_ONCE = 3
"""Sessions that run at the same time."""
LONG = {"initial_rest_dur": "0.5", "max_trial_dur": "1", "success_rest_dur": "0.5", "fail_rest_dur": "0.5"}
BRAIN = ["--mouse", "DEMO", "--set", "framerate=40", "--set", "dff_history=0.5"]
PAW = ["--mouse", "PAW", "--set", "framerate=60", "--set", "trial_start=immediate"]
SHORT = ["--set", "total_trials=2", "--set", "final_rest_dur=0.5", "--set", "reward_delay=0.2"]


@dataclass(frozen=True)
class Kill:
    """A session that is to be killed: whose, after how many s, and which of its processes."""

    words: tuple[str, ...]
    after_s: float
    victim: str
    mishaps: str = "late"


@dataclass
class Killed:
    """What is left of it, and what the witness says."""

    folder: Path
    code: int
    said: str
    killed_ns: int
    handed: list[tuple[int, int, int]]


def random_kills():
    """Ten of the controller, ten of the recorder, of either kind of session."""
    rng = random.Random(6)
    for number in range(20):
        words = BRAIN if number % 4 < 2 else PAW
        yield Kill(tuple(words), round(rng.uniform(0.02, 3.0), 3), ("controller", "recorder")[number % 2])


RANDOM = {f"{kill.words[1]}-{kill.victim}-{kill.after_s}s": kill for kill in random_kills()}
ALL_AT_ONCE = {f"{words[1]}-all": Kill(tuple(words), after_s, "all") for words, after_s in ((BRAIN, 1.3), (PAW, 2.1))}
HELPERS = {
    "pose": Kill((*PAW, *SHORT, "--set", "pose_backend=markers"), 1.0, "other", "pose"),
    "guardian": Kill((*BRAIN, *SHORT, "--outputs", "real", "--set", "output_board=memory"), 1.0, "guardian", "rig"),
    "mouse": Kill(
        ("--mouse", "DEMO", *SHORT, "--camera", "simulated", "--set", "network=tests/support/networks/tiny.py:build",
         "--set", "codegen=numpy", "--set", "dff_history=0.5"), 1.0, "other", ""),
}  # fmt: skip


def killed(kill, folder):
    """Run a session in real time until it is killed; return what is left."""
    log, locks = folder / "witness", folder / "locks"
    locks.mkdir(parents=True)
    locks.chmod(0o1777)
    words = ["run", *kill.words, "--pace", "real", "--data-root", str(folder / "data"), "--seed", "3"]
    for key, value in LONG.items():
        words += ["--set", f"{key}={value}"]
    command = [sys.executable, "-m", "tests.realtime.witness", str(log), str(locks), kill.mishaps, *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as session:
        try:
            recorder = wait_for_frames(log, session)
            CLOCK.sleep_until_ns(CLOCK.now_ns() + round(kill.after_s * 1e9))
            victims = victims_of(kill.victim, session.pid, recorder)
            killed_ns = CLOCK.now_ns()
            for pid in victims:
                os.kill(pid, signal.SIGKILL)
            said, _ = session.communicate(timeout=120)
        finally:
            session.kill()
    await_end(recorder)
    [made] = (folder / "data").glob("*/*/S1")
    frames = [line.split()[1:] for line in log.read_text().splitlines() if line.startswith("frame")]
    handed = [(int(number), int(time_ns), int(checksum)) for number, time_ns, checksum in frames]
    return Killed(made, session.returncode, said, killed_ns, handed)


def wait_for_frames(log, session):
    """Wait for the first frame; return the recorder's process id."""
    until_ns = CLOCK.now_ns() + 120 * 10**9
    while not (log.exists() and "frame" in log.read_text()):
        if session.poll() is not None or CLOCK.now_ns() > until_ns:
            session.kill()
            pytest.fail(f"no frame came: {session.communicate()[0]}")
        CLOCK.sleep_until_ns(CLOCK.now_ns() + 10**7)
    return int(log.read_text().split()[1])


def victims_of(name, controller, recorder):
    """Return the processes to kill."""
    if name in ("controller", "recorder"):
        return [controller if name == "controller" else recorder]
    children = children_of(controller)
    if name == "all":
        return [controller, *children]
    if name == "guardian":
        return [pid for pid, words in children.items() if "hardware.guardian" in words]
    return [pid for pid, words in children.items() if "spawn_main" in words and pid != recorder]


def check_whole(left):
    """Whatever was killed: it opens, nothing contradicts itself, and what was handed over a second before is there."""
    numbers = [number for number, _, _ in left.handed]
    checksums = {number: checksum for number, _, checksum in left.handed}
    with open_session(left.folder) as session:
        table = session.frames
        kept = table.frame.tolist()
        # The witness is told after the frame was handed over: one more may be there.
        assert kept[: len(numbers)] == numbers[: len(kept)]
        assert len(kept) <= len(numbers) + 1
        missing = [time_ns for _, time_ns, _ in left.handed[len(kept) :]]
        assert not [time_ns for time_ns in missing if time_ns < left.killed_ns - LOST_NS]
        check_images(session, kept, checksums)
        check_sides(session, kept)
    for name in (FRAMES_CSV, TIMING_CSV, EVENTS_CSV, INPUTS_CSV, MISSING_CSV):
        assert (left.folder / name).read_bytes().endswith(b"\n"), name
    return len(kept)


def check_images(session, kept, checksums):
    """Every row names an image that can be read and, where it is kept as it came, is that row's."""
    images = session.images()
    assert session.frames.image.tolist() == list(range(len(kept)))
    assert len(images) >= len(kept)
    lossless = session.image_path.suffix == ".hdf5"
    for index, number in enumerate(kept):
        picture = images[index]
        assert picture.shape == images.shape[1:]
        if lossless and number in checksums:
            assert zlib.crc32(np.ascontiguousarray(picture)) == checksums[number], number


def check_sides(session, kept):
    """Each row has its times, each number that was lost before it a row of its own, and no input is of a lost frame."""
    assert session.timing.frame.tolist()[: len(kept)] == kept
    lost = [number for before, after in pairwise([0, *kept]) for number in range(before + 1, after)]
    rows = [row.frame for row in session.missing]
    assert rows[: len(lost)] == lost
    assert rows[len(lost) :] == [] or rows[len(lost)] > kept[-1]
    assert int(session.frames.dropped.sum()) == len(lost)
    last_ns = int(session.frames.time_ns[-1])
    starts = [event for event in session.events if event.kind == "trial_start" and event.time_ns <= last_ns]
    assert len(starts) == int(session.frames.trial.max())
    assert {row.frame for row in session.inputs if row.frame <= kept[-1]} <= {*kept, 0}


@pytest.fixture(scope="module")
def all_killed(tmp_path_factory):
    """Kill them all, a few at a time; a session takes longer to start than to be killed."""
    kills = {**RANDOM, **ALL_AT_ONCE, **HELPERS}
    base = tmp_path_factory.mktemp("killed")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {name: pool.submit(killed, kill, base / str(n)) for n, (name, kill) in enumerate(kills.items())}
        return {name: made.result() for name, made in running.items()}


@pytest.mark.parametrize("name", RANDOM)
def test_killed_at_a_random_moment(all_killed, name):
    left = all_killed[name]
    kept = check_whole(left)
    if RANDOM[name].victim == "controller":
        assert kept >= len(left.handed), "what a killed controller had handed over is all there"
        assert left.code == -signal.SIGKILL
    else:
        assert left.code == 3
        assert "died (exit code -9)" in left.said


@pytest.mark.parametrize("name", ALL_AT_ONCE)
def test_all_processes_killed_at_once(all_killed, name):
    check_whole(all_killed[name])


@pytest.mark.parametrize("name", ["pose", "guardian"])
def test_one_whose_helper_is_killed_goes_on_and_misses_nothing(all_killed, name):
    left = all_killed[name]
    assert (left.code, check_whole(left)) == (0, len(left.handed)), left.said
    with open_session(left.folder) as session:
        assert {"lost", "back"} <= {event.kind for event in session.events}


def test_one_whose_simulated_mouse_is_killed_ends_with_all_that_it_saw(all_killed):
    left = all_killed["mouse"]
    assert (left.code, check_whole(left)) == (3, len(left.handed)), left.said


def test_the_witness_saw_frames_lost(all_killed):
    """Else nothing was said of numbers that are missing."""
    assert sum(open_session(left.folder).frames.dropped.sum() > 0 for left in all_killed.values()) >= 5
