"""Killed sessions of a behaviour camera: a movement session, and a second camera's folder."""

import pytest

from core.errors import InputError
from recording.folder import read_session_json, write_session_json
from recording.reader import open_session
from session.replay import replay_session
from tests.session.killed_sessions import UNEQUAL, recovered, summary
from tests.session.test_movement_session import jumping_at, movement
from tests.session.test_movement_session import pose as pose
from tests.session.two_cameras import settings_for as two_cameras
from tests.support.killed import as_killed
from tests.support.sessions import StopAfter, run


def test_a_movement_session(tmp_path, pose):
    pose(jumping_at(45))
    settings = movement(tmp_path, speed_threshold="100", record_images="1")
    result = run(settings)
    before = as_killed(result.session)
    done = recovered(result.session)
    assert done.mended == (), "a video has no mark"
    counts = read_session_json(result.session)["counts"]
    assert {k: v for k, v in counts.items() if k not in UNEQUAL} == {
        k: v for k, v in before["counts"].items() if k not in UNEQUAL
    }
    assert [*result.session.glob("PAW_*.txt")]
    assert summary(settings)[0]["outcome"] == "recovered"


@pytest.mark.parametrize("known", [["paw", "nose"], None, "paw"])
def test_a_movement_session_killed_before_its_first_frame(tmp_path, pose, known):
    pose(jumping_at(45))
    session = run(movement(tmp_path, speed_threshold="100"), stop=StopAfter(3)).session
    as_killed(session, rows=0)
    for path in session.glob("*.[cm][sk]v"):
        path.unlink()
    meta = read_session_json(session)
    write_session_json(session, meta | {"devices": {"pose": {"bodyparts": known} if known else "lost"}})
    recovered(session)
    parts = (
        ["paw_x", "paw_y", "paw_likelihood", "nose_x", "nose_y", "nose_likelihood"] if known == ["paw", "nose"] else []
    )
    with open_session(session) as recording:
        assert recording.part_names == ("speed_mm_s", "target_mm", *parts)
    assert ",pose_speed_mm_s,pose_target_mm," in (session / "frames.csv").read_text()
    with pytest.raises(InputError, match="has no frames") as told:
        replay_session(session)
    assert told.value.exit_code == 2


def test_a_second_camera(killed):
    session, _, before = killed(how=two_cameras)
    second = session / "camera2"
    with (second / "frames.csv").open("a") as file:
        file.write("1,2")
    done = recovered(session)
    assert "frames.csv: a last line that was cut short is gone (3 bytes)" in done.mended
    meta = read_session_json(second)
    assert (meta["outcome"], meta["counts"]) == ("recovered", before["counts"]["second_camera"])
    assert read_session_json(session)["counts"]["second_camera"] == meta["counts"]


@pytest.mark.parametrize("left", ["folder", "session.json", "empty tables"])
def test_a_second_camera_that_had_hardly_begun(killed, left):
    session, *_ = killed(rows=0, how=two_cameras)
    second = session / "camera2"
    for path in second.iterdir():
        if left == "empty tables" and path.suffix == ".csv":
            path.write_bytes(b"")
        elif left == "folder" or path.name != "session.json":
            path.unlink()
    recovered(session)
    counts = read_session_json(session)["counts"]["second_camera"]
    assert (counts is None) == (left == "folder")
    if counts is not None:
        assert (counts["frames"], counts["images"]) == (0, 0)
