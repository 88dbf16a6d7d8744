"""Everything of the real speaker that can be lost is lost: its process, its controller, its server; and comes back."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from core.errors import OutputError, StillOpening
from hardware.speaker import ProcessSpeaker
from tests.support.listening import await_loss, await_sound
from tests.support.processes import await_end, children_of
from tests.support.programme import SETTINGS
from tests.support.pulse import Pulse, Recording, require
from tests.support.reopening import cores_of, pinned, reopen

ROOT = Path(__file__).resolve().parents[2]


def test_killed_process_is_silence_and_an_error_and_can_be_reopened(speaker, recording):
    speaker.set_tone(2000.0, 0)
    await_sound(recording, speaker.reports)
    os.kill(speaker.pid, signal.SIGKILL)
    await_end(speaker.pid)
    with pytest.raises(OutputError, match=r"process ended \(exit code -9\)"):
        speaker.set_tone(1000.0, 1)
    with pytest.raises(OutputError, match="process ended"):
        speaker.reports()
    assert recording.await_end_of_sound(2) < 1
    with pinned() as cores:
        reopen(speaker)
    assert cores_of(speaker.pid) == {cores}, "not the one core of the loop that started it"
    assert not recording.is_sounding()
    speaker.set_tone(1000.0, 2)
    await_sound(recording, speaker.reports)
    pid = speaker.pid
    speaker.close()
    speaker.close()
    await_end(pid)
    recording.await_end_of_sound(1)


def test_a_process_that_hangs_is_lost_and_ended(speaker, recording):
    speaker.set_tone(2000.0, 0)
    await_sound(recording, speaker.reports)
    os.kill(speaker.pid, signal.SIGSTOP)
    text, after_s = await_loss(speaker, 5)
    assert "asked for nothing" in text
    assert after_s < 2
    await_end(speaker.pid)
    recording.await_end_of_sound(2)


CONTROLLER = """
import sys, time
from hardware.settings import SoundSettings
from hardware.speaker import ProcessSpeaker
if __name__ == "__main__":
    speaker = ProcessSpeaker(SoundSettings())
    speaker.start()
    speaker.set_tone(3000.0, 0)
    print(speaker.pid, flush=True)
    while True:
        time.sleep(0.02)
        speaker.reports()
        if "--relax" in sys.argv: break
    if "--raise" in sys.argv: raise RuntimeError("nobody closed")
"""


@contextlib.contextmanager
def controller(tmp_path, *options):
    """Run a controller that sounds; yields it and the id of its speaker process."""
    script = tmp_path / "controller.py"
    script.write_text(CONTROLLER)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, str(script), *options], env=env, stdout=subprocess.PIPE, text=True) as made:
        try:
            yield made, int(made.stdout.readline())
        finally:
            made.kill()


def test_killed_controller_is_silence_and_the_process_ends(tmp_path, recording):
    with controller(tmp_path) as (process, speaker_pid):
        await_sound(recording)
        process.kill()
        process.wait(10)
        await_end(speaker_pid)
        assert recording.await_end_of_sound(2) < 1


def test_controller_that_hangs_is_silence_and_one_that_comes_back_is_told(tmp_path, recording):
    with controller(tmp_path) as (process, speaker_pid):
        await_sound(recording)
        process.send_signal(signal.SIGSTOP)
        assert 0.5 < recording.await_end_of_sound(4) < 2.5
        process.send_signal(signal.SIGCONT)
        time.sleep(0.3)
        assert not recording.is_sounding(), "a tone comes back when it is asked for, not by itself"
        process.kill()
        await_end(speaker_pid)


def test_controller_that_forgets_to_close_ends_all_the_same(tmp_path, recording):
    with controller(tmp_path, "--relax") as (process, speaker_pid):
        assert process.wait(15) == 0
        await_end(speaker_pid)
    recording.await_end_of_sound(2)


def test_server_killed_in_mid_session_and_back_again(tmp_path, monkeypatch):
    require()
    server = Pulse(tmp_path / "own")
    for key, value in server.environment.items():
        monkeypatch.setenv(key, value)
    with contextlib.ExitStack() as stack:
        stack.callback(server.close)
        first = Recording({**os.environ})
        stack.callback(first.close)
        speaker = ProcessSpeaker(SETTINGS)
        stack.callback(speaker.close)
        speaker.start()
        speaker.set_tone(1000.0, 0)
        await_sound(first, speaker.reports)
        server.kill()
        text, after_s = await_loss(speaker, 5)
        assert after_s < 2
        assert "lost" in text or "asked for nothing" in text
        with pytest.raises(OutputError):
            reopen(speaker)
        server.start()
        second = Recording({**os.environ})
        stack.callback(second.close)
        reopen(speaker)
        assert not second.samples().any(), "opened anew it is silent"
        speaker.set_tone(1000.0, 1)
        await_sound(second, speaker.reports)


@contextlib.contextmanager
def stopped(server):
    """A server that stands still meanwhile: whoever opens its card hangs."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A server that a test may spoil, and a recording of it."""
    require()
    server = Pulse(tmp_path / "own")
    for key, value in server.environment.items():
        monkeypatch.setenv(key, value)
    recording = Recording({**os.environ})
    yield server, recording
    recording.close()
    server.close()


def test_a_server_that_hangs_blocks_no_call_and_is_taken_up_again_when_it_goes_on(own):
    server, recording = own
    with contextlib.closing(ProcessSpeaker(SETTINGS)) as speaker:
        speaker.start()
        speaker.set_tone(1000.0, 0)
        await_sound(recording, speaker.reports)
        took = []
        with stopped(server):
            await_loss(speaker, 5)
            begin = time.monotonic()
            while time.monotonic() - begin < 5:
                before = time.monotonic()
                with pytest.raises(StillOpening):
                    speaker.reconnect()
                took.append(time.monotonic() - before)
        took += reopen(speaker)
        # One call may meet a machine that stands still, or start the process.
        assert np.percentile(took, 90) < 0.15
        assert max(took) < 1
        speaker.set_tone(1000.0, 1)
        await_sound(recording, speaker.reports)
        assert speaker.left_behind() == ()


def test_a_speaker_that_is_being_opened_again_is_closed_at_once(own):
    server, _ = own
    speaker = ProcessSpeaker(SETTINGS)
    speaker.start()
    with stopped(server):
        await_loss(speaker, 5)
        for _ in range(10):
            with pytest.raises(StillOpening):
                speaker.reconnect()
        pid, begin = speaker.pid, time.monotonic()
        speaker.close()
        assert time.monotonic() - begin < 2
        await_end(pid)


CONFIG = """\
[clnf_rig]
vid_source = synthetic
roi = SPOT
roi.SPOT = 40,40,16,16
resolution = 128, 128
output_board = memory
rig = {rig}
data_root = data

[mouse:{mouse}]
experiment = clnf_rig
"""


def test_ctrl_c_ends_a_session_whose_sound_card_hangs_before_it_begins(own, tmp_path, tell):
    server, _ = own
    # Its own: locks are the machine's, on which others may run the same test.
    mouse = f"HANGS{os.getpid()}"
    (tmp_path / "config.ini").write_text(CONFIG.format(rig=mouse.lower(), mouse=mouse))
    command = [sys.executable, "-m", "cli.main", "run", "--mouse", mouse, "--outputs", "real", "--seed", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with stopped(server), subprocess.Popen(
        [*command, "--config", str(tmp_path / "config.ini")],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as session:  # fmt: skip
        try:
            speaker_pid = await_speaker(session)
            # It is there in a second, and in the call that hangs soon after; not before START_S does it give up.
            time.sleep(3)
            assert session.poll() is None
            session.send_signal(signal.SIGINT)
            begin = time.monotonic()
            _, errors = session.communicate(timeout=20)
            took = time.monotonic() - begin
        finally:
            session.kill()
        await_end(speaker_pid)
    assert session.returncode == 130, errors
    assert "stopped by SIGINT before the session began; nothing was made" in errors
    assert not list(tmp_path.glob("data/*/*/S*"))
    tell(f"Ctrl-C while the card hangs: the session's process ended after {took:.2f} s")
    assert took < 2, "the end of the interpreter in it"


def await_speaker(session, timeout_s=30):
    """Return the process id of a session's speaker, which multiprocessing spawned, once it is there."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        speakers = [pid for pid, words in children_of(session.pid).items() if "spawn_main" in words]
        if speakers:
            return speakers[0]
        assert session.poll() is None, session.communicate()[1]
        time.sleep(0.02)
    pytest.fail("the session has no speaker")
    return None
