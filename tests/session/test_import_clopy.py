"""CLoPy's configurations come in: every key is accounted for, and the result is a right configuration."""

import configparser
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InputError
from recording.clopy_config import config_text
from roi_manager import Rect
from session.import_clopy import Imported, import_clopy
from session.settings import Settings, check_config, load_settings
from tests.session.config_texts import CONFIG

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


def test_the_three_sections(tmp_path: Path, shared_data: Path) -> None:
    old = shared_data / "clopy" / "clopy_config_sections.ini"
    made = import_clopy(old)
    path = with_mice(made, tmp_path)
    assert check_config(path) == []
    assert accounted(old, made)
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
    assert movement.camera.shutter_speed == 33333
    (line,) = [line for line in made.lines if (line.section, line.key) == ("sentech_dlclive", "shutter_speed")]
    assert line.action == "converted"
    assert line.text.startswith("shutter_speed = 33333: 60000 us do not fit into a frame at 30 frames/s")
    assert one.camera.shutter_speed == 60000


def copy_in_a_session(kind: str, shared: Path, folder: Path) -> Path:
    """Return CLoPy's copy of a session's section; that of 1roi is made, as CLoPy makes it, from its config.ini."""
    clopy = shared / "clopy"
    if kind != "1roi":
        (path,) = (clopy / "sessions" / kind).rglob("*config.ini")
        return path
    name = "raspicambrain_reward_punish_1roi"
    whole = configparser.ConfigParser()
    whole.read(clopy / "clopy_config_sections.ini", encoding="utf-8")
    copy = configparser.ConfigParser()
    copy.read_dict({"configsection": {"config": name}, name: dict(whole[name])})
    with (folder / "copy.ini").open("w", encoding="utf-8") as file:
        copy.write(file)
    return folder / "copy.ini"


@pytest.mark.parametrize("kind", ["1roi", "2roi", "clmf"])
def test_the_copy_in_a_session_folder(tmp_path: Path, shared_data: Path, kind: str) -> None:
    old = copy_in_a_session(kind, shared_data, tmp_path)
    made = import_clopy(old)
    assert accounted(old, made)
    assert check_config(with_mice(made, tmp_path)) == []
    assert not any("not a key of ours" in line.text for line in made.lines)


def test_the_corners_in_a_session_of_two_rois(shared_data: Path, tmp_path: Path) -> None:
    made = import_clopy(copy_in_a_session("2roi", shared_data, tmp_path))
    became = {line.key: line.text for line in made.lines}
    rois = load_settings(with_mice(made, tmp_path), "clnf_2roi").rois
    assert rois == {"BC_L": Rect(17, 87, 4, 4), "BC_R": Rect(106, 87, 4, 4)}
    for key in ("bc_l", "bc_r"):
        assert f"add roi.{key.upper()} = {rois[key.upper()].text()} to use it" in became[key]


ONE = "[raspicambrain_reward_punish_1roi]\n"
SAVED = {
    "corner and size": (ONE + "m1_l = 76,114, 8,8", "add roi.M1_L = 76,114,8,8 to use it"),
    "corner": (ONE + "roi_size = 0.3,0.4\nppmm = 12.8\nm1_l = 17, 87", "add roi.M1_L = 17,87,4,5 to use it"),
    "corner, older size": (ONE + "roi_size_mm = 0.3,0.3\nppmm = 12.8\nm1_l = 17,87", "add roi.M1_L = 17,87,4,4 to"),
    "corner, no scale": (ONE + "roi_size = 0.3,0.3\nm1_l = 17,87", "add roi.M1_L = 17,87,w,h to use it"),
    "corner, no size": (ONE + "ppmm = 12.8\nm1_l = 17,87", "add roi.M1_L = 17,87,w,h to use it"),
    "movement": ("[sentech_dlclive]\nm1_l = 17,87", "its ROIs come from seeds; it is not used"),
    "three numbers": (ONE + "m1_l = 1,2,3", "not a key of ours"),
    "no side": (ONE + "m1_k = 256, 256", "not a key of ours"),
}


@pytest.mark.parametrize(("text", "fragment"), SAVED.values(), ids=SAVED)
def test_saved_position_is_told_with_its_key(tmp_path: Path, text: str, fragment: str) -> None:
    line = bring(tmp_path, text).lines
    (told,) = (each for each in line if each.key.startswith("m1_"))
    assert told.action == "dropped"
    assert fragment in told.text


def test_misspelt_pair_is_no_saved_position(tmp_path: Path) -> None:
    became = {line.key: line.text for line in bring(tmp_path, ONE + "resolutoin = 256, 256").lines}
    assert became["resolutoin"] == "not a key of ours; did you mean resolution?"


def exported(made: Settings) -> str:
    """Return the config.ini that ``rigloop export --clopy`` writes of a session with these settings."""
    seeds = {name: {"ML": seed.ml_mm, "AP": seed.ap_mm} for name, seed in made.seeds.items()}
    return config_text({"settings": made.flat(), "seeds": seeds, "experiment": made.experiment}, tuple(made.rois))


@pytest.mark.parametrize(("mouse", "target"), [("DEMO", "clnf_1roi"), ("DEMO2", "clnf_2roi")])
def test_what_export_wrote_comes_in_again(tmp_path: Path, mouse: str, target: str) -> None:
    before = load_settings(CONFIG, mouse, overrides={"--data-root": str(tmp_path / "100% #1")})
    made = bring(tmp_path, exported(before))
    assert accounted(tmp_path / "old.ini", made)
    path = with_mice(made, tmp_path)
    assert check_config(path) == []
    after = load_settings(path, target)
    assert (after.camera.vid_source, after.rois, after.formula) == (
        before.camera.vid_source,
        before.rois,
        before.formula,
    )
    assert (after.seeds, after.recording) == (before.seeds, before.recording)
    added = [line for line in made.lines if line.action == "added"]
    assert [line.key for line in added] == ["reward_dur"]
    assert "rigloop export left it out" in added[0].text


def test_replay_of_an_exported_session_keeps_its_recording(tmp_path: Path) -> None:
    made = bring(
        tmp_path, "[configsection]\nconfig = clnf_a\n[clnf_a]\nvid_source = replay\nvid_root = /rec\nroi = M1_L"
    )
    became = {line.key: line.action for line in made.lines}
    assert became["vid_source"] == became["vid_root"] == "mapped"


OWN = "[configsection]\nconfig = {named}\n[{section}]\n{keys}\n"
NAMED = {
    "one ROI": ("clnf_1roi", "roi = M1_L", "clnf_1roi"),
    "another name": ("clnf_spot", "roi = M1_L", "clnf_1roi"),
    "formula": ("clnf_spot", "roi_operation = M1_L-M1_R", "clnf_2roi"),
    "capitals": ("CLNF_A", "roi = M1_L", "clnf_1roi"),
    "movement": ("clmf_a", "ppmm = 3.5", "clmf_speed"),
}


@pytest.mark.parametrize(("section", "keys", "target"), NAMED.values(), ids=NAMED)
def test_section_that_configsection_names(tmp_path: Path, section: str, keys: str, target: str) -> None:
    made = bring(tmp_path, OWN.format(named=section, section=section, keys=keys))
    assert f"[{target}]" in made.ini_text
    assert accounted(tmp_path / "old.ini", made)


@pytest.mark.parametrize(("named", "section"), [("clnf_b", "clnf_a"), ("other", "other"), ("", "clnf_a")])
def test_section_that_is_not_named_or_not_ours(tmp_path: Path, named: str, section: str) -> None:
    with pytest.raises(InputError, match="no section of CLoPy's"):
        bring(tmp_path, OWN.format(named=named, section=section, keys="roi = M1_L"))


def test_two_sections_for_one_experiment_are_told(tmp_path: Path) -> None:
    made = bring(tmp_path, OWN.format(named="clnf_a", section="clnf_a", keys="roi = M1_L") + ONE + "roi = M1_R")
    (last,) = (line for line in made.lines if line.section in ONE)
    assert (last.action, last.text) == ("dropped", "clnf_1roi is made from another section of this file already")
    assert accounted(tmp_path / "old.ini", made)


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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
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
