"""Changes to config.ini: one line or one block, everything else byte for byte as it was."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InputError
from session import config_edit
from session.config_edit import add_mouse, set_mouse_key
from session.config_file import read_config
from session.settings import load_settings
from tests.session.config_texts import CONFIG

TEXT = """\
; top
[clnf_1roi]
roi = X   ; the one
roi.x = 1,1,8,8

; mice
[mouse:DEMO]
; own comment
experiment       = clnf_1roi  ; exp
reward_threshold = 0.1        ; dF/F

; seeds follow
[seeds]
M1 = 1, 2
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "c.ini").write_text(TEXT, encoding="utf-8")
    return tmp_path / "c.ini"


def test_new_mouse_stands_behind_the_last(path: Path) -> None:
    add_mouse(path, "New_1", "demo")
    block = (
        "\n[mouse:New_1]\n; own comment\nexperiment       = clnf_1roi  ; exp\nreward_threshold = 0.1        ; dF/F\n"
    )
    assert path.read_text() == TEXT.replace("0.1        ; dF/F\n", "0.1        ; dF/F\n" + block)
    assert load_settings(path, "new_1").threshold.reward_threshold == 0.1


BAD_MICE = {
    "taken": ("demo", "DEMO", "c.ini:7: there is a mouse 'DEMO' already; choose another ID"),
    "unknown": ("B", "DEMU", "there is no mouse 'DEMU'; did you mean DEMO?"),
    "not alike": ("B", "x", "there is no mouse 'x'; there are DEMO"),
    "unsafe": ("../B", "DEMO", "cannot name a folder"),
    "newline": ("B]\n[x", "DEMO", "cannot name a folder"),
}


@pytest.mark.parametrize(("new", "old", "fragment"), BAD_MICE.values(), ids=BAD_MICE)
def test_bad_mouse_changes_nothing(path: Path, new: str, old: str, fragment: str) -> None:
    with pytest.raises(InputError) as caught:
        add_mouse(path, new, old)
    assert fragment in str(caught.value)
    assert path.read_text() == TEXT
    assert os.listdir(path.parent) == ["c.ini"]


def test_value_is_replaced_and_its_comment_stays(path: Path) -> None:
    set_mouse_key(path, "demo", "Reward_Threshold", "0.25")
    assert path.read_text() == TEXT.replace("= 0.1        ; dF/F", "= 0.25       ; dF/F")


def test_new_key_comes_last_and_aligned(path: Path) -> None:
    set_mouse_key(path, "DEMO", "n_tones", "9")
    assert path.read_text() == TEXT.replace("; dF/F\n", "; dF/F\nn_tones          = 9\n")


@pytest.mark.parametrize(("key", "value"), [("a=b", "1"), ("[x]", "1"), ("x", "1\n[mouse:B]"), ("x", '" ;')])
def test_what_would_break_the_file_is_refused(path: Path, key: str, value: str) -> None:
    with pytest.raises(InputError):
        set_mouse_key(path, "DEMO", key, value)
    assert path.read_text() == TEXT


def test_mode_line_ends_and_link_are_kept(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    link = path.with_name("link.ini")
    link.symlink_to(path)
    set_mouse_key(link, "DEMO", "reward_threshold", "0.2")
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.read_bytes() == b"\xef\xbb\xbf" + TEXT.replace("0.1  ", "0.2  ").replace("\n", "\r\n").encode()


def test_mixed_line_ends_stay_and_a_new_line_ends_as_the_one_before_it(path: Path) -> None:
    mixed = TEXT.replace("; mice\n", "; mice\r\n").replace("; dF/F\n", "; dF/F\r\n")
    path.write_bytes(mixed.encode())
    set_mouse_key(path, "DEMO", "n_tones", "9")
    with_key = mixed.replace("; dF/F\r\n", "; dF/F\r\nn_tones          = 9\r\n")
    assert path.read_bytes() == with_key.encode()
    path.write_bytes(mixed.encode())
    add_mouse(path, "B", "DEMO")
    block = "[mouse:B]\n; own comment\nexperiment       = clnf_1roi  ; exp\nreward_threshold = 0.1        ; dF/F\n"
    block = ("\n" + block).replace("\n", "\r\n")
    assert path.read_bytes() == mixed.replace("; dF/F\r\n", "; dF/F\r\n" + block).encode()


def test_a_new_line_behind_a_last_one_without_an_end(path: Path) -> None:
    path.write_bytes(b"[clnf_a]\r\n[mouse:A]\nexperiment = clnf_a")
    set_mouse_key(path, "A", "n_tones", "9")
    assert path.read_bytes() == b"[clnf_a]\r\n[mouse:A]\nexperiment = clnf_a\nn_tones    = 9"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ends=st.lists(st.sampled_from(["\n", "\r\n"]), min_size=TEXT.count("\n"), max_size=TEXT.count("\n")),
    edit=st.sampled_from(["value", "key", "mouse"]),
)
def test_every_untouched_line_keeps_its_bytes(path: Path, ends: list[str], edit: str) -> None:
    lines = [line + end for line, end in zip(TEXT.split("\n"), [*ends, ""], strict=True)]
    path.write_bytes("".join(lines).encode())
    if edit == "mouse":
        add_mouse(path, "B", "DEMO")
    else:
        set_mouse_key(path, "DEMO", "reward_threshold" if edit == "value" else "n_tones", "9")
    after = path.read_bytes().decode()
    upto, own_end = (9, ends[9]) if edit == "value" else (10, ends[9])
    before, behind = "".join(lines[:upto]), "".join(lines[10:])
    assert after.startswith(before)
    assert after.endswith(behind)
    new = after[len(before) : len(after) - len(behind)]
    assert set(re.findall("\r?\n", new)) == {own_end}


def test_a_file_changed_meanwhile_is_left_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = config_edit.scan

    def scan_and_somebody_saves(*args: object) -> object:
        path.write_text(TEXT + "; mine\n")
        return scan(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(config_edit, "scan", scan_and_somebody_saves)
    with pytest.raises(InputError, match="somebody changed the file meanwhile"):
        set_mouse_key(path, "DEMO", "reward_threshold", "0.2")
    assert path.read_text() == TEXT + "; mine\n"
    assert os.listdir(path.parent) == ["c.ini"]


def test_a_file_with_problems_is_not_edited(path: Path) -> None:
    path.write_text(TEXT + "what\n")
    with pytest.raises(InputError, match="what: neither"):
        add_mouse(path, "B", "DEMO")


def test_shipped_file_takes_a_mouse(tmp_path: Path) -> None:
    copy = tmp_path / "config.ini"
    copy.write_bytes(CONFIG.read_bytes())
    add_mouse(copy, "M7", "REC1")
    set_mouse_key(copy, "M7", "reward_threshold", "0.0625")
    assert load_settings(copy, "M7").threshold.reward_threshold == 0.0625
    assert "\n".join(copy.read_text().split("\n")[-32:]) == "\n".join(CONFIG.read_text().split("\n")[-32:])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30))
def test_set_value_is_read_back_and_other_lines_stay(path: Path, value: str) -> None:
    path.write_text(TEXT, encoding="utf-8")
    try:
        set_mouse_key(path, "DEMO", "reward_threshold", value)
    except InputError:
        assert path.read_text(encoding="utf-8") == TEXT
        return
    file = read_config(path)
    assert not file.problems
    assert file.sections["mouse:demo"].entries["reward_threshold"].value == value
    after = path.read_text(encoding="utf-8").split("\n")
    assert after[:9] + after[10:] == TEXT.split("\n")[:9] + TEXT.split("\n")[10:]
