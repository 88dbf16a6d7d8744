"""Recordings with damaged bytes, seeded: each opens and can be read, or is refused in one line, and no more."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from camera.hdf5_source import MAX_IMAGES, MAX_SIDE_PX
from camera.replay import open_replay, probe_source
from core.errors import CameraError, SourceError
from core.ports import EndOfSource
from tests.camera import recordings as rec

FPS = 15.0
FRAMES = 6
STREAM = "image_stream.hdf5"
Place = tuple[Path, Path]
"""What is opened, and the file in it that is damaged."""


def contiguous(tmp: Path) -> Place:
    path = rec.write_hdf5(tmp / STREAM, rec.pictures(FRAMES))
    return path, path


def gzipped(tmp: Path) -> Place:
    path = rec.write_hdf5(tmp / STREAM, rec.pictures(FRAMES), compression="gzip", chunks=(1, 24, 32, 3))
    return path, path


def chunked_in_a_folder(tmp: Path) -> Place:
    return tmp, rec.write_hdf5(tmp / "mouse.h5", rec.pictures(FRAMES), chunks=(4, 12, 32, 3))


def finished_session(tmp: Path) -> Place:
    rec.write_session(tmp, rec.pictures(FRAMES), rec.session_rows(FRAMES), compression="gzip")
    return tmp, tmp / STREAM


def killed_writer(tmp: Path) -> Place:
    """Return a file as a killed recorder leaves it: of the newest format, marked as being written."""
    shape = (24, 32, 3)
    with h5py.File(tmp / "growing", "w", libver="latest") as file:
        data = file.create_dataset("raw_images", (0, *shape), "uint8", chunks=(1, *shape), maxshape=(None, *shape))
        file.swmr_mode = True
        data.resize(FRAMES, 0)
        data[:] = rec.pictures(FRAMES)
        data.flush()
        (tmp / STREAM).write_bytes((tmp / "growing").read_bytes())
    return tmp / STREAM, tmp / STREAM


def clopy_log(tmp: Path) -> Place:
    rec.write_hdf5(tmp / STREAM, rec.pictures(FRAMES))
    return tmp, rec.write_clopy_log(tmp, [k * 1000 for k in range(FRAMES)])


def frames_csv(tmp: Path) -> Place:
    rec.write_session(tmp, rec.pictures(FRAMES), rec.session_rows(FRAMES))
    return tmp, tmp / "frames.csv"


def avi(tmp: Path) -> Place:
    path = rec.write_video(tmp / "film.avi", rec.pictures(FRAMES))
    return path, path


def mp4(tmp: Path) -> Place:
    path = rec.write_video(tmp / "film.mp4", rec.pictures(FRAMES))
    return path, path


def png(tmp: Path) -> Place:
    return rec.write_images(tmp, rec.pictures(3)), tmp / "img2.png"


def bmp(tmp: Path) -> Place:
    return rec.write_images(tmp, rec.pictures(3), ".bmp"), tmp / "img2.bmp"


def damage(data: bytes, rng: np.random.Generator) -> bytes:
    """Cut, flip, replace or clear some stretches; most of them near the beginning, where the metadata are."""
    changed = bytearray(data)
    reach = 4096 if rng.random() < 0.6 else len(data)
    for _ in range(int(rng.integers(1, 4))):
        start = int(rng.integers(0, max(1, min(reach, len(changed)))))
        end = min(len(changed), start + int(rng.choice([1, 2, 8, 64, 512, 2000])))
        how = rng.choice(["cut", "flip", "replace", "clear"])
        if how == "cut":
            del changed[start:]
        elif how == "flip":
            changed[start:end] = bytes(byte ^ 0xFF for byte in changed[start:end])
        else:
            changed[start:end] = rng.bytes(end - start) if how == "replace" else bytes(end - start)
    return bytes(changed)


def refusal(path: Path) -> str:
    """Open, probe and read; return the words of the error that a damaged recording may raise, "" where all is read."""
    try:
        probe_source(path, FPS)
        camera = open_replay(str(path), FPS)
    except SourceError as error:
        return str(error)
    try:
        camera.start()
        for _ in range(10 * FRAMES):
            camera.read(1.0)
    except EndOfSource:
        pass
    except CameraError as error:
        return str(error)
    finally:
        camera.close()
    return ""


@pytest.mark.parametrize(
    ("make", "variants"),
    [
        (contiguous, 100),
        (gzipped, 100),
        (chunked_in_a_folder, 100),
        (finished_session, 60),
        (killed_writer, 100),
        (clopy_log, 60),
        (frames_csv, 60),
        (avi, 40),
        (mp4, 40),
        (png, 40),
        (bmp, 40),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_damaged_bytes(make: Callable[[Path], Place], variants: int, tmp_path: Path) -> None:
    path, victim = make(tmp_path)
    assert refusal(path) == ""
    whole = victim.read_bytes()
    for seed in range(variants):
        victim.write_bytes(damage(whole, np.random.default_rng(seed)))
        os.utime(victim, ns=(seed, seed))  # what was learnt of a file is kept by its time
        words = refusal(path)
        assert "\n" not in words
        assert words == "" or str(path) in words


@pytest.mark.parametrize("name", [STREAM, "mouse.h5"])
@pytest.mark.parametrize("opened", ["file", "folder"])
def test_damaged_metadata_are_told_in_one_line(name: str, opened: str, tmp_path: Path) -> None:
    path = rec.write_hdf5(tmp_path / name, rec.pictures(FRAMES), compression="gzip", chunks=(1, 24, 32, 3))
    whole = path.read_bytes()
    path.write_bytes(whole[:500] + bytes(byte ^ 0xFF for byte in whole[500:2500]) + whole[2500:])
    with pytest.raises(SourceError, match=rf"{name}: is damaged \(.*heap.*\); restore it from a copy") as caught:
        probe_source(path if opened == "file" else tmp_path, FPS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(MAX_IMAGES + 1, 24, 32, 3), (6, MAX_SIDE_PX + 1, 32, 3), (6, 24, 2**40, 3)])
def test_a_header_that_asks_for_gigabytes(shape: tuple[int, ...], tmp_path: Path) -> None:
    with h5py.File(tmp_path / STREAM, "w") as file:
        file.create_dataset("raw_images", shape, "uint8", chunks=(1, 24, 32, 3))
    with pytest.raises(SourceError, match="is the file damaged"):
        probe_source(tmp_path, FPS)


def test_an_image_that_asks_for_gigabytes(tmp_path: Path) -> None:
    _, victim = bmp(tmp_path)
    header = bytearray(victim.read_bytes())
    header[18:26] = np.array([2**20, 2**20], "<i4").tobytes()
    victim.write_bytes(header)
    with pytest.raises(SourceError, match=r"img2\.bmp: cannot be decoded as an image"):
        probe_source(tmp_path, FPS)


@pytest.mark.parametrize(("make", "cut"), [(mp4, False), (mp4, True), (avi, True)])
def test_only_our_line_is_said_of_a_damaged_video(make: Callable[[Path], Place], cut: bool, tmp_path: Path) -> None:
    """In a process of its own: FFmpeg takes its level of detail once, and prints below Python."""
    path, _ = make(tmp_path)
    path.write_bytes(path.read_bytes()[:5700] if cut else bytes(5000))
    code = (
        "import sys\nfrom camera.replay import probe_source\nfrom core.errors import SourceError\n"
        "try:\n    probe_source(sys.argv[1], 15.0)\nexcept SourceError as error:\n    print(error)"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENCV_")}
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith(f"{path}: ")
    assert done.stdout.count("\n") == 1
