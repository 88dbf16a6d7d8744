"""Movement sessions in real time whose pose process is slow, hangs, dies or raises: what is lost, what is kept."""

import contextlib
import os
import signal

import numpy as np
import pytest

from behavior.fake_pose import Act, FakeOptions, fake_spec
from behavior.pose_client import ProcessPose
from core.clock import MonotonicClock
from core.values import SKIPPED
from recording.reader import count_images, open_session
from session import build_movement
from session.settings import load_settings
from tests.support.sessions import CONFIG, LIVE, rows, run
from tests.support.stalls import Stalls

QUICK = {
    "total_trials": "2", "initial_rest_dur": "0.5", "max_trial_dur": "1.5", "success_rest_dur": "0.5",
    "fail_rest_dur": "0.5", "final_rest_dur": "0.5", "reward_delay": "0.2", "trial_start": "immediate",
    "resolution": "160, 120", "ppmm": "4", "start_center": "60, 90", "target_center": "80, 50",
}  # fmt: skip


@pytest.fixture(autouse=True)
def own_rig(monkeypatch, tmp_path_factory):
    """A rig's locks lie in a folder of the machine; each test has its own."""
    from recording import lock_file

    folder = tmp_path_factory.mktemp("locks")
    folder.chmod(0o1777)
    monkeypatch.setattr(lock_file, "SHARED_FOLDERS", (folder,))


@pytest.fixture
def stalls():
    """A witness of this machine's standing still for as long as due frames can wait for the loop, nearly."""
    with contextlib.closing(Stalls(0.2)) as watch:
        yield watch


@pytest.fixture
def fake(monkeypatch):
    """Put a pose process that misbehaves as told where the settings' own would be."""
    made = []

    def put(timeout_s=0.5, **options):
        def make(settings, shape, dtype, priority):
            made.append(ProcessPose(fake_spec(shape, FakeOptions(**options)), dtype, timeout_s))
            return made[-1]

        monkeypatch.setattr(build_movement, "make_estimator", make)
        return made

    return put


def session(tmp_path, **overrides):
    settings = load_settings(CONFIG, "PAW", overrides={**QUICK, **overrides, "--data-root": str(tmp_path / "data")})
    return run(settings, LIVE, clock=MonotonicClock())


def events(result, *kinds):
    return [row for row in rows(result.session / "events.csv") if row["kind"] in kinds]


def check_every_frame_is_there(result, table, stalls):
    """The camera goes on meanwhile, and all that it saw is recorded, but for what a machine that stood still missed."""
    assert result.images == result.frames == len(table)
    assert result.dropped == 0 or stalls.seen()
    assert (np.diff(table.frame) - 1 == table.dropped[1:]).all()
    assert int(table.dropped.sum()) == result.dropped


def test_poses_slower_than_the_camera_cost_no_frame(tmp_path, fake, stalls):
    """30 frames/s and 100 ms a pose: two of three frames are skipped, all are recorded, the newest is judged."""
    fake(all_slow_s=0.1)
    result = session(tmp_path)
    assert result.outcome == "complete"
    with open_session(result.session) as recorded:
        table = recorded.frames
        assert count_images(recorded) == result.frames
    check_every_frame_is_there(result, table, stalls)
    skipped = table.reason == SKIPPED
    assert int(skipped.sum()) == result.skipped
    assert 0.5 < result.skipped / result.frames < 0.85
    assert np.isnan(table.signal[skipped]).all()
    judged = np.flatnonzero(~skipped)
    late_s = (np.diff(table.time_ns[judged]) / 1e9)[2:]
    assert np.median(late_s) == pytest.approx(0.1, abs=0.04), "the newest frame: as many a second as there are poses"
    told = sum(int(row["detail"].split()[0]) for row in events(result, "skip"))
    assert told == result.skipped
    causes = [row["detail"].split(" ", 1)[1] for row in events(result, "skip")]
    assert causes.count("inference") > 0.9 * len(causes)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (Act.stall, "no pose in frame 30 within pose_timeout_s 0.5"),
        (Act.fail, "it fails, as it was told"),
        (Act.crash, "ended"),
    ],
)
def test_a_pose_process_that_hangs_fails_or_dies_costs_a_trial(tmp_path, fake, stalls, act, said):
    made = fake(acts={30: act})
    result = session(tmp_path)
    assert (result.outcome, result.interruptions) == ("complete", 1)
    lost, back = events(result, "lost")[0], events(result, "back")[0]
    assert said in lost["detail"]
    assert back["detail"].startswith("pose after ")
    assert [row["trial"] for row in events(result, "cut_short")] == ["1"]
    with open_session(result.session) as recorded:
        table = recorded.frames
    assert table.reason[table.frame == 30].tolist() == ["pose lost"]
    check_every_frame_is_there(result, table, stalls)
    assert any(row["detail"].endswith(" pose lost") for row in events(result, "skip"))
    assert made[0].pid == 0


def test_one_that_was_killed_while_its_pose_was_waited_for(tmp_path, fake, monkeypatch):
    fake(slow_s=dict.fromkeys(range(30, 60), 0.3))
    estimate, killed = ProcessPose.estimate, []

    def estimate_and_kill(estimator, frame, alive):
        def kill_once():
            if frame.number >= 30 and not killed:
                killed.append(frame.number)
                os.kill(estimator.pid, signal.SIGKILL)
            alive()

        return estimate(estimator, frame, kill_once)

    monkeypatch.setattr(ProcessPose, "estimate", estimate_and_kill)
    result = session(tmp_path, total_trials="3")
    assert killed
    assert (result.outcome, result.interruptions) == ("complete", 1)


def test_or_the_session_ends_with_all_that_it_has(tmp_path, fake):
    fake(acts={30: Act.stall})
    result = session(tmp_path, lost_pose="0")
    assert (result.outcome, result.exit_code) == ("failed", 3)
    assert "within pose_timeout_s 0.5" in result.error
    assert result.images == result.frames >= 30
