"""The simulated mouse's process: errors, hangs, kills and time limits, for real."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from core.errors import CameraError, CameraTimeout, InputError
from core.ports import Interrupted
from insilico.plant import Plant
from insilico.settings import Codegen
from tests.support.mice import SPEC, make_plant, spec_for

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT_S = 2.0
"""Within this time ``close()`` must have ended the process."""
SOUND_FRAMES = 14
"""At 15 a second these come before an odd network does what it should not, a second after its first frame."""


def alive(pid):
    """Return whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone_within(pid, seconds):
    end = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.01)
    return not alive(pid)


def pid_of(plant):
    return plant._process.pid


def closing_s(plant):
    start = time.monotonic()
    plant.close()
    return time.monotonic() - start


def frames(plant, count, timeout_s=5.0):
    return [plant.read(timeout_s).image.copy() for _ in range(count)]


@pytest.fixture
def made():
    plants = []

    def make(*args, **kwargs):
        plants.append(make_plant(*args, **kwargs))
        return plants[-1]

    yield make
    for plant in plants:
        plant.close()


def test_an_error_in_the_network_comes_out_of_read(made):
    plant = made(spec_for("odd_networks:raises"))
    plant.start()
    pid = pid_of(plant)
    with pytest.raises(CameraError, match=r"the network failed: line \d+: ZeroDivisionError: as this network was told"):
        frames(plant, 100)
    assert gone_within(pid, LIMIT_S)
    assert closing_s(plant) < LIMIT_S


def test_a_network_that_hangs_is_a_timeout_each_time_and_ends_with_close(made):
    plant = made(spec_for("odd_networks:hangs"))
    plant.start()
    pid = pid_of(plant)
    # Those before it hangs, however long they take.
    frames(plant, SOUND_FRAMES, timeout_s=60.0)
    with pytest.raises(CameraTimeout, match=r"did not come to its next frame within 2 s"):
        frames(plant, 100, timeout_s=2.0)
    start = time.monotonic()
    with pytest.raises(CameraTimeout, match=r"did not come to its next frame within 0\.3 s"):
        plant.read(0.3)
    assert time.monotonic() - start < 1.0
    assert closing_s(plant) < LIMIT_S
    assert not alive(pid)


def test_a_slow_frame_is_not_lost_and_none_is_skipped(made):
    slow, quick = made(spec_for("odd_networks:is_slow")), made()
    numbers, late = [], 0
    for plant in (slow, quick):
        plant.start()
    expected = frames(quick, 30)
    for image in expected:
        while True:
            try:
                frame = slow.read(0.2)
                break
            except CameraTimeout:
                late += 1
        numbers.append(frame.number)
        assert (frame.image == image).all()
    assert late >= 2
    assert numbers == list(range(1, 31))


@pytest.mark.parametrize("reads", [0, 1, 20])
def test_close_in_the_middle_joins(made, reads):
    plant = made()
    plant.start()
    frames(plant, reads)
    pid = pid_of(plant)
    assert closing_s(plant) < LIMIT_S
    assert not alive(pid)


def test_close_while_the_network_is_under_way_joins(made):
    """A frame has been asked for and has not come."""
    plant = made(spec_for("odd_networks:is_slow"))
    plant.start()
    with pytest.raises(CameraTimeout):
        frames(plant, 100, timeout_s=0.2)
    pid = pid_of(plant)
    assert closing_s(plant) < LIMIT_S
    assert not alive(pid)


def test_a_preparation_that_is_not_wanted_any_more_ends_at_once(made):
    plant = made(spec_for("odd_networks:hangs_in_build"))
    asked = []

    def go_on(stage):
        asked.append(stage)
        return asked.count("building the network") < 5

    with pytest.raises(Interrupted):
        plant.prepare(go_on)
    # It stands in the user's function, which sleeps for ten minutes.
    assert asked[-5:] == ["building the network"] * 5
    start = time.monotonic()
    plant.close()
    assert time.monotonic() - start < LIMIT_S


def test_a_killed_mouse_is_an_error_and_says_so(made):
    plant = made()
    plant.start()
    frames(plant, 3)
    os.kill(pid_of(plant), signal.SIGKILL)
    with pytest.raises(CameraError, match="its process ended"):
        frames(plant, 3)


def test_a_stopped_mouse_is_a_timeout_and_can_be_closed(made):
    plant = made()
    plant.start()
    frames(plant, 3)
    pid = pid_of(plant)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(CameraTimeout):
        frames(plant, 3, timeout_s=0.3)
    assert closing_s(plant) < LIMIT_S
    assert not alive(pid)


def test_a_mouse_that_dies_in_its_preparation_is_an_input_error(made):
    plant = made(spec_for("odd_networks:hangs_in_build"))
    killed = []

    def go_on(stage):
        if stage == "building the network" and not killed:
            killed.append(os.kill(pid_of(plant), signal.SIGKILL))
        return True

    with pytest.raises(InputError, match="its process ended"):
        plant.prepare(go_on)


def test_a_killed_controller_takes_its_mouse_with_it(tmp_path):
    """Also when the network is stuck and reads nothing."""
    code = (
        "import sys, time\nfrom tests.support.mice import make_plant, spec_for\n"
        "if __name__ == '__main__':\n"
        "    plant = make_plant(spec_for('odd_networks:hangs'))\n    plant.start()\n"
        "    print(plant._process.pid, flush=True)\n"
        "    while True:\n        plant.read(60)\n"
    )
    script = tmp_path / "controller.py"
    script.write_text(code)
    controller = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    pid = int(controller.stdout.readline())
    time.sleep(1.0)
    controller.kill()
    controller.wait()
    controller.stdout.close()
    assert gone_within(pid, LIMIT_S)


def test_two_mice_in_one_process_do_not_disturb_each_other(made):
    """Each alone, then both at once, one of them fed tones; also with different seeds."""

    def live(seed, freqs, others=()):
        plant = made(spec_for("tiny:build", seed=seed))
        plant.start()
        seen = []
        for k in range(40):
            seen.append(plant.read(5.0).image.copy())
            plant.speaker.set_tone(freqs * 1000.0 * (k % 5), k)
        return np.array(seen)

    alone = live(1, 1), live(2, 0)
    together = [None, None]

    def run(which, *args):
        together[which] = live(*args)

    threads = [threading.Thread(target=run, args=args) for args in ((0, 1, 1), (1, 2, 0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (together[0] == alone[0]).all()
    assert (together[1] == alone[1]).all()
    assert (alone[0] != alone[1]).any()


def test_with_a_compiler_it_is_cython_and_says_so(made):
    plant = made(spec_for("tiny:build", codegen=Codegen.auto))
    plant.prepare()
    assert plant.about["target"] == "cython"
    assert plant.about["why"] == "a C++ compiler works"


def test_without_a_compiler_it_is_numpy_and_says_what_to_install(made, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    plant = made(spec_for("tiny:build", codegen=Codegen.auto))
    plant.prepare()
    assert plant.about["target"] == "numpy"
    assert plant.about["why"].startswith("there is no C++ compiler; install it: sudo apt-get")
    wanted = made(spec_for("tiny:build", codegen=Codegen.cython))
    with pytest.raises(InputError, match=r"codegen = cython: there is no C\+\+ compiler; install it: sudo apt-get"):
        wanted.prepare()


def test_both_targets_live_the_same_life(made):
    """Brian2 draws from the same generator for both; so a session does not depend on a compiler."""
    lives = []
    for codegen in (Codegen.numpy, Codegen.cython):
        plant = made(spec_for("tiny:build", codegen=codegen))
        plant.start()
        lives.append(frames(plant, 20))
    assert np.abs(np.array(lives[0], int) - np.array(lives[1], int)).max() <= 1


def test_brian_leaves_no_file_behind(made, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    plant = made()
    plant.start()
    frames(plant, 2)
    os.kill(pid_of(plant), signal.SIGKILL)
    plant.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("when", ["preparing", "running"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_a_simulated_session_clean(tmp_path, when, number):
    network = spec_for("odd_networks:hangs_in_build" if when == "preparing" else "tiny:build").network
    session = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "run", "--mouse", "DEMO", "--camera", "simulated", "--data-root",
         str(tmp_path / "data"), "--set", f"network={network}", "--set", "codegen=numpy", "--pace", "real",
         "--set", f"rig=t{os.getpid()}"],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    said = "building the network" if when == "preparing" else "session "
    for line in session.stderr:
        if said in line and not line.startswith("simulated mouse tiny"):
            break
    time.sleep(1.0)
    children = subprocess.run(["pgrep", "-P", str(session.pid)], capture_output=True, text=True).stdout.split()
    assert children
    start = time.monotonic()
    session.send_signal(number)
    out, err = session.communicate(timeout=20)
    assert session.returncode == 130, err
    if when == "preparing":
        assert time.monotonic() - start < LIMIT_S + 1
        assert "nothing was made" in err
        assert not (tmp_path / "data").exists()
    else:
        assert "stopped before its end" in out
    assert all(gone_within(int(child), LIMIT_S) for child in children)


def test_a_mouse_is_not_prepared_twice():
    plant = Plant(SPEC, None, None)
    plant.close()
    with pytest.raises(CameraError, match="make a new one"):
        plant.prepare()
