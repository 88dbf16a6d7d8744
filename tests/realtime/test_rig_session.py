"""A whole rig, every process of it real: a session in which camera, guardian and sound server are killed in turn.

GigE Vision over loopback, PulseAudio's null sink, lines in memory. What is held: outputs silent within
``camera_timeout_s``, the trial cut short, the device back, no frame that is neither recorded nor counted as lost.
"""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hardware.board import OutputLine
from hardware.memory_board import TRACE_VARIABLE, MemoryTrace
from tests.support.gige import FakeGigE, need_gige
from tests.support.processes import children_of
from tests.support.pulse import Pulse, pause, require
from tests.support.stalls import awake_ms

ROOT = Path(__file__).resolve().parents[2]
CAMERA_TIMEOUT_S = 1.5
MARGIN_S = 0.3
"""From ``camera_timeout_s`` without a frame to outputs that are silent, s: a look at the grabber (10 ms), commands to
two processes, sound that the server holds already (some 50 ms). What a witness saw the machine stand still meanwhile is
taken off."""
PATIENCE_S = 90
"""What is not judged by its time has this long: a sound card's rate alone may take 24 s to tell on a busy computer."""
CONFIG = """\
[clnf_rig]
vid_source = genicam
camera_id = {serial}
camera_timeout_s = {timeout}
resolution = 128, 128
framerate = 30
shutter_speed = 10000
iso = 0
roi = SPOT
roi.SPOT = 40,40,16,16
dff_history = 1
dff_mode = green
reward_threshold = 0.1
reward_dur = 0.05
reward_delay = 0.1
session_type = continuous_rewards
total_trials = 400
initial_rest_dur = 2
max_trial_dur = 60
fail_rest_dur = 1
success_rest_dur = 1
reconnect_s = 60
output_board = memory
pin_sync = 5
rig = rigtest{serial}
data_root = data

[mouse:{mouse}]
experiment = clnf_rig
"""


@pytest.fixture
def camera():
    need_gige()
    with FakeGigE() as running:
        yield running


@pytest.fixture
def sound(tmp_path):
    require()
    server = Pulse(tmp_path / "pulse")
    yield server
    server.close()


@pytest.fixture(autouse=True)
def listener(sound):
    """What is heard. A sink that nobody listens to renders 2 s ahead, and then asks for nothing for as long."""
    running = sound.record()
    yield running
    running.close()


class Session:
    """A session of a rig, in a process of its own. Ends it, whatever happens."""

    def __init__(self, folder, camera, sound):
        self.folder = folder
        self.lines = MemoryTrace.create(folder / "lines")
        config = folder / "config.ini"
        # Its own: locks are the machine's, on which others may run the same test.
        self.mouse = f"RIG{os.getpid()}"
        config.write_text(CONFIG.format(serial=camera.serial, timeout=CAMERA_TIMEOUT_S, mouse=self.mouse))
        words = ["run", "--mouse", self.mouse, "--config", str(config), "--accept-exposure", "--seed", "1", "--json"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", *words],
            cwd=ROOT,
            env={**os.environ, **sound.environment, TRACE_VARIABLE: str(folder / "lines")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def rows(self, name):
        files = list(self.folder.glob(f"data/{self.mouse}/*/S1/{name}"))
        if not files:
            return []
        with files[0].open(newline="") as file:
            return list(csv.DictReader(file))

    def summary(self):
        """Return the rows of the summary table."""
        [file] = (self.folder / "data").glob("*summary.csv")
        with file.open(newline="") as table:
            return list(csv.DictReader(table))

    def events(self, *kinds):
        return [(row["kind"], row["detail"] or "") for row in self.rows("events.csv") if row["kind"] in kinds]

    def until(self, condition, seconds, what):
        end = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, f"the session ended: {self.process.communicate()[1][-2000:]}"
            assert time.monotonic() < end, f"waited {seconds} s for {what}: {self.events('lost', 'back', 'warning')}"
            pause(0.05)

    def child(self, module):
        """Return the process id of the session's child that runs this module."""
        for pid, words in children_of(self.process.pid).items():
            if module in words.split("\0"):
                return pid
        pytest.fail(f"the session has no child {module}")
        return None

    def end(self):
        self.process.send_signal(signal.SIGINT)
        said, errors = self.process.communicate(timeout=60)
        assert said.strip(), errors
        return json.loads(said.splitlines()[-1])

    def kill(self):
        self.process.kill()
        self.process.communicate(timeout=10)
        self.lines.close()


@pytest.fixture
def session(tmp_path, camera, sound):
    running = Session(tmp_path, camera, sound)
    yield running
    running.kill()


def lost_and_back(session, n, name):
    session.until(lambda: len(session.events("back")) > n, PATIENCE_S, f"{name} to come back")
    _, detail = session.events("lost")[n]
    assert detail.startswith(f"{name}: ")
    session.until(lambda: session.lines.is_high(OutputLine.LIGHT), PATIENCE_S, "the light")


def stood_still_s(stalls, edges):
    """Return for how long this machine stood still while the valve was open, or was about to close, s."""
    spans = [(up.time_ns, down.time_ns) for up, down in zip(edges[::2], edges[1::2], strict=True)]
    lasted = [min(end, down) - max(begin, up) for up, down in spans for begin, end in stalls]
    return sum(max(0, ns) for ns in lasted) / 1e9


def silent_after_s(session, listener, since_ns):
    """Return how long after ``since_ns`` the light went out, and the last sound came out of the card, s."""
    session.until(lambda: not session.lines.is_high(OutputLine.LIGHT), 20, "the light to go out")
    listener.await_end_of_sound(20)
    fall_ns = session.lines.edges(OutputLine.LIGHT)[-1].time_ns
    last_ns = listener.arrival_ns(int(np.flatnonzero(listener.samples())[-1]))
    return (fall_ns - since_ns) / 1e9, (last_ns - since_ns) / 1e9


def awake_s(since_ns, took_s, seen):
    """Return how long something took, s, without what the machine stood still of it."""
    return awake_ms((since_ns, took_s * 1000), seen) / 1000


def test_camera_guardian_and_sound_are_lost_in_turn_and_the_session_goes_on(session, camera, sound, listener, stalls):
    session.until(lambda: session.events("trial_start"), PATIENCE_S, "the first trial")
    assert session.lines.is_high(OutputLine.LIGHT)

    session.until(lambda: session.events("reward"), PATIENCE_S, "water")

    session.until(listener.is_sounding, PATIENCE_S, "a tone")
    killed_ns = time.monotonic_ns()
    camera.kill()
    dark_s, silent_s = silent_after_s(session, listener, killed_ns)
    assert not session.lines.is_high(OutputLine.VALVE)
    camera.start()
    lost_and_back(session, 0, "camera")
    session.until(lambda: len(session.events("trial_start")) > 1, PATIENCE_S, "the next trial")

    os.kill(session.child("hardware.guardian"), signal.SIGKILL)
    lost_and_back(session, 1, "board")
    session.until(lambda: len(session.events("trial_start")) > 2, PATIENCE_S, "the next trial")

    sound.kill()
    session.until(lambda: len(session.events("lost")) > 2, PATIENCE_S, "the loss of the sound")
    sound.start()
    lost_and_back(session, 2, "sound")
    _, came_back = session.events("back")[2]
    facts = json.loads(came_back.partition(": ")[2])
    assert (facts["device"], facts["rate_hz"]) == ("default", 48_000), "what came back is in the log"
    session.until(lambda: len(session.events("trial_start")) > 3, PATIENCE_S, "the next trial")

    result = session.end()
    seen = stalls.seen()
    told = f"dark after {dark_s:.3f} s, silent after {silent_s:.3f} s, {len(seen)} stalls"
    assert awake_s(killed_ns, dark_s, seen) < CAMERA_TIMEOUT_S + MARGIN_S, told
    assert awake_s(killed_ns, silent_s, seen) < CAMERA_TIMEOUT_S + MARGIN_S, told
    assert (result["outcome"], result["interruptions"]) == ("aborted", 3)
    assert len(session.events("cut_short")) == 4, "three losses, and the end"
    assert not any(session.lines.is_high(line) for line in OutputLine)
    given = session.lines.edges(OutputLine.VALVE)
    assert given, "water was given"
    ledger = session.folder / "data" / session.mouse / "water-memory.csv"
    with ledger.open(newline="") as file:
        written = [float(row["seconds"]) for row in csv.DictReader(file)]
    opened_s = sum(edge.time_ns * (-1 if edge.high else 1) for edge in given) / 1e9
    slack_s = 0.02 + stood_still_s(seen, given)
    assert sum(written) == pytest.approx(opened_s, abs=slack_s), "what the valve gave is in the ledger"
    assert result["water_today"]["seconds"] == pytest.approx(sum(written))
    [summary] = session.summary()
    assert float(summary["water_s"]) == pytest.approx(sum(written)), "and in the summary"
    frames = session.rows("frames.csv")
    numbers = [int(row["frame"]) for row in frames]
    lost = sum(int(row["dropped"]) for row in frames[1:])
    assert numbers[-1] - numbers[0] + 1 == len(frames) + lost
    assert result["images"] == result["frames"] == len(frames)
    assert not list(session.folder.glob(f"data/{session.mouse}/*/S1/error.txt"))


def test_a_guardian_that_is_killed_before_the_first_frame_is_started_again(session):
    session.until(lambda: list(session.folder.glob(f"data/{session.mouse}/*/S1")), 60, "the session's folder")
    os.kill(session.child("hardware.guardian"), signal.SIGKILL)
    lost_and_back(session, 0, "board")
    session.until(lambda: session.events("trial_start"), 60, "the first trial")
    result = session.end()
    assert (result["outcome"], result["interruptions"]) == ("aborted", 1)


def test_every_edge_of_light_and_trigger_is_in_the_log(session):
    session.until(lambda: len(session.events("sync")) > 4, 60, "sync pulses")
    log = [tuple(detail.split()) for _, detail in session.events("edge")]
    for line in (OutputLine.LIGHT, OutputLine.BEHAVIOUR_TTL):
        made = [(line.value, str(int(edge.high))) for edge in session.lines.edges(line) if edge.high]
        assert [edge for edge in log if edge[0] == line.value] == made == [(line.value, "1")]
    sync = [detail for _, detail in session.events("sync")]
    assert sync[:4] == ["1", "0", "1", "0"]
    session.end()
    ends = [detail for _, detail in session.events("edge")][-2:]
    assert sorted(ends) == ["behaviour_ttl 0", "light 0"], "those of the end, too"
