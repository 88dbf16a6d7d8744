"""``rigloop run``: what it prints, what it makes, its exit codes, and what is said of bad input."""

import json
from pathlib import Path

import pytest

from tests.cli.words import run_words

KEYS = {"session", "trials", "successes", "rewards", "frames", "dropped", "duration_s", "wall_s", "real_time_factor",
        "latency_us", "outcome"}  # fmt: skip


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
        pytest.param(
            ("--camera", "simulated", "--set", "network=/nowhere/net.py:build"),
            "no file /nowhere/net.py",
            id="no network",
        ),
        pytest.param(("--camera", "webcam"), "webcam", id="unknown camera"),
        pytest.param(("--outputs", "real", "--pace", "max"), "--outputs fake", id="real outputs out of time"),
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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("--camera", "genicam"), "camera", id="no camera"),
        pytest.param(("--outputs", "real", "--set", "output_board=auto"), "", id="no board or sound card"),
    ],
)
def test_a_device_that_is_not_there_is_one_clear_line_and_nothing_made(rigloop, config, tmp_path, words, said):
    """Which of them is missed first is the machine's; every one has its own tests."""
    code, out, err = rigloop(*run_words(config, tmp_path, *words))
    assert code == 3, "a device, or a library for one"
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert out == ""
    assert not (tmp_path / "data").exists()


def test_a_key_is_set_once(rigloop, config, tmp_path):
    code, _, err = rigloop(*run_words(config, tmp_path, "--set", "total_trials=3"))
    assert code == 2
    assert "given twice" in err


def test_all_problems_come_at_once(rigloop, config, tmp_path):
    text = config.read_text().replace("framerate           = 15 ", "framerate           = x ", 1)
    config.write_text(text.replace("bregma              = 135, 128", "bregmaa             = 135, 128", 1))
    code, _, err = rigloop(*run_words(config, tmp_path, "--set", "audio=7"))
    assert code == 2
    assert len(err.strip().splitlines()) >= 3
    for words in ("framerate = x", "bregmaa", "--set audio=7"):
        assert words in err


def test_a_summary_of_another_program_is_not_written_into(rigloop, config, tmp_path):
    (tmp_path / "data").mkdir()
    summary = tmp_path / "data" / "expt_1roi_trial_summary.csv"
    summary.write_text("mouse_id,session,rewards\nM1,S1,3\n")
    code, _, err = rigloop(*run_words(config, tmp_path))
    assert code == 2
    assert "summary_file" in err
    assert summary.read_text() == "mouse_id,session,rewards\nM1,S1,3\n"
    assert [path.name for path in (tmp_path / "data").iterdir()] == [summary.name]


def test_a_recording_whose_images_are_damaged_is_refused_and_nothing_made(rigloop, config, tmp_path):
    """Its header is whole: only reading an image tells."""
    code, out, err = rigloop(*run_words(config, tmp_path / "first", "--json", "--seed", "3"))
    assert code == 0, err
    [stream] = Path(json.loads(out)["session"]).glob("*.hdf5")
    whole = stream.read_bytes()
    for damaged in (whole[: 2 * len(whole) // 3], index_damaged(whole)):
        stream.write_bytes(damaged)
        words = ("--camera", "replay", "--source", stream.parent)
        code, out, err = rigloop(*run_words(config, tmp_path / "second", *words))
        assert (code, out) == (2, "")
        assert len(err.splitlines()) == 1
        assert f"{stream}: is damaged (" in err
        assert not (tmp_path / "second").exists()


def index_damaged(whole):
    """Flip the first block of the index of images, which has a checksum."""
    begin = whole.index(b"EADB") + 20
    return whole[:begin] + bytes(byte ^ 0xFF for byte in whole[begin : begin + 8]) + whole[begin + 8 :]
