"""Sessions whose images are a video: rows and frames correspond, whatever ends first; and they replay."""

import numpy as np
import pytest

from camera.find_source import open_source
from camera.source import SourceKind
from core.errors import CameraError, RecordingError
from recording.folder import write_session_json
from recording.reader import count_images, open_session
from recording.recorder import Recorder, RecorderResult
from recording.session_files import SessionFiles
from recording.settings import VideoCodec
from recording.video_file import VideoFile
from recording.video_read import VideoImages
from tests.recording.samples import frame_row, timing_row
from tests.recording.test_writer import make_spec
from tests.recording.videos import SHAPE, VIDEO, make_video_recorder, number_of, picture, write_picture


def record(folder, numbers, **changes):
    with make_video_recorder(folder, **changes) as recorder:
        for number in numbers:
            write_picture(recorder, number)
    return recorder.close()


def make_files(folder, **changes):
    return SessionFiles(make_spec(folder, **{"image_file": VIDEO, "image_shape": SHAPE, **changes}))


def add(files, numbers):
    for number in numbers:
        files.add(picture(number), frame_row(number), timing_row(number), ())


def images_of(folder):
    return open_session(folder).frames.image.tolist()


@pytest.mark.parametrize("codec", VideoCodec)
def test_a_session_comes_back_with_its_video(tmp_path, codec):
    assert record(tmp_path, range(1, 151), video_codec=codec) == RecorderResult(150, 150, 0, None)
    with open_session(tmp_path) as session:
        assert session.image_path == tmp_path / VIDEO
        assert session.frames.image.tolist() == list(range(150))
        images = session.images()
        assert images.shape == (150, *SHAPE)
        assert [number_of(image) for image in images] == list(range(1, 151))
        assert count_images(session) == 150
        session.close()
        assert number_of(session.images()[3]) == 4


def test_the_settings_name_the_video(tmp_path):
    record(tmp_path, range(1, 4), image_file="mine.mkv")
    write_session_json(tmp_path, {"kind": "clmf", "settings": {"video_file": "mine.mkv", "raw_image_file": "x.hdf5"}})
    for where in (tmp_path, tmp_path / "mine.mkv"):
        with open_session(where) as session:
            assert count_images(session) == 3
    write_session_json(tmp_path, {"kind": "clmf", "settings": {}})
    assert not open_session(tmp_path).has_images
    (tmp_path / "mine.mkv").rename(tmp_path / VIDEO)
    assert open_session(tmp_path).has_images


def test_frames_that_a_codec_cannot_keep_are_refused_before_the_session(tmp_path):
    def make(**changes):
        return make_video_recorder(tmp_path, dtype="uint16", **changes)

    with pytest.raises(RecordingError, match="set video_codec = ffv1"):
        make()
    assert isinstance(make(video_codec=VideoCodec.ffv1), Recorder)
    assert isinstance(make(record_images=False), Recorder)
    assert list(tmp_path.iterdir()) == []


def test_the_row_of_a_frame_that_is_not_out_yet_waits_for_it(tmp_path):
    files = make_files(tmp_path)
    add(files, range(1, 4))
    files.flush()
    files.flush()
    session = open_session(tmp_path)
    assert session.frames.image.tolist() == [0, 1]
    assert session.timing.frame.tolist() == [1, 2]
    assert count_images(session) == 2
    files.add(None, frame_row(4), timing_row(4), ())
    add(files, [5])
    files.flush()
    assert images_of(tmp_path) == [0, 1, 2, -1]
    assert files.close() == (5, 4)
    assert images_of(tmp_path) == [0, 1, 2, -1, 3]


@pytest.mark.parametrize("flushed", [0, 3])
def test_a_row_never_names_a_missing_frame(tmp_path, monkeypatch, flushed):
    files = make_files(tmp_path)
    add(files, range(1, flushed + 1))
    files.flush()

    def append(file, image, time_ns):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(VideoFile, "append", append)
    add(files, range(flushed + 1, flushed + 4))
    files.flush()
    assert files.close() == (flushed + 3, flushed)
    assert (files.problems, files.ended.cause) == ([], "disk_full")
    assert VIDEO in files.ended.text
    assert "free space" in files.ended.text
    assert images_of(tmp_path) == [*range(flushed), -1, -1, -1]
    assert len(VideoImages(tmp_path / VIDEO)) == flushed


def test_a_video_that_cannot_be_closed_keeps_what_was_out(tmp_path, monkeypatch):
    files = make_files(tmp_path)
    add(files, range(1, 6))

    def close(file):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(VideoFile, "close", close)
    assert files.close() == (5, 4)
    assert images_of(tmp_path) == [0, 1, 2, 3, -1]
    assert (files.problems, files.ended.cause) == ([], "image_file_failed")
    assert "the disk or card is failing" in files.ended.text


def session_with_losses(folder):
    """Record numbers 1 to 8: 3 and 4 lost by the camera, 6 without image; sensor stamps of their own."""
    files = make_files(folder)
    for number in (1, 2, 5, 6, 7, 8):
        row = frame_row(number, dropped=2 if number == 5 else 0, sensor_ns=number * 10**7 + 123)
        files.add(None if number == 6 else picture(number), row, timing_row(number), ())
    files.close()


def replayed(path):
    source = open_source(path, 30.0)
    try:
        stamps = source.stamps
        columns = zip(stamps.number, stamps.time_ns, stamps.sensor_ns, stamps.dropped, source.index, strict=True)
        rows = [tuple(int(value) for value in row) for row in columns]
        return source.kind, rows, [number_of(source.images.get(int(index))) for index in source.index]
    finally:
        source.close()


@pytest.mark.parametrize("where", [".", "..", VIDEO])
def test_a_video_session_replays_with_its_numbers_times_and_losses(tmp_path, where):
    folder = tmp_path / "S1"
    folder.mkdir()
    session_with_losses(folder)
    kind, rows, numbers = replayed(folder / where)
    assert kind is SourceKind.session
    assert numbers == [1, 2, 5, 7, 8]
    assert rows == [
        (number, frame_row(number).time_ns, number * 10**7 + 123, {5: 2, 7: 1}.get(number, 0), index)
        for index, number in enumerate(numbers)
    ]


def test_a_killed_session_replays_as_far_as_its_video_goes(tmp_path):
    session_with_losses(tmp_path)
    write_session_json(tmp_path, {"kind": "clmf", "outcome": "running", "settings": {}})
    path = tmp_path / VIDEO
    content = path.read_bytes()
    whole = len(VideoImages(path))
    while whole > 4:
        content = content[:-50]
        path.write_bytes(content)
        whole = len(VideoImages(path))
    _, rows, numbers = replayed(tmp_path)
    assert numbers == [1, 2, 5, 7]
    assert len(rows) == 4


def test_frames_behind_damage_are_not_replayed(tmp_path):
    record(tmp_path, range(1, 31), video_codec=VideoCodec.ffv1)
    path = tmp_path / VIDEO
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + len(content) // 4] = bytes(len(content) // 4)
    path.write_bytes(content)
    _, rows, numbers = replayed(tmp_path)
    assert 10 < len(rows) < 30
    assert numbers[:-1] == list(range(1, len(rows)))


def test_a_frame_that_does_not_decode_is_the_cameras_error(tmp_path):
    record(tmp_path, range(1, 31))
    source = open_source(tmp_path, 30.0)
    with pytest.raises(CameraError, match=VIDEO):
        source.images.get(30)
    source.close()


def test_frames_of_16_bits_replay_bit_for_bit(tmp_path):
    images = np.random.default_rng(3).integers(0, 65536, (4, *SHAPE)).astype(np.uint16)
    files = make_files(tmp_path, image_dtype="uint16", video_codec=VideoCodec.ffv1)
    for number, image in enumerate(images, start=1):
        files.add(image, frame_row(number), timing_row(number), ())
    files.close()
    source = open_source(tmp_path, 30.0)
    assert source.images.frame_dtype == "uint16"
    assert all((source.images.get(index) == image).all() for index, image in enumerate(images))
    source.close()
