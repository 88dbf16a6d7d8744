"""``rigloop export --clopy``: a stop leaves nothing, and what was not recorded is not given out."""

import signal

import pytest

from brain.rule import parse_rule
from cli import export
from recording.clopy_unlike import unlike_clopy
from recording.reader import open_session
from session.provenance import config_sha256
from tests.recording.clopy_sessions import META, SETTINGS, make_session
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
    # Under nohup this program ignores it, as it should.
    handler = signal.signal(number, signal.SIG_DFL)
    try:
        code, out, err = rigloop("export", folder, "--clopy", tmp_path / "into" / "out")
    finally:
        signal.signal(number, handler)
    assert (code, out, err) == (130, "", "rigloop export: interrupted\n")
    assert list((tmp_path / "into").iterdir()) == []


@pytest.mark.parametrize("at", [0, 1, 2, 4], ids=["0", "1", "2", "last"])
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
        if len(calls) - 1 == at:
            signal.raise_signal(signal.SIGINT)
        progress(self, done, total)

    monkeypatch.setattr(export._Bar, "progress", signalled)
    code, out, err = rigloop("export", folder, "--clopy")
    assert (code, out, err) == (130, "", "rigloop export: interrupted\n")
    assert len(calls) == at + 1
    assert {path: path.read_bytes() for path in sorted(folder.iterdir())} == before
    calls.clear()
    monkeypatch.setattr(export._Bar, "progress", lambda self, done, total: calls.append(total))
    assert rigloop("export", folder, "--clopy")[0] == 0
    assert len(calls) == 5, "the last one is another than this test takes for it"
    assert {path for path in before if path.read_bytes() != before[path]} == {
        path for path in before if path.name.startswith("M1_") == (kind == "clmf") and path.suffix in (".txt", ".ini")
    }


def test_images_that_are_gone_are_told(rigloop, folder, tmp_path):
    make_session(folder, [frame_row(n, image=n - 1) for n in (1, 2)], images=None).close()
    code, _, err = rigloop("export", folder, "--clopy", tmp_path / "out")
    assert (code, err) == (0, "rigloop export: warning: 2 images that the log names cannot be read\n")


OTHER_DFF = "from the images they compute other dF/F than the log has"
BY_SEED = f"CLoPy's readers place an ROI by its seed, bregma and roi_size alone (%s): {OTHER_DFF}"
KNOWN = "CLoPy's readers know one ROI, or two and one of + - * / between them"
UNLIKE = {
    "all as CLoPy has it": ({"roi": "M1_L", "roi.M1_L": "76,114,8,8", "dff_mode": "green_minus_blue"}, []),
    "two ROIs": ({"roi_operation": "M1_L - M1_R", "roi.M1_L": "76,114,8,8", "roi.M1_R": "171,114,8,8"}, []),
    "midline": ({"roi": "ANT", "roi.ANT": "124,90,8,8"}, []),
    "no place recorded": ({"roi": "M1_L"}, []),
    "elsewhere": (
        {"roi": "M1_L", "roi.M1_L": "77,114,8,8"}, ["roi.M1_L = 77,114,8,8: " + BY_SEED % "76,114,8,8"]
    ),
    "circle": (
        {"roi": "M1_L", "roi.M1_L": "circle 80,111,4"}, ["roi.M1_L = circle 80,111,4: " + BY_SEED % "76,114,8,8"]
    ),
    "no seed": (
        {"roi": "ACC", "roi.ACC": "76,114,8,8"},
        ["roi.ACC = 76,114,8,8: " + BY_SEED % "here they find no such seed"],
    ),
    "bregma unknown": (
        {"roi": "M1_L", "roi.M1_L": "76,114,8,8", "bregma": None},
        ["roi.M1_L = 76,114,8,8: " + BY_SEED % "here they find no such seed"],
    ),
    "green": (
        {"roi": "M1_L", "dff_mode": "green"},
        [f"dff_mode = green: CLoPy's readers know green_minus_blue alone: {OTHER_DFF}"],
    ),
    "formula of one": (
        {"roi_operation": "2*M1_L"},
        [f"roi_operation = 2*M1_L: VideoTimestamp.txt has the columns M1_Ldff, 2*M1_Ldff; {KNOWN}"],
    ),
    "formula of two": (
        {"roi_operation": "(M1_L+M1_R)/2"},
        [
            "roi_operation = (M1_L+M1_R)/2: VideoTimestamp.txt has the columns M1_Ldff, M1_Rdff, (M1_Ldff+M1_Rdff)/2; "
            + KNOWN
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("into", [True, False], ids=["folder", "beside"])
@pytest.mark.parametrize(("changes", "lines"), UNLIKE.values(), ids=UNLIKE)
def test_what_clopys_readers_take_for_something_else_is_told(rigloop, folder, tmp_path, changes, lines, into):
    names = parse_rule(changes.get("roi_operation") or changes["roi"]).names
    rows = [frame_row(n, image=n - 1)._replace(parts=(0.5,) * len(names)) for n in (1, 2)]
    seeds = {**META["seeds"], "ANT": {"ML": 0.0, "AP": 1.6}}
    meta = {**META, "settings": {**SETTINGS, "roi_operation": "", **changes}, "seeds": seeds}
    make_session(folder, rows, names=names, meta=meta, images=2).close()
    code, _, err = rigloop("export", folder, "--clopy", *([tmp_path / "out"] if into else []))
    assert (code, err) == (0, "".join(f"rigloop export: warning: {line}\n" for line in lines))


@pytest.mark.parametrize("more", [{"kind": "clmf"}, {"format": "clopy"}], ids=["movement", "clopys"])
def test_what_is_theirs_by_its_kind_is_not_warned_of(rigloop, folder, tmp_path, more):
    meta = {**META, **more, "settings": {**SETTINGS, "dff_mode": "green", "roi.BC_L": "circle 80,111,4"}}
    make_session(folder, [frame_row(n, image=-1) for n in (1, 2)], meta=meta).close()
    with open_session(folder) as session:
        assert unlike_clopy(session) == ()


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
