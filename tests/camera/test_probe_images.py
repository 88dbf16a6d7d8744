"""What a probe of an HDF5 recording learns of its images: damage behind a whole header, and which cure is told."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from camera.replay import open_replay, probe_source
from core.errors import CameraError, SourceError
from core.ports import EndOfSource
from recording.hdf5_index import misplaced
from recording.reader import open_session
from tests.camera import recordings as rec

FPS = 15.0
FRAMES = 80
STREAM = "image_stream.hdf5"
SHAPE = (rec.HEIGHT, rec.WIDTH, 3)
CHUNK = (1, *SHAPE)
CURE = "restore it from a copy, or give another recording"


def bare(tmp: Path, **options: object) -> Path:
    rec.write_hdf5(tmp / STREAM, rec.pictures(FRAMES), **options)
    return tmp / STREAM


def clopy(tmp: Path, **options: object) -> Path:
    rec.write_clopy_log(tmp, [k * 66_667 for k in range(FRAMES)])
    bare(tmp, **options)
    return tmp


def session(tmp: Path, **options: object) -> Path:
    return rec.write_session(tmp, rec.pictures(FRAMES), rec.session_rows(FRAMES), **options)


def session_of_the_recorder(tmp: Path) -> Path:
    """Return a session whose images are in the format that the recorder writes."""
    session(tmp)
    growing(tmp / STREAM, swmr=True).close()
    return tmp


def growing(path: Path, swmr: bool) -> h5py.File:
    """Return a file that is still open for writing, its images flushed."""
    file = h5py.File(path, "w", libver="latest")
    data = file.create_dataset("raw_images", (0, *SHAPE), "uint8", chunks=CHUNK, maxshape=(None, *SHAPE))
    if swmr:
        file.swmr_mode = True
    data.resize(FRAMES, 0)
    data[:] = rec.pictures(FRAMES)
    data.flush()
    file.flush()
    return file


def left_open(path: Path, swmr: bool) -> Path:
    """Write a file as a killed writer leaves it."""
    with growing(path.with_name("growing"), swmr) as file:
        file.flush()
        path.write_bytes(path.with_name("growing").read_bytes())
    return path


def overwrite(path: Path, begin: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(begin)
        file.write(data)


def place_of(path: Path, image: int) -> tuple[int, int]:
    """Return where the chunk of an image begins, and its length."""
    with h5py.File(path, "r") as file:
        info = file["raw_images"].id.get_chunk_info_by_coord((image, 0, 0, 0))
        return info.byte_offset, info.size


def refusal(path: Path) -> str:
    """Return the one line with which a probe refuses a recording, an empty text where it does not."""
    try:
        probe_source(path, FPS)
    except SourceError as error:
        told = str(error)
    else:
        return ""
    assert "\n" not in told
    assert str(path) in told
    return told


@pytest.mark.parametrize("make", [bare, clopy, session])
@pytest.mark.parametrize("image", [0, FRAMES - 1])
def test_an_image_that_cannot_be_decoded_behind_a_header_that_can(
    make: Callable[..., Path], image: int, tmp_path: Path
) -> None:
    path = make(tmp_path, chunks=CHUNK, compression="gzip")
    assert refusal(path) == ""
    begin, size = place_of(tmp_path / STREAM, image)
    overwrite(tmp_path / STREAM, begin, bytes(size))
    told = refusal(path)
    first, last = (0, 63) if image < 64 else (64, FRAMES - 1)
    assert f"{STREAM}: is damaged (one of images {first} to {last} cannot be read: " in told
    assert told.endswith(CURE)
    with pytest.raises(SourceError, match=f"one of images {first} to {last} cannot be read"):
        open_replay(str(path), FPS)


def test_damage_in_the_middle_costs_no_image_but_those_it_hit(tmp_path: Path) -> None:
    """The probe looks at the first and the last image; what lies between is met when its turn comes."""
    path = bare(tmp_path, chunks=CHUNK, compression="gzip")
    with h5py.File(path, "w") as file:
        data = file.create_dataset("raw_images", (200, *SHAPE), "uint8", chunks=CHUNK, compression="gzip")
        data[:] = 7
    begin, size = place_of(path, 100)
    overwrite(path, begin, bytes(size))
    assert refusal(path) == ""
    source = open_replay(str(path), FPS)
    source.start()
    assert all((source.read(1.0).image == 7).all() for _ in range(100))
    with pytest.raises(CameraError, match="image 100 cannot be read"):
        source.read(1.0)
    source.close()


@pytest.mark.parametrize("swmr", [False, True])
def test_a_cut_recording_is_not_replayed_as_black_frames(swmr: bool, tmp_path: Path) -> None:
    """HDF5 gives zeros for what lies behind the end of a file that is opened as SWMR."""
    path = tmp_path / STREAM
    if swmr:
        left_open(path, swmr=True)
    else:
        growing(path, swmr=True).close()
    os.truncate(path, path.stat().st_size - 3 * np.prod(SHAPE) - 1)
    assert re.search(r"is damaged \(the file ends before image 7\d\)", refusal(path))
    rec.write_session(tmp_path / "S1", rec.pictures(FRAMES), rec.session_rows(FRAMES))
    (tmp_path / "S1" / STREAM).write_bytes(path.read_bytes())
    assert re.search(r"is damaged \(the file ends before image 7\d\)", refusal_of_stream(tmp_path / "S1"))


@pytest.mark.parametrize("lost", [1, 30])
def test_the_session_of_a_computer_that_went_down_is_replayed_up_to_what_reached_the_disk(
    lost: int, tmp_path: Path
) -> None:
    path = tmp_path / "S1" / STREAM
    session(tmp_path / "S1")
    (tmp_path / "S1" / "session.json").write_text('{"outcome": "running"}')
    begin, _ = place_of(session_of_the_recorder(tmp_path) / STREAM, FRAMES - lost)
    left_open(path, swmr=True)
    os.truncate(path, begin + 1)
    source = open_replay(str(tmp_path / "S1"), FPS)
    source.start()
    images = [source.read(1.0).image.copy() for _ in range(FRAMES - lost)]
    with pytest.raises(EndOfSource):
        source.read(1.0)
    source.close()
    assert all(image.any() for image in images)


@pytest.mark.parametrize(("outcome", "refused"), [("complete", True), ("aborted", True), ("failed", False)])
def test_a_session_that_was_closed_with_more_rows_than_it_has_is_refused(
    outcome: str, refused: bool, tmp_path: Path
) -> None:
    session(tmp_path)
    counts = json.dumps({"outcome": outcome, "counts": {"frames": FRAMES + 5}})
    (tmp_path / "session.json").write_text(counts)
    wanted = f"frames.csv: has {FRAMES} frames of the {FRAMES + 5} that session.json counts; restore it"
    assert (wanted in refusal(tmp_path)) if refused else (refusal(tmp_path) == "")


def test_a_session_killed_before_its_first_frame_says_so(tmp_path: Path) -> None:
    (tmp_path / "S1").mkdir()
    (tmp_path / "S1" / "session.json").write_text('{"outcome": "running"}')
    for path in (tmp_path, tmp_path / "S1"):
        with pytest.raises(SourceError, match="killed before its first frame"):
            probe_source(path, FPS)
        with pytest.raises(SourceError, match="killed before its first frame"):
            open_session(path)


def refusal_of_stream(folder: Path) -> str:
    with pytest.raises(SourceError) as caught:
        probe_source(folder, FPS)
    return str(caught.value)


def test_a_cut_recording_without_chunks(tmp_path: Path) -> None:
    with h5py.File(tmp_path / STREAM, "w", libver="latest") as file:
        file["raw_images"] = rec.pictures(FRAMES)
    os.truncate(tmp_path / STREAM, (tmp_path / STREAM).stat().st_size - 100)
    assert f"is damaged (the file ends before image {FRAMES - 1})" in refusal(tmp_path / STREAM)


@pytest.mark.parametrize("image", [0, FRAMES - 1])
def test_an_image_that_was_never_written(image: int, tmp_path: Path) -> None:
    with h5py.File(tmp_path / STREAM, "w") as file:
        data = file.create_dataset("raw_images", (FRAMES, *SHAPE), "uint8", chunks=CHUNK)
        for k in set(range(FRAMES)) - {image}:
            data[k] = 1
    assert f"is damaged (image {image} was never written)" in refusal(tmp_path / STREAM)


def test_an_index_that_never_ends() -> None:
    def walk(look: Callable[[object], object]) -> None:
        while look(SimpleNamespace(chunk_offset=(0, 0, 0, 0), byte_offset=0, size=1)) is None:
            pass

    data = SimpleNamespace(shape=(5, *SHAPE), chunks=CHUNK, id=SimpleNamespace(chunk_iter=walk))
    assert misplaced(data, 0, 4, 1000) == "its index names more images than it holds"


@pytest.mark.parametrize("make", [bare, session, session_of_the_recorder], ids=lambda make: make.__name__)
def test_what_passes_the_probe_is_replayed_to_its_end(make: Callable[..., Path], tmp_path: Path) -> None:
    """Bits flipped where the metadata are: refused before a folder is made, or not felt at all."""
    options = {} if make is session_of_the_recorder else {"chunks": CHUNK, "compression": "gzip"}
    path = make(tmp_path, **options)
    whole = (tmp_path / STREAM).read_bytes()
    refused = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        bytes_now = bytearray(whole)
        for place in rng.integers(0, 8192, int(rng.integers(1, 12))):
            bytes_now[place] ^= 1 << int(rng.integers(0, 8))
        (tmp_path / STREAM).write_bytes(bytes_now)
        try:
            probe_source(path, FPS)
        except SourceError:
            refused += 1
            continue
        camera = open_replay(str(path), FPS)
        camera.start()
        for _ in range(FRAMES):
            camera.read(1.0)
        with pytest.raises(EndOfSource):
            camera.read(1.0)
        camera.close()
    assert 10 < refused < 120


def test_h5clear_is_advised_where_the_mark_of_a_writer_is_all_that_is_wrong(tmp_path: Path) -> None:
    path = left_open(tmp_path / STREAM, swmr=False)
    assert refusal(path).endswith("if that was killed, take the mark off a copy: h5clear -s COPY")
    marks = 11  # of the superblock's versions 2 and 3; h5clear sets them to zero, with the checksum behind them
    assert path.read_bytes()[marks] == 1


def swmr_left_open(path: Path) -> Path:
    return left_open(path, swmr=True)


def plain_left_open(path: Path) -> Path:
    return left_open(path, swmr=False)


def closed(path: Path) -> Path:
    return rec.write_hdf5(path, rec.pictures(FRAMES), chunks=CHUNK)


def closed_latest(path: Path) -> Path:
    growing(path, swmr=False).close()
    return path


def cut(path: Path) -> None:
    os.truncate(path, 1500)


def flip_the_root(path: Path) -> None:
    """Damage the header of the root group, right behind the superblock."""
    whole = path.read_bytes()
    begin = whole.find(b"OHDR") + 6 if b"OHDR" in whole[:200] else 96
    overwrite(path, begin, bytes(byte ^ 0xFF for byte in whole[begin : begin + 40]))


def flip_the_mark(path: Path) -> None:
    """Set the mark of a writer without the checksum that belongs to it."""
    overwrite(path, 11, bytes([path.read_bytes()[11] ^ 1]))


@pytest.mark.parametrize(
    ("make", "harm"),
    [
        (closed, cut),
        (closed, flip_the_root),
        (closed_latest, cut),
        (closed_latest, flip_the_root),
        (closed_latest, flip_the_mark),
        (swmr_left_open, cut),
        (swmr_left_open, flip_the_root),
        (swmr_left_open, flip_the_mark),
        (plain_left_open, cut),
        (plain_left_open, flip_the_mark),
    ],
    ids=lambda value: value.__name__,
)
def test_h5clear_is_not_advised_where_it_cannot_help(
    make: Callable[[Path], Path], harm: Callable[[Path], None], tmp_path: Path
) -> None:
    path = make(tmp_path / STREAM)
    harm(path)
    told = refusal(path)
    assert told.startswith(f"{path}: is damaged (")
    assert told.endswith(f"; {CURE}")
    assert "h5clear -s" not in told


def test_a_file_of_a_killed_swmr_writer_is_read_as_it_is(tmp_path: Path) -> None:
    assert refusal(swmr_left_open(tmp_path / STREAM)) == ""


def test_a_pipe_is_no_recording_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.h5")
    code = "import sys\nfrom camera.replay import probe_source\nprobe_source(sys.argv[1], 15.0)"
    for path, told in ((tmp_path / "pipe.h5", "is not a plain file; give"), (tmp_path, "holds no recording; give")):
        command = [sys.executable, "-c", code, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert told in done.stderr
