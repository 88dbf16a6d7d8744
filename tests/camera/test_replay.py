"""Recordings come back as they were recorded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera import folder_source, hdf5_source
from camera.replay import open_replay, probe_source
from camera.session_source import deliverable
from core.errors import CameraError, SourceError
from core.ports import EndOfSource
from core.values import Frame
from recording.schema import CLOPY_LOG, FRAMES_CSV, MISSING_COLUMNS, MISSING_CSV
from tests.camera import recordings as rec

FPS = 15.0
STREAM = "image_stream.hdf5"
DATA = Path(__file__).parents[3] / "shared" / "data"


def read_all(path: Path, framerate: float = FPS) -> list[Frame]:
    camera = open_replay(str(path), framerate)
    camera.start()
    frames = []
    try:
        while True:
            frames.append(camera.read(0.0))
    except EndOfSource:
        return frames
    finally:
        camera.close()


LAYOUTS = {
    "contiguous": {},
    "one frame a chunk, lzf": {"chunks": (1, rec.HEIGHT, rec.WIDTH, 3), "compression": "lzf"},
    "chunks of 50": {"chunks": (50, rec.HEIGHT, rec.WIDTH, 3)},
    "chunks that do not fill the frame": {"chunks": (7, 10, 10, 2), "compression": "gzip"},
    "written with SWMR in mind": {"chunks": (16, rec.HEIGHT, rec.WIDTH, 3), "maxshape": (None, 24, 32, 3)},
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_hdf5_images_are_exact_in_every_layout(layout: dict[str, object], dtype: str, tmp_path: Path) -> None:
    images = rec.pictures(150, dtype=dtype)
    frames = read_all(rec.write_hdf5(tmp_path / STREAM, images, **layout))
    assert np.array_equal(np.stack([frame.image for frame in frames]), images)
    assert [frame.number for frame in frames] == list(range(1, 151))
    assert [frame.time_ns for frame in frames] == [round(k * 1e9 / FPS) for k in range(150)]


def test_other_byte_orders_become_the_machines_own(tmp_path: Path) -> None:
    images = rec.pictures(2, dtype="uint16")
    frame = read_all(rec.write_hdf5(tmp_path / STREAM, images.astype(images.dtype.newbyteorder("S"))))[1]
    assert frame.image.dtype == np.uint16
    assert np.array_equal(frame.image, images[1])


def test_frames_stay_valid_after_later_reads(tmp_path: Path) -> None:
    images = rec.pictures(3 * hdf5_source.BLOCK_FRAMES)
    frames = read_all(rec.write_hdf5(tmp_path / STREAM, images))
    assert np.array_equal(frames[0].image, images[0])


def test_blocks_are_bounded_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_source, "BLOCK_BYTES", 3 * rec.HEIGHT * rec.WIDTH * 3)
    images = rec.pictures(10)
    frames = read_all(rec.write_hdf5(tmp_path / STREAM, images))
    assert frames[0].image.base.shape[0] == 3
    assert np.array_equal(frames[9].image, images[9])


KILLED = """
import os, signal, sys
import h5py, numpy as np
sys.path.insert(0, {repo!r})
from tests.camera.recordings import pictures
images = pictures(40)
file = h5py.File({path!r}, "w", libver="latest")
data = file.create_dataset("raw_images", (0, *images.shape[1:]), "u1", chunks=(1, *images.shape[1:]),
                           maxshape=(None, *images.shape[1:]))
file.swmr_mode = True
for k, image in enumerate(images):
    data.resize(k + 1, 0)
    data[k] = image
    if k == 29:
        data.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_recording_whose_writer_was_killed_opens(tmp_path: Path) -> None:
    path = tmp_path / STREAM
    script = KILLED.format(repo=str(Path(__file__).parents[2]), path=str(path))
    assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == -9
    frames = read_all(path)
    assert len(frames) >= 30
    assert np.array_equal(np.stack([frame.image for frame in frames[:30]]), rec.pictures(40)[:30])


def test_clopy_times_are_those_of_its_log(tmp_path: Path) -> None:
    times_us = [0, 66_668, 133_333, 250_001]
    rec.write_hdf5(tmp_path / STREAM, rec.pictures(4))
    rec.write_clopy_log(tmp_path, times_us)
    assert [frame.time_ns for frame in read_all(tmp_path)] == [t * 1000 for t in times_us]


def test_rows_beyond_the_images_and_a_broken_last_line_are_left_out(tmp_path: Path) -> None:
    rec.write_hdf5(tmp_path / STREAM, rec.pictures(3))
    log = rec.write_clopy_log(tmp_path, [0, 10, 20, 30, 40])
    log.write_text(log.read_text()[:-25])
    assert [frame.time_ns for frame in read_all(tmp_path)] == [0, 10_000, 20_000]


def test_a_complete_last_line_without_newline_counts(tmp_path: Path) -> None:
    rec.write_hdf5(tmp_path / STREAM, rec.pictures(2))
    log = rec.write_clopy_log(tmp_path, [0, 10])
    log.write_text(log.read_text().rstrip("\n"))
    assert len(read_all(tmp_path)) == 2


@pytest.mark.skipif(not DATA.exists(), reason="the real data (../shared/data) are not on this machine")
@pytest.mark.parametrize("session", ["1roi", "2roi"])
def test_logs_that_clopy_wrote_can_be_read(session: str, tmp_path: Path) -> None:
    log = next((DATA / "clopy" / "sessions" / session).rglob(CLOPY_LOG))
    rows = len(log.read_text().splitlines()) - 1
    rec.write_hdf5(tmp_path / STREAM, np.zeros((rows, 2, 2, 3), np.uint8))
    (tmp_path / CLOPY_LOG).write_bytes(log.read_bytes())
    info = probe_source(tmp_path, 99.0)
    assert info.n_frames == rows
    assert info.framerate_estimate == pytest.approx(15, rel=0.02)


def test_a_session_comes_back_exactly(tmp_path: Path) -> None:
    rows = [(1, 100, 90, 0, 0), (2, 200, 190, 0, 1), (5, 503, 0, 2, 2), (6, 600, 590, 0, 3)]
    images = rec.pictures(4)
    frames = read_all(rec.write_session(tmp_path, images, rows))
    assert [(f.number, f.time_ns, f.sensor_ns, f.dropped) for f in frames] == [row[:4] for row in rows]
    assert np.array_equal(np.stack([frame.image for frame in frames]), images)


def test_rows_without_an_image_count_as_dropped(tmp_path: Path) -> None:
    rows = [
        (2, 20, 0, 1, -1),
        (3, 30, 0, 0, 0),
        (4, 40, 0, 0, -1),
        (7, 70, 0, 2, -1),
        (8, 80, 0, 0, 1),
        (9, 90, 0, 0, -1),
    ]
    frames = read_all(rec.write_session(tmp_path, rec.pictures(2), rows))
    assert [(frame.number, frame.dropped) for frame in frames] == [(3, 2), (8, 4)]
    assert [frame.lost for frame in frames] == [
        (("recording", 1), ("no_image", 1)), (("no_image", 1), ("recording", 2), ("no_image", 1)),
    ]  # fmt: skip


def test_losses_have_the_causes_that_were_recorded(tmp_path: Path) -> None:
    rows = [(1, 10, 0, 0, 0), (5, 50, 0, 3, 1), (6, 60, 0, 0, -1), (9, 90, 0, 2, 2)]
    rec.write_session(tmp_path, rec.pictures(3), rows)
    lost = [(2, 50, "transport"), (3, 50, "late"), (4, 50, "late"), (7, 90, "lost_camera")]
    lines = [",".join(MISSING_COLUMNS), *(",".join(map(str, row)) for row in lost)]
    (tmp_path / MISSING_CSV).write_text("\n".join(lines) + "\n", encoding="utf-8")
    frames = read_all(tmp_path)
    assert [frame.lost for frame in frames] == [
        (), (("transport", 1), ("late", 2)), (("no_image", 1), ("lost_camera", 1), ("recording", 1)),
    ]  # fmt: skip


def test_images_that_did_not_reach_the_disk_are_not_delivered(tmp_path: Path) -> None:
    rec.write_session(tmp_path, rec.pictures(3), rec.session_rows(5))
    assert [frame.number for frame in read_all(tmp_path)] == [1, 2, 3]


def test_a_last_row_that_was_broken_off_is_left_out(tmp_path: Path) -> None:
    rec.write_session(tmp_path, rec.pictures(5), rec.session_rows(5))
    table = tmp_path / FRAMES_CSV
    table.write_text(table.read_text()[:-4])
    assert len(read_all(tmp_path)) == 4


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=40), st.integers(0, 40))
def test_every_frame_of_the_camera_is_delivered_or_counted(story: list[tuple[int, bool]], n_images: int) -> None:
    """``story``: for each row, frames lost before it and whether its image was kept."""
    rows, number, image = [], 0, 0
    for lost, kept in story:
        number += lost + 1
        rows.append((number, number * 10, number, lost, image if kept else -1))
        image += kept
    stamps, index = deliverable(np.array(rows, np.int64).reshape(-1, 5), n_images, {2: "late", 5: "transport"})
    there = {row[0] for row in rows}
    for frame, dropped in zip(stamps.number.tolist(), stamps.dropped.tolist(), strict=True):
        causes = [cause for cause, count in stamps.lost.get(frame, ()) for _ in range(count)]
        named = {2: "late", 5: "transport", **dict.fromkeys(there, "no_image")}
        assert causes == [named.get(lost, "recording") for lost in range(frame - dropped, frame)]
    assert index.tolist() == list(range(min(image, n_images)))
    assert np.array_equal(np.diff(stamps.number, prepend=0), stamps.dropped + 1)
    assert np.array_equal(stamps.time_ns, stamps.number * 10)


@pytest.mark.parametrize(("name", "fps"), [("film.mp4", 15.0), ("film.mkv", 30.0), ("film.avi", 25.0)])
def test_video_frames_are_close_and_timed_by_the_container(name: str, fps: float, tmp_path: Path) -> None:
    # Slow gradients: the codecs are lossy, and noise is what they lose.
    ramp = np.linspace(20, 200, rec.WIDTH)[None, None, :, None] + np.arange(8)[:, None, None, None] * 5
    images = np.broadcast_to(ramp, (8, rec.HEIGHT, rec.WIDTH, 3)).astype(np.uint8)
    frames = read_all(rec.write_video(tmp_path / name, images, fps), framerate=99.0)
    assert len(frames) == 8
    for k, frame in enumerate(frames):
        assert np.abs(frame.image.astype(int) - images[k]).mean() < 5
        assert abs(frame.time_ns - k * 1e9 / fps) <= 1e6  # Matroska counts whole ms


def test_video_without_usable_stamps_is_timed_by_its_frame_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from camera import video_source

    path = rec.write_video(tmp_path / "film.avi", rec.pictures(4), 25.0)
    monkeypatch.setattr(video_source, "_scan", lambda *_: ((0.0, 0.0, 0.0, 0.0), 25.0, 4))
    assert [frame.time_ns for frame in read_all(path)] == [0, 40_000_000, 80_000_000, 120_000_000]
    monkeypatch.setattr(video_source, "_scan", lambda *_: ((0.0, 0.0, 0.0, 0.0), 90_000.0, 4))
    assert [frame.time_ns for frame in read_all(path, 10.0)][1] == 100_000_000


def test_a_video_that_breaks_off_is_a_camera_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from camera import video_source

    path = rec.write_video(tmp_path / "film.avi", rec.pictures(2), 25.0)
    monkeypatch.setattr(video_source, "_scan", lambda *_: ((0.0, 40.0, 80.0), 25.0, 3))
    with pytest.raises(CameraError, match="frame 3 cannot be decoded"):
        read_all(path)


def test_video_skips_forward_but_never_back(tmp_path: Path) -> None:
    from camera.video_source import VideoImages

    images = VideoImages(rec.write_video(tmp_path / "film.avi", rec.pictures(5)))
    images.get(3)
    with pytest.raises(CameraError, match="in order only"):
        images.get(3)
    images.close()


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".PNG"])
def test_images_come_in_natural_order(suffix: str, tmp_path: Path) -> None:
    images = rec.pictures(12)
    frames = read_all(rec.write_images(tmp_path, images, suffix))
    assert np.array_equal(np.stack([frame.image for frame in frames]), images)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_grey_images_get_three_channels(dtype: str, tmp_path: Path) -> None:
    grey = rec.pictures(2, dtype=dtype)[..., 0]
    frames = read_all(rec.write_images(tmp_path, grey))
    assert np.array_equal(frames[1].image, np.repeat(grey[1][:, :, None], 3, axis=2))


def test_alpha_is_dropped(tmp_path: Path) -> None:
    colour = rec.pictures(1)
    rec.write_images(tmp_path, np.concatenate([colour, np.full_like(colour[..., :1], 255)], axis=3))
    assert np.array_equal(read_all(tmp_path)[0].image, colour[0])


def test_an_image_that_changed_meanwhile_is_a_camera_error(tmp_path: Path) -> None:
    camera = open_replay(str(rec.write_images(tmp_path, rec.pictures(2))), FPS)
    (tmp_path / "img1.png").unlink()
    camera.start()
    with pytest.raises(CameraError, match=r"img1\.png: the image is gone"):
        camera.read(0.0)


def test_a_folder_is_looked_through_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rec.write_images(tmp_path, rec.pictures(3))
    looked = []
    real = folder_source.decode
    monkeypatch.setattr(folder_source, "decode", lambda path: looked.append(path) or real(path))
    probe_source(tmp_path, FPS)
    probe_source(tmp_path, FPS)
    assert len(looked) == 3


@pytest.mark.skipif(not DATA.exists(), reason="the real data (../shared/data) are not on this machine")
def test_the_real_mouse_video(tmp_path: Path) -> None:
    info = probe_source(DATA / "openfield" / "m3v1mp4.mp4", 99.0)
    assert (info.width, info.height, info.n_frames) == (640, 480, 2330)
    assert info.framerate_estimate == pytest.approx(30, rel=1e-3)
    labelled = probe_source(DATA / "openfield" / "labeled-data" / "m4s1", FPS)
    assert (labelled.width, labelled.height, labelled.n_frames) == (640, 480, 116)


def test_a_video_of_which_much_cannot_be_decoded_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from camera import video_source

    path = rec.write_video(tmp_path / "film.avi", rec.pictures(3), 25.0)
    copy = path.rename(path.with_suffix(".mp4"))
    monkeypatch.setattr(video_source, "_scan", lambda *_: ((0.0, 40.0, 80.0), 25.0, 120))
    with pytest.raises(SourceError, match="damaged; its header counts 120 frames, 3 can be decoded"):
        read_all(copy)
