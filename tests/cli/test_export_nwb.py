"""``rigloop export --nwb``: its words, its exit codes, and what it takes from config.ini."""

import pytest

from recording import nwb
from recording.folder import write_session_json
from recording.nwb import NwbExport, NwbImages, SubjectFacts
from recording.subject import SubjectSettings
from tests.recording.samples import frame_row
from tests.recording.test_csvrows import write_session


@pytest.fixture
def session(tmp_path):
    folder = tmp_path / "DEMO" / "20260301120000" / "S1"
    folder.mkdir(parents=True)
    write_session(folder, [frame_row(n) for n in range(1, 9)])
    meta = {"mouse": "DEMO", "experiment": "clnf_1roi", "started_wall_ns": 1_772_362_800_000_000_000}
    write_session_json(folder, meta)
    return folder


@pytest.fixture
def asked(monkeypatch):
    """What the export was asked for; it is not done."""
    calls = []

    def remember(session, path, facts, **options):
        calls.append((path, facts, options))
        options.pop("progress")(0, 9)
        return NwbExport(path, 8, 9, 2, ("session.ini",))

    monkeypatch.setattr(nwb, "export_nwb", remember)
    return calls


def test_the_file_completes_the_session(rigloop, config, session, asked, tmp_path):
    text = config.read_text(encoding="utf-8").replace("[mouse:DEMO]", "[mouse:DEMO]\nsex = F", 1)
    config.write_text(text, encoding="utf-8")
    (tmp_path / "DEMO" / "weights.csv").write_text("time,grams,note\n2026-03-01T08:00:00,23.5,\n")
    code, out, err = rigloop("export", session, "--nwb", tmp_path / "x.nwb", "--config", config, "--images", "link")
    assert code == 0
    assert out == f"wrote 8 frames and 9 images to {tmp_path / 'x.nwb'}\n"
    assert "2 images that the log names cannot be read" in err
    assert "session.ini: characters that no NWB file can hold became U+FFFD" in err
    facts = SubjectFacts(SubjectSettings(sex="F"), 23.5)
    assert asked == [(tmp_path / "x.nwb", facts, {"images": NwbImages.link, "allow_incomplete": False})]


def test_progress_is_told_without_a_terminal_where_it_is_asked_for(rigloop, session, asked, tmp_path):
    words = ("export", session, "--nwb", tmp_path / "x.nwb")
    assert "0/9" not in rigloop(*words)[2]
    assert "0/9" in rigloop(*words, "--progress")[2]


@pytest.mark.parametrize("words", [("--nwb", "x.nwb"), ("--clopy",), ("--clopy", "x")], ids=" ".join)
def test_a_session_that_still_runs_is_refused(rigloop, session, asked, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    write_session_json(session, {"mouse": "DEMO", "outcome": "running"})
    before = {path: path.read_bytes() for path in session.iterdir()}
    monkeypatch.setattr("recording.at_work.writer_of", {session: 4711}.get)
    code, out, err = rigloop("export", session, *words)
    assert (code, out) == (2, "")
    said = f"rigloop export: {session}: process 4711 still writes its files; export it when that has ended\n"
    assert err == said
    assert {path: path.read_bytes() for path in session.iterdir()} == before
    assert asked == []
    assert not any((tmp_path / name).exists() for name in ("x", "x.nwb"))


def test_a_start_that_is_no_time_is_one_line(rigloop, config, session, tmp_path):
    write_session_json(session, {"mouse": "DEMO", "started_wall_ns": 10**40})
    words = ("--nwb", tmp_path / "out", "--config", config, "--allow-incomplete")
    code, out, err = rigloop("export", session, *words)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "started_wall_ns" in err
    assert not (tmp_path / "out").exists()


def test_missing_data_are_one_line(rigloop, config, session, tmp_path):
    code, out, err = rigloop("export", session, "--nwb", tmp_path / "x.nwb", "--config", config)
    assert (code, out) == (2, "")
    assert err == (
        "rigloop export: mouse DEMO: species, sex, date_of_birth, indicator, excitation_nm, emission_nm, "
        "reflectance_nm not given; add them to [mouse:DEMO], or to its experiment, in config.ini, or export with "
        "--allow-incomplete\n"
    )
    assert not (tmp_path / "x.nwb").exists()


@pytest.mark.parametrize("words", [["--images", "compress"], ["--allow-incomplete"], ["--config", "config.ini"]])
def test_options_of_nwb_alone_are_refused_with_clopy(rigloop, session, tmp_path, words):
    before = sorted(session.iterdir())
    for into in ([], [tmp_path / "clopy"]):
        code, out, err = rigloop("export", session, "--clopy", *into, *words)
        assert (code, out) == (2, "")
        assert err == (
            f"rigloop export: {words[0]}: does nothing with --clopy; leave it out, or give --nwb FILE in its place\n"
        )
    assert sorted(session.iterdir()) == before
    assert not (tmp_path / "clopy").exists()


def test_one_of_the_two_formats(rigloop, session, tmp_path):
    code, _, err = rigloop("export", session, "--nwb", tmp_path / "x.nwb", "--clopy", tmp_path / "y")
    assert code == 2
    assert "not allowed with" in err
