"""A mouse's day: its sessions, weight and water together, also where several rigs were merged."""

import pytest

from hardware.ledger_day import DayOpenings, by_day, read_openings
from recording.index import read_index
from session.mouse_days import mouse_days
from tests.support.recorded_folders import CALIBRATION, DATE, put_session

LEDGER = "time,what,seconds,session\n"


def ledger(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(LEDGER + "".join(f"{row}\n" for row in rows))


def days_of(root):
    days, notes = mouse_days(root, read_index(root).rows)
    return days, notes


def test_the_parts_of_a_day_are_summed(tmp_path):
    put_session(tmp_path, "M1", DATE, outcome="aborted", counts={"threshold": 0.05})
    put_session(tmp_path, "M1", DATE, part=2, counts={"trials": 4, "successes": 1, "threshold": 0.07})
    put_session(tmp_path, "M1", "20261120153015", meta="{")
    put_session(tmp_path, "M1", "20261121093015", counts={"trials": 0, "successes": 0}, rig="rig2")
    (first, second), notes = days_of(tmp_path)
    assert notes == []
    assert (first.mouse, first.day, len(first.sessions)) == ("M1", "2026-11-20", 3)
    assert (first.trials, first.successes, first.success_rate) == (16, 4, 0.25)
    assert first.threshold == (0.07, "dF/F")
    assert (first.rigs, second.rigs) == (("rig1",), ("rig2",))
    assert first.water_s == pytest.approx(2 * 4 * 0.3)
    assert (first.water_from, first.water_ul, first.weight_g) == ("sessions", None, None)
    assert second.success_rate is None


def test_water_is_the_ledgers_where_there_is_one(tmp_path, own_state):
    put_session(tmp_path, "M1", DATE, calibration=CALIBRATION)
    put_session(tmp_path, "M1", "20261121093015", calibration=CALIBRATION)
    rows = (
        f"2026-11-20T09:31:00.000+01:00,reward,0.300,{DATE}",
        f"2026-11-20T09:32:00.000+01:00,reward,0.300,{DATE}",
        f"2026-11-20T09:32:00.100+01:00,reward,-0.100,{DATE}",
        "2026-11-20T23:59:00.000+01:00,free,0.500,",
    )
    # The ledger of this computer and its copy have the same openings; one of them stands in the copy alone.
    ledger(own_state / "water" / "M1.csv", *rows[:3])
    ledger(tmp_path / "M1" / "water.csv", *rows)
    (first, second), notes = days_of(tmp_path)
    assert notes == []
    assert (first.water_from, second.water_from) == ("ledger", "sessions")
    assert first.water_s == pytest.approx(1.0)
    assert first.water_ul == pytest.approx(3 * -0.5 + 0.01 * 1000)
    assert second.water_ul == pytest.approx(4 * (0.01 * 300 - 0.5))


def test_a_volume_needs_one_calibration_for_all_of_the_day(tmp_path):
    put_session(tmp_path, "M1", DATE, calibration=CALIBRATION)
    put_session(tmp_path, "M1", DATE, part=2)
    [day], _ = days_of(tmp_path)
    assert day.water_ul is None
    ledger(tmp_path / "M1" / "water.csv", "2026-11-20T09:31:00.000+01:00,reward,0.300,x")
    [day], _ = days_of(tmp_path)
    assert (day.water_s, day.water_ul) == (0.3, None)


def test_this_computers_ledger_makes_no_day_by_itself_and_a_copy_does(tmp_path, own_state):
    put_session(tmp_path, "M1", DATE)
    ledger(own_state / "water" / "M1.csv", "2026-11-19T09:31:00.000+01:00,free,0.300,")
    assert [day.day for day in days_of(tmp_path)[0]] == ["2026-11-20"]
    ledger(tmp_path / "M1" / "water.csv", "2026-11-18T09:31:00.000+01:00,free,0.300,")
    first, second = days_of(tmp_path)[0]
    assert (first.day, first.sessions, first.trials, first.water_s) == ("2026-11-18", (), None, 0.3)
    assert second.day == "2026-11-20"


def test_the_last_weight_of_a_day_counts_and_a_day_of_weighing_is_one(tmp_path):
    put_session(tmp_path, "M1", DATE)
    (tmp_path / "M1" / "weights.csv").write_text(
        "time,grams,note\n2026-11-20T17:00:00+01:00,21.5,\n2026-11-20T08:00:00+01:00,20.5,before\n"
        "2026-11-22T08:00:00+01:00,22,\n"
    )
    first, second = days_of(tmp_path)[0]
    assert (first.day, first.weight_g) == ("2026-11-20", 21.5)
    assert (second.day, second.weight_g, second.sessions) == ("2026-11-22", 22.0, ())


def test_what_other_rigs_weighed_and_gave_stands_beside_it(tmp_path):
    home = tmp_path / "M1"
    put_session(tmp_path, "M1", DATE)
    (home / "weights.csv").write_text("time,grams,note\n2026-11-20T08:00:00+01:00,20.5,\n")
    (home / "weights.rig2.csv").write_text("time,grams,note\n2026-11-20T18:00:00+01:00,21.5,\n")
    ledger(home / "water.csv", "2026-11-20T09:31:00.000+01:00,reward,0.300,x")
    ledger(home / "water.rig2.csv", "2026-11-20T15:31:00.000+01:00,reward,0.200,y")
    # Rehearsed with lines in memory: nobody drank it.
    ledger(home / "water-memory.csv", "2026-11-20T15:32:00.000+01:00,reward,0.900,z")
    [day] = days_of(tmp_path)[0]
    assert day.weight_g == 21.5
    assert day.water_s == pytest.approx(0.5)


def test_what_is_damaged_is_told_and_done_without(tmp_path, own_state):
    put_session(tmp_path, "M1", DATE)
    (tmp_path / "M1" / "weights.csv").write_text("time,grams,note\n2026-11-20T08:00:00+01:00,heavy,\n")
    (tmp_path / "M1" / "water.csv").write_text(f"{LEDGER}yesterday,free,0.1,\n")
    ledger(own_state / "water" / "M1.csv", "2026-11-20T15:32:00.000+01:00,reward,0.900,z")
    [day], notes = days_of(tmp_path)
    assert (day.weight_g, day.water_s, day.water_from) == (None, 0.9, "ledger")
    assert ["weights.csv:2" in note or "water.csv, line 2" in note for note in notes] == [True, True]


def test_the_days_of_a_ledger_are_those_of_its_rows(tmp_path):
    path = tmp_path / "water.csv"
    ledger(
        path,
        "2026-11-20T23:59:59.000-11:00,reward,0.300,x",
        "2026-11-21T00:00:01.000-11:00,reward,0.300,x",
        "2026-11-21T00:00:01.100-11:00,reward,-0.300,x",
    )
    days = {day.isoformat(): found for day, found in by_day([read_openings(path)] * 2).items()}
    assert days == {"2026-11-20": DayOpenings(0.3, 1), "2026-11-21": DayOpenings(0.0, 0)}
