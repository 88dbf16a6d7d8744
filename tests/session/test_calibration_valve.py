"""The valve's line, and rewards asked for by volume."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError, InputError
from session.calibration import age_warning, valve_path
from session.calibration_files import load as load_file
from session.calibration_files import store
from session.calibration_valve import UL_PER_G, ValveCalibration, Weighing, fit_valve
from session.settings import check_config, load_settings
from tests.session.config_texts import CONFIG, load, problems_of
from tests.support.sessions import SHORT, rows, run

DATE = "2026-11-01T10:00:00+01:00"
DAY_NS = 86_400 * 10**9


def weighed(slope: float, offset: float, durations: list[float], pulses: int = 100) -> list[Weighing]:
    """Return what a valve of that line gives, weighed by a perfect scale."""
    return [Weighing(ms, pulses, (offset + slope * ms) * pulses / UL_PER_G) for ms in durations]


GOOD = fit_valve(weighed(0.05, -0.4, [30, 60, 100, 150]), "rig1", DATE)


@given(
    slope=st.floats(0.001, 0.5),
    dead_ms=st.floats(0, 15),
    durations=st.lists(st.floats(20, 500), min_size=2, max_size=8, unique_by=lambda ms: round(ms)),
    pulses=st.integers(1, 500),
)
def test_a_perfect_valve_is_found_and_asked_back(
    slope: float, dead_ms: float, durations: list[float], pulses: int
) -> None:
    found = fit_valve(weighed(slope, -slope * dead_ms, durations, pulses), "r", DATE)
    assert math.isclose(found.ul_per_ms, slope, rel_tol=1e-6)
    assert found.r2 > 1 - 1e-9
    for ms in durations:
        volume = slope * (ms - dead_ms)
        assert math.isclose(found.volume_ul(ms / 1000), volume, rel_tol=1e-5, abs_tol=1e-7)
        # To 0.01 ms, which is all that is kept of an opening.
        assert abs(found.duration_s(volume) * 1000 - ms) < 0.006


def test_a_long_series_weighs_more_than_a_short_one() -> None:
    """The same slip of the scale on one drop moves the line, on 1000 it hardly does."""
    exact = weighed(0.05, 0, [50, 100, 200], 200)
    slip_g = 0.02

    def slope_with(pulses: int) -> float:
        [extra] = weighed(0.05, 0, [200], pulses)
        return fit_valve([*exact, extra._replace(grams=extra.grams + slip_g)], "r", DATE).ul_per_ms

    assert abs(slope_with(1000) - 0.05) > 0.0
    unweighted = 0.05 + 0.3 * slip_g * UL_PER_G / 200
    assert abs(slope_with(1) - 0.05) < 0.01 * abs(unweighted - 0.05)


def test_residuals_are_told_and_a_good_line_has_no_warning() -> None:
    assert GOOD.warnings() == []
    bad = weighed(0.05, 0, [30, 60, 100, 150])
    bad[1] = bad[1]._replace(grams=bad[1].grams * 1.5)
    lines = fit_valve(bad, "r", DATE).warnings()
    assert any(line.startswith("60 ms: 4.5 ul a drop is +") for line in lines)
    assert any("variance" in line for line in lines)
    assert [w for w in fit_valve(weighed(0.05, 0, [30, 60], 5), "r", DATE).warnings() if "two durations" in w]
    assert [w for w in fit_valve(weighed(0.05, 0, [30, 60, 90], 5), "r", DATE).warnings() if "few drops (5 of 30" in w]


@pytest.mark.parametrize(
    ("weighings", "said"),
    [
        ([], "0 duration"),
        (weighed(0.05, 0, [50, 50]), "1 duration"),
        ([Weighing(50, 100, 0.5), Weighing(100, 100, 0.3)], "do not grow"),
        ([Weighing(50, 100, 0.3), Weighing(100, 100, 0.3)], "do not grow"),
        ([Weighing(50, 100, -0.1), Weighing(100, 100, 0.3)], "above 0 (tare"),
        ([Weighing(50, 100, math.nan), Weighing(100, 100, 0.3)], "above 0 (tare"),
        ([Weighing(50, 0, 0.1), Weighing(100, 100, 0.3)], "one drop or more"),
        ([Weighing(50, 100, 250), Weighing(100, 100, 500)], "not milligrams"),
    ],
)
def test_weights_that_make_no_line(weighings: list[Weighing], said: str) -> None:
    with pytest.raises(InputError) as caught:
        fit_valve(weighings, "r", DATE)
    assert said in str(caught.value)


def calibrated(tmp_path: Path, found: ValveCalibration = GOOD) -> Path:
    path = valve_path(tmp_path / "c.ini", "rig1")
    store(path, found)
    return path


def test_stored_is_what_comes_back(tmp_path: Path) -> None:
    path = calibrated(tmp_path)
    assert path == tmp_path / "calibration" / "rig1" / "valve.json"
    assert load_file(path, ValveCalibration) == GOOD
    assert [each.name for each in path.parent.iterdir()] == ["valve.json"]


def test_a_volume_becomes_an_opening(tmp_path: Path) -> None:
    calibrated(tmp_path)
    made = load(tmp_path / "c.ini", "reward_ul = 3")
    assert made.trial.reward_dur == pytest.approx((3 + 0.4) / 0.05 / 1000)
    assert made.trial.reward_ul == 3
    assert made.valve == GOOD
    assert made.flat()["reward_dur"] == made.trial.reward_dur


def test_without_a_volume_no_calibration_is_looked_at(tmp_path: Path) -> None:
    calibrated(tmp_path).write_text("{")
    made = load(tmp_path / "c.ini", "reward_dur = 0.2")
    assert (made.trial.reward_dur, made.valve) == (0.2, None)


def test_the_resolved_copy_needs_no_calibration(tmp_path: Path) -> None:
    calibrated(tmp_path)
    made = load(tmp_path / "c.ini", "reward_ul = 3")
    copy = tmp_path / "elsewhere" / "session.ini"
    copy.parent.mkdir()
    copy.write_text(made.to_ini())
    again = load_settings(copy, "A")
    assert again.trial == replace(made.trial, reward_ul=0.0)


PROBLEMS = {
    "none stored": (None, "reward_ul = 3", {}, "valve of rig rig1 is not calibrated; calibrate it (rigloop calibrate"),
    "damaged": ("{", "reward_ul = 3", {}, "valve.json: is damaged"),
    "not ours": ('{"date": 3}', "reward_ul = 3", {}, "valve.json: is damaged (date: "),
    "too much": (GOOD, "reward_ul = 9", {}, "beyond what was weighed on 2026-11-01, 1.1 to 7.1 ul"),
    "too little": (GOOD, "reward_ul = 0.5", {}, "calibrate shorter openings"),
    "another rig": (GOOD, "reward_ul = 3\nrig = rig2", {}, "valve of rig rig2 is not calibrated"),
    "long pulse": (GOOD, "reward_ul = 3\nmax_pulse_s = 0.05", {}, "takes 0.068 s, above max_pulse_s 0.05"),
    "final rest": (GOOD, "reward_ul = 3\nfinal_rest_dur = 0.05", {}, "takes 0.068 s, above final_rest_dur 0.05"),
    "both": (GOOD, "reward_ul = 3", {"reward_dur": "0.1"}, "--set reward_dur=0.1: does nothing beside reward_ul 3"),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_a_volume_needs_is_one_problem(tmp_path: Path, name: str) -> None:
    stored, lines, overrides, said = PROBLEMS[name]
    if isinstance(stored, str):
        calibrated(tmp_path).write_text(stored)
    elif stored is not None:
        calibrated(tmp_path, stored)
    text = f"[clnf_a]\nroi = M1_L\n[mouse:A]\nexperiment = clnf_a\n{lines}\n[seeds]\nM1 = 0.6, 1.8\n"
    [problem] = problems_of(tmp_path / "c.ini", text, overrides=overrides)
    assert said in problem
    if not overrides:
        assert "reward_ul" in problem
        assert check_config(tmp_path / "c.ini") == [problem]


def test_the_range_that_is_printed_is_allowed(tmp_path: Path) -> None:
    calibrated(tmp_path)
    for volume in GOOD.range_ul():
        assert load(tmp_path / "c.ini", f"reward_ul = {volume!r}").trial.reward_dur > 0


def test_a_file_with_a_slope_of_zero_is_refused(tmp_path: Path) -> None:
    path = calibrated(tmp_path)
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, "ul_per_ms": 0.0}))
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "c.ini", "reward_ul = 3")
    assert "no slope above 0" in str(caught.value)


@pytest.mark.parametrize(
    ("days", "most", "said"),
    [(0, 30, ""), (29.9, 30, ""), (31, 30, "31 days ago (2026-11-01)"), (400, 0, ""), (-3, 30, "which is to come"),
     (0.5, 0.25, "more than calibration_max_age_days (0.25)")],
)  # fmt: skip
def test_age(days: float, most: float, said: str) -> None:
    made_ns = 1_793_523_600 * 10**9  # 2026-11-01 10:00 +01:00
    text = age_warning(DATE, most, made_ns + round(days * DAY_NS))
    assert said in text
    assert bool(said) == bool(text)


def test_a_date_that_is_none() -> None:
    assert "has no date" in age_warning("last week", 30, DAY_NS)


def test_a_session_keeps_the_calibration_it_used_and_warns_of_its_age(tmp_path: Path) -> None:
    path = tmp_path / "config.ini"
    path.write_text(CONFIG.read_text())
    store(valve_path(path, "rig1"), replace(GOOD, date="2020-01-01T00:00:00+00:00"))
    more = {**SHORT, "reward_ul": "3", "--data-root": str(tmp_path / "data"), "total_trials": "1"}
    result = run(load_settings(path, "DEMO", overrides=more))
    assert result.outcome == "complete"
    meta = json.loads((result.session / "session.json").read_text())
    assert meta["calibration"]["valve"]["ul_per_ms"] == GOOD.ul_per_ms
    assert meta["settings"]["reward_dur"] == GOOD.duration_s(3)
    [event] = [row for row in rows(result.session / "events.csv") if row["kind"] == "calibration"]
    assert "days ago (2020-01-01)" in event["detail"]
