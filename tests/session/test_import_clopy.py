"""CLoPy's configurations come in: every key is accounted for, and the result is a right configuration."""

import configparser
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InputError
from roi_manager import Rect
from session.import_clopy import Imported, import_clopy
from session.settings import check_config, load_settings
from tests.session.config_texts import CONFIG

CLOPY = CONFIG.parents[1] / "shared" / "data" / "clopy"
SECTIONS = CLOPY / "clopy_config_sections.ini"
needs_clopy = pytest.mark.skipif(not SECTIONS.exists(), reason="shared/data/clopy is absent")
OLD = """\
[raspicambrain_reward_punish_1roi]
vid_source = {camera}
vid_root = /rec
framerate = 15
seeds_mm = {{"M1": {{"ML": 1.8, "AP": 0.6}}}}
roi = M1_L
m1_l = 76,114,8,8
summary_header = a, b
what = 3
n_tones = 99
"""
MICE = "\n[mouse:A]\nexperiment = {0}\n"


def bring(tmp_path: Path, text: str) -> Imported:
    (tmp_path / "old.ini").write_text(text, encoding="utf-8")
    return import_clopy(tmp_path / "old.ini")


def accounted(old: Path, made: Imported) -> bool:
    """Return whether every key of the old file has exactly one line."""
    parser = configparser.RawConfigParser(default_section="\0")
    parser.read(old, encoding="utf-8")
    keys = Counter((section, key) for section in parser.sections() for key in parser[section])
    return keys == Counter((line.section, line.key) for line in made.lines if line.action != "added")


def with_mice(made: Imported, tmp_path: Path) -> Path:
    path = tmp_path / "config.ini"
    names = [line[1:-1] for line in made.ini_text.split("\n") if line.startswith("[cl")]
    mice = "".join(f"\n[mouse:{name}]\nexperiment = {name}\n" for name in names)
    path.write_text(made.ini_text + mice, encoding="utf-8")
    return path


@needs_clopy
def test_the_three_sections(tmp_path: Path) -> None:
    made = import_clopy(SECTIONS)
    path = with_mice(made, tmp_path)
    assert check_config(path) == []
    assert accounted(SECTIONS, made)
    one, two = load_settings(path, "clnf_1roi"), load_settings(path, "clnf_2roi")
    assert one.rois == {"M1_L": Rect(76, 114, 8, 8)}
    assert two.rois == {"BC_L": Rect(35, 175, 8, 8), "BC_R": Rect(212, 175, 8, 8)}
    assert (one.threshold.reward_threshold, one.threshold.adaptive_threshold) == (0.075, True)
    assert (one.trial.reward_dur, one.trial.reward_delay, one.camera.vid_source.value) == (0.3, 1.0, "pi")
    assert len(one.seeds) == 20
    movement = load_settings(path, "clmf_speed")
    assert movement.movement is not None
    assert movement.trial.reward_dur == 0.1
    assert movement.movement.speed_threshold == pytest.approx(20 * 30 / 3.5, rel=1e-5)
    assert movement.movement.still_speed == pytest.approx(30 / 3.5, rel=1e-5)
    assert movement.movement.control_point == "fl_l"


@needs_clopy
@pytest.mark.parametrize("kind", ["1roi", "2roi", "clmf"])
def test_the_copy_in_a_session_folder(tmp_path: Path, kind: str) -> None:
    (old,) = (CLOPY / "sessions" / kind).rglob("*config.ini")
    made = import_clopy(old)
    assert accounted(old, made)
    assert check_config(with_mice(made, tmp_path)) == []


def test_what_became_of_each_key(tmp_path: Path) -> None:
    made = bring(tmp_path, OLD.format(camera="VideoStream"))
    became = {line.key: (line.action, line.text) for line in made.lines}
    assert became["vid_source"] == ("converted", "vid_source = replay: VideoStream of CLoPy")
    assert became["vid_root"][0] == "mapped"
    assert became["roi"] == ("mapped", "roi = M1_L")
    assert became["seeds_mm"][0] == "converted"
    assert "add roi.M1_L = 76,114,8,8 to use it" in became["m1_l"][1]
    assert became["summary_header"][0] == became["what"][0] == became["n_tones"][0] == "dropped"
    assert "out of range" in became["n_tones"][1]
    assert became["reward_dur"] == ("added", "reward_dur = 0.3: the valve's opening time, in CLoPy's script")
    assert load_settings(with_mice(made, tmp_path), "clnf_1roi").camera.vid_root == "/rec"


def test_unknown_camera_is_told(tmp_path: Path) -> None:
    became = {line.key: line for line in bring(tmp_path, OLD.format(camera="PiCameraStrem")).lines}
    assert became["vid_source"].action == "dropped"
    assert "did you mean picamerastream?" in became["vid_source"].text


def test_seeds_that_differ_between_sections_are_told(tmp_path: Path) -> None:
    second = OLD.format(camera="PiCameraStream").replace("_1roi", "_2roi").replace("0.6", "0.7")
    made = bring(tmp_path, OLD.format(camera="PiCameraStream") + second)
    told = [line.text for line in made.lines if line.key == "seeds_mm"]
    assert "M1 lie elsewhere than in the section before, whose places are kept" in told[1]
    assert made.ini_text.count("M1 = 0.6, 1.8") == 1


def test_speed_without_a_scale_is_told(tmp_path: Path) -> None:
    made = bring(
        tmp_path, "[sentech_dlclive]\nspeed_threshold = 20\nframerate = 30\ncontrol_joint = nose\nbregma = 1, 2"
    )
    became = {line.key: line for line in made.lines}
    assert became["speed_threshold"].action == became["bregma"].action == "dropped"
    assert became["control_joint"].action == "converted"
    assert "control_point = nose" in made.ini_text


BAD_FILES = {
    "no section": ("[a]\nx = 1\n", "no section of CLoPy's; it has [a], and one of [raspicambrain_reward_punish_1roi]"),
    "empty": ("", "it has no section at all"),
    "no configuration": ("x = 1\n", "correct that line"),
    "key twice": ("[sentech_dlclive]\nx = 1\nx = 2\n", "correct that line"),
}


@pytest.mark.parametrize(("text", "fragment"), BAD_FILES.values(), ids=BAD_FILES)
def test_bad_file(tmp_path: Path, text: str, fragment: str) -> None:
    with pytest.raises(InputError) as caught:
        bring(tmp_path, text)
    assert fragment in str(caught.value)
    with pytest.raises(InputError, match="no such file"):
        import_clopy(tmp_path / "none.ini")


NAMES = ["vid_source", "vid_root", "seeds_mm", "speed_threshold", "ppmm", "framerate", "roi", "roi_size", "bregma", "q"]
VALUES = st.one_of(
    st.text(max_size=12), st.sampled_from(["VideoStream", "1", "1e308", "nan", "1,2,3,4", "0", "{}", "[1]"])
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(
    section=st.sampled_from(["raspicambrain_reward_punish_1roi", "sentech_dlclive"]),
    keys=st.dictionaries(st.sampled_from([*NAMES, "control_joint", "m1_l"]), VALUES, max_size=8),
    more=st.text(max_size=30),
)
def test_any_file_is_accounted_for_or_refused(tmp_path: Path, section: str, keys: dict[str, str], more: str) -> None:
    body = "".join(f"{key} = {value}\n" for key, value in keys.items())
    try:
        made = bring(tmp_path, f"[{section}]\n{body}\n{more}")
    except InputError:
        return
    assert accounted(tmp_path / "old.ini", made)
    problems = check_config(with_mice(made, tmp_path))
    # What stood in the old file may not go together, but each line that was written can be read.
    assert not any("not a" in line or "unknown key" in line for line in problems if "roi" not in line)
