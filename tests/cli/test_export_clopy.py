"""``rigloop export --clopy``: a stop leaves nothing, and what was not recorded is not given out."""

import signal

import pytest

from cli import export
from session.provenance import config_sha256
from tests.recording.clopy_sessions import META, make_session
from tests.recording.samples import frame_row


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "DEMO" / "20260301120000" / "S1"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("images", [2, None])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_leaves_nothing(rigloop, folder, tmp_path, monkeypatch, number, images):
    make_session(folder, [frame_row(n, image=n - 1) for n in (1, 2)], images=images).close()
    progress = export._Bar.progress

    def signalled(self, done, total):
        signal.raise_signal(number)
        progress(self, done, total)

    monkeypatch.setattr(export._Bar, "progress", signalled)
    (tmp_path / "into").mkdir()
    code, out, err = rigloop("export", folder, "--clopy", tmp_path / "into" / "out")
    assert (code, out, err) == (130, "", "rigloop export: interrupted\n")
    assert list((tmp_path / "into").iterdir()) == []


@pytest.mark.parametrize("at", [0, 1, 2, "last"])
@pytest.mark.parametrize("kind", ["clnf", "clmf"])
def test_a_stop_leaves_the_files_in_the_sessions_folder_as_they_were(rigloop, folder, monkeypatch, kind, at):
    """Heard at once: none of the rows after it is looked at any more."""
    n_rows = 2000
    make_session(folder, [frame_row(n, image=n - 1) for n in range(1, n_rows)], meta={**META, "kind": kind}).close()
    for name in ("VideoTimestamp.txt", "config.ini", "M1_20260301120000.txt", "M1_20260301120000_config.ini"):
        (folder / name).write_text("what was there\n")
    before = {path: path.read_bytes() for path in sorted(folder.iterdir())}
    progress, calls = export._Bar.progress, []

    def signalled(self, done, total):
        calls.append(total)
        if len(calls) - 1 == (4 if at == "last" else at):
            signal.raise_signal(signal.SIGINT)
        progress(self, done, total)

    monkeypatch.setattr(export._Bar, "progress", signalled)
    code, out, err = rigloop("export", folder, "--clopy")
    assert (code, out, err) == (130, "", "rigloop export: interrupted\n")
    assert len(calls) == (4 if at == "last" else at) + 1
    assert {path: path.read_bytes() for path in sorted(folder.iterdir())} == before
    monkeypatch.undo()
    assert rigloop("export", folder, "--clopy")[0] == 0
    assert {path for path in before if path.read_bytes() != before[path]} == {
        path for path in before if path.name.startswith("M1_") == (kind == "clmf") and path.suffix in (".txt", ".ini")
    }


def test_images_that_are_gone_are_told(rigloop, folder, tmp_path):
    make_session(folder, [frame_row(n, image=n - 1) for n in (1, 2)], images=None).close()
    code, _, err = rigloop("export", folder, "--clopy", tmp_path / "out")
    assert (code, err) == (0, "rigloop export: warning: 2 images that the log names cannot be read\n")


@pytest.mark.parametrize("words", [("--clopy",), ("--clopy", "out"), ("--nwb", "out.nwb")], ids=" ".join)
def test_a_session_without_frames_is_refused(rigloop, folder, tmp_path, monkeypatch, words):
    make_session(folder, []).close()
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    code, out, err = rigloop("export", folder, *words)
    assert (code, out) == (2, "")
    assert err.startswith("rigloop export: ")
    assert "frame" in err
    assert err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("words", [("--clopy",), ("--clopy", "out"), ("--nwb", "out.nwb")], ids=" ".join)
def test_a_session_ini_that_was_cut_is_told(rigloop, folder, tmp_path, monkeypatch, words):
    """What is gone of it would be missing in the file, or have another value there than it had."""
    kept = "[rig]\nppmm = 20\n"
    meta = {"config_sha256": config_sha256(f"{kept}iso = 0\n")}
    make_session(folder, [frame_row(n, image=n - 1) for n in (1, 2)], meta=meta, images=2).close()
    (folder / "session.ini").write_text(f"; The same session again: rigloop run\n{kept}")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    code, out, err = rigloop("export", folder, *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"rigloop export: {folder / 'session.ini'}: SHA-256 ")
    assert err.endswith("cut or changed since the session began; restore it from a copy\n")
    assert err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "words",
    [
        ("replay",),
        ("recover",),
        ("export", "--nwb", "x.nwb"),
        ("threshold", "--rate", "1", "--session"),
        ("run", "--mouse", "DEMO", "--camera", "replay", "--source"),
    ],
    ids=lambda words: words[0],
)
def test_two_sessions_are_said_so(rigloop, folder, words):
    other = folder.parent.parent / "20260301120001"
    other.mkdir()
    code, out, err = rigloop(words[0], *words[1:], folder, other)
    assert (code, out) == (2, "")
    assert f"rigloop {words[0]}: give one session; 2 were given (a * that matches several?)" in err
    code, _, err = rigloop(words[0], *words[1:], folder, "a=1")
    assert (code, "unrecognized arguments: a=1" in err) == (2, True)
