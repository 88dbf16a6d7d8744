"""``rigloop preview`` of a movement experiment: what it prints and writes, and how it ends."""

from dataclasses import replace

import cv2

from core.errors import PoseError
from session import prepare
from session.build import build
from tests.support.movement_settings import movement_config
from tests.support.sessions import Wrapped, raising


def words(tmp_path, *more):
    return (
        "preview", "--mouse", "M3", "--config", movement_config(tmp_path), "--output", tmp_path / "look.png",
        "--pace", "max", *more,
    )  # fmt: skip


def test_it_writes_a_picture_a_second_and_a_line_for_each(rigloop, tmp_path):
    code, out, err = rigloop(*words(tmp_path, "--seconds", "5"))
    assert code == 0, err
    first, *lines, last = out.splitlines()
    assert first.startswith("preview of M3: ")
    assert len(lines) == 5
    assert "NO SIGNAL" in lines[0]
    assert "likelihood 0.95  a trial could begin" in lines[1]
    assert "snout 9.9 mm/s (threshold 20 mm/s)" in lines[3]
    assert "no trial could begin: snout moves" in lines[3]
    assert last.startswith("preview: its time is over after 4.9 s; 5 pictures")
    assert cv2.imread(str(tmp_path / "look.png")).shape[1] == 1500


def test_a_pose_that_fails_is_one_line_and_exit_code_3(rigloop, tmp_path, monkeypatch):
    said = "pose: no answer within 1 s; raise pose_timeout_s"

    def failing(*args):
        made = build(*args)
        return replace(made, pipeline=Wrapped(made.pipeline, update=raising(PoseError(said))))

    monkeypatch.setattr(prepare, "build", failing)
    code, _, err = rigloop(*words(tmp_path))
    assert (code, err.splitlines()[-1]) == (3, f"rigloop preview: {said}")
