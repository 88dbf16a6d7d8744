"""The behaviour video: what is appended is what is there, one for one, at every moment."""

import itertools
import resource
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import RecordingError, SourceError
from recording.mkv_index import whole_frames
from recording.settings import VideoCodec
from recording.video_file import VideoFile
from recording.video_read import VideoImages
from tests.recording.videos import SHAPE, number_of, picture

LOSSY, LOSSLESS = VideoCodec.h264, VideoCodec.ffv1


def times_ms(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base == Fraction(1, 1000)
        return [packet.pts for packet in container.demux(stream) if packet.size]


def write(path, numbers, codec=LOSSY, shape=SHAPE, step_ns=33_333_333):
    file = VideoFile(path, shape, "uint8", codec)
    for number in numbers:
        assert file.append(picture(number, shape), 7_000_000_000 + number * step_ns) == number
    assert file.close() == len(numbers)
    return path


def append_many(file, count):
    for number in range(count):
        file.append(picture(number), number * 10**7)


@pytest.mark.parametrize("codec", VideoCodec)
@pytest.mark.parametrize("shape", [SHAPE, (65, 96, 3), (64, 97, 3), (33, 35, 3), (8, 6, 3), (3, 2, 3)])
def test_every_frame_comes_back_with_its_shape(tmp_path, codec, shape):
    path = write(tmp_path / "a.mkv", range(40), codec, shape)
    images = VideoImages(path)
    assert images.shape == (40, *shape)
    assert images.dtype == np.uint8
    frames = list(images)
    if codec is LOSSLESS:
        assert all((frame == picture(number, shape)).all() for number, frame in enumerate(frames))
    elif shape[0] > 8:
        assert [number_of(frame) for frame in frames] == list(range(40))
    images.close()


@pytest.mark.parametrize("colour", [(0, 0, 0), (128, 128, 128), (255, 255, 255), (200, 40, 40), (30, 160, 40)])
@pytest.mark.parametrize("shape", [SHAPE, (65, 96, 3)])
def test_colours_stay_in_their_channels(tmp_path, colour, shape):
    file = VideoFile(tmp_path / "a.mkv", shape, "uint8", LOSSY)
    for number in range(3):
        file.append(np.full(shape, colour, np.uint8), number * 10**7)
    file.close()
    assert VideoImages(tmp_path / "a.mkv")[2].mean((0, 1)) == pytest.approx(colour, abs=3)


def test_frames_of_16_bits_need_the_lossless_codec(tmp_path):
    images = np.random.default_rng(1).integers(0, 65536, (5, *SHAPE)).astype(np.uint16)
    file = VideoFile(tmp_path / "a.mkv", SHAPE, "uint16", LOSSLESS)
    for number, image in enumerate(images):
        file.append(image, number * 10**7)
    file.close()
    video = VideoImages(tmp_path / "a.mkv")
    assert video.dtype == np.uint16
    assert (video[:] == images).all()
    with pytest.raises(RecordingError, match="set video_codec = ffv1"):
        VideoFile(tmp_path / "b.mkv", SHAPE, "uint16", LOSSY)
    assert not (tmp_path / "b.mkv").exists()


@pytest.mark.parametrize("codec", VideoCodec)
def test_all_but_the_last_frame_are_out_at_once(tmp_path, codec):
    """Read through another descriptor, as whoever finds the file after a kill."""
    file = VideoFile(tmp_path / "a.mkv", SHAPE, "uint8", codec)
    for number in range(60):
        file.append(picture(number), number * 10**7)
        file.flush()
        assert whole_frames(tmp_path / "a.mkv") == file.flushed == number
    left = tmp_path / "left.mkv"
    left.write_bytes((tmp_path / "a.mkv").read_bytes())
    assert [number_of(image) for image in VideoImages(left)] == list(range(59))
    assert file.close() == file.flushed == 60


@given(st.data())
@settings(max_examples=25)
def test_a_file_cut_anywhere_gives_the_frames_before_the_cut(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("v") / "a.mkv"
    file = VideoFile(path, SHAPE, "uint8", LOSSY)
    ends = []
    for number in range(12):
        file.append(picture(number), number * 10**7)
        ends.append(path.stat().st_size)
    file.close()
    content = path.read_bytes()
    cut = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:cut])
    try:
        images = VideoImages(path)
    except SourceError:
        assert cut < ends[0], "not even the header is there"
        return
    assert [number_of(image) for image in images] == list(range(len(images)))
    out = sum(end <= cut for end in ends[1:])
    assert out <= len(images) <= out + (cut > ends[-1])
    assert len(images) == 12 or cut < len(content)


@given(st.lists(st.integers(0, 3_000_000_000), min_size=1, max_size=30))
@settings(max_examples=25)
def test_times_are_those_of_capture_and_always_rise(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("v") / "a.mkv"
    times_ns = (10**15 + np.cumsum(steps)).tolist()
    file = VideoFile(path, (16, 16, 3), "uint8", LOSSY)
    for time_ns in times_ns:
        file.append(np.zeros((16, 16, 3), np.uint8), time_ns)
    assert file.close() == len(steps)
    got = times_ms(path)
    assert len(got) == len(steps)
    assert all(b > a for a, b in itertools.pairwise(got))
    expected = [(time_ns - times_ns[0]) / 1e6 for time_ns in times_ns]
    # Frames less than 1 ms apart push those behind them later, as far as need be.
    assert all(ms >= time - 0.5 for ms, time in zip(got, expected, strict=True))
    if all(step >= 1_000_000 for step in steps[1:]):
        assert all(abs(ms - time) <= 1.5 for ms, time in zip(got, expected, strict=True))


def test_what_other_programs_see(tmp_path):
    import cv2

    path = write(tmp_path / "a.mkv", range(70), step_ns=100_000_000)
    capture = cv2.VideoCapture(str(path))
    seen = []
    while capture.grab():
        at = capture.get(cv2.CAP_PROP_POS_MSEC)
        seen.append((round(at), number_of(capture.retrieve()[1])))
    capture.release()
    assert seen == [(100 * number, number) for number in range(70)]


def test_frames_are_read_by_index_and_slice(tmp_path):
    images = VideoImages(write(tmp_path / "a.mkv", range(90)))
    assert len(images) == 90
    assert [number_of(images[i]) for i in (5, 5, 40, 89, -1, 3, 0)] == [5, 5, 40, 89, 89, 3, 0]
    assert [number_of(image) for image in images[80:100:4]] == [80, 84, 88]
    assert images[4:4].shape == (0, *SHAPE)
    kept = images[1].copy()
    before = images[1]
    assert number_of(images[2]) == 2
    assert (before == kept).all()
    for bad in (90, -91):
        with pytest.raises(IndexError):
            images[bad]
    images.close()
    images.close()


def test_a_video_that_ended_before_its_first_frame_has_none(tmp_path):
    file = VideoFile(tmp_path / "a.mkv", SHAPE, "uint8", LOSSY)
    begun = tmp_path / "begun.mkv"
    begun.write_bytes((tmp_path / "a.mkv").read_bytes())
    assert file.close() == 0
    for path in (tmp_path / "a.mkv", begun):
        images = VideoImages(path)
        assert len(images) == 0
        assert list(images) == []
        with pytest.raises(IndexError):
            images[0]
        images.close()


@pytest.mark.parametrize("content", [b"", b"not a video at all" * 9, b"\x1aE\xdf\xa3\x01\xff"])
def test_what_is_no_video_is_said_so(tmp_path, content):
    (tmp_path / "a.mkv").write_bytes(content)
    with pytest.raises(SourceError, match=r"a\.mkv.*restore it from a copy"):
        VideoImages(tmp_path / "a.mkv")
    with pytest.raises(SourceError):
        VideoImages(tmp_path / "missing.mkv")
    with pytest.raises(SourceError, match="cannot read"):
        whole_frames(tmp_path / "missing.mkv")


def test_behind_damage_no_frame_is_taken_for_whole(tmp_path):
    path = write(tmp_path / "a.mkv", range(30), LOSSLESS)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + len(content) // 4] = bytes(len(content) // 4)
    path.write_bytes(content)
    images = VideoImages(path)
    assert 10 < len(images) < 30
    assert [number_of(images[i]) for i in range(len(images) - 1)] == list(range(len(images) - 1))


def test_nothing_is_overwritten(tmp_path):
    path = write(tmp_path / "a.mkv", range(3))
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        VideoFile(path, SHAPE, "uint8", LOSSY)
    assert path.read_bytes() == before


def test_a_disk_without_room_is_an_error_and_the_frames_before_it_stay(tmp_path):
    path = tmp_path / "a.mkv"
    file = VideoFile(path, SHAPE, "uint8", LOSSLESS)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            append_many(file, 4000)
        count = file.give_up()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert count > 5
    assert count <= file.count
    assert path.stat().st_size <= 30_000
    assert [number_of(image) for image in VideoImages(path)] == list(range(count))
