"""One mistake is one problem: what only follows from a told one is not told. Lines come in the file's order."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from core.errors import ConfigError
from session.settings import check_config, load_settings
from tests.session.config_texts import BASE, CONFIG, Probed, problems_of

GOOD = BASE.format(mouse="roi.spot = 1,1,8,8\n[mouse:B]\nexperiment = clnf_a")
FOLLOWS = {
    "header without ]": ("[mouse:A]", "[mouse:A", "3: [mouse:A: not a section"),
    "header without ] and a comment": ("[mouse:A]", "[mouse:A  ; a brain", "3: [mouse:A: not a section"),
    "header without [": ("[mouse:A]", "mouse:A]", "3: mouse:A]: not a section"),
    "header with the wrong bracket": ("[mouse:A]", "[mouse:A)", "3: [mouse:A): not a section"),
    "header with a comment that lacks its blank": ("[mouse:A]", "[mouse:A; a brain", "3: [mouse:A; a brain: not a s"),
    "header with a NUL": ("[mouse:A]", "[mouse:\0A]", "3: unprintable character"),
    "header with a blank": ("[mouse:A]", " [mouse:A]", "3: [mouse:A]: begins with a blank"),
    "header misspelt": ("[mouse:A]", "[mose:A]", "3: [mose:A]: unknown section"),
    "header without a colon": ("[mouse:A]", "[mouse A]", "3: [mouse A]: unknown section"),
    "header of the experiment": ("[clnf_a]", "[clnf_a", "1: [clnf_a: not a section"),
    "header of the experiment, misspelt": ("[clnf_a]", "[clfn_a]", "1: [clfn_a]: unknown section"),
    "header of the seeds": ("[seeds]", "[seeds", "8: [seeds: not a section"),
    "header of the seeds, misspelt": ("[seeds]", "[sedes]", "8: [sedes]: unknown section"),
    "section copied and not renamed": ("[mouse:B]", "[mouse:A]", "6: [mouse:A]: given twice"),
    "rule with a NUL": ("roi = M1_L", "roi = \0M1_L", "2: unprintable character"),
    "rule without =": ("roi = M1_L", "roi M1_L", "2: roi M1_L: neither"),
    "rule without a key": ("roi = M1_L", "= M1_L", "2: = M1_L: neither"),
    "rule with a blank": ("roi = M1_L", "  roi = M1_L", "2: roi = M1_L: begins with a blank"),
    "rule on two lines": ("roi = M1_L", "roi_operation = M1_L -\n  M1_R", "3: M1_R: begins with a blank"),
    "rule with an open quote": ("roi = M1_L", 'roi = "M1_L', "2: [clnf_a] roi"),
    "rule misspelt": ("roi = M1_L", "rio = M1_L", "2: [clnf_a] rio = M1_L: unknown key rio; did you mean roi?"),
    "experiment with a NUL": ("experiment = clnf_a\nroi", "experiment = clnf\0_a\nroi", "4: unprintable character"),
    "experiment with an open quote": ("experiment = clnf_a\nroi", 'experiment = "clnf_a\nroi', "4: [mouse:A] exp"),
    "experiment misspelt": ("experiment = clnf_a\nroi", "experimnt = clnf_a\nroi", "4: [mouse:A] experimnt = clnf_a"),
    "seed with a NUL": ("M1 = ", "M1 = \0", "9: unprintable character"),
    "seed without =": ("M1 = ", "M1 ", "9: M1 0.6, 1.8: neither"),
    "seed with its side": ("M1 = ", "M1_L = ", "9: [seeds] M1_L"),
    "ROI with a NUL": ("roi = M1_L\n[mouse:A]", "roi = spot\nroi.spot = 1,\0\n[mouse:A]", "3: unprintable character"),
    "ROI misspelt": ("roi = M1_L\n[mouse:A]", "roi = p\nrio.p = 1,1,8,8\n[mouse:A]", "3: [clnf_a] rio.p"),
}  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "said"), FOLLOWS.values(), ids=FOLLOWS)
def test_what_follows_from_a_problem_is_not_told(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    path = tmp_path / "c.ini"
    assert GOOD.count(right)
    problems = problems_of(path, GOOD.replace(right, wrong, 1).replace("roi.spot = 1,1,8,8\n[mouse:B", "\n[mouse:B"))
    assert len(problems) == 1
    assert problems[0].startswith(f"{path}:{said}")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"roi": "M1_\0L"}, "--set roi=M1_"),
        ({"--camera": "replay", "--source": "a\0"}, "--source a"),
        ({"rio": "BC_L"}, "--set rio=BC_L: unknown key"),
    ],
)
def test_what_follows_from_a_problem_of_the_command_line(tmp_path: Path, overrides: dict[str, str], said: str) -> None:
    text = GOOD if "--camera" in overrides else GOOD.replace("roi = M1_L\n", "")
    (problem,) = problems_of(tmp_path / "c.ini", text, overrides=overrides)
    assert problem.startswith(said)


def test_a_resolution_that_is_not_the_recordings_is_no_measure_of_rois(tmp_path: Path) -> None:
    text = GOOD.replace("roi = M1_L", "roi = x\nroi.x = 300,300,8,8\nvid_source = replay\nvid_root = r")
    (problem,) = problems_of(tmp_path / "c.ini", text, probe=lambda source, framerate: Probed(512, 512))
    assert "write resolution = 512, 512" in problem


def test_what_does_not_follow_is_told(tmp_path: Path) -> None:
    path = tmp_path / "c.ini"
    assert len(problems_of(path, GOOD.replace("[mouse:A]", "[mouse:C").replace("[seeds]", "[foo]"))) == 3
    problems = problems_of(path, GOOD.replace("[mouse:A]", "[mouse:A\nmax_trail_dur = 3").replace("M1_L", "M9_L"))
    assert [int(problem.split(":")[1]) for problem in problems] == [2, 3, 4]


def test_problems_come_in_the_order_of_the_file_and_the_command_line_last(tmp_path: Path) -> None:
    path = tmp_path / "c.ini"
    text = GOOD.replace("roi = M1_L", "roi = M9_L\nreward_dur = 2\nfoo").replace("BC =", "BC = x")
    problems = problems_of(path, text.replace("1,1,8,8", "1"), overrides={"--camera": "x", "iso": "-1"})
    places = [problem.removeprefix(f"{path}:").split(":")[0] for problem in problems]
    assert places == ["2", "3", "4", "7", "12", "--camera x", "--set iso=-1"]


LINES = CONFIG.read_text(encoding="utf-8").split("\n")
SAID = [number for number, line in enumerate(LINES) if line and line[0] not in " ;"]
DAMAGE: dict[str, Callable[[str, int], str]] = {
    "NUL": lambda line, place: line[: place % len(line)] + "\0" + line[place % len(line) :],
    "blank": lambda line, place: "  " + line,
    "no =": lambda line, place: line.replace("=", " ", 1),
    "no ]": lambda line, place: line.replace("]", "", 1) if line[0] == "[" else line,
    "no [": lambda line, place: line[1:] if line[0] == "[" else line,
    "open quote": lambda line, place: re.sub(r"^([^[=]+=\s*)", r'\1"', line),
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    number=st.sampled_from(SAID),
    how=st.sampled_from(sorted(DAMAGE)),
    place=st.integers(0, 200),
    mouse=st.sampled_from(["DEMO", "DEMO2", "REC1"]),
)
def test_a_damaged_line_of_the_shipped_file_is_one_problem(
    tmp_path: Path, number: int, how: str, place: int, mouse: str
) -> None:
    line = DAMAGE[how](LINES[number], place)
    assume(line != LINES[number])
    path = tmp_path / "c.ini"
    path.write_text("\n".join([*LINES[:number], line, *LINES[number + 1 :]]), encoding="utf-8")
    (problem,) = check_config(path)
    assert problem.startswith(f"{path}:{number + 1}: ")
    with pytest.raises(ConfigError) as caught:
        load_settings(path, mouse)
    assert caught.value.problems == [problem]
