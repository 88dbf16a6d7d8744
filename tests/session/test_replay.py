"""A recorded session goes through today's loop again, and comes to the same to the last bit, whatever had happened."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from core.clock import VirtualClock
from core.errors import CameraError, InputError
from core.values import Lick, Operator, OperatorKind, as_ns
from recording.reader import open_session
from session import build_movement, running
from session.recover import recover
from session.replay import replay_session
from session.settings import load_settings
from tests.support.flaky import MIDDLE_OF_FIRST_TRIAL, NEVER, Flaky, FlakySpeaker, Keeper, rig_with
from tests.support.killed import as_killed
from tests.support.memory_recorder import MemoryRecorder, Wishes
from tests.support.poses import ScriptedPose
from tests.support.sessions import CONFIG, LIVE, OFFLINE, StopAfter, failing_rig, rows, run, settings_for

MOVING = {
    "total_trials": "3", "initial_rest_dur": "1", "max_trial_dur": "2", "success_rest_dur": "1", "fail_rest_dur": "1",
    "reward_delay": "0.2", "joint_history_sec": "0.5", "resolution": "120, 90", "ppmm": "4", "start_center": "20, 30",
    "target_center": "30, 10", "target_radius_mm": "1", "record_images": "0", "speed_threshold": "100",
}  # fmt: skip


@pytest.fixture(autouse=True)
def recorder(monkeypatch):
    """Sessions are recorded without a process."""
    made = type("Recorder", (MemoryRecorder,), {})
    monkeypatch.setattr(running, "Recorder", made)
    return made


def exact(result, frames=None):
    """Assert that a session replays to the last bit; return what the replay came to."""
    replayed = replay_session(result.session)
    compared = replayed.compared
    assert compared.first == []
    assert compared.mismatches == 0
    assert compared.rows == result.frames == (frames or result.frames)
    assert not replayed.whole.killed
    assert compared.events == sum(row["kind"] in _DECIDED for row in rows(result.session / "events.csv"))
    return replayed


_DECIDED = {
    "trial_start", "crossing", "chance", "reward", "success", "fail", "cut_short", "threshold", "free_water", "refused",
    "session_end", "operator", "start_waits",
}  # fmt: skip


def kinds(result):
    return [row["kind"] for row in rows(result.session / "events.csv")]


def inputs(result):
    return [row["kind"] for row in rows(result.session / "inputs.csv")]


@pytest.mark.parametrize(
    ("mouse", "overrides"),
    [
        ("DEMO2", {"reward_threshold": "0.02"}),
        ("DEMO", {"dff_mode": "blue_regressed", "dff_history": "0.7", "reward_threshold": "0.01", "audio": "0.5"}),
        (
            "DEMO",
            {
                "adaptive_threshold": "1", "adaptive_epoch_s": "1", "adaptive_step": "0.004", "threshold_min": "0.01",
                "audio_delay": "0.3", "reward_delay": "1.3", "success_led_dur": "0.2",
            },
        ),
    ],
    ids=["2 ROI", "regressed", "adaptive and delayed"],
)  # fmt: skip
def test_sessions_of_every_kind_of_signal(tmp_path, mouse, overrides):
    result = run(settings_for(tmp_path, mouse, **overrides))
    assert (result.outcome, result.trials) == ("complete", 4)
    assert result.rewards > 0
    assert exact(result).taken_as_recorded == 0


@pytest.mark.parametrize("kind", ["continuous_rewards", "normal_audio_random_reward"])
def test_drops_that_are_several_or_by_chance(tmp_path, kind):
    more = {"random_reward_rate": "1", "total_trials": "3"}
    result = run(settings_for(tmp_path, session_type=kind, reward_threshold="0.01", **more))
    assert result.rewards > 1
    exact(result)


def test_images_of_16_bits(tmp_path):
    import h5py

    rng = np.random.default_rng(3)
    images = rng.integers(3000, 3300, (140, 48, 64, 3)).astype(np.uint16)
    images[60:70, :, :, 1] += 300
    with h5py.File(tmp_path / "film.hdf5", "w") as file:
        file.create_dataset("raw_images", data=images)
    result = run(settings_for(tmp_path, **{"--camera": "replay", "--source": str(tmp_path / "film.hdf5")}))
    assert result.outcome == "source_ended"
    (tmp_path / "film.hdf5").unlink()
    with open_session(result.session) as session:
        assert session.images().dtype == np.uint16
        assert session.frames.valid.any()
    exact(result)


def test_licks_and_all_that_a_person_may_wish(tmp_path, parts_of):
    def wish(kind, value=0.0):
        return Operator(kind, value, "page")

    def lick(parts):
        parts.rig.lick_sensor.read = lambda until_ns: (Lick(until_ns - 5), Lick(until_ns)) if until_ns % 7 == 0 else ()
        return parts

    parts_of(lick)
    kind = OperatorKind
    wishes = Wishes(
        {
            5: (wish(kind.FREE_WATER),), 30: (wish(kind.PAUSE),), 50: (wish(kind.RESUME), wish(kind.FREE_WATER)),
            60: (wish(kind.SET_THRESHOLD, 0.011),), 61: (wish(kind.SET_THRESHOLD, -1.0),),
            62: (wish(kind.SET_THRESHOLD, float("nan")),), 90: (wish(kind.STOP_AFTER_TRIAL),),
        }
    )  # fmt: skip
    result = run(settings_for(tmp_path), stop=wishes)
    assert result.outcome == "stopped"
    assert {"free_water", "threshold", "refused", "session_end"} <= set(kinds(result))
    assert set(inputs(result)) == {
        "lick", "free_water", "pause", "resume", "set_threshold", "stop_after_trial"
    }  # fmt: skip
    exact(result)


@pytest.mark.parametrize("looks", [1, 40])
def test_a_session_that_was_stopped(tmp_path, looks):
    result = run(settings_for(tmp_path), stop=StopAfter(looks))
    assert result.outcome == "aborted"
    exact(result, looks)


class SlowlyRead:
    """A camera whose frames wait every now and then, and that is lost once, in the middle of some that wait."""

    def __init__(self, camera, lost_after):
        self._camera, self._lost_after, self._given = camera, lost_after, 0

    def __getattr__(self, name):
        return getattr(self._camera, name)

    @property
    def waiting(self):
        return 3 if self._given == 48 else 4 * (self._given % 11 == 0)

    def read(self, timeout_s):
        if self._given == self._lost_after:
            self._lost_after = 0
            raise CameraError("gone")
        self._given += 1
        return self._camera.read(timeout_s)

    def reconnect(self):
        """It is back at once."""


class TestLostDevices:
    """Frame 40 is in the first trial."""

    def test_camera(self, tmp_path, parts_of):
        clock = VirtualClock()
        parts_of(lambda parts: replace(parts, camera=Flaky(parts.camera, clock, MIDDLE_OF_FIRST_TRIAL, 3, "gone")))
        result = run(settings_for(tmp_path, **NEVER), clock=clock)
        assert (result.outcome, result.interruptions) == ("complete", 1)
        assert inputs(result) == ["cut", "rest_from"]
        exact(result)

    @pytest.mark.parametrize("lost", ["sound", "board"])
    def test_outputs_at_the_hosts_time_with_frames_that_waited(self, tmp_path, parts_of, lost):
        clock = VirtualClock(as_ns(1000))
        speaker = FlakySpeaker(MIDDLE_OF_FIRST_TRIAL, tries=11) if lost == "sound" else None
        keeper = Keeper(MIDDLE_OF_FIRST_TRIAL) if lost == "board" else None
        parts_of(lambda parts: replace(parts, rig=rig_with(speaker, keeper)))
        result = run(settings_for(tmp_path, fail_rest_dur="5", **NEVER), LIVE, clock=clock)
        assert (result.outcome, result.interruptions) == ("complete", 1)
        with open_session(result.session) as session:
            back = next(event.time_ns for event in session.events if event.kind == "back")
            cut = next(row.frame for row in session.inputs if row.kind == "cut")
            after = session.frames.time_ns[session.frames.frame > cut]
        if lost == "sound":
            assert after[0] < back, "frames that had waited"
        exact(result)

    def test_before_the_first_frame_and_for_good(self, tmp_path, parts_of):
        parts_of(lambda parts: replace(parts, rig=rig_with(FlakySpeaker(1, tries=3), Keeper(30))))
        result = run(settings_for(tmp_path, **NEVER))
        assert rows(result.session / "inputs.csv")[0]["frame"] == "0"
        exact(result)

    def test_one_that_stays_away(self, tmp_path, parts_of):
        clock = VirtualClock()
        parts_of(lambda parts: replace(parts, camera=Flaky(parts.camera, clock, 40, 10**9, "gone")))
        result = run(settings_for(tmp_path, reconnect_s="3", **NEVER), clock=clock)
        assert result.outcome == "failed"
        assert kinds(result)[-1] == "session_end"
        exact(result)

    def test_a_valve_that_refuses(self, tmp_path, parts_of):
        parts_of(failing_rig(valve=2))
        result = run(settings_for(tmp_path, reward_threshold="0.01"))
        assert result.outcome == "failed"
        assert inputs(result) == ["refused"]
        exact(result)


class TestMovement:
    """Poses come from the session's own log; the video is not looked at."""

    @pytest.fixture
    def pose(self, monkeypatch):
        def put(where, **more):
            monkeypatch.setattr(build_movement, "make_estimator", lambda *args: ScriptedPose(where, **more))

        return put

    @staticmethod
    def settings(tmp_path, **overrides):
        return load_settings(CONFIG, "PAW", overrides={**MOVING, **overrides, "--data-root": str(tmp_path / "data")})

    @pytest.mark.parametrize(
        "overrides",
        [
            {"reward_by": "target", "trial_start": "start_roi"},
            {"pose_filter": "one_euro", "max_start_wait_s": "2"},
        ],
        ids=str,
    )  # fmt: skip
    def test_speed_and_target(self, tmp_path, pose, overrides):
        rng = np.random.default_rng(5)
        walk = np.array([20.0, 30.0]) + np.cumsum(rng.normal(0, 1.5, (1000, 2)) * rng.choice([0, 1], (1000, 1)), axis=0)
        walk[200:] = 25.0, 20.0
        pose(lambda number: (*walk[number], 0.3 if number % 50 == 0 else 0.9))
        exact(run(self.settings(tmp_path, **overrides)))

    def test_a_pose_that_is_lost_and_comes_back(self, tmp_path, pose):
        pose(lambda number: (20.0 + (30 if number == 80 else 0), 30.0, 1.0), lost={40: "hangs", 41: "hangs", 90: "no"})
        result = run(self.settings(tmp_path))
        assert result.interruptions == 3
        assert "cut" in inputs(result)
        exact(result)

    def test_frames_that_were_skipped_between_and_while_a_device_was_away(self, tmp_path, pose, parts_of):
        pose(lambda number: (20.0 + number % 9, 30.0, 1.0), lost={48: "hangs"})
        parts_of(lambda parts: replace(parts, camera=SlowlyRead(parts.camera, lost_after=68)))
        result = run(self.settings(tmp_path))
        assert (result.outcome, result.interruptions) == ("complete", 2)
        assert result.skipped > 20
        cut = [int(row["frame"]) for row in rows(result.session / "inputs.csv") if row["kind"] == "cut"]
        with open_session(result.session) as session:
            skipped = session.frames.frame[session.frames.reason == "skipped: a newer frame waited"]
        assert cut == [48, 68]
        assert {49, 50, 51, 66, 67, 68} <= set(skipped.tolist())
        exact(result)


def test_the_rigs_bounds_that_ended_a_session(tmp_path):
    result = run(settings_for(tmp_path, reward_threshold="0.01", max_session_water_s="0.5"))
    assert result.outcome == "failed"
    exact(result)


def test_a_further_part_of_a_session(tmp_path):
    mixed = {"audio": "0.5", "total_trials": "5"}
    first = run(settings_for(tmp_path, **mixed), stop=StopAfter(130))
    assert 0 < first.trials < 5
    options = replace(OFFLINE, skip_trials=first.trials, resumes=first.session)
    second = run(settings_for(tmp_path, **mixed), options)
    assert (second.session.name, second.trials) == ("S2", 5 - first.trials)
    exact(second)
    with pytest.raises(InputError, match=f"goes on after {first.trials} trials; give more"):
        replay_session(second.session, {"total_trials": str(first.trials)})
    assert replay_session(second.session, {"total_trials": "4"}).change.changed.trials == 4 - first.trials


def test_a_session_that_was_killed_and_recovered(tmp_path):
    result = run(settings_for(tmp_path, reward_threshold="0.01"))
    as_killed(result.session, 70)
    assert replay_session(result.session).compared.mismatches == 0
    assert recover(result.session, VirtualClock(), lambda folder: None).outcome == "recovered"
    replayed = replay_session(result.session)
    assert replayed.whole.killed
    assert (replayed.compared.rows, replayed.compared.mismatches) == (70, 0)


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    return run(settings_for(tmp_path_factory.mktemp("short")), stop=StopAfter(5)).session


@pytest.mark.parametrize("changes", [{}, {"reward_threshold": "0.03"}])
@pytest.mark.parametrize("kept", [lambda data: data[:400], lambda data: data[: data.rindex(b"\n", 0, -1) + 1]])
def test_a_damaged_session_ini_is_one_line(tmp_path, short, changes, kept):
    """Also where what is left of it still parses: the last key, which is gone, would have its default."""
    session = shutil.copytree(short, tmp_path / "S1")
    ini = session / "session.ini"
    ini.write_bytes(kept(ini.read_bytes()))
    with pytest.raises(InputError, match=r"session\.ini: .*cut or changed.*; restore it from a copy$") as told:
        replay_session(session, changes)
    assert len(str(told.value).splitlines()) == 1
