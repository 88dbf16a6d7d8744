"""``rigloop calibrate``: stored, printed, saved, refused."""

import io
import json

import pytest

from core.errors import OutputError
from hardware.loudness import FLAT
from session.calibration_speaker import speaker_gains
from tests.cli.conftest import QuickGuard

pytestmark = pytest.mark.usefixtures("own_locks")

WEIGHTS = "duration_ms,pulses,grams\n30,100,0.11\n60,100,0.26\n100,100,0.46\n150,100,0.711\n"


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "weights.csv"
    path.write_text(WEIGHTS)
    return path


def test_valve_from_a_file_is_fitted_stored_drawn_and_used(rigloop, config, weights):
    code, out, err = rigloop("calibrate", "valve", "--rig", "rig1", "--weights", weights, "--config", config)
    assert (code, err) == (0, "")
    folder = config.parent / "calibration" / "rig1"
    stored = json.loads((folder / "valve.json").read_text())
    assert stored["ul_per_ms"] == pytest.approx(0.05, rel=0.02)
    assert (folder / "valve.png").read_bytes()[:4] == b"\x89PNG"
    assert f"{stored['ul_per_ms']:.5g} ul/ms" in out
    code, out, err = rigloop("check", "--mouse", "DEMO", "--config", config)
    assert code == 0, err


def test_a_bad_series_is_warned_of(rigloop, config, weights):
    weights.write_text(WEIGHTS.replace("0.26", "0.40"))
    code, _, err = rigloop("calibrate", "valve", "--weights", weights, "--config", config)
    assert code == 0
    assert "warning: 60 ms: 4.01 ul a drop is +" in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the first line must be duration_ms,pulses,grams"),
        ("duration_ms,pulses,grams\n30,100\n", ":2: '30,100' is not 3 numbers"),
        ("duration_ms,pulses,grams\n30,10.5,1\n", "weights.csv:2: 10.5 pulses; they must be whole numbers"),
        ("duration_ms,pulses,grams\n30,100,0.1\n\n60,100,-1\n", "weights.csv:4: series of 100 drops of 60 ms, -1 g"),
        ("duration_ms,pulses,grams\n30,100,0.1\n60,0,1\n", "weights.csv:3: series of 0 drops"),
        ("duration_ms,pulses,grams\n30,100,nan\n", "is not 3 numbers"),
        ("duration_ms,pulses,grams\n30,100,1\n", "weights.csv: series of 1 duration(s) make no line"),
        ("duration_ms,pulses,grams\n30,100,0.5\n60,100,0.4\n", "weights.csv: drops do not grow"),
    ],
)
def test_weights_that_cannot_be_used_leave_what_was_stored(rigloop, config, weights, text, said):
    rigloop("calibrate", "valve", "--weights", weights, "--config", config)
    stored = config.parent / "calibration" / "rig1" / "valve.json"
    before = stored.read_bytes()
    weights.write_text(text)
    code, _, err = rigloop("calibrate", "valve", "--weights", weights, "--config", config)
    assert code == 2
    assert said in err
    assert len(err.splitlines()) == 1
    assert stored.read_bytes() == before


def test_a_rig_that_no_mouse_trains_on(rigloop, config, weights):
    code, _, err = rigloop("calibrate", "valve", "--rig", "rig9", "--weights", weights, "--config", config)
    assert code == 2
    assert "no mouse of" in err


@pytest.fixture
def typed(monkeypatch):
    def answers(*lines):
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))

    return answers


def test_a_person_weighs_after_each_series(rigloop, config, guards, typed):
    typed("1", "0.02", "1", "a lot", "again", "1", "0.04")
    words = ("--durations-ms", "2,4", "--pulses", "3")
    code, _, err = rigloop("calibrate", "valve", *words, "--config", config)
    assert code == 0, err
    assert "'a lot' is no number" in err
    assert [len(guard.pulses) for guard in guards] == [0, 3, 3, 3], "the board is tried before a person is asked"
    assert all(guard.closed for guard in guards)
    folder = config.parent / "calibration" / "rig1"
    assert all(guard.spec.ledger == folder / "water.csv" for guard in guards)
    stored = json.loads((folder / "valve.json").read_text())
    assert [each[:2] for each in stored["weighings"]] == [[2.0, 3], [4.0, 3]]
    assert len((folder / "water.csv").read_text().splitlines()) == 10


def test_a_weight_that_cannot_be_is_asked_for_again(rigloop, config, guards, typed):
    typed("1", "0.02", "7", "1", "-1", "0", "40", "0.000004", "0.04")
    words = ("--durations-ms", "2,4", "--pulses", "3")
    code, _, err = rigloop("calibrate", "valve", *words, "--config", config)
    assert code == 0, err
    for said in ("7 is not 1", "-1 g: give the water's own", " 0 g: give", "not milligrams", "less than any valve"):
        assert said in err
    stored = json.loads((config.parent / "calibration" / "rig1" / "valve.json").read_text())
    assert [each[2] for each in stored["weighings"]] == [0.02, 0.04]
    assert [len(guard.pulses) for guard in guards] == [0, 3, 3], "no series is given anew for a slip"


@pytest.mark.parametrize(
    ("durations", "said"),
    [
        ("30", "--durations-ms 30: one duration makes no line; give two or more"),
        ("30,30", "one duration makes no line"),
        ("30,9000", "above max_pulse_s (1); give shorter --durations-ms"),
        ("0.5,30", "--durations-ms: an opening of 0.0005 s is below 0.001 s"),
    ],
)
def test_durations_that_cannot_be_are_refused_before_anything(rigloop, config, guards, typed, durations, said):
    typed("1")
    code, out, err = rigloop("calibrate", "valve", "--durations-ms", durations, "--config", config)
    assert (code, out) == (2, "")
    assert said in err
    assert "--drops" not in err
    assert guards == []


def test_a_board_that_is_not_there_is_told_before_a_person_is_asked(rigloop, config, guards, typed, monkeypatch):
    def start(self, go_on):
        raise OutputError("no board; look with rigloop doctor")

    typed("1")
    monkeypatch.setattr(QuickGuard, "start", start)
    code, out, err = rigloop("calibrate", "valve", "--config", config)
    assert (code, out) == (3, "")
    assert err == "rigloop calibrate: no board; look with rigloop doctor\n"
    assert guards[0].closed


def test_stdin_that_ends_stores_nothing(rigloop, config, guards, typed):
    typed("1")
    code, _, err = rigloop("calibrate", "valve", "--durations-ms", "2,4", "--pulses", "2", "--config", config)
    assert code == 2
    assert "stdin has ended" in err
    assert not (config.parent / "calibration" / "rig1" / "valve.json").exists()


def test_series_beyond_the_bounds_are_refused_before_the_first_drop(rigloop, config, guards, typed):
    code, _, err = rigloop("calibrate", "valve", "--durations-ms", "30,900", "--pulses", "100", "--config", config)
    assert code == 2
    assert "above max_session_water_s (60)" in err
    assert guards == []


def test_camera_from_two_points_is_printed_and_saved(rigloop, config):
    before = config.read_text()
    words = ("calibrate", "camera", "--mouse", "DEMO", "--points", "10,20", "40,60", "--mm", "2", "--config", config)
    code, out, err = rigloop(*words)
    assert code == 0, err
    assert "ppmm = 25.0" in out
    assert config.read_text() == before
    code, out, err = rigloop(*words, "--bregma", "130,120.5", "--save")
    assert code == 0, err
    changed = set(config.read_text().splitlines()) - set(before.splitlines())
    assert sorted(line.split("=")[0].strip() for line in changed) == ["bregma", "ppmm"]
    assert "130, 120.5" in config.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing to do"),
        (("--mm", "3"), "give a length twice"),
        (("--points", "1,1", "9,9"), "give a length twice"),
        (("--points", "1,1", "9", "--mm", "1"), "--points 9: give 2 numbers"),
        (("--points", "1,1", "1,1", "--mm", "1"), "0 px apart"),
        (("--px", "100", "--mm", "-1"), "lengths above 0"),
        (("--px", "100", "--mm", "0.0001"), "ppmm"),
        (("--bregma", "9999,1"), "bregma"),
    ],
)
def test_camera_input_that_cannot_be(rigloop, config, words, said):
    before = config.read_text()
    code, _, err = rigloop("calibrate", "camera", "--mouse", "DEMO", *words, "--save", "--config", config)
    assert code == 2
    assert said in err
    assert config.read_text() == before


def test_speaker_from_levels_is_stored_and_used(rigloop, config, tmp_path):
    levels = tmp_path / "levels.csv"
    levels.write_text("freq_hz,level_db\n2000,66\n1000,60\n4000,63.5\n")
    code, out, err = rigloop("calibrate", "speaker", "--levels", levels, "--config", config)
    assert (code, err) == (0, "")
    assert "6.0 dB without, 0.0 dB with" in out
    gains = speaker_gains(config, "rig1")
    assert gains.freqs_hz == (1000.0, 2000.0, 4000.0)
    assert gains.gains_db == (0.0, -6.0, -3.5)
    assert speaker_gains(config, "rig2") == FLAT


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("freq_hz,level_db\n", "one level each"),
        ("freq_hz,level_db\n1000,loud\n", "is not 2 numbers"),
        ("freq_hz,level_db\n1000,60\n1000,61\n", "must be above 0 and rise"),
        ("freq_hz,level_db\n1000,60\n-5,61\n", "levels.csv:3: -5 Hz is no tone"),
        ("freq_hz,level_db\n1000,60\n2000,1e9\n", "levels.csv:3: 1e+09 dB is no level; give -200 to 200 dB"),
    ],
)
def test_levels_that_cannot_be_used(rigloop, config, tmp_path, text, said):
    levels = tmp_path / "levels.csv"
    levels.write_text(text)
    code, _, err = rigloop("calibrate", "speaker", "--levels", levels, "--config", config)
    assert code == 2
    assert said in err
    assert not (config.parent / "calibration").exists()


def test_a_speaker_that_is_deaf_at_one_tone_is_warned_of(rigloop, config, tmp_path):
    levels = tmp_path / "levels.csv"
    levels.write_text("freq_hz,level_db\n1000,20\n2000,66\n")
    code, _, err = rigloop("calibrate", "speaker", "--levels", levels, "--config", config)
    assert code == 0
    assert "stays 16.0 dB below" in err
