"""The size of frames: what a recording holds, what fits into memory, and a recording that nobody reads."""

import math
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brain.dff import StreamingDff
from brain.settings import DffSettings
from camera.find_source import probe_source
from roi_manager import Circle, Rect
from session.config_checks import FRAME_DTYPE, Draft, history_bytes
from session.config_entries import Section
from session.config_frames import MAX_FRAME_BYTES
from session.parts import RING_BYTES
from session.settings import check_config, load_settings
from tests.session.config_texts import BASE, Probed, problems_of
from tests.support.sessions import OFFLINE, settings_for

REPLAY = BASE.format(mouse="vid_source = replay\nvid_root = rec\n{more}")


def problem_of(path: Path, more: str, probed: Probed) -> str:
    (problem,) = problems_of(path, REPLAY.format(more=more), probe=lambda source, framerate: probed)
    return problem


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize(("history", "framerate"), [(6.0, 15.0), (0.7, 90.0), (30.0, 3.3)])
def test_the_memory_that_is_checked_is_what_dff_takes(dtype: str, history: float, framerate: float) -> None:
    shapes = (Rect(3, 4, 40, 30), Circle(50, 40, 20))
    dff = StreamingDff(shapes, DffSettings(dff_history=history), framerate, (100, 120, 3), dtype)
    taken = sorted(value.nbytes for value in vars(dff).values() if isinstance(value, np.ndarray))
    pixels = sum(shape.area_px for shape in shapes)
    draft = Draft(Section("", "", "", 1), {}, values={"dff_history": history, "framerate": framerate}, dtype=dtype)
    need = history_bytes(draft, pixels)
    assert need - 16 * pixels == taken[-1]
    # The rest does not grow with the ROIs' pixels or the history.
    assert need <= sum(taken) < need + 32_768


def test_a_recording_of_16_bits_takes_twice_the_memory(tmp_path: Path) -> None:
    path, more = tmp_path / "c.ini", "roi = x\nroi.x = 0,0,256,256\nframerate = 1000\ndff_history = 4"
    path.write_text(REPLAY.format(more=more), encoding="utf-8")
    load_settings(path, "A", probe=lambda source, framerate: Probed())
    problem = problem_of(path, more, Probed(dtype="uint16"))
    assert "frames/s (uint16) needs 1.22 GiB of memory, above 1 GiB" in problem
    cured = more.replace("= 4", "= " + re.findall(r"dff_history to ([0-9.]+) s", problem)[0])
    path.write_text(REPLAY.format(more=cured), encoding="utf-8")
    load_settings(path, "A", probe=lambda source, framerate: Probed(dtype="uint16"))


def test_a_circle_takes_the_memory_of_its_own_pixels(tmp_path: Path) -> None:
    path = tmp_path / "c.ini"
    path.write_text(BASE.format(mouse="roi = x\nroi.x = circle 128,128,128\nframerate = 1000\ndff_history = 8"))
    load_settings(path, "A")


def test_the_largest_frame_and_the_recorders_ring_go_together(tmp_path: Path) -> None:
    class Camera:
        frame_shape = (1024, MAX_FRAME_BYTES // 3 // 1024, 3)
        frame_dtype = FRAME_DTYPE

    made = settings_for(tmp_path, framerate="1000", recorder_buffer_s="60")
    slots = OFFLINE.recorder_slots(made, Camera())  # type: ignore[arg-type]
    assert slots == 8
    assert slots * math.prod(Camera.frame_shape) <= RING_BYTES == 8 * MAX_FRAME_BYTES


def test_a_huge_resolution_is_one_problem(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path / "c.ini", BASE.format(mouse=""), overrides={"resolution": "16384,16384"})
    assert problem == (
        "--set resolution=16384,16384: a frame of resolution 16384 x 16384 px (uint8) takes 768 MiB of memory, "
        "above 64 MiB; lower resolution to 4729, 4729 or less"
    )
    (tmp_path / "c.ini").write_text(BASE.format(mouse="resolution = 8192, 8192"), encoding="utf-8")
    (problem,) = check_config(tmp_path / "c.ini")
    assert problem.startswith(f"{tmp_path}/c.ini:5: [mouse:A] resolution = 8192, 8192: a frame of resolution")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(width=st.integers(4000, 16_384), height=st.integers(6000, 16_384))
def test_the_cure_of_a_resolution_cures(tmp_path: Path, width: int, height: int) -> None:
    overrides = {"resolution": f"{width}, {height}"}
    (problem,) = problems_of(tmp_path / "c.ini", BASE.format(mouse=""), overrides=overrides)
    (overrides["resolution"],) = re.findall("resolution to ([0-9]+, [0-9]+) or", problem)
    made = load_settings(tmp_path / "c.ini", "A", overrides=overrides)
    assert 0.99 * MAX_FRAME_BYTES < 3 * math.prod(made.camera.resolution) <= MAX_FRAME_BYTES


RECORDED = {
    "16 bits": (Probed(4096, 4096, dtype="uint16"), "resolution = 4096, 4096", "4096 x 4096 px (uint16) takes 96 MiB"),
    "another resolution": (Probed(8192, 8192), "resolution = 256, 256", "a frame of resolution 8192 x 8192 px (uint8)"),
    "only the resolution": (Probed(256, 256), "resolution = 8192, 8192", "write resolution = 256, 256"),
}


@pytest.mark.parametrize(("probed", "more", "fragment"), RECORDED.values(), ids=RECORDED)
def test_frames_of_a_recording_count_as_they_are(tmp_path: Path, probed: Probed, more: str, fragment: str) -> None:
    assert fragment in problem_of(tmp_path / "c.ini", more, probed)


def test_frames_of_a_real_recording(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "image_stream.hdf5", "w") as file:
        file.create_dataset("raw_images", data=np.full((1, 3400, 3400, 3), 7, "uint16"))
    path = tmp_path / "c.ini"
    text = REPLAY.replace("= rec", f"= {tmp_path}/image_stream.hdf5").format(more="resolution = 3400, 3400")
    (problem,) = problems_of(path, text, probe=probe_source)
    assert (
        "a frame of resolution 3400 x 3400 px (uint16) takes 66.15 MiB of memory, above 64 MiB; replay a rec" in problem
    )


UNREAD = {
    "from the file": ({}, "camera synthetic reads no recording; add --camera replay, or leave --source out"),
    "option": ({"--camera": "pi"}, "camera pi reads no recording; make it --camera replay, or leave --source out"),
    "key": ({"vid_source": "pi"}, "camera pi reads no recording; make it --camera replay, or leave --source out"),
}


@pytest.mark.parametrize(("more", "said"), UNREAD.values(), ids=UNREAD)
def test_a_source_that_the_camera_does_not_read(tmp_path: Path, more: dict[str, str], said: str) -> None:
    overrides = {**more, "--source": "/tmp"}
    assert problems_of(tmp_path / "c.ini", BASE.format(mouse=""), overrides=overrides) == [f"--source /tmp: {said}"]


def test_vid_root_may_stand_unused(tmp_path: Path) -> None:
    path = tmp_path / "c.ini"
    path.write_text(BASE.format(mouse="vid_root = /tmp"), encoding="utf-8")
    load_settings(path, "A")
    path.write_text(BASE.format(mouse="vid_source = replay"), encoding="utf-8")
    assert load_settings(path, "A", overrides={"--source": "/tmp"}).camera.vid_root == "/tmp"
