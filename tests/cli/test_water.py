"""``rigloop water``, ``flush`` and ``weigh``: bounded, counted, told."""

import io
import re
import signal
from datetime import datetime

import pytest

from core.clock import MonotonicClock
from hardware.ledger import Ledger, Opening
from hardware.ledger_rows import Purpose
from session import rig_outputs
from session.locks import mouse_lock, rig_locks
from session.water_day import water_path
from tests.cli.conftest import QuickGuard
from tests.support.outputs import VirtualGuard

pytestmark = pytest.mark.usefixtures("own_locks")


@pytest.fixture
def root(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def water(rigloop, config, root):
    return lambda *words: rigloop("water", "--mouse", "DEMO", "--data-root", root, "--config", config, *words)


def test_drops_are_given_and_counted_to_the_mouse(water, guards, root, own_state):
    code, out, err = water("--seconds", "0.005", "--drops", "3")
    assert code == 0, err
    assert "water for DEMO: 3 openings, 0.015 s of water" in out
    assert "water today 0.015 s of 120 s" in out
    [guard] = guards
    assert guard.closed
    assert guard.spec.purpose is Purpose.free
    assert guard.spec.ledgers == (own_state / "water" / "DEMO.csv", root / "DEMO" / "water.csv")
    assert [round((down - up) / 1e6) for up, down in guard.pulses] == [5, 5, 5]


def test_a_volume_needs_the_calibration(water, guards, rigloop, config, tmp_path):
    code, _, err = water("--ul", "0.1")
    assert code == 2
    assert "rig1 is not calibrated" in err
    (tmp_path / "w.csv").write_text("duration_ms,pulses,grams\n1,100,0.005\n10,100,0.05\n20,100,0.1\n")
    assert rigloop("calibrate", "valve", "--weights", tmp_path / "w.csv", "--config", config)[0] == 0
    code, out, err = water("--ul", "0.25", "--drops", "2")
    assert code == 0, err
    assert "(0.5 ul)" in out
    assert [round((down - up) / 1e6) for up, down in guards[0].pulses] == [5, 5]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--seconds", "2"), "above max_pulse_s (1)"),
        (("--seconds", "1", "--set", "max_duty=0.09"), "above 0.9 s, all that max_duty (0.09) leaves of any 10 s"),
        (("--seconds", "1e-7"), "--seconds: an opening of 1e-07 s is below 0.001 s, in which no valve opens"),
        (("--seconds", "0.01", "--set", "pin_valve=0"), "pin_valve 0: no valve is connected"),
        (("--seconds", "0"), "more than 0 s"),
        (("--seconds", "nan"), "more than 0 s"),
        (("--seconds", "0.1", "--drops", "0"), "one drop or more"),
        (("--seconds", "1", "--drops", "61"), "above max_session_water_s (60)"),
        (("--ul", "-1"), "reward_ul"),
        ((), "required"),
    ],
)
def test_water_that_is_refused_opens_nothing(water, guards, root, words, said):
    code, _, err = water(*words)
    assert code == 2
    assert said in err
    assert guards == []
    assert not root.exists()


def test_water_beyond_the_day_is_refused_with_what_is_left(water, guards, root):
    ledger = Ledger(water_path(root, "DEMO"))
    ledger.add(Opening(MonotonicClock().wall_ns(), Purpose.reward, 0.49))
    ledger.close()
    full = ("--set", "max_day_water_s=0.5", "--seconds", "0.005")
    code, _, err = water(*full, "--drops", "3")
    assert code == 2
    assert "3 drops of 0.005 s are 0.015 s of water, above the 0.010 s that mouse DEMO has left" in err
    assert "max_day_water_s (0.5)" in err
    assert guards == []
    code, out, err = water(*full, "--drops", "2")
    assert code == 0, err
    assert "water today 0.500 s of 0.5 s" in out
    assert "above the 0.000 s" in water(*full)[2]


def test_a_ledger_that_says_more_than_any_day_holds_is_a_full_day(water, guards, root):
    ledger = Ledger(water_path(root, "DEMO"))
    ledger.add(Opening(MonotonicClock().wall_ns(), Purpose.reward, 1e308))
    ledger.close()
    code, _, err = water("--seconds", "0.01")
    assert code == 2
    assert "above the 0.000 s that mouse DEMO has left" in err
    assert guards == []


def test_the_day_is_one_whatever_folder_the_data_go_to(water, guards, root, tmp_path):
    full = ("--set", "max_day_water_s=0.05", "--set", "reward_dur=0.05", "--seconds", "0.01")
    assert water(*full, "--drops", "3")[0] == 0
    elsewhere = (*full, "--data-root", tmp_path / "elsewhere")
    code, _, err = water(*elsewhere, "--drops", "3")
    assert code == 2
    assert "above the 0.020 s that mouse DEMO has left" in err
    code, out, err = water(*elsewhere, "--drops", "2")
    assert code == 0, err
    assert "water today 0.050 s of 0.05 s" in out
    assert "above the 0.000 s" in water(*full)[2]
    rows = [(folder / "DEMO" / "water.csv").read_text().count("free") for folder in (root, tmp_path / "elsewhere")]
    assert rows == [3, 2], "a copy has the water that was given from its folder"


def test_water_into_memory_is_no_water_of_the_day(water, guards, root, own_state):
    bound = ("--set", "max_day_water_s=0.02", "--set", "reward_dur=0.02", "--seconds", "0.005")
    code, _, err = water(*bound, "--drops", "4", "--set", "output_board=memory")
    assert code == 0, err
    assert guards[0].spec.ledgers == (root / "DEMO" / "water-memory.csv",)
    assert not own_state.exists()
    code, out, err = water(*bound, "--drops", "4")
    assert code == 0, err
    assert "water today 0.020 s of 0.02 s" in out
    assert "above the 0.000 s" in water(*bound, "--set", "output_board=memory")[2], "the rehearsal's day is full"


@pytest.mark.parametrize(
    "words", [("flush", "--seconds", "1"), ("calibrate", "valve", "--durations-ms", "2,4", "--pulses", "2")], ids="fc"
)
def test_no_water_where_no_valve_is_connected(rigloop, config, guards, words):
    code, _, err = rigloop(*words, "--set", "pin_valve=0", "--config", config)
    assert code == 2
    assert "pin_valve 0: no valve is connected, so no water can come; set pin_valve" in err
    assert guards == []


@pytest.mark.parametrize("line", ["max_pulse_s = 0.5", "max_duty = 0.25", "min_pulse_gap_s = 0.1"])
def test_mice_that_disagree_on_the_bounds_of_a_rig(rigloop, config, guards, line):
    text = config.read_text()
    assert text.count("[mouse:DEMO2]") == 1
    start = text.index("\n", text.index("[mouse:DEMO2]"))
    config.write_text(text[:start] + f"\n{line}" + text[start:])
    code, _, err = rigloop("flush", "--seconds", "0.05", "--config", config)
    assert code == 2
    assert f"mice DEMO and DEMO2 give different {line.split()[0]}; choose with --mouse ID" in err
    assert guards == []
    assert rigloop("flush", "--seconds", "0.05", "--mouse", "DEMO2", "--config", config)[0] == 0


@pytest.mark.parametrize("taken", ["rig", "mouse"])
def test_a_rig_or_mouse_that_is_in_a_session(water, guards, root, taken):
    lock = rig_locks("rig1", "other")[0] if taken == "rig" else mouse_lock(root, "DEMO")
    with lock:
        code, _, err = water("--seconds", "0.01")
    assert code == 2
    assert "still running" in err
    assert guards == []


def test_flush_is_no_mouses_water(rigloop, config, guards):
    code, out, err = rigloop("flush", "--seconds", "0.05", "--config", config)
    assert code == 0, err
    [guard] = guards
    assert guard.closed
    log = config.parent / "calibration" / "rig1" / "water.csv"
    assert guard.spec.ledger == log
    assert str(log) in out
    time, what, seconds, _ = log.read_text().splitlines()[1].split(",")
    assert (what, float(seconds)) == ("flush", pytest.approx(0.05, abs=1e-4))
    assert datetime.fromisoformat(time).tzinfo is not None


def test_ctrl_c_closes_a_flush_at_once(rigloop, config, guards, monkeypatch):
    import cli.flush as command

    class Impatient(command.Countdown):
        def __call__(self, pulses, left_s):
            super().__call__(pulses, left_s)
            if left_s < 29.95:
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(command, "Countdown", Impatient)
    code, out, err = rigloop("flush", "--seconds", "30", "--config", config)
    assert code == 130, err
    assert guards[0].closed
    assert 0 < guards[0].open_s() < 5
    assert "then stopped" in out
    assert logged(config) == pytest.approx(guards[0].open_s(), abs=0.1)


def logged(config):
    """Return the water in the rig's own log, s."""
    rows = (config.parent / "calibration" / "rig1" / "water.csv").read_text().splitlines()[1:]
    return sum(float(row.split(",")[2]) for row in rows)


def test_a_flush_whose_guardian_is_killed_is_in_the_log(rigloop, config, guards, monkeypatch):
    import cli.flush as command

    class Killer(command.Countdown):
        def __call__(self, pulses, left_s):
            super().__call__(pulses, left_s)
            if pulses == 1 and guards[0].killed_ns is None:
                # In the middle of an opening: half a second off its ends, for a machine that stands still.
                guards[0].killed_ns = guards[0].pulses[-1][0] + 500_000_000

    monkeypatch.setattr(command, "Countdown", Killer)
    monkeypatch.setattr("session.rig_outputs.PIECE_S", 1.0)
    code, _, err = rigloop("flush", "--seconds", "10", "--config", config)
    assert code == 3
    assert "it was killed" in err
    assert "given: 1 of 10 openings and part of one, 1." in err
    assert len(err.splitlines()) == 1
    assert guards[0].closed
    assert guards[0].open_s() - 0.1 <= logged(config) == pytest.approx(2.0)


def test_a_log_of_the_rig_that_cannot_be_written_is_told_with_a_cure_that_helps(rigloop, config, guards):
    (config.parent / "calibration").write_text("in the way")
    code, _, err = rigloop("flush", "--seconds", "0.05", "--config", config)
    assert code == 3
    assert re.search(r"log of water .*/calibration/rig1/water.csv cannot be written \(.*\); free space", err)
    assert "data_root" not in err
    assert guards == []


@pytest.mark.parametrize("seconds", ["0", "-1", "121", "nan"])
def test_a_flush_has_a_limit_of_its_own(rigloop, config, guards, seconds):
    code, _, err = rigloop("flush", "--seconds", seconds, "--config", config)
    assert code == 2
    assert "at most 120 s" in err
    assert guards == []


def test_weights_are_kept_and_compared(rigloop, config, root):
    def weigh(*words):
        words = (*words, "--mouse", "DEMO", "--data-root", root, "--config", config)
        return rigloop("weigh", *words)

    code, out, err = weigh("25.5", "--note", "first day")
    assert (code, err) == (0, "")
    assert "first weighing" in out
    ledger = Ledger(water_path(root, "DEMO"))
    now = MonotonicClock().wall_ns()
    ledger.add(Opening(now, Purpose.reward, 0.6))
    ledger.add(Opening(now, Purpose.free, 0.1))
    ledger.close()
    code, out, err = weigh("21.2")
    assert code == 0
    assert "-4.30 g since" in out
    assert "water today 0.700 s of 120 s (max_day_water_s): rewards 0.600 s, free 0.100 s" in out
    assert "warning: mouse DEMO: 21.2 g is 83.1 % of the baseline (25.5 g), below 85 %" in err
    rows = (root / "DEMO" / "weights.csv").read_text().splitlines()
    assert rows[0] == "time,grams,note"
    assert rows[1].endswith(",25.5,first day")
    code, _, err = weigh("24", "--set", "baseline_weight_g=30")
    assert "80.0 % of the baseline (30 g)" in err


@pytest.mark.parametrize("grams", ["0", "25500", "nan", "heavy"])
def test_weights_that_are_none(rigloop, config, root, grams):
    code, _, err = rigloop("weigh", grams, "--mouse", "DEMO", "--set", f"data_root={root}", "--config", config)
    assert code == 2
    assert "grams" in err.lower()
    assert not root.exists()


@pytest.mark.parametrize("place", ["file", "file/below"])
@pytest.mark.parametrize(
    "words",
    [
        ["weigh", "24"],
        ["water", "--seconds", "0.01"],
        ["run", "--outputs", "fake", "--set", "record_images=0"],
        ["preview", "--seconds", "1", "--pace", "max"],
    ],
    ids=lambda words: words[0],
)
def test_a_data_root_that_cannot_be_written_is_exit_code_3_everywhere(rigloop, config, guards, tmp_path, words, place):
    (tmp_path / "file").write_text("in the way")
    root = f"data_root={tmp_path / place}"
    code, _, err = rigloop(*words, "--mouse", "DEMO", "--set", root, "--config", config)
    assert code == 3, err
    assert len(err.splitlines()) == 1
    assert str(tmp_path / place) in err
    assert not any(guard.pulses for guard in guards)


@pytest.mark.parametrize(
    "words",
    [
        ["water", "--mouse", "DEMO", "--seconds", "0.01"],
        ["flush", "--seconds", "1"],
        ["calibrate", "valve", "--durations-ms", "2,4", "--pulses", "2"],
        ["doctor", "--toggle", "--yes"],
        ["doctor", "--latency", "--bench", "guardian", "--mouse", "DEMO", "--ear", "none"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_ctrl_c_while_the_guardian_starts_ends_the_command_at_once(rigloop, config, guards, root, monkeypatch, words):
    def start(self, go_on):
        signal.raise_signal(signal.SIGINT)
        VirtualGuard.start(self, go_on)

    monkeypatch.setattr(QuickGuard, "start", start)
    monkeypatch.setattr("session.latency_rig.make_guard", lambda spec: rig_outputs.make_guard(spec))
    monkeypatch.setattr("sys.stdin", io.StringIO("1\n"))
    code, out, err = rigloop(*words, "--config", config)
    [guard] = guards
    assert code == 130, err
    assert guard.closed
    assert not guard.started
    assert len(err.splitlines()) == 1
    assert "stopped" in err
    assert "NO EDGE" not in out
