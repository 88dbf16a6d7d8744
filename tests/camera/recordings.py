"""Small recordings of every kind, written for a test."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import h5py
import numpy as np

from core.values import Image
from recording.schema import CLOPY_LOG, FRAMES_CSV, IMAGES, SESSION_JSON, frame_columns

STREAM = "image_stream.hdf5"
HEIGHT, WIDTH = 24, 32
BEGIN = datetime(2023, 11, 14, 22, 13, 27, 145333)


def pictures(n: int, height: int = HEIGHT, width: int = WIDTH, dtype: str = "uint8", seed: int = 0) -> Image:
    """Return (n, height, width, 3) random images; no two frames are alike."""
    return np.random.default_rng(seed).integers(0, 200, (n, height, width, 3)).astype(dtype)


def write_hdf5(path: Path, images: Image, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.create_dataset(IMAGES, data=images, **options)
    return path


def write_clopy_log(folder: Path, times_us: list[int], first: int = 1) -> Path:
    """Write VideoTimestamp.txt as CLoPy does, with a row per time (us after the first)."""
    lines = ["frame\ttime\tBC_Ldff\tfreq\trew_threshold\treward\ttrial\taudio\tlick"]
    for number, time_us in enumerate(times_us, start=first):
        stamp = (BEGIN + timedelta(microseconds=time_us)).strftime("%Y-%m-%d %H:%M:%S.%f")
        lines.append(f"{number}\t{stamp}\t0.01\t0\t0.05\t0\t0\t0\t0")
    path = folder / CLOPY_LOG
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_clopy(folder: Path, n_images: int, times_us: list[int]) -> Path:
    """Write a session as CLoPy leaves it: images, and a log with a row per time."""
    write_hdf5(folder / STREAM, pictures(n_images))
    write_clopy_log(folder, times_us)
    return folder


def write_table_of_others(folder: Path) -> Path:
    """Write a table in HDF5 as DeepLabCut puts it beside images: no recording."""
    with h5py.File(folder / "CollectedData.h5", "w") as file:
        file["df_with_missing"] = 1
    return folder


def write_session(folder: Path, images: Image, rows: list[tuple[int, int, int, int, int]], **options: object) -> Path:
    """Write a session of our own: ``rows`` are frame, time_ns, sensor_ns, dropped, image."""
    write_hdf5(folder / STREAM, images, **options)
    (folder / SESSION_JSON).write_text(json.dumps({"schema": 1, "outcome": "complete"}), encoding="utf-8")
    columns = frame_columns(("BC_L",))
    with (folder / FRAMES_CSV).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        for frame, time_ns, sensor_ns, dropped, image in rows:
            table.writerow(
                [frame, time_ns, sensor_ns, dropped, image, 0.01, 0.01, 1, "", 0.05, 0.0, "rest", 0, 0, 0, 0, 0]
            )
    return folder


def session_rows(
    n: int, step_ns: int = 66_666_667, begin_ns: int = 5_000_000_123
) -> list[tuple[int, int, int, int, int]]:
    """Return n rows without losses, with sensor stamps 2 ms before the host's."""
    return [(k + 1, begin_ns + k * step_ns, begin_ns + k * step_ns - 2_000_000, 0, k) for k in range(n)]


def write_video(path: Path, images: Image, fps: float = 15.0) -> Path:
    codec = {".mp4": "mp4v", ".avi": "MJPG", ".mkv": "MJPG"}[path.suffix]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, images.shape[2:0:-1])
    assert writer.isOpened()
    for image in images:
        writer.write(image)
    writer.release()
    return path


def write_images(folder: Path, images: Image, suffix: str = ".png", stem: str = "img") -> Path:
    """Write img1.png, img2.png ... img10.png: a plain sort would put img10 before img2."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images, start=1):
        assert cv2.imwrite(str(folder / f"{stem}{number}{suffix}"), image)
    return folder
