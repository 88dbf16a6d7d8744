"""Movement sessions given out as CLoPy's with their video: read back they are what was recorded, frame by frame."""

import csv

import av
import numpy as np
import pytest

from camera.find_source import open_source
from camera.source import SourceKind
from core.errors import RecordingError, SourceError
from core.values import Frame
from recording.clopy import ClopyExport, export_clopy
from recording.folder import write_session_json
from recording.reader import open_session
from recording.settings import VideoCodec
from recording.video_export import write_mp4
from recording.video_read import VideoImages
from tests.recording import clopy_oracle as oracle
from tests.recording.clopy_movement import (
    META,
    NAMES,
    SETTINGS,
    STARTED,
    STEM,
    config_of,
    log_of,
    make_folder,
    movement_row,
    record,
    skipped_row,
)
from tests.recording.samples import timing_row
from tests.recording.videos import SHAPE, make_video_recorder, number_of


@pytest.mark.parametrize("codec", VideoCodec)
def test_what_is_given_out_reads_back(tmp_path, codec):
    rows = [movement_row(n) for n in range(1, 61)]
    out = tmp_path / "out"
    with record(tmp_path, rows, codec) as session:
        assert export_clopy(session, out) == ClopyExport(60, 0)
        originals = list(session.frames.rows())
    names = {f"{STEM}.txt", f"{STEM}_config.ini", f"{STEM}_times.csv", f"{STEM}.mp4"}
    assert {path.name for path in out.iterdir()} == names
    assert len(oracle.read_movement(out, STEM)[0]["frame"]) == len(VideoImages(out / f"{STEM}.mp4"))
    with open_session(out) as back:
        assert back.part_names == NAMES
        assert back.meta["mouse"] == "M1"
        for row, copy in zip(originals, back.frames.rows(), strict=True):
            assert copy.parts == pytest.approx(row.parts)
            assert copy.parts[2:] == row.parts[2:]
            assert copy.signal == pytest.approx(row.signal)
            assert copy.threshold == pytest.approx(row.threshold)
            wall_ns = STARTED + row.time_ns - 5_000_000_000
            assert copy.time_ns + back.meta["started_wall_ns"] == wall_ns // 1000 * 1000
            assert copy.freq_hz == (float(int(row.freq_hz)) if row.trial else 0.0)
            assert (copy.frame, copy.image) == (row.frame, row.image)
            assert copy[12:15] == row[12:15]
            assert (copy.licks, copy.phase) == (row.licks, "trial" if row.trial else "rest")
        assert [number_of(image) for image in back.images()] == list(range(1, 61))
        for key in ("framerate", "ppmm", "control_point", "start_center", "target_radius_mm", "max_trial_dur"):
            assert back.meta["settings"][key] == SETTINGS[key]
    again = tmp_path / "again"
    with open_session(out) as back:
        assert export_clopy(back, again) == ClopyExport(60, 0)
        assert [number_of(image) for image in VideoImages(again / f"{STEM}.mp4")] == list(range(1, 61))
    assert [row[3:] for row in log_of(again)] == [row[3:] for row in log_of(out)]


def mp4_times_ms(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [float(packet.pts * stream.time_base * 1000) for packet in container.demux(stream) if packet.size]


def test_frames_that_were_not_judged_are_in_neither_log_nor_video(tmp_path):
    judged = [1, 2, 5, 6, 9]
    rows = [movement_row(n, trial=1, outcome=0, licks=1) if n in judged else skipped_row(n) for n in range(1, 10)]
    rows[7] = skipped_row(8, trial=1, outcome=1, licks=2)
    rows[6] = skipped_row(7, licks=0, trial=1, outcome=0)
    rows[2:4] = [skipped_row(n, licks=0, outcome=0) for n in (3, 4)]
    out = tmp_path / "out"
    with record(tmp_path, rows) as session:
        assert export_clopy(session, out) == ClopyExport(5, 4)
    log = log_of(out)[1:]
    assert [row[0] for row in log] == ["1", "2", "3", "4", "5"]
    assert [row[4] for row in log] == ["0", "0", "0", "1", "0"], "the outcome is on the trial's last row"
    assert [row[7] for row in log] == ["1", "1", "1", "1", "3"], "no lick is lost"
    assert config_of(out / f"{STEM}_config.ini")["video_file"] == f"{STEM}.mp4"
    video = out / f"{STEM}.mp4"
    assert [number_of(image) for image in VideoImages(video)] == judged
    assert mp4_times_ms(video) == pytest.approx([33.333 * (n - 1) for n in judged], abs=1)
    with (out / f"{STEM}_times.csv").open(newline="") as file:
        header, *times = list(csv.reader(file))
    assert header == ["frame", "time_ns", "sensor_ns", "time"]
    assert [row[:2] for row in times] == [[str(k), str(rows[n - 1].time_ns)] for k, n in enumerate(judged, start=1)]
    assert [row[3] for row in times] == [row[1] for row in log]
    assert [int(row[2]) for row in times] == [rows[n - 1].sensor_ns for n in judged]


def test_frames_are_copied_and_keep_their_times_where_none_is_left_out(tmp_path):
    steps = [0, 33, 70, 270, 300, 1300]
    rows = [movement_row(n, time_ns=5_000_000_000 + ms * 10**6) for n, ms in enumerate(steps, start=1)]
    out = tmp_path / "out"
    with record(tmp_path, rows) as session:
        export_clopy(session, out)
        before = list(session.images())
    after = list(VideoImages(out / f"{STEM}.mp4"))
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    assert mp4_times_ms(out / f"{STEM}.mp4") == pytest.approx(steps, abs=0.1)
    with av.open(str(out / f"{STEM}.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.video[0].frames == len(steps)


def test_frames_of_16_bits_keep_their_upper_8(tmp_path):
    folder = make_folder(tmp_path)
    with make_video_recorder(
        folder, names=NAMES, part_prefix="pose_", video_codec=VideoCodec.ffv1, dtype="uint16"
    ) as recorder:
        for n in range(1, 4):
            row = movement_row(n)
            recorder.write(Frame(np.full(SHAPE, n * 5000, np.uint16), n, row.time_ns), row, timing_row(n), ())
    write_session_json(folder, META)
    with open_session(folder) as session:
        export_clopy(session, tmp_path / "out")
    means = [image.mean() for image in VideoImages(tmp_path / "out" / f"{STEM}.mp4")]
    assert means == pytest.approx([n * 5000 / 256 for n in range(1, 4)], abs=2)


def test_a_killed_session_is_given_out_as_far_as_its_video_goes(tmp_path):
    with record(tmp_path, [movement_row(n) for n in range(1, 31)]) as session:
        path = session.image_path
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    whole = len(VideoImages(path))
    assert 5 < whole < 30
    with open_session(session.folder) as session:
        assert export_clopy(session, tmp_path / "out") == ClopyExport(whole, 30 - whole)
    assert len(VideoImages(tmp_path / "out" / f"{STEM}.mp4")) == whole


@pytest.mark.parametrize("where", ["", f"{STEM}.txt"])
def test_clopys_folder_replays_at_the_times_of_its_log(tmp_path, where):
    steps = [0, 33, 70, 270, 300, 1300]
    rows = [movement_row(n, time_ns=5_000_000_000 + ms * 10**6) for n, ms in enumerate(steps, start=1)]
    with record(tmp_path, rows) as session:
        export_clopy(session, tmp_path / "out")
    source = open_source(tmp_path / "out" / where, 30.0)
    assert source.kind is SourceKind.session
    assert source.stamps.number.tolist() == [1, 2, 3, 4, 5, 6]
    assert source.stamps.time_ns.tolist() == [ms * 10**6 for ms in steps]
    assert [number_of(source.images.get(index)) for index in range(6)] == [1, 2, 3, 4, 5, 6]
    source.close()


def test_a_video_that_is_shorter_than_it_says_is_told(tmp_path):
    path = record(tmp_path, [movement_row(n) for n in range(1, 11)]).image_path
    with pytest.raises(SourceError, match="has 10 frames of 12"):
        write_mp4(path, tmp_path / "a.mp4", range(12), range(12), 30.0, print)
    with pytest.raises(RecordingError, match="make the folder first"):
        write_mp4(path, tmp_path / "missing" / "a.mp4", range(3), range(3), 30.0, print)
