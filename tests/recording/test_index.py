"""What the index says of a session: ours or CLoPy's, ended, running, killed or damaged."""

import json
import os

import pytest

from core.clock import local_datetime
from recording import index as index_module
from recording.index import read_index
from recording.lock_file import hold_file
from tests.support.recorded_folders import (
    CALIBRATION,
    DATE,
    frames_text,
    meta_of,
    only,
    put_clopy,
    put_clopy_movement,
    put_session,
)
from tests.support.recorded_folders import root as root


def test_a_session_that_ended_is_as_it_says(root):
    put_session(root, "M1", DATE, calibration=CALIBRATION, rig="left")
    row = only(root)
    assert (row.path, row.mouse, row.day) == (f"M1/{DATE}/S1", "M1", "2026-11-20")
    assert (row.start_local, row.part) == ("2026-11-20T09:30:15", 1)
    assert (row.rig, row.host, row.experiment, row.kind) == ("left", "host-of-left", "clnf_1roi", "clnf")
    assert (row.session_type, row.outputs, row.outcome) == ("normal_audio_normal_reward", "real", "complete")
    assert (row.duration_s, row.trials, row.successes, row.rewards, row.drops) == (60.5, 12, 3, 3, 4)
    assert row.success_rate == 0.25
    # The first frame's, not the 0.04 of the settings: an operator or a threshold of yesterday may have set it.
    assert (row.threshold_start, row.threshold_end, row.threshold_unit) == (0.05, 0.06, "dF/F")
    assert row.water_s == pytest.approx(4 * 0.3)
    assert row.water_ul == pytest.approx(4 * (0.01 * 300 - 0.5))
    assert (row.frames, row.dropped, row.problem) == (4, 1, "")


def test_the_rig_of_the_session_goes_before_that_of_its_settings(root):
    put_session(root, "M1", DATE, meta=json.dumps(meta_of("M1") | {"rig": "own"}))
    assert only(root).rig == "own"


@pytest.mark.parametrize(("reward_by", "unit"), [(None, "mm/s"), ("speed", "mm/s"), ("target", "mm")])
def test_a_movement_session_has_the_unit_of_its_signal(root, reward_by, unit):
    put_session(root, "M1", DATE, frames=None, kind="clmf", settings={"reward_by": reward_by, "speed_threshold": 75})
    row = only(root)
    assert (row.threshold_start, row.threshold_unit) == (75.0, unit)
    assert row.water_s is None


def test_two_parts_of_a_day_are_two_sessions_in_order(root):
    put_session(root, "M1", DATE, part=2)
    put_session(root, "M1", DATE, part=10)
    put_session(root, "M1", DATE, part=1, outcome="aborted")
    assert [(row.part, row.outcome) for row in read_index(root).rows] == [
        (1, "aborted"), (2, "complete"), (10, "complete"),
    ]  # fmt: skip


def test_a_further_part_has_its_own_start_and_the_day_of_the_first(root):
    wall_ns = 1_795_168_815 * 10**9
    put_session(root, "M1", DATE, started_wall_ns=wall_ns, outcome="recovered")
    put_session(root, "M1", DATE, part=2, started_wall_ns=wall_ns, resumes={"session": "../S1"})
    first, second = read_index(root).rows
    assert (first.start_local, first.outcome) == ("2026-11-20T09:30:15", "recovered")
    assert second.start_local == f"{local_datetime(wall_ns):%Y-%m-%dT%H:%M:%S}"
    assert (second.day, second.part) == ("2026-11-20", 2)


def test_a_killed_session_is_counted_from_its_log(root):
    folder = put_session(root, "M1", DATE, outcome="running")
    (folder / "events.csv").write_text("time_ns,kind,trial,detail\n1,reward,1,0.3\n2,success,1,\n")
    row = only(root)
    assert row.outcome == "killed"
    assert (row.trials, row.successes, row.rewards, row.drops) == (2, 1, 1, 1)
    assert (row.duration_s, row.frames, row.dropped) == (3.0, 4, 1)
    assert (row.threshold_start, row.threshold_end, row.water_s) == (0.05, 0.06, 0.3)


def test_a_session_that_was_killed_before_its_first_frame(root):
    put_session(root, "M1", DATE, outcome="running", frames=None)
    row = only(root)
    assert (row.outcome, row.trials, row.frames, row.duration_s) == ("killed", 0, 0, 0.0)


def test_a_session_runs_while_its_mouse_is_held_and_only_the_newest(root):
    put_session(root, "M1", "20261119093015", outcome="running")
    put_session(root, "M1", DATE, part=2, outcome="running")
    put_session(root, "M2", DATE, outcome="running")
    (root / "M2" / ".lock").touch()
    lock = hold_file(root / "M1" / ".lock")
    try:
        assert [row.outcome for row in read_index(root).rows] == ["killed", "running", "killed"]
    finally:
        os.close(lock)
    assert [row.outcome for row in read_index(root).rows] == ["killed", "killed", "killed"]


def test_a_session_that_runs_need_not_be_counted_and_all_others_are(root):
    put_session(root, "M1", "20261119093015", outcome="running")
    put_session(root, "M1", DATE, part=2)
    put_session(root, "M1", DATE, part=10, outcome="running", rig="left")
    put_session(root, "M2", DATE, outcome="running")
    lock = hold_file(root / "M1" / ".lock")
    try:
        for rows in (read_index(root, mouse, count_running=False).rows for mouse in (None, "M1", None)):
            told = [(row.outcome, row.trials, row.rig) for row in rows if row.mouse == "M1"]
            assert told == [("killed", 2, "rig1"), ("complete", 12, "rig1"), ("running", None, "left")]
        assert [row.trials for row in rows] == [2, 12, None, 2]
    finally:
        os.close(lock)
    # What was not counted is not in the index either.
    assert [row.trials for row in read_index(root, count_running=False).rows] == [2, 12, 2, 2]


@pytest.mark.parametrize("left", [(), ("session.ini",), ("session.ini", "network.py", ".session.json.4242.tmp")])
def test_a_session_that_was_killed_before_it_began(root, left):
    """It may still be about to begin, too."""
    folder = root / "M1" / DATE / "S1"
    folder.mkdir(parents=True)
    for name in left:
        (folder / name).write_text("")
    row = only(root)
    assert (row.outcome, row.trials, row.path, row.day) == (
        "killed before it began",
        None,
        f"M1/{DATE}/S1",
        "2026-11-20",
    )
    lock = hold_file(root / "M1" / ".lock")
    try:
        assert only(root).outcome == "running"
    finally:
        os.close(lock)
    put_session(root, "M1", DATE)
    assert only(root).outcome == "complete"


def test_clopys_sessions_stand_beside_ours(root):
    put_clopy(root)
    put_clopy_movement(root)
    first, second = read_index(root).rows
    assert (first.path, first.format, first.kind) == ("C1/20231114221324/S1", "clopy", "clnf")
    assert (first.experiment, first.session_type, first.outcome) == ("old", "single", "")
    assert (first.trials, first.successes, first.rewards, first.duration_s) == (2, 1, 1, 2.0)
    assert (first.threshold_start, first.threshold_end, first.water_s) == (0.1, 0.12, 0.3)
    assert (second.path, second.format, second.kind) == ("C2/20231114221320", "clopy", "clmf")
    assert (second.experiment, second.session_type, second.threshold_end) == ("dlc", "t", 200.0)
    assert (second.trials, second.successes, second.water_s) == (1, 1, 0.1)
    assert (second.threshold_unit, second.problem) == ("mm/s", "")


def test_a_session_of_clopys_without_water_has_no_rewards(root):
    config = put_clopy(root) / "config.ini"
    config.write_text(config.read_text().replace("single", "normal_audio_no_reward"))
    row = only(root)
    assert (row.successes, row.rewards, row.drops, row.water_s) == (1, 0, 0, 0.0)


def test_clopys_own_sessions(shared_data):
    sessions = shared_data / "clopy" / "sessions"
    found = {kind: index_module.find_places(sessions / kind)[0] for kind in ("1roi", "2roi", "clmf")}
    rows = {kind: index_module.read_row(sessions / kind, place) for kind, [place] in found.items()}
    assert [(row.trials, row.rewards) for row in rows.values()] == [(4, 2), (4, 1), (3, 1)]
    assert [round(row.duration_s) for row in rows.values()] == [33, 37, 29]


DAMAGE = {
    "cut short": ('{"mouse": "M1"', "session.json is damaged"),
    "not an object": ("[1, 2]", "holds a list"),
    "not a text": (b"\xff\xfe\x00", "session.json is damaged"),
    "nested without end": ("[" * 100_000, "RecursionError"),
}


@pytest.mark.parametrize("meta", DAMAGE)
def test_a_damaged_session_is_listed_with_the_cause(root, meta):
    content, said = DAMAGE[meta]
    folder = put_session(root, "M1", DATE)
    put_session(root, "M2", DATE)
    (folder / "session.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    damaged, other = read_index(root).rows
    assert damaged.outcome == "damaged"
    assert said in damaged.problem
    assert str(root) not in damaged.problem
    assert (damaged.mouse, damaged.day, damaged.trials) == ("M1", "2026-11-20", None)
    assert other.outcome == "complete"


@pytest.mark.parametrize(
    "facts",
    [
        {"counts": {"trials": -1, "successes": 1e400, "rewards": "3", "frames": 2**80, "dropped": None}},
        {"counts": None, "settings": None, "calibration": {"valve": {"ul_per_ms": True}}},
        {"outcome": "\ud800 two\nlines\x00", "kind": 5, "part": "second", "error": "x" * 9000},
    ],
)
def test_what_session_json_says_amiss_is_taken_from_the_log_or_left_out(root, facts):
    put_session(root, "M1", DATE, meta=json.dumps(meta_of("M1") | facts))
    first = only(root)
    assert first.trials in (2, 12)
    assert "\n" not in first.outcome
    assert len(first.problem) <= 400
    assert only(root) == first


@pytest.mark.parametrize(
    "facts", [{"counts": 3}, {"settings": []}, {"software": "x"}, {"started_wall_ns": 10**30}], ids=str
)
def test_what_nobody_could_use_is_damage(root, facts):
    put_session(root, "M1", DATE, meta=json.dumps(meta_of("M1") | facts))
    assert only(root).outcome == "damaged"
    assert f'"{next(iter(facts))}" is ' in only(root).problem


def test_a_log_that_is_damaged_is_told_where_it_is_needed(root):
    folder = put_session(root, "M1", DATE, outcome="running", frames=frames_text() + "1,2\n")
    row = only(root)
    assert row.outcome == "damaged"
    assert "frames.csv line 6 has 2 columns" in row.problem
    (folder / "session.json").unlink()
    (folder / "frames.csv").write_text(frames_text())
    row = only(root)
    assert (row.outcome, row.trials, row.problem) == ("", 2, "it has no session.json")


def test_what_is_no_session_is_none(root):
    (root / "M1" / DATE / "S1").mkdir(parents=True)
    (root / "M1" / DATE / "S1" / "notes.txt").write_text("of a session that somebody took away")
    put_session(root, "M1", "notes")
    put_session(root, ".trash", DATE)
    put_session(root, "M1", DATE + "0")
    (root / "M1" / DATE / "S2").write_text("")
    (root / "M1" / "20261120093016").write_text("")
    (root / "table.csv").write_text("")
    assert read_index(root) == index_module.SessionIndex(())


def test_fourteen_digits_that_are_no_date_are_listed_all_the_same(root):
    put_session(root, "M1", "20269999999999")
    put_session(root, "M1", "20260230120000", outcome="running")
    first, second = read_index(root).rows
    assert (first.trials, second.trials, first.day, second.day, first.start_local) == (2, 12, "", "", "")
    assert first.problem == "20260230120000 is no date; rename the folder to when the session began"


INVENTED = {
    "nothing": {},
    "an outcome alone": {"outcome": "complete"},
    "counts that are none": {"outcome": "complete", "counts": {"trials": "a", "successes": 1, "rewards": 1}},
    "another's": {"mouse": "M1"},
}


@pytest.mark.parametrize("meta", INVENTED)
def test_where_there_is_nothing_to_count_no_number_is_made_up(root, meta):
    put_session(root, "M1", DATE, frames=None, meta=json.dumps(INVENTED[meta]))
    row = only(root)
    assert row.outcome == "damaged"
    assert "trials" in row.problem
    assert "no frames.csv to count" in row.problem
    counted = (row.trials, row.successes, row.rewards, row.drops, row.frames, row.dropped, row.duration_s, row.water_s)
    assert counted == (None,) * 8


def test_what_its_session_json_counts_stands_also_without_the_log(root):
    put_session(root, "M1", DATE, frames=None)
    assert (only(root).outcome, only(root).trials) == ("complete", 12)
