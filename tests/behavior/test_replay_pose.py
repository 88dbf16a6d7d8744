"""Poses of a recorded log."""

import math

import numpy as np
import pytest

from behavior.replay_pose import ReplayPose
from core.errors import InputError, PoseError
from core.ports import EndOfSource, NotJudged
from core.values import SKIPPED, Frame, black
from recording import schema
from recording.csvrows import frame_line, header_line
from recording.reader import open_session
from recording.schema import FrameRow
from tests.behavior.films import recorded

SHAPE = (6, 8, 3)
CLOPYS = (90, 120, 3)
NAMES = (
    "speed_mm_s", "target_mm", "fl_l_x", "fl_l_y", "fl_l_likelihood", "fl_r_x", "fl_r_y", "fl_r_likelihood",
)  # fmt: skip
NAN = math.nan


def row(number, factor=1.0):
    return [12.0, 3.0, factor * number, factor * number + 0.25, 0.9, 50.0, 60.0 - number, 0.5]


def replay(session):
    made = ReplayPose("S1", SHAPE, "uint8", lambda path: session)
    made.open(lambda stage: True)
    return made


def points(estimator, number, shape=SHAPE):
    return estimator.estimate(Frame(black(*shape[:2]), number, 0), lambda: None).points.tolist()


def test_a_pose_is_that_of_the_frame_of_its_number():
    made = replay(recorded(NAMES, [1, 2, 5], [row(1), row(2), row(5)]))
    assert made.names == ("fl_l", "fl_r")
    assert points(made, 5) == [[5.0, 5.25, 0.9], [50.0, 55.0, 0.5]]
    assert points(made, 1) == [[1.0, 1.25, 0.9], [50.0, 59.0, 0.5]]
    assert made.facts == {"backend": "replay", "log": "S1", "bodyparts": ["fl_l", "fl_r"], "poses": 3, "missing": 0}


def test_frames_that_the_log_does_not_have_have_no_body_part_and_are_counted():
    made = replay(recorded(NAMES, [1, 2, 5], [row(1), [NAN] * 8, row(5)], ["", SKIPPED, "warm-up"]))
    for number in (3, 4):
        assert repr(points(made, number)) == repr([[NAN, NAN, 0.0]] * 2)
    points(made, 5)
    assert made.facts["missing"] == 2
    assert made.facts["poses"] == 2


def test_frames_that_the_log_skipped_are_not_judged_and_behind_its_end_is_nothing():
    made = replay(recorded(NAMES, [1, 2, 5], [row(1), [NAN] * 8, row(5)], ["", SKIPPED, ""]))
    with pytest.raises(NotJudged):
        points(made, 2)
    with pytest.raises(EndOfSource, match="it ends with frame 5"):
        points(made, 6)
    assert made.facts["missing"] == 0


def test_a_log_of_frames_of_another_size_is_refused(shared_data):
    folder = shared_data / "clopy" / "sessions" / "clmf" / "M1test" / "20231114221320"
    with pytest.raises(InputError, match="its frames were 120 x 90 px, and these are 8 x 6 px"):
        ReplayPose(str(folder), SHAPE, "uint8").open(lambda stage: True)


def test_a_part_that_was_not_found_then_is_not_found_now():
    cells = row(1)
    cells[2] = cells[3] = NAN
    found = points(replay(recorded(NAMES, [1], [cells])), 1)
    assert repr(found) == repr([[NAN, NAN, 0.0], [50.0, 59.0, 0.5]])


def test_only_parts_that_have_all_three_columns():
    made = replay(recorded(("nose_x", "nose_y", *NAMES[2:5]), [1], [[1, 2, 3, 4, 0.5]]))
    assert made.names == ("fl_l",)


@pytest.mark.parametrize(("columns", "there"), [(("BC_L", "BC_R"), "BC_L, BC_R"), ((), "none")])
def test_a_log_without_poses_says_what_it_has_and_what_to_give(columns, there):
    with pytest.raises(InputError, match=rf"no poses in this log \(its columns: {there}\); give that of a movement"):
        replay(recorded(columns, [1], [[0.1] * len(columns)]))


def test_a_log_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"pose_log = .*is no session folder"):
        ReplayPose(str(tmp_path / "nowhere"), SHAPE, "uint8").open(lambda stage: True)
    with pytest.raises(InputError, match="pose_log is not set"):
        ReplayPose("", SHAPE, "uint8")


def test_after_its_end_it_says_so():
    made = replay(recorded(NAMES, [1], [row(1)]))
    made.close()
    with pytest.raises(PoseError, match="it is closed; make a new one"):
        points(made, 1)


def test_a_session_as_it_is_written(tmp_path):
    """Through the reader: what the recorder wrote comes back by number, bit for bit."""
    names = tuple(name for name in NAMES if name not in ("speed_mm_s", "target_mm"))
    generator = np.random.default_rng(5)
    rows = {number: tuple(generator.uniform(0, 1, 6).tolist()) for number in (1, 2, 4)}
    columns = list(schema.frame_columns(names, schema.POSE_PREFIX))
    lines = [header_line(columns)]
    for number, parts in rows.items():
        blank = {"parts": parts, "reason": "", "phase": "rest", "signal": 0.0, "threshold": 1.0, "freq_hz": 0.0}
        zeros = dict.fromkeys(FrameRow._fields, 0)
        lines.append(frame_line(FrameRow(**{**zeros, **blank, "frame": number}), 6))
    (tmp_path / schema.FRAMES_CSV).write_text("".join(lines))
    made = ReplayPose(str(tmp_path), SHAPE, "uint8", open_session)
    made.open(lambda stage: True)
    assert made.names == ("fl_l", "fl_r")
    for number, parts in rows.items():
        assert np.array(points(made, number)).ravel().tolist() == list(parts)


def test_a_log_that_clopy_wrote(shared_data):
    """Also its file of text itself; points as the log has them, by the numbers of its frames."""
    folder = shared_data / "clopy" / "sessions" / "clmf" / "M1test" / "20231114221320"
    for path in (folder, folder / "M1test_20231114221320.txt"):
        made = ReplayPose(str(path), CLOPYS, "uint8")
        made.open(lambda stage: True)
        with open_session(path) as session:
            frames, parts, columns = session.frames.frame, session.frames.parts, session.part_names
        assert len(made.names) > 0
        for number, cells in list(zip(frames.tolist(), parts, strict=True))[:50]:
            for name, found in zip(made.names, points(made, number, CLOPYS), strict=True):
                expected = [cells[columns.index(name + axis)] for axis in ("_x", "_y", "_likelihood")]
                assert found == pytest.approx(expected)
        assert made.facts["missing"] == 0
