"""The second camera in config.ini: whose section it is, what is wrong with it, and the resolved copy."""

import dataclasses
import json
from pathlib import Path

import pytest

from camera.settings import CameraKind, CameraSettings
from core.errors import SourceError
from session.second_section import SecondSection
from session.settings import check_config, load_settings
from tests.session.config_texts import Probed, problems_of

TEXT = """\
[clnf_a]
roi = M1_L
{first}
[clmf_b]
resolution = 320, 160
framerate = 30
shutter_speed = 0
pose_backend = markers
markers = fl_l green
{second}
[mouse:A]
experiment = clnf_a
second_camera = {name}
{mouse}
[seeds]
M1 = 0.6, 1.8
"""


def text(first: str = "", second: str = "", name: str = "clmf_b", mouse: str = "") -> str:
    return TEXT.format(first=first, second=second, name=name, mouse=mouse)


def test_the_second_camera_is_that_of_its_section_alone(tmp_path: Path) -> None:
    path = tmp_path / "c.ini"
    path.write_text(text("framerate = 20", "iso = 100", "CLMF_B", "shutter_speed = 9"))
    made = load_settings(path, "A", overrides={"framerate": "25", "--camera": "usb"})
    assert (made.camera.framerate, made.camera.vid_source) == (25, CameraKind.usb)
    camera = CameraSettings(resolution=(320, 160), framerate=30, shutter_speed=0, iso=100)
    assert made.camera2 == SecondSection("clmf_b", "clmf", camera)
    assert (made.flat()["second_camera"], made.flat()["second_camera.framerate"]) == ("CLMF_B", 30)


def test_without_one_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "c.ini"
    path.write_text(text(name=""))
    made = load_settings(path, "A")
    assert made.camera2 is None
    assert not [key for key in made.flat() if key.startswith("second_camera.")]
    assert "clmf_b" not in made.to_ini()


@pytest.mark.parametrize("second", ["", "vid_source = replay\nvid_root = rec/S1/camera2", "vid_source = usb"])
def test_resolved_copy_holds_both_sections(tmp_path: Path, second: str) -> None:
    path, copy = tmp_path / "c.ini", tmp_path / "sub" / "session.ini"
    copy.parent.mkdir()
    path.write_text(text(second=second))
    made = load_settings(path, "A")
    copy.write_text(made.to_ini())
    assert dataclasses.replace(load_settings(copy, "A"), config_path=path) == made
    assert json.loads(json.dumps(made.flat())) == made.flat()
    assert check_config(copy) == []


def probe(path: str, framerate: float) -> Probed:
    if path.endswith("gone"):
        raise SourceError(f"{path}: there is no such file; give another")
    return Probed(320, 160)


REAL = "vid_source = usb\ncamera_id = {}"
PIPE = "vid_source = jetson\ncamera_pipeline = v4l2src device=/dev/video{}"
BAD = {
    "unknown": (text(name="clmf_c"), "second_camera = clmf_c: there is no experiment 'clmf_c'; did you mean clmf_b?"),
    "a mouse": (text(name="mouse:A"), "there is no experiment 'mouse:A'; name one of clmf_b"),
    "itself": (text(name="clnf_A"), "second_camera = clnf_A: is this experiment itself; name the section of another"),
    "simulated": (
        text(second="vid_source = simulated"),
        "second_camera = clmf_b: the camera of [clmf_b] is simulated, a mouse that answers to its own session only; "
        "name a section whose vid_source is another",
    ),
    "same device": (
        text(REAL.format(1), REAL.format(1)),
        "second_camera = clmf_b: it and the session's own are usb cameras, and both have camera_id = 1, so that they "
        "may be one camera; give [clnf_a] and [clmf_b] a camera_id each",
    ),
    "the first found": (text(REAL.format(1), REAL.format("")), "only one of the two has a camera_id"),
    "two of the first found": (text(REAL.format(""), REAL.format("")), "neither has a camera_id"),
    "same pipeline": (text(PIPE.format(0), PIPE.format(0)), "both have camera_pipeline = v4l2src device=/dev/video0"),
    "no recording": (text(second="vid_source = replay"), "[clmf_b] vid_source = replay: replay needs a recording"),
    "recording gone": (
        text(second="vid_source = replay\nvid_root = gone"),
        "[clmf_b] vid_root = gone: {folder}/gone: there is no such file",
    ),
    "recording of another size": (
        text(second="vid_source = replay\nvid_root = r").replace("320, 160", "64, 48"),
        "[clmf_b] resolution = 64, 48: resolution 64 x 48 px is not the recording's 320 x 160 px",
    ),
    "too large": (text().replace("320, 160", "16384, 16384"), "[clmf_b] resolution = 16384, 16384: a frame of"),
    "what no such camera keeps": (
        text("", "vid_source = pi\nawb_mode = sunny"),
        "[clmf_b] awb_mode = sunny:",
    ),
    "a value": (text(second="iso = x"), "[clmf_b] iso = x: not a whole number"),
    "a misspelt key": (text(second="framerat = 9"), "[clmf_b] framerat = 9: unknown key framerat; did you mean"),
}


@pytest.mark.parametrize("case", BAD)
def test_each_problem_is_one_line_that_names_its_place_and_cure(tmp_path: Path, case: str) -> None:
    path = tmp_path / "c.ini"
    content, wanted = BAD[case]
    problems = problems_of(path, content, probe=probe)
    assert len(problems) == 1
    assert problems[0].startswith(f"{path}:")
    assert wanted.format(folder=tmp_path) in problems[0]
    assert check_config(path, probe=probe) == problems
    assert check_config(path, "A", probe=probe) == problems


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (REAL.format(1), REAL.format(2)),
        (REAL.format(""), "vid_source = pi"),
        (PIPE.format(0), PIPE.format(1)),
        ("vid_source = simulated", ""),
        ("", REAL.format("")),
        ("vid_source = replay\nvid_root = r\nresolution = 320, 160", "vid_source = replay\nvid_root = r"),
    ],
)
def test_cameras_that_go_together(tmp_path: Path, first: str, second: str) -> None:
    path = tmp_path / "c.ini"
    path.write_text(text(first, second))
    assert check_config(path, probe=probe) == []


def test_on_the_command_line_it_says_so(tmp_path: Path) -> None:
    problems = problems_of(tmp_path / "c.ini", text(name=""), overrides={"second_camera": "clmf_x"})
    assert problems == ["--set second_camera=clmf_x: there is no experiment 'clmf_x'; did you mean clmf_b?"]


def test_a_section_whose_header_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    problems = problems_of(tmp_path / "c.ini", text().replace("[clmf_b]", "[clmf b]"))
    assert len(problems) == 1
    assert "[clmf b]: unknown section" in problems[0]


def test_a_section_for_its_camera_alone_needs_no_rule(tmp_path: Path) -> None:
    path = tmp_path / "c.ini"
    brain = (
        text(name="clnf_b")
        .replace("[clmf_b]", "[clnf_b]")
        .replace("pose_backend = markers\nmarkers = fl_l green\n", "")
    )
    path.write_text(brain)
    assert check_config(path) == []
    path.write_text(brain.replace("second_camera = clnf_b", ""))
    assert "no rule" in check_config(path)[0]
