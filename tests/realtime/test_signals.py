"""Ctrl-C, ``kill`` and a closed terminal end a real session cleanly at any moment. Real processes, real time."""

import contextlib
import csv
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recording.reader import open_session
from tests.support.processes import children_of

ROOT = Path(__file__).resolve().parent.parent.parent
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
MOUSE, OTHER, RIG = (f"{name}{os.getpid()}" for name in ("SIGNALS", "OTHER", "of-tests"))
"""Their own: locks are the machine's, on which others may run the same tests."""
KEYS = "total_trials = 4\ninitial_rest_dur = 10\nmax_trial_dur = 10\nsuccess_rest_dur = 4\nfail_rest_dur = 6\n"
"""A minute: longer than any test looks at it, and soon over where it is run as fast as it can be."""


@pytest.fixture
def start(tmp_path_factory):
    """Starts sessions of which none outlives the test, whose mouse and rig the next one needs."""
    config = tmp_path_factory.mktemp("config") / "config.ini"
    mice = [f"\n[mouse:{mouse}]\nexperiment = clnf_1roi\n{KEYS}" for mouse in (MOUSE, OTHER)]
    config.write_text((ROOT / "config.ini").read_text() + "".join(mice))
    sessions = []

    def start_one(data_root, *words, mouse=MOUSE, rig=RIG, **how):
        command = [
            sys.executable, "-m", "cli.main", "run", "--config", str(config), "--mouse", mouse, "--pace", "real",
            "--data-root", str(data_root), "--set", "framerate=50", "--set", f"rig={rig}", *words,
        ]  # fmt: skip
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "preexec_fn": hear_all, **how}
        sessions.append(subprocess.Popen(command, cwd=ROOT, start_new_session=True, **options))
        return sessions[-1]

    yield start_one
    for session in sessions:
        with session, contextlib.suppress(ProcessLookupError):
            os.killpg(session.pid, signal.SIGKILL)


def hear_all():
    """Undo what a session inherits of tests that run with nohup or in the background."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def wait_for(condition, seconds=90.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def sessions(data_root):
    return sorted(data_root.glob(f"{MOUSE}/*/S1"))


def running(data_root):
    """Whether frames are being recorded."""
    return any(path.stat().st_size > 2000 for path in data_root.glob(f"{MOUSE}/*/S1/frames.csv"))


def log_size(data_root):
    return sum(path.stat().st_size for path in data_root.glob(f"{MOUSE}/*/S1/frames.csv"))


def recorder_of(pid):
    """Process ids of the recorders that a session has started."""
    return [child for child, words in children_of(pid).items() if "spawn_main" in words]


def assert_clean(data_root, outcome="aborted"):
    [folder] = sessions(data_root)
    assert json.loads((folder / "session.json").read_text())["outcome"] == outcome
    with (data_root / "expt_1roi_trial_summary.csv").open(newline="") as file:
        assert [row["outcome"] for row in csv.DictReader(file)] == [outcome]
    with open_session(folder) as session:
        assert len(session.images()) == len(session.frames.frame) > 0
        assert session.events[-1].kind == "session_end"
        assert (folder / "VideoTimestamp.txt").read_text().count("\n") == len(session.frames.frame) + 1
    return folder


def no_process_left(group):
    """Soon nobody of the session's process group is alive."""

    def gone():
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        return False

    wait_for(gone, 20.0)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda n: n.name)
def test_a_signal_in_the_middle_ends_the_session_cleanly(start, tmp_path, number):
    process = start(tmp_path, "--json")
    wait_for(lambda: running(tmp_path))
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert json.loads(out.splitlines()[-1])["outcome"] == "aborted"
    assert "Traceback" not in err
    assert_clean(tmp_path)
    no_process_left(process.pid)


def catches(pid, number):
    """Whether a process has a handler for a signal; before, Python is coming up, and there is nothing to lose."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return bool(int(status["SigCgt"], 16) >> (number - 1) & 1)


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.15, 0.4, 0.8, 1.5])
@pytest.mark.parametrize("number", SIGNALS, ids=lambda n: n.name)
def test_a_signal_at_any_moment_leaves_nothing_or_a_whole_session(start, tmp_path, number, delay):
    process = start(tmp_path)
    wait_for(lambda: catches(process.pid, signal.SIGTERM))
    time.sleep(delay)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    if sessions(tmp_path):
        [folder] = sessions(tmp_path)
        assert json.loads((folder / "session.json").read_text())["outcome"] == "aborted"
        assert "aborted" in (tmp_path / "expt_1roi_trial_summary.csv").read_text()
    no_process_left(process.pid)


def test_impatience_changes_nothing(start, tmp_path):
    process = start(tmp_path)
    wait_for(lambda: running(tmp_path))
    for _ in range(20):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.02)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert_clean(tmp_path)


def test_a_closed_terminal_ends_the_session_cleanly(start, tmp_path):
    ours, theirs = pty.openpty()
    process = start(tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, text=False, preexec_fn=take_terminal)
    os.close(theirs)
    try:
        wait_for(lambda: running(tmp_path))
    finally:
        os.close(ours)
    assert process.wait(timeout=60) == 130
    assert_clean(tmp_path)


def take_terminal():
    """Make the terminal on stdin the controlling one, so that its end is a SIGHUP."""
    import fcntl
    import termios

    hear_all()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_the_second_session_of_a_rig_is_refused_whatever_its_temporary_folder(start, tmp_path):
    first = start(tmp_path / "first")
    wait_for(lambda: running(tmp_path / "first"))
    (tmp_path / "tmp").mkdir()
    second = start(tmp_path / "second", mouse=OTHER, env={**os.environ, "TMPDIR": str(tmp_path / "tmp")})
    _, err = second.communicate(timeout=60)
    assert second.returncode == 2
    assert f"rig {RIG} is in a session" in err
    assert not (tmp_path / "second").exists()
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=60)
    assert_clean(tmp_path / "first")


def test_nohup_outlives_its_terminal(start, tmp_path):
    process = start(tmp_path, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    wait_for(lambda: running(tmp_path))
    process.send_signal(signal.SIGHUP)
    size = log_size(tmp_path)
    wait_for(lambda: log_size(tmp_path) > size)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert_clean(tmp_path)


def test_a_recorder_that_stalls_is_waited_for_and_said_so(start, tmp_path):
    """What a disk that hangs looks like; here the writer itself is stopped."""
    process = start(tmp_path, "--json")
    wait_for(lambda: running(tmp_path))
    [writer] = recorder_of(process.pid)
    os.kill(writer, signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    process.stderr.reconfigure(newline="")
    said = ""
    while "closing files" not in said:
        letter = process.stderr.read(1)
        assert letter, said
        said += letter
    os.kill(writer, signal.SIGCONT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads(out.splitlines()[-1])["images"] > 0
    assert_clean(tmp_path)


def test_the_second_session_of_a_mouse_is_refused_and_the_first_goes_on(start, tmp_path):
    first = start(tmp_path, rig=f"{RIG}-1")
    wait_for(lambda: running(tmp_path))
    second = start(tmp_path, rig=f"{RIG}-2")
    _, err = second.communicate(timeout=60)
    assert second.returncode == 2
    assert f"mouse {MOUSE} is in a session" in err
    assert str(first.pid) in err
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=60)
    assert_clean(tmp_path)


def test_a_killed_session_gives_its_mouse_free_and_keeps_its_data(start, tmp_path):
    killed = start(tmp_path)
    wait_for(lambda: running(tmp_path))
    killed.kill()
    killed.communicate(timeout=60)
    [folder] = sessions(tmp_path)
    with open_session(folder) as session:
        assert session.meta["outcome"] == "running"
        assert len(session.frames.frame) > 0
        assert len(session.images()) > 0
    again = start(tmp_path, "--pace", "max")
    _, err = again.communicate(timeout=60)
    assert again.returncode == 0, err
