"""Whole movement sessions on a virtual clock: what begins a trial, what earns, a pose that is lost."""

import csv
import json
import math
import shutil

import numpy as np
import pytest

from core.values import SKIPPED
from recording.reader import open_session
from session import build_movement
from session.settings import load_settings
from session.turns import OFTEN
from tests.support.poses import ScriptedPose
from tests.support.sessions import CONFIG, rows, run

QUICK = {
    "total_trials": "3", "initial_rest_dur": "1", "max_trial_dur": "2", "success_rest_dur": "1", "fail_rest_dur": "1",
    "reward_delay": "0.2", "joint_history_sec": "0.5", "resolution": "120, 90", "ppmm": "4", "start_center": "20, 30",
    "target_center": "30, 10", "target_radius_mm": "1", "record_images": "0",
}  # fmt: skip
STILL = (20.0, 30.0, 1.0)
FPS = 30


def movement(tmp_path, **overrides):
    return load_settings(CONFIG, "PAW", overrides={**QUICK, **overrides, "--data-root": str(tmp_path / "data")})


@pytest.fixture
def pose(monkeypatch):
    """Put a scripted estimator where the settings' own would be."""

    def put(where, **more):
        made = ScriptedPose(where, **more)
        monkeypatch.setattr(build_movement, "make_estimator", lambda *args: made)
        return made

    return put


DRAWN = {
    "resolution": "320, 160", "ppmm": "8", "start_center": "130, 115", "target_center": "160, 60",
    "speed_threshold": "60", "record_images": "1", "max_gap_s": "0.03",
}  # fmt: skip


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Run a session on drawn paws, whose markers are found, once for the tests that replay it."""
    return run(movement(tmp_path_factory.mktemp("drawn"), **DRAWN))


def jumping_at(*frames, step=20.0):
    """A paw that rests, and is elsewhere in these frames (from 1): 20 px in 1/30 s are 150 mm/s."""
    return lambda number: (20.0 + step, 30.0, 1.0) if number in frames else STILL


def events(result, *kinds):
    return [row for row in rows(result.session / "events.csv") if row["kind"] in kinds]


def frames_of(result, *kinds):
    """Return the frames, from 1, at which these events happened."""
    return [round(int(row["time_ns"]) * FPS / 1e9) + 1 for row in events(result, *kinds)]


def test_speed_above_the_threshold_earns_water(tmp_path, pose):
    made = pose(jumping_at(45))
    result = run(movement(tmp_path, speed_threshold="100"))
    assert (result.outcome, result.trials, result.successes, result.rewards) == ("complete", 3, 1, 1)
    assert frames_of(result, "crossing") == [45]
    assert frames_of(result, "reward") == [45 + 6]
    assert made.closed
    with open_session(result.session) as session:
        assert session.part_names == ("speed_mm_s", "target_mm", "fl_l_x", "fl_l_y", "fl_l_likelihood")
        assert session.meta["kind"] == "clmf"
        assert session.meta["devices"]["pose"] == {"backend": "scripted", "opened": 1}
        table = session.frames
        assert table.signal[44] == pytest.approx(150.0)
        assert np.array_equal(table.signal, table.parts[:, 0], equal_nan=True)
        assert math.isnan(table.signal[0])
        assert table.reason[0] == "warm-up"


def test_a_movement_that_the_model_does_not_trust_earns_nothing(tmp_path, pose):
    pose(lambda number: (900.0, 30.0, 0.3) if number in (45, 46, 50) else STILL)
    assert run(movement(tmp_path, speed_threshold="100")).successes == 0


def test_px_per_frame_is_the_same_threshold(tmp_path, pose):
    settings = movement(tmp_path, speed_threshold_px_per_frame="13.5")
    assert settings.threshold.reward_threshold == pytest.approx(13.5 * 30 / 4)
    assert settings.flat()["speed_threshold_px_per_frame"] == 0
    pose(jumping_at(45, step=14.0))
    assert run(settings).successes == 1


def test_reaching_the_target_earns_water_and_the_tone_climbs_on_the_way(tmp_path, pose):
    def reach(number):
        share = min(1.0, max(0.0, (number - 40) / 10))
        return (20.0 + 10 * share, 30.0 - 20 * share, 1.0)

    pose(reach)
    result = run(movement(tmp_path, reward_by="target", total_trials="1"))
    assert result.successes == 1
    with open_session(result.session) as session:
        table = session.frames
    crossing = frames_of(result, "crossing")[0]
    assert table.signal[crossing - 1] >= -1.0 > table.signal[crossing - 2]
    assert np.array_equal(table.signal, -table.parts[:, 1])
    way = table.freq_hz[39:crossing]
    assert way[0] == 1000.0
    assert np.all(np.diff(way) >= 0)
    assert way[-1] == pytest.approx(1000 * 2 ** (17 / 4))


@pytest.mark.parametrize(
    ("start", "begins", "why"),
    [
        ("still", 31 + 15 + 1, "fl_l moves: "),
        ("start_roi", 32, "fl_l is 8 mm from the start circle's centre"),
        ("immediate", 31, None),
    ],
)
def test_each_condition_begins_a_trial_when_it_holds(tmp_path, pose, start, begins, why):
    """A paw that is out of the start circle, and moves, until frame 31; the first rest is over at frame 31."""
    pose(lambda number: (50.0 + 2 * (number % 2), 30.0, 1.0) if number <= 31 else STILL)
    result = run(movement(tmp_path, trial_start=start, total_trials="1", speed_threshold="900"))
    assert frames_of(result, "trial_start")[0] == begins
    waited = events(result, "start_waits")
    assert [row["detail"].startswith(why) for row in waited] == ([] if why is None else [True])


def test_a_session_that_waits_in_vain_ends_by_itself(tmp_path, pose):
    pose(lambda number: (50.0 + 20 * (number % 2), 30.0, 1.0))
    result = run(movement(tmp_path, max_start_wait_s="5", trial_start="still"))
    assert (result.outcome, result.trials, result.exit_code) == ("no_start", 0, 0)
    assert result.duration_s == pytest.approx(1 + 5 + 2, abs=0.1)


def test_the_brain_camera_is_told_of_the_end_and_the_light_is_on_until_then(tmp_path, pose, parts_of):
    pose(jumping_at())
    made = parts_of()
    result = run(movement(tmp_path, total_trials="1", final_rest_dur="2"))
    log = made[0].rig.lines.log
    told = [entry for entry in log if "BRAIN_TTL" in str(entry)]
    last = frames_of(result, "fail")[0]
    assert len(told) == 3, told
    assert result.frames == last + 60
    assert [round(entry[0] * FPS / 1e9) + 1 for entry in told] == [1, last + 1, last + 4]


class TestALostPose:
    """Frame 40 is in the first trial."""

    def test_the_trial_is_cut_short_and_the_session_goes_on(self, tmp_path, pose, parts_of):
        made = pose(jumping_at(), lost={40: "the model hangs"})
        parts = parts_of()
        result = run(movement(tmp_path))
        assert (result.outcome, result.trials, result.interruptions, result.exit_code) == ("complete", 2, 1, 0)
        assert made.opened == 2
        assert [row["detail"] for row in events(result, "lost")] == ["pose: the model hangs"]
        assert [row["trial"] for row in events(result, "cut_short")] == ["1"]
        assert len(events(result, "back")) == 1
        lights = [entry for entry in parts[0].rig.lines.log if "LIGHT" in str(entry)]
        assert [entry[-1] for entry in lights] == [True, False, True]
        assert parts[0].rig.speaker.tones[-1][-1] == 0.0

    def test_the_frame_keeps_its_row(self, tmp_path, pose):
        pose(jumping_at(), lost={40: "the model hangs"})
        result = run(movement(tmp_path))
        with open_session(result.session) as session:
            table = session.frames
        assert table.frame.tolist() == list(range(1, result.frames + 1))
        assert table.reason[39] == "pose lost"
        assert not table.valid[39]
        assert np.isnan(table.parts[39]).all()

    def test_or_the_session_ends_as_config_says_with_all_it_has(self, tmp_path, pose):
        pose(jumping_at(), lost={40: "the model hangs"})
        result = run(movement(tmp_path, lost_pose="0"))
        assert (result.outcome, result.frames, result.exit_code) == ("failed", 40, 3)
        assert result.error == "pose: the model hangs"
        assert json.loads((result.session / "session.json").read_text())["counts"]["frames"] == 40

    def test_one_that_never_works_for_long_ends_the_session(self, tmp_path, pose):
        pose(jumping_at(), lost=dict.fromkeys(range(40, 60), "the model hangs"))
        result = run(movement(tmp_path))
        assert result.outcome == "failed"
        assert f"it was lost {OFTEN + 1} times within 10 s of its start" in result.error
        assert "raise pose_timeout_s" in result.error

    def test_what_it_did_meanwhile_is_no_movement(self, tmp_path, pose):
        pose(lambda number: STILL if number <= 45 else (60.0, 30.0, 1.0), lost={45: "the model hangs"})
        assert run(movement(tmp_path, trial_start="immediate", speed_threshold="50")).successes == 0


def test_the_poses_of_a_session_are_replayed_to_the_same_decisions(tmp_path, drawn):
    recorded = {"--camera": "replay", "--source": str(drawn.session)}
    again = run(movement(tmp_path, **DRAWN, pose_backend="replay", pose_log=str(drawn.session), **recorded))
    assert drawn.successes > 0
    assert rows(drawn.session / "events.csv") == rows(again.session / "events.csv")
    with open_session(drawn.session) as one, open_session(again.session) as other:
        assert np.array_equal(one.frames.parts, other.frames.parts, equal_nan=True)


def test_a_control_point_that_the_pose_has_not_is_said_before_anything_is_made(tmp_path, pose):
    made = pose(jumping_at())
    with pytest.raises(ValueError, match="control_point fl_r: the pose has no such body part, it has fl_l; did you"):
        run(movement(tmp_path, control_point="fl_r"))
    assert made.closed
    assert not (tmp_path / "data").exists()


def test_frames_that_the_log_skipped_are_skipped_again(tmp_path, drawn):
    """A log in which every third frame was skipped, as a slow model's; the frames between are judged as they were."""
    first = shutil.copytree(drawn.session, tmp_path / "first" / "S1")
    log = first / "frames.csv"
    with log.open(newline="") as file:
        header, *lines = csv.reader(file)
    reason, poses = header.index("reason"), [k for k, name in enumerate(header) if name.startswith("pose_")]
    for line in lines[::3]:
        line[reason] = SKIPPED
        for k in poses:
            line[k] = "nan"
    log.write_text("".join(",".join(line) + "\n" for line in [header, *lines]))
    recorded = {"--camera": "replay", "--source": str(first)}
    again = run(movement(tmp_path, **DRAWN, pose_backend="replay", pose_log=str(first), **recorded))
    with open_session(again.session) as session:
        table = session.frames
    skipped = table.reason == SKIPPED
    assert skipped[::3].all()
    assert int(skipped.sum()) == again.skipped == len(range(0, len(table), 3))
    assert "fl_l: not seen" not in set(table.reason)


def test_a_log_of_poses_that_ends_early_ends_the_session(tmp_path):
    drawn = {"resolution": "320, 160", "ppmm": "8", "start_center": "130, 115", "target_center": "160, 60"}
    first = run(movement(tmp_path, **drawn, total_trials="1"))
    again = run(movement(tmp_path, **drawn, total_trials="3", pose_backend="replay", pose_log=str(first.session)))
    assert again.outcome == "source_ended"
    assert again.frames == first.frames + 1


@pytest.mark.parametrize(
    ("buffer", "timeout", "fps", "room"), [("8", "1", "30", 32), ("40", "1", "30", 40), ("8", "30", "100", 60)]
)
def test_the_camera_has_room_for_the_frames_of_a_slow_pose(tmp_path, buffer, timeout, fps, room):
    settings = movement(tmp_path, camera_buffer=buffer, pose_timeout_s=timeout, framerate=fps)
    assert build_movement.with_room(settings.camera, settings.pose).camera_buffer == room
