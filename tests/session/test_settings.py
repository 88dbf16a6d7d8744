"""Settings composed from config.ini: layers, ROIs, paths, the recording behind them, whole files."""

from pathlib import Path

import pytest

from camera.settings import CameraKind
from core.errors import SourceError
from helper import Seed
from roi_manager import Circle, Rect
from session.settings import check_config, load_settings
from tests.session.config_texts import BASE, CLMF, Probed, load, problems_of


def test_layers(tmp_path: Path) -> None:
    path = tmp_path / "c.ini"
    path.write_text(
        BASE.format(mouse="framerate = 20\nshutter_speed = 40000\nISO = 100\nroi.spot = circle 50,60,5"),
        encoding="utf-8",
    )
    made = load_settings(path, "a", overrides={"iso": "200", "roi_operation": "spot/m1_l - ant", "--camera": "USB"})
    assert (made.mouse, made.experiment, made.kind) == ("A", "clnf_a", "clnf")
    assert (made.camera.framerate, made.camera.iso, made.camera.vid_source) == (20, 200, CameraKind.usb)
    assert (made.rule.roi, made.formula) == ("", "spot/m1_l - ant")
    assert list(made.rois) == ["SPOT", "M1_L", "ANT"]
    assert made.rois["SPOT"] == Circle(50, 60, 5)
    assert made.rois["ANT"] == Rect(124, 41, 8, 8)
    assert made.seeds["ANT"] == Seed(3.5, 0)


def test_roi_key_may_name_a_seed_or_hide_one(tmp_path: Path) -> None:
    made = load(tmp_path / "c.ini", "roi_operation = here - m1_l\nroi.HERE = bc_r\nroi.m1_l = 1,2,3,4")
    assert made.rois == {"HERE": Rect(211, 174, 8, 8), "M1_L": Rect(1, 2, 3, 4)}


def test_paths_count_from_where_they_were_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    made = load(Path("sub/c.ini"), "vid_root = rec", overrides={"--data-root": "out"})
    assert made.camera.vid_root == str(tmp_path / "sub" / "rec")
    assert made.recording.data_root == str(tmp_path / "out")
    assert load(Path("sub/c.ini")).recording.data_root == str(tmp_path / "sub" / "data")


def test_probe_is_asked_and_its_problem_collected(tmp_path: Path) -> None:
    path = tmp_path / "c.ini"
    asked = []

    def probe(source: str, framerate: float) -> Probed:
        asked.append((source, framerate))
        return Probed(170, 100)

    lines = "vid_source = replay\nvid_root = rec\nframerate = 30\nn_tones = 1"
    problems = problems_of(path, BASE.format(mouse=lines), probe=probe)
    assert asked == [(str(tmp_path / "rec"), 30.0)]
    assert len(problems) == 2
    assert "resolution 256 x 256 px is not the recording's 170 x 100 px; write resolution = 170, 100" in problems[0]
    assert "n_tones = 1" in problems[1]

    def broken(source: str, framerate: float) -> Probed:
        raise SourceError(f"{source}: there is no such file; give another --source")

    problems = problems_of(path, BASE.format(mouse=lines.replace("n_tones = 1", "")), probe=broken)
    assert problems == [
        f"{path}:6: [mouse:A] vid_root = rec: {tmp_path}/rec: there is no such file; give another --source"
    ]


def test_movement_section(tmp_path: Path) -> None:
    path = tmp_path / "c.ini"
    path.write_text(CLMF.format(start="still", more=""), encoding="utf-8")
    made = load_settings(path, "A")
    assert made.kind == "clmf"
    assert made.movement is not None
    assert made.threshold.reward_threshold == made.movement.speed_threshold == 150
    assert "reward_threshold" not in made.flat()
    assert not made.rois
    problems = problems_of(path, CLMF.format(start="start_roi", more="reward_threshold = 3\nroi.x = 1,1,2,2"))
    assert len(problems) == 3
    assert "start circle" in problems[0]
    assert "has no such key (it belongs to clnf)" in problems[1]


def test_a_shared_problem_is_listed_once(tmp_path: Path) -> None:
    path = tmp_path / "c.ini"
    mice = "\n".join(f"[mouse:M{n}]\nexperiment = clnf_a" for n in range(5))
    path.write_text(BASE.format(mouse=mice).replace("roi = M1_L", "roi = M1_K\nreward_dur = 2\naudio = 7"))
    problems = check_config(path)
    assert len(problems) == 3
    assert all(":2:" in line or ":3:" in line or ":4:" in line for line in problems)


def test_check_looks_at_experiments_without_mice(tmp_path: Path) -> None:
    path = tmp_path / "c.ini"
    path.write_text("[clnf_a]\nreward_dur = 2\n[clnf_b]\nroi = X\nroi.x = 1,1,4,4\n")
    assert len(check_config(path)) == 2
    path.write_text("")
    assert "no experiment" in check_config(path)[0]
    assert "no such file" in check_config(tmp_path / "none.ini")[0]
    assert "no mouse" in check_config(path, "A")[0]


def test_mice_may_bring_the_rule(tmp_path: Path) -> None:
    path = tmp_path / "c.ini"
    path.write_text("[clnf_a]\n[mouse:A]\nexperiment = clnf_a\nroi = X\nroi.x = 1,1,4,4\n")
    assert check_config(path) == []
    assert check_config(path, "A") == []
