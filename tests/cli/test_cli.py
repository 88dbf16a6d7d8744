"""The command line, as a person types it: what it prints, what it makes, and its exit codes."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import main
from recording.reader import open_session
from session.stop import SIGNALS

ROOT = Path(__file__).resolve().parent.parent.parent
QUICK = ("--set", "total_trials=2", "--set", "initial_rest_dur=1", "--set", "dff_history=1", "--set", "max_trial_dur=2",
         "--set", "success_rest_dur=1", "--set", "fail_rest_dur=1", "--set", "reward_threshold=0.02")  # fmt: skip
KEYS = {"session", "trials", "successes", "rewards", "frames", "dropped", "duration_s", "wall_s", "real_time_factor",
        "latency_us", "outcome"}  # fmt: skip


@pytest.fixture(autouse=True)
def signals_as_before():
    """``rigloop run`` keeps the signals caught for good; this process goes on."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def config(tmp_path):
    return Path(shutil.copy(ROOT / "config.ini", tmp_path / "config.ini"))


@pytest.fixture
def rigloop(capsys, config):
    """Run one command in this process; return (exit code, stdout, stderr)."""

    def call(*words):
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        return code, out, err

    return call


def run_words(config, tmp_path, *words):
    return ("run", "--mouse", "DEMO", "--config", config, "--data-root", tmp_path / "data", *QUICK, *words)


def test_json_ends_with_one_line_that_says_it_all(rigloop, config, tmp_path):
    code, out, err = rigloop(*run_words(config, tmp_path, "--json", "--seed", "3"))
    assert code == 0, err
    assert len(out.splitlines()) == 1
    said = json.loads(out)
    assert set(said) >= KEYS
    assert set(said["latency_us"]) == {"p50", "p99", "p999", "max"}
    assert said["outcome"] == "complete"
    assert said["trials"] == 2
    assert Path(said["session"]).is_dir()


def test_without_json_a_person_reads_summary_folder_and_figure(rigloop, config, tmp_path):
    code, out, err = rigloop(*run_words(config, tmp_path, "--seed", "3"))
    assert code == 0, err
    [folder] = (tmp_path / "data").glob("DEMO/*/S1")
    assert str(folder) in out
    assert str(folder / "session.png") in out
    assert (folder / "session.png").stat().st_size > 10_000
    assert "complete" in out


def test_the_seed_makes_the_session(rigloop, config, tmp_path):
    logs = []
    for seed in (3, 3, 4):
        _, out, _ = rigloop(*run_words(config, tmp_path, "--json", "--seed", seed))
        logs.append((Path(json.loads(out)["session"]) / "frames.csv").read_bytes())
    assert logs[0] == logs[1] != logs[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("--set", "max_trail_dur=3"), "did you mean max_trial_dur", id="unknown key"),
        pytest.param(("--set", "max_trial_dur=abc"), "--set max_trial_dur", id="bad value"),
        pytest.param(("--set", "max_trial_dur"), "write key=value", id="no value"),
        pytest.param(("--camera", "replay"), "vid_root", id="replay of nothing"),
        pytest.param(("--camera", "replay", "--source", "/nowhere/at/all"), "/nowhere/at/all", id="no such recording"),
        pytest.param(("--camera", "pi"), "picamera2", id="no such camera"),
        pytest.param(("--camera", "simulated"), "simulated", id="no simulated mouse yet"),
        pytest.param(("--camera", "webcam"), "webcam", id="unknown camera"),
        pytest.param(("--outputs", "real"), "--outputs fake", id="no real outputs"),
        pytest.param(("--experiment", "clnf_9roi"), "did you mean clnf_", id="unknown experiment"),
        pytest.param(("--seed", "-1"), "--seed", id="negative seed"),
        pytest.param(("--seed", "x"), "--seed", id="seed is a word"),
        pytest.param(("--set", "roi=M1_X"), "M1_", id="unknown seed"),
        pytest.param(("--set", "roi.M1_L=250,250,20,20"), "outside the frame", id="ROI outside"),
        pytest.param(("--nonsense",), "--nonsense", id="unknown option"),
    ],
)
def test_bad_input_is_one_clear_line_exit_code_2_and_nothing_made(rigloop, config, tmp_path, words, said):
    code, out, err = rigloop(*run_words(config, tmp_path, *words))
    assert code == 2
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in err
    assert out == ""
    assert not (tmp_path / "data").exists()


def test_all_problems_come_at_once(rigloop, config, tmp_path):
    text = config.read_text().replace("framerate           = 15 ", "framerate           = x ", 1)
    config.write_text(text.replace("bregma              = 135, 128", "bregmaa             = 135, 128", 1))
    code, _, err = rigloop(*run_words(config, tmp_path, "--set", "audio=7"))
    assert code == 2
    assert len(err.strip().splitlines()) >= 3
    for words in ("framerate = x", "bregmaa", "--set audio=7"):
        assert words in err


def test_check_says_good_or_lists_every_problem(rigloop, config):
    code, out, _ = rigloop("check", "--config", config)
    assert code == 0
    assert "good" in out
    assert "DEMO2" in out
    config.write_text(config.read_text().replace("n_tones             = 18", "n_tones             = 1"))
    code, out, err = rigloop("check", "--config", config)
    assert code == 2
    assert f"{config}:" in err
    assert "n_tones = 1" in err


def test_check_of_one_mouse(rigloop, config):
    code, out, _ = rigloop("check", "--mouse", "DEMO", "--config", config)
    assert code == 0
    assert "DEMO2" not in out
    code, _, err = rigloop("check", "--mouse", "DEM", "--config", config)
    assert code == 2
    assert "DEMO" in err


def test_new_mouse_then_run_it(rigloop, config, tmp_path):
    code, _, err = rigloop("new-mouse", "M7", "--from", "DEMO", "--config", config)
    assert code == 0, err
    assert "[mouse:M7]" in config.read_text()
    code, _, err = rigloop(
        "run", "--mouse", "M7", "--config", config, "--data-root", tmp_path / "data", *QUICK, "--json"
    )
    assert code == 0, err
    before = config.read_bytes()
    code, _, err = rigloop("new-mouse", "M7", "--from", "DEMO", "--config", config)
    assert code == 2
    assert "M7" in err
    assert config.read_bytes() == before


def test_import_config_prints_a_config_and_a_list(rigloop, shared_data, tmp_path):
    old = shared_data / "clopy" / "clopy_config_sections.ini"
    code, out, err = rigloop("import-config", old)
    assert code == 0
    assert "[clnf_1roi]" in out
    assert "dropped" in err
    new = tmp_path / "new.ini"
    code, out, _ = rigloop("import-config", old, "--output", new)
    assert (code, out) == (0, "")
    code, _, err = rigloop("import-config", old, "--output", new)
    assert code == 2
    assert "exists" in err


@pytest.mark.parametrize("old", ["absent.ini", "."])
def test_import_config_of_what_is_no_config(rigloop, tmp_path, old):
    code, _, err = rigloop("import-config", tmp_path / old)
    assert code == 2
    assert len(err.strip().splitlines()) == 1


@pytest.fixture
def resting(rigloop, config, tmp_path):
    words = ("--set", "session_type=behavior_recording", "--set", "spont_sess_duration=3", "--seed", "2", "--json")
    code, out, err = rigloop(*run_words(config, tmp_path, *words))
    assert code == 0, err
    return Path(json.loads(out)["session"])


def test_threshold_from_a_resting_session_is_found_and_saved(rigloop, config, resting):
    code, out, err = rigloop("threshold", "--session", resting, "--rate", "3", "--config", config)
    assert code == 0, err
    found = float(out.split()[1].rstrip(":"))
    assert 0.01 < found < 0.2
    assert f"reward_threshold = {found}" not in config.read_text()
    code, out, err = rigloop("threshold", "--session", resting, "--success", "0.25", "--save", "--config", config)
    assert code == 0, err
    saved = out.split()[1].rstrip(":")
    section = config.read_text().split("[mouse:DEMO]")[1].split("\n[")[0]
    assert saved in section


def test_the_saved_threshold_gives_what_was_asked_for(rigloop, config, resting):
    """Five decimals, rounded up, would miss the very peak that was found."""
    for share in (0.1, 0.2, 0.3, 0.5):
        code, out, err = rigloop("threshold", "--session", resting, "--success", share, "--config", config)
        assert code == 0, err
        assert float(out.split(" % of trials")[0].split("in ")[-1]) >= 100 * share


def test_a_threshold_of_a_session_that_does_not_say_whose_it_is(rigloop, config, resting, tmp_path):
    shutil.copytree(resting, tmp_path / "S1", ignore=shutil.ignore_patterns("session.json", "frames.csv"))
    words = ("threshold", "--session", tmp_path / "S1", "--rate", "3", "--config", config, "--save")
    code, _, err = rigloop(*words)
    assert code == 2
    assert "--mouse" in err
    code, out, err = rigloop(*words, "--mouse", "DEMO2")
    assert code == 0, err
    assert "[mouse:DEMO2]" in out


@pytest.mark.parametrize("words", [("--rate", "1e9"), ("--success", "2"), ("--rate", "nan"), ()])
def test_a_threshold_that_cannot_be_found_says_why(rigloop, config, resting, words):
    code, _, err = rigloop("threshold", "--session", resting, *words, "--config", config)
    assert code == 2
    assert len(err.strip().splitlines()) == 1


def test_export_for_clopy(rigloop, config, tmp_path):
    import h5py

    _, out, _ = rigloop(*run_words(config, tmp_path, "--json"))
    session = Path(json.loads(out)["session"])
    code, _, err = rigloop("export", session, "--clopy", tmp_path / "clopy")
    assert code == 0, err
    assert {path.name for path in (tmp_path / "clopy").rglob("*") if path.is_file()} == {
        "config.ini", "VideoTimestamp.txt", "image_stream.hdf5",
    }  # fmt: skip
    [stream] = (tmp_path / "clopy").rglob("image_stream.hdf5")
    with h5py.File(stream, "r") as file, open_session(session) as ours:
        assert file["raw_images"].shape == ours.images().shape
    code, _, err = rigloop("export", session, "--clopy", tmp_path / "clopy")
    assert code == 2, "an existing export is not overwritten"


def test_export_without_a_folder_writes_clopys_files_beside_the_recording(rigloop, config, tmp_path):
    _, out, _ = rigloop(*run_words(config, tmp_path, "--json"))
    session = Path(json.loads(out)["session"])
    log = (session / "VideoTimestamp.txt").read_bytes()
    (session / "VideoTimestamp.txt").unlink()
    (session / "config.ini").unlink()
    code, _, err = rigloop("export", session, "--clopy")
    assert code == 0, err
    assert (session / "VideoTimestamp.txt").read_bytes() == log
    assert (session / "config.ini").exists()


def test_a_summary_of_another_program_is_not_written_into(rigloop, config, tmp_path):
    (tmp_path / "data").mkdir()
    summary = tmp_path / "data" / "expt_1roi_trial_summary.csv"
    summary.write_text("mouse_id,session,rewards\nM1,S1,3\n")
    code, _, err = rigloop(*run_words(config, tmp_path))
    assert code == 2
    assert "summary_file" in err
    assert summary.read_text() == "mouse_id,session,rewards\nM1,S1,3\n"
    assert [path.name for path in (tmp_path / "data").iterdir()] == [summary.name]


@pytest.mark.parametrize("command", [("threshold", "--rate", "1", "--session"), ("export", "--clopy", "x")])
def test_a_session_that_is_not_there(rigloop, tmp_path, command):
    code, _, err = rigloop(*command, tmp_path / "nothing")
    assert code in (2, 3)
    assert len(err.strip().splitlines()) == 1
    assert str(tmp_path / "nothing") in err


def script(n, *words, cwd, python=sys.executable):
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [python, str(ROOT / "brain" / f"cla_reward_punish_{n}roi.py"), *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=env)


@pytest.mark.parametrize(("n", "mouse", "other"), [(1, "DEMO", "DEMO2"), (2, "DEMO2", "DEMO")])
def test_the_experiment_scripts_run_from_any_folder_and_only_their_own_experiment(tmp_path, n, mouse, other):
    done = script(n, "--mouse", mouse, "--data-root", "here", "--json", *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["session"].startswith(str(tmp_path / "here"))
    refused = script(n, "--mouse", other, "--data-root", "here2", cwd=tmp_path)
    assert refused.returncode == 2
    assert f"cla_reward_punish_{3 - n}roi.py" in refused.stderr
    assert not (tmp_path / "here2").exists()


@pytest.mark.parametrize("redirect", [">&-", "2>&-", ">/dev/full", "2>/dev/full", ">/dev/full 2>/dev/full"])
def test_a_screen_that_takes_nothing_does_not_hurt_the_session(tmp_path, redirect):
    words = " ".join(["-m", "cli.main", "run", "--mouse", "DEMO", "--data-root", str(tmp_path), *QUICK, "--json"])
    done = subprocess.run(f"{sys.executable} {words} {redirect}", shell=True, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "complete" in (tmp_path / "expt_1roi_trial_summary.csv").read_text()


def test_a_key_is_set_once(rigloop, config, tmp_path):
    code, _, err = rigloop(*run_words(config, tmp_path, "--set", "total_trials=3"))
    assert code == 2
    assert "given twice" in err


def test_a_reader_that_goes_away_does_not_hurt_the_session(tmp_path):
    words = ["-m", "cli.main", "run", "--mouse", "DEMO", "--data-root", str(tmp_path), *QUICK]
    process = subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    err = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() == 0, err
    assert "Traceback" not in err
    assert "complete" in (tmp_path / "expt_1roi_trial_summary.csv").read_text()


@pytest.mark.parametrize("words", [("--help",), ("run", "--help"), ("threshold", "--help")])
def test_help(rigloop, words):
    code, out, _ = rigloop(*words)
    assert code == 0
    assert "usage" in out


def test_no_command_says_what_there_is(rigloop):
    code, _, err = rigloop()
    assert code == 2
    assert "rigloop" in err
