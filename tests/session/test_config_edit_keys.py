"""Several keys of a mouse at once: all or none, added, replaced and taken out, in whatever file they stand."""

import fcntl
import os
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ChangedError, ConfigError, InputError
from session import config_edit
from session.config_edit import set_mouse_keys, with_mouse_keys
from session.config_file import read_config
from session.settings import load_settings
from tests.session.config_texts import CONFIG

TEXT = """\
[clnf_1roi]
roi = X   ; the one
roi.x = 1,1,8,8

[mouse:DEMO]
; own comment
experiment       = clnf_1roi  ; exp
reward_threshold = 0.1        ; dF/F
iso              = 400        ; bright
; the last comment

; mice
[mouse:BARE]
[seeds]
M1 = 1, 2"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "c.ini").write_text(TEXT, encoding="utf-8")
    return tmp_path / "c.ini"


def test_keys_are_replaced_added_in_their_order_and_taken_out(path: Path) -> None:
    changes = {"n_tones": "9", "ISO": None, "roi.Y": "2,2,8,8", "reward_threshold": "0.25", "dff_history": "4"}
    set_mouse_keys(path, "demo", changes)
    assert path.read_text() == TEXT.replace("= 0.1        ;", "= 0.25       ;").replace(
        "iso              = 400        ; bright\n",
        "n_tones          = 9\nroi.Y            = 2,2,8,8\ndff_history      = 4\n",
    )


def test_an_roi_with_another_name_keeps_its_line_and_comment(path: Path) -> None:
    rois = (
        "roi.A            = 1,1,8,8    ; by the vessel\nroi.B=1,1,8,8 ; the same\nroi.C            = 2,2,8,8 ; gone\n"
    )
    path.write_text(TEXT.replace("; the last", f"{rois}; the last"), encoding="utf-8")
    changes = {"roi.a": None, "roi.SPOT": "1,1,8,8", "roi.B": None, "roi.TWO": "1,1,8,8", "roi.C": None}
    set_mouse_keys(path, "DEMO", {**changes, "roi.D": "3,3,8,8"})
    kept = "roi.SPOT         = 1,1,8,8    ; by the vessel\nroi.TWO=1,1,8,8 ; the same\nroi.D            = 3,3,8,8\n"
    assert path.read_text() == TEXT.replace("; the last", f"{kept}; the last")


def test_a_section_without_a_key_takes_some(path: Path) -> None:
    set_mouse_keys(path, "BARE", {"experiment": "clnf_1roi", "iso": "9"})
    assert path.read_text() == TEXT.replace("[mouse:BARE]\n", "[mouse:BARE]\nexperiment = clnf_1roi\niso = 9\n")


def test_all_keys_are_taken_out(path: Path) -> None:
    set_mouse_keys(path, "DEMO", dict.fromkeys(("iso", "reward_threshold", "experiment", "never_there")))
    gone = [line for line in TEXT.split("\n") if not line.startswith(("experiment", "reward_t", "iso"))]
    assert path.read_text() == "\n".join(gone)


def test_the_last_line_of_a_file_without_an_end_is_taken_out(path: Path) -> None:
    path.write_bytes(b"[clnf_a]\r\n[mouse:A]\r\nexperiment = clnf_a\r\niso = 5")
    set_mouse_keys(path, "A", {"iso": None})
    assert path.read_bytes() == b"[clnf_a]\r\n[mouse:A]\r\nexperiment = clnf_a"
    set_mouse_keys(path, "A", {"experiment": None, "iso": "6"})
    assert path.read_bytes() == b"[clnf_a]\r\n[mouse:A]\r\niso        = 6"


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["no BOM", "BOM"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_line_ends_and_a_byte_order_mark_stay(path: Path, bom: bytes, end: str) -> None:
    path.write_bytes(bom + TEXT.replace("\n", end).encode())
    set_mouse_keys(path, "DEMO", {"iso": None, "n_tones": "9", "reward_threshold": "0.2"})
    want = TEXT.replace("= 0.1 ", "= 0.2 ").replace("iso              = 400        ; bright", "n_tones          = 9")
    assert path.read_bytes() == bom + want.replace("\n", end).encode()


def test_a_link_stays_one_and_paths_count_from_where_it_stands(path: Path) -> None:
    far = path.parent / "far"
    far.mkdir()
    link = far / "link.ini"
    link.symlink_to("../c.ini")
    seen = []
    set_mouse_keys(link, "DEMO", {"iso": "500"}, lambda before, after: seen.append(after))
    assert link.is_symlink()
    assert "= 500 " in path.read_text()
    assert [each.path for each in seen] == [link]
    assert seen[0].mice["demo"].entries["iso"].base == far
    assert sorted(each.name for each in path.parent.iterdir()) == ["c.ini", "far"]


def test_a_check_sees_the_file_before_and_after_and_may_refuse(path: Path) -> None:
    seen = []

    def check(before, after):
        seen.extend(file.mice["demo"].entries["iso"].value for file in (before, after))
        raise InputError("no")

    with pytest.raises(InputError, match="no"):
        set_mouse_keys(path, "DEMO", {"iso": "500"}, check)
    assert seen == ["400", "500"]
    assert path.read_text() == TEXT
    assert os.listdir(path.parent) == ["c.ini"]


@pytest.mark.parametrize(("key", "value"), [("a=b", "1"), ("x", "1\n[mouse:B]"), ("x" * 90, "1"), ("ИСО", "1")])
def test_with_one_that_cannot_be_written_none_is(path: Path, key: str, value: str) -> None:
    with pytest.raises(InputError):
        set_mouse_keys(path, "DEMO", {"iso": "5", key: value})
    assert path.read_text() == TEXT


def test_what_it_would_be_is_told_without_writing(path: Path) -> None:
    after = with_mouse_keys(path, "DEMO", {"iso": None, "n_tones": "9"})
    assert {key: entry.value for key, entry in after.mice["demo"].entries.items()} == {
        "experiment": "clnf_1roi",
        "reward_threshold": "0.1",
        "n_tones": "9",
    }
    assert path.read_text() == TEXT
    path.chmod(0o400)
    with_mouse_keys(path, "DEMO", {"iso": "5"})
    path.write_text(TEXT + "\nwhat\n")
    with pytest.raises(ConfigError):
        with_mouse_keys(path, "DEMO", {"iso": "5"})


def test_a_file_changed_while_it_is_checked_is_left_alone(path: Path) -> None:
    def somebody_saves(*files):
        path.write_text(TEXT + "\n; mine")

    with pytest.raises(ChangedError, match="somebody changed the file meanwhile"):
        set_mouse_keys(path, "DEMO", {"iso": "500"}, somebody_saves)
    assert path.read_text() == TEXT + "\n; mine"
    assert os.listdir(path.parent) == ["c.ini"]


def test_a_file_that_somebody_else_replaces_just_now_is_left_alone(path: Path) -> None:
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ChangedError):
            set_mouse_keys(path, "DEMO", {"iso": "500"})
    assert path.read_text() == TEXT
    assert os.listdir(path.parent) == ["c.ini"]


def test_a_file_system_without_locks_does_without(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_here(*args):
        raise OSError(95, "not supported")

    monkeypatch.setattr(config_edit.fcntl, "flock", none_here)
    set_mouse_keys(path, "DEMO", {"iso": "500"})
    assert "= 500 " in path.read_text()


def test_a_file_that_goes_away_is_told(path: Path) -> None:
    with pytest.raises(InputError, match=r"c\.ini: cannot be written"):
        set_mouse_keys(path, "DEMO", {"iso": "500"}, lambda *files: path.unlink())
    assert os.listdir(path.parent) == []


def test_of_those_who_save_at_once_none_loses_what_was_said_to_be_saved(path: Path) -> None:
    """Each thread writes keys of its own, again and again; one that is refused tries again."""
    ready = threading.Barrier(4)

    def save(number: int) -> None:
        ready.wait()
        left = [f"roi.t{number}_{i}" for i in range(5)]
        while left:
            try:
                set_mouse_keys(path, "DEMO", {left[0]: "1,1,8,8"})
            except ChangedError:
                continue
            left.pop(0)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    file = read_config(path)
    assert not file.problems
    assert {key for key in file.mice["demo"].entries if key.startswith("roi.t")} == {
        f"roi.t{number}_{i}" for number in range(4) for i in range(5)
    }
    assert os.listdir(path.parent) == ["c.ini"]


KEYS = st.sampled_from(["iso", "ISO", "reward_threshold", "n_tones", "roi.Y", "roi.z", "lab"])
CHANGES = st.dictionaries(KEYS, st.none() | st.text(max_size=12), max_size=6).filter(
    lambda changes: len({key.lower() for key in changes}) == len(changes)
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANGES)
def test_keys_are_read_back_and_every_other_line_stays(path: Path, changes: dict[str, str | None]) -> None:
    path.write_text(TEXT, encoding="utf-8")
    before = read_config(path).mice["demo"].entries
    try:
        set_mouse_keys(path, "DEMO", changes)
    except InputError:
        assert path.read_text(encoding="utf-8") == TEXT
        return
    want = {key: entry.value for key, entry in before.items()} | {key.lower(): text for key, text in changes.items()}
    now = read_config(path)
    assert {key: entry.value for key, entry in now.mice["demo"].entries.items()} == {
        key: text for key, text in want.items() if text is not None
    }
    touched = {key.lower() for key in changes}
    lines = [
        line
        for line in path.read_text(encoding="utf-8").split("\n")
        if line.partition("=")[0].strip().lower() not in touched
    ]
    assert lines == [line for line in TEXT.split("\n") if line.partition("=")[0].strip().lower() not in touched]


def test_the_shipped_file_takes_an_roi_and_gives_it_back(tmp_path: Path) -> None:
    copy = tmp_path / "config.ini"
    copy.write_bytes(CONFIG.read_bytes())
    set_mouse_keys(copy, "DEMO", {"roi": "SPOT", "roi.SPOT": "30,40,8,8", "ppmm": "20"})
    assert load_settings(copy, "DEMO").rois["SPOT"].text() == "30,40,8,8"
    set_mouse_keys(copy, "DEMO", dict.fromkeys(("roi", "roi.spot", "ppmm")))
    assert copy.read_bytes() == CONFIG.read_bytes()
