"""The form of config.ini: lines, duplicates, comments, quotes, and agreement with configparser."""

import configparser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError
from session.config_entries import in_order
from session.config_file import read_config, scan, shown, split_comment, write_value

PATH = Path("c.ini")

BAD_LINES = {
    "no equals sign": ("[clnf_a]\nroi M1_L", "c.ini:2: roi M1_L: neither [section] nor key = value"),
    "equals sign in the comment": ("[clnf_a]\nroi M1_L ; a = b", "c.ini:2: roi M1_L: neither"),
    "no key": ("[clnf_a]\n= 3", "c.ini:2: = 3: neither"),
    "before a section": ("roi = M1_L", "c.ini:1: roi = M1_L: stands before the first [section]"),
    "continuation": ("[clnf_a]\nroi = M1_L\n  audio = 1", "c.ini:3: audio = 1: begins with a blank"),
    "open section": ("[clnf_a\nroi = M1_L", "c.ini:1: [clnf_a: not a section; write [name]"),
    "closed only": ("clnf_a]\nroi = M1_L", "c.ini:1: clnf_a]: not a section; write [name]"),
    "no bracket": ("mouse:A\nroi = M1_L", "c.ini:1: mouse:A: not a section; write [name]"),
    "indented section": ("[clnf_a]\nroi = A\n [clnf_b]\nroi = A", "c.ini:3: [clnf_b]: begins with a blank"),
    "NUL in a section": ("[clnf_a]\nroi = A\n[clnf\0_b]\nroi = A", "c.ini:3: unprintable character"),
    "same key in a section twice": ("[clnf_a]\nroi = A\n[clnf_a]\nroi = B", "c.ini:3: [clnf_a]: given twice"),
    "NUL and a later value": ("[clnf_a]\nroi = A\0\nroi = A", "c.ini:2: unprintable character"),
    "text behind a section": ("[clnf_a] x", "not a section"),
    "empty section": ("[]", "unknown section"),
    "key twice": ("[clnf_a]\nroi = A\nRoi = B", "c.ini:3: [clnf_a] Roi = B: given twice (first at c.ini:2)"),
    "section twice": ("[clnf_a]\n\n[CLNF_A]", "c.ini:3: [CLNF_A]: given twice (first at c.ini:1)"),
    "mouse twice in another case": ("[mouse:A]\n[Mouse: a]", "c.ini:2: [mouse:a]: given twice (first at c.ini:1)"),
    "NUL": ("[clnf_a]\nroi = A\0", r"c.ini:2: unprintable character '\x00' in column 8"),
    "line separator": ("[clnf_a]\nroi = A\u2028", r"unprintable character '\u2028'"),
    "open quote": ('[clnf_a]\nrig = "a', "a quote that is not closed"),
    "behind a quote": ('[clnf_a]\nrig = "a"b', "something follows the closing quote"),
    "unsafe mouse": ("[mouse:../x]", "mouse ID '../x' cannot name a folder"),
    "long mouse": (f"[mouse:{'a' * 65}]", "cannot name a folder"),
    "nameless mouse": ("[mouse:]", "mouse ID '' cannot name a folder"),
    "unknown section": ("[sedes]\nx = 1", "c.ini:1: [sedes]: unknown section"),
    "section of CLoPy": ("[sentech_dlclive]", "unknown section"),
}


@pytest.mark.parametrize(("text", "fragment"), BAD_LINES.values(), ids=BAD_LINES)
def test_bad_line_is_one_problem(text: str, fragment: str) -> None:
    problems = in_order(scan(PATH, text).problems)
    assert len(problems) == 1
    assert fragment in problems[0]


def test_a_line_with_a_problem_still_says_what_it_is_for() -> None:
    file = scan(PATH, "[clnf_a\nroi = A\0\n audio = 1\nbregma 1, 2\nppmm = 2\n  + 3\n= 9\n(seeds)\nM1 = 1, 2")
    assert list(file.sections) == ["clnf_a", "seeds"]
    entries = file.sections["clnf_a"].entries
    assert {key: entry.told for key, entry in entries.items()} == dict.fromkeys(
        ("roi", "audio", "bregma", "ppmm", ""), True
    )
    assert not file.sections["seeds"].entries["m1"].told
    assert [problem.line for problem in file.problems] == [1, 2, 3, 4, 6, 7, 8]


def test_unknown_section_names_the_nearest() -> None:
    assert "did you mean seeds?" in scan(PATH, "[sedes]").problems[0].text


def test_comments_and_quotes() -> None:
    text = '; top\n[clnf_a]  # here\nroi=M1_L ; x\nrig = a;b\ndata_root = "/d #1" ; y\n  # indented\nvid_root =\n'
    file = scan(PATH, text)
    assert not file.problems
    values = {key: entry.value for key, entry in file.sections["clnf_a"].entries.items()}
    assert values == {"roi": "M1_L", "rig": "a;b", "data_root": "/d #1", "vid_root": ""}
    assert file.sections["clnf_a"].entries["vid_root"].line == 7


@pytest.mark.parametrize(
    ("data", "fragment"),
    [
        (b"[clnf_a]\nroi = \xff", "c.ini:2: byte 0xff is not UTF-8"),
        (b"\xff\xfe[\0", "not UTF-8"),
        (b"x" * (5 << 20), "larger than 4 MiB"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, data: bytes, fragment: str) -> None:
    (tmp_path / "c.ini").write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        read_config(tmp_path / "c.ini")
    assert fragment in str(caught.value)


@pytest.mark.parametrize("name", ["absent.ini", ".", "a\0b", "x" * 5000])
def test_files_that_cannot_be_opened(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(tmp_path / name)
    assert "--config" in str(caught.value)


def test_windows_file(tmp_path: Path) -> None:
    (tmp_path / "c.ini").write_bytes(b"\xef\xbb\xbf[clnf_a]\r\nroi = M1_L\r\n")
    file = read_config(tmp_path / "c.ini")
    assert not file.problems
    assert file.sections["clnf_a"].entries["roi"].value == "M1_L"


@given(st.text(max_size=40))
def test_written_values_are_read_back(value: str) -> None:
    try:
        written = write_value(value)
    except ValueError:
        return
    assert split_comment(f" {written} ; comment")[0] == value
    assert split_comment(f" {written}")[0] == value


@given(st.text(max_size=200))
def test_shown_is_one_printable_line(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) <= 80


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            ["", "; c", "# c", "[clnf_a]", "[clnf_b] ; c", "[seeds]", "[mouse:A]", "x", " y = 2", "z ; = 3"]
        ),
        st.builds(lambda key, rest: f"{key} ={rest}", st.sampled_from(["a", "b", "roi.x", "K k"]), st.text(max_size=8)),
    ),
    max_size=8,
)


@given(LINES)
def test_configparser_reads_the_same(lines: list[str]) -> None:
    """The law that lets other programs read a user's file; quotes are the one thing configparser does not know."""
    text = "\n".join(lines)
    file = scan(PATH, text)
    if file.problems or '"' in text:
        return
    parser = configparser.ConfigParser(
        delimiters=("=",), inline_comment_prefixes=(";", "#"), interpolation=None, default_section="\0"
    )
    parser.read_string(text.replace("\r\n", "\n").replace("\r", "\n"))
    theirs = {name.lower(): dict(parser.items(name)) for name in parser.sections()}
    ours = {
        name: {key: entry.value for key, entry in section.entries.items()} for name, section in file.sections.items()
    }
    assert ours == theirs
