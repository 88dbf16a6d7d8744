"""The commands beside run and threshold, as a person types them: what they print, make, and their exit codes."""

import json
from pathlib import Path

import pytest

from recording.reader import open_session
from tests.cli.words import QUICK, run_words


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


@pytest.mark.parametrize("command", [("threshold", "--rate", "1", "--session"), ("export", "--clopy", "x")])
def test_a_session_that_is_not_there(rigloop, tmp_path, command):
    code, _, err = rigloop(*command, tmp_path / "nothing")
    assert code in (2, 3)
    assert len(err.strip().splitlines()) == 1
    assert str(tmp_path / "nothing") in err


@pytest.mark.parametrize("words", [("--help",), ("run", "--help"), ("threshold", "--help")])
def test_help(rigloop, words):
    code, out, _ = rigloop(*words)
    assert code == 0
    assert "usage" in out


def test_no_command_says_what_there_is(rigloop):
    code, _, err = rigloop()
    assert code == 2
    assert "rigloop" in err


@pytest.mark.parametrize(
    ("words", "whose"),
    [
        (("doctor", "--rigs"), "rigloop doctor"),
        (("weigh", "24", "25", "--mouse", "DEMO"), "rigloop weigh"),
        (("calibrate", "valve", "--drops", "3"), "rigloop calibrate valve"),
    ],
)
def test_an_option_that_a_command_has_not_is_that_commands_error(rigloop, words, whose):
    code, _, err = rigloop(*words)
    assert code == 2
    assert err.startswith(f"{whose}: unrecognized arguments: ")
    assert err.endswith(f"(see {whose} --help)\n")
