"""The report of a session: what it says of itself, and nothing where it does not."""

import pytest

from dashboard import session_report
from dashboard.session_report import report
from recording import schema
from recording.csvrows import header_line, side_lines
from recording.schema import EventRow, InputRow, MissingRow
from tests.support.recorded_folders import CALIBRATION, DATE, only, put_clopy, put_session
from tests.support.recorded_folders import root as root

S = 10**9
FIRST = 100 * S
EVENTS = [
    EventRow(FIRST, "trial_start", 1, "sound"),
    EventRow(FIRST + S // 2, "lick", 1, ""),
    EventRow(FIRST + 2 * S, "operator", 1, "note anna"),
    EventRow(FIRST + 2 * S, "note", 1, "grooms; a lot"),
    EventRow(FIRST + 65 * S, "reward", 1, "0.3"),
]
INPUTS = [
    InputRow(1, FIRST + S // 2, "lick", 0.0, ""),
    InputRow(2, FIRST + 2 * S, "note", 0.0, "anna at 10.0.0.7", "grooms; a lot"),
    InputRow(3, FIRST + 3 * S, "set_threshold", 0.05, "ben"),
    InputRow(3, FIRST + 3 * S, "set", 0.0, "ben", "fail_rest_dur = 4"),
    InputRow(4, FIRST - 2 * S, "pause", 0.0, "anna"),
    InputRow(4, FIRST + 4 * S, "cut", 0.0, "camera"),
]
MISSING = [MissingRow(7, FIRST + S, "transport", 2), MissingRow(12, FIRST + 2 * S, "late")]
META = {"first_frame_ns": FIRST, "started_wall_ns": 1_795_200_000 * S, "pace": "real", "calibration": CALIBRATION}


def put(root, events=EVENTS, inputs=INPUTS, missing=MISSING, **facts):
    folder = put_session(root, "M1", DATE, **{**META, **facts})
    tables = {
        schema.EVENTS_CSV: (schema.EVENT_COLUMNS, events),
        schema.INPUTS_CSV: (schema.INPUT_COLUMNS, inputs),
        schema.MISSING_CSV: (schema.MISSING_COLUMNS, missing),
    }
    for name, (columns, rows) in tables.items():
        if rows is not None:
            (folder / name).write_text(header_line(columns) + "".join(map(side_lines, rows)))
    return folder


def told(root, folder, weight_g=None):
    return report(folder, only(root), weight_g)


def test_the_table_tells_what_is_known(root):
    rows = {each["label"]: each["value"] for each in told(root, put(root, started_by="anna"), 21.46)["rows"]}
    assert rows == {
        "mouse": "M1", "began": "2026-11-20 09:30:15", "experiment": "clnf_1roi",
        "session type": "normal_audio_normal_reward", "started by": "anna", "outcome": "complete", "outputs": "real",
        "length": "1 min 0 s", "trials": "12", "successes": "3 (25 %)", "rewards": "3",
        "drops": "4, free ones included", "water": "10.0 µl, 1.20 s open", "weight that day": "21.5 g",
        "threshold": "5 → 6 % dF/F", "frames": "4, lost 1", "rig": "rig1", "computer": "host-of-rig1",
    }  # fmt: skip


def test_people_are_named_with_what_they_did_and_when(root):
    said = told(root, put(root))["said"]
    assert [(each["t_s"], each["who"], each["what"], each["text"]) for each in said] == [
        (2.0, "anna at 10.0.0.7", "note", "grooms; a lot"),
        (3.0, "ben", "set_threshold", "0.05"),
        (3.0, "ben", "set", "fail_rest_dur = 4"),
        (-2.0, "anna", "pause", ""),
    ]
    seconds = [int(each["clock"][3:5]) * 60 + int(each["clock"][6:]) for each in said]
    assert [each - seconds[0] for each in seconds] == [0, 1, 1, -4]


def test_a_session_that_kept_no_inputs_has_them_among_its_events(root):
    said = told(root, put(root, inputs=None))["said"]
    assert [(each["what"], each["text"]) for each in said] == [("operator", "note anna"), ("note", "grooms; a lot")]


def test_a_rehearsal_at_full_speed_has_no_clock(root):
    found = told(root, put(root, pace="max"))
    assert {each["clock"] for each in (*found["said"], *found["events"])} == {""}


def test_events_of_devices_are_left_out_and_the_rest_is_bounded(root, monkeypatch):
    folder = put(root)
    found = told(root, folder)
    assert [(each["t_s"], each["kind"], each["trial"], each["text"]) for each in found["events"]] == [
        (0.0, "trial_start", 1, "sound"), (65.0, "reward", 1, "0.3"),
    ]  # fmt: skip
    assert found["more"] == 0
    monkeypatch.setattr(session_report, "MOST_EVENTS", 1)
    found = told(root, folder)
    assert ([each["kind"] for each in found["events"]], found["more"]) == (["trial_start"], 1)


def test_losses_are_by_cause_as_the_session_counted_them(root):
    by_cause = {"dropped": {"transport": 3, "none": 0}, "skipped": {"inference": 2}, "images_dropped": {"ring": 1}}
    assert told(root, put(root, counts={"by_cause": by_cause}))["causes"] == [
        {"what": "frames lost", "cause": "transport", "n": 3},
        {"what": "frames not judged", "cause": "inference", "n": 2},
        {"what": "images not recorded", "cause": "ring", "n": 1},
    ]


def test_a_session_that_counted_nothing_has_its_table_of_losses(root):
    found = told(root, put(root, outcome="running", first_frame_ns=None))
    # A line of the table is one number.
    assert [(each["cause"], each["n"]) for each in found["causes"]] == [("late", 1), ("transport", 2)]
    assert found["latency"] == []
    # The first frame of the log is at 0.
    assert found["events"][0]["t_s"] == 100.0


def test_latencies(root):
    found = told(root, put(root, latency_us={"p50": 26.7, "p99": 78, "max": "x"}, lateness_us={}))
    assert found["latency"] == [{"what": "loop to last command", "p50": 26.7, "p99": 78}]


def test_a_session_of_clopys(root):
    found = told(root, put_clopy(root))
    rows = {each["label"]: each["value"] for each in found["rows"]}
    assert (rows["trials"], rows["successes"]) == ("2", "1 (50 %)")
    assert [each["kind"] for each in found["events"]] == [
        "trial_start", "reward", "success", "trial_start", "fail",
    ]  # fmt: skip
    assert (found["said"], found["figure"], found["problem"]) == ([], False, "")


@pytest.mark.parametrize("name", [schema.EVENTS_CSV, schema.INPUTS_CSV, schema.MISSING_CSV])
def test_a_damaged_table_is_told_and_the_rest_is_shown(root, name):
    folder = put(root)
    (folder / name).write_text("this,is\nno,table\n")
    found = told(root, folder)
    assert name in found["problem"]
    assert found["rows"]


@pytest.mark.parametrize("text", ["{ broken", "[]", '{"counts": 3}', '{"started_wall_ns": "x"}'])
def test_a_damaged_session_json_is_told(root, text):
    folder = put_session(root, "M1", DATE, meta=text)
    found = told(root, folder)
    assert "session.json" in found["problem"]
    assert {each["label"]: each["value"] for each in found["rows"]}["outcome"] == "damaged"


@pytest.mark.parametrize("counts", [{"by_cause": 3}, {"by_cause": {"dropped": [1]}}, {"images": "x"}, {"images": True}])
def test_odd_counts_are_not_shown(root, counts):
    found = told(root, put(root, missing=None, counts=counts))
    assert found["causes"] == []
    assert "images recorded" not in {each["label"] for each in found["rows"]}


def test_an_empty_folder_of_a_killed_session(root):
    folder = root / "M1" / DATE / "S1"
    folder.mkdir(parents=True)
    (folder / "session.ini").write_text("")
    found = told(root, folder)
    assert {each["label"] for each in found["rows"]} == {"mouse", "began", "outcome"}
    assert (found["events"], found["problem"]) == ([], "")


def test_the_figure_is_told_where_there_is_one(root):
    folder = put(root)
    assert told(root, folder)["figure"] is False
    (folder / schema.FIGURE_PNG).write_bytes(b"\x89PNG")
    assert told(root, folder)["figure"] is True
