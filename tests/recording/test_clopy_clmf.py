"""Movement sessions given out as CLoPy's: read back they are what was recorded, and their letter is the sample's."""

import configparser
import csv

import av
import numpy as np
import pytest

from camera.find_source import open_source
from camera.source import SourceKind
from core.clock import local_datetime
from core.errors import RecordingError, SourceError
from core.values import SKIPPED, Frame
from recording.clopy import ClopyExport, export_clopy, write_clopy_files
from recording.folder import write_session_json
from recording.reader import open_session
from recording.settings import VideoCodec
from recording.video_export import write_mp4
from recording.video_read import VideoImages
from tests.recording import clopy_oracle as oracle
from tests.recording.samples import frame_row, timing_row
from tests.recording.test_csvrows import write_session
from tests.recording.videos import SHAPE, make_video_recorder, number_of, write_row

STARTED = 1_700_000_000_123_456_789
NAMES = ("speed_mm_s", "target_mm", "snout_x", "snout_y", "snout_likelihood", "fl_l_x", "fl_l_y", "fl_l_likelihood")
PX = 3.5 / 30
SETTINGS = {
    "dlc_model_path": "/models/50%/paw.pt",
    "video_file": "behavior_video.mkv",
    "data_root": "/data",
    "resolution": [96, 64],
    "framerate": 30.0,
    "ppmm": 3.5,
    "joint_history_sec": 5.0,
    "control_point": "fl_l",
    "start_center": [59.0, 11.0],
    "start_radius_mm": 4.0,
    "target_center": [59.0, 8.0],
    "target_radius_mm": 6.0,
    "speed_threshold": 20 / PX,
    "speed_threshold_px_per_frame": 0.0,
    "audio": 1.0,
    "n_tones": 18,
    "start_freq": 1000.0,
    "reward_delay": 0.5,
    "adaptive_threshold": False,
    "max_trial_dur": 30.0,
    "session_type": "normal_audio_normal_reward",
    "min_likelihood": 0.6,
}
META = {
    "kind": "clmf",
    "mouse": "M1",
    "experiment": "clmf_speed",
    "started_wall_ns": STARTED,
    "first_frame_ns": 5_000_000_000,
    "settings": SETTINGS,
}
NAN = float("nan")
STEM = "M1_20240102030405"


def movement_row(number, **changes):
    x, y = 59.0 + number / 3, 11.0 + number / 7
    target_mm = float(np.hypot(x - 59.0, y - 8.0) / 3.5)
    values = {
        "time_ns": 5_000_000_000 + number * 33_333_000,
        "signal": 1.5 * number,
        "parts": (1.5 * number, target_mm, 10.25, 20.1, 0.99, x, y, 1 / 3),
        "threshold": 20 / PX,
        "valid": True,
        "reason": "",
        **changes,
    }
    return frame_row(number, **values)


def skipped_row(number, **changes):
    nans = (NAN,) * len(NAMES)
    return movement_row(number, signal=NAN, parts=nans, valid=False, reason=SKIPPED, freq_hz=0.0, **changes)


def make_folder(tmp_path):
    folder = tmp_path / "M1" / "20240102030405" / "S1"
    folder.mkdir(parents=True)
    return folder


def make_session(tmp_path, rows, meta=META):
    folder = make_folder(tmp_path)
    write_session(folder, rows, names=NAMES, prefix="pose_")
    write_session_json(folder, meta)
    return open_session(folder)


def record(tmp_path, rows, codec=VideoCodec.h264, meta=META, **changes):
    """A session whose video has picture ``row.frame`` for each row."""
    folder = make_folder(tmp_path)
    with make_video_recorder(
        folder, names=NAMES, part_prefix="pose_", video_codec=codec, framerate=30.0, **changes
    ) as recorder:
        for row in rows:
            write_row(recorder, row)
    write_session_json(folder, meta)
    return open_session(folder)


def log_of(folder, stem=STEM):
    text = (folder / f"{stem}.txt").read_bytes().decode()
    return [line.split("\t") for line in text.removesuffix("\n").split("\n")]


def type_of(cell):
    """What a cell is written as."""
    try:
        int(cell)
    except ValueError:
        pass
    else:
        return int
    try:
        return type(float(cell))
    except ValueError:
        return str


def config_of(path):
    parser = configparser.ConfigParser()
    parser.read(path)
    return parser[parser["configsection"]["config"]]


def test_the_letter_of_a_log_is_clopys(tmp_path, shared_data):
    theirs = [
        line.split("\t")
        for line in (shared_data / "clopy/sessions/clmf/M1test/20231114221320/M1test_20231114221320.txt")
        .read_text()
        .splitlines()
    ]
    with make_session(tmp_path, [movement_row(n) for n in range(1, 40)]) as session:
        write_clopy_files(session, tmp_path / "M1" / "20240102030405" / "S1")
    ours = log_of(session.folder)
    assert ours[0] == [*theirs[0][:11], *theirs[0][11:14]]
    for mine, their in zip(ours[1:], theirs[1:], strict=False):
        assert [type_of(cell) for cell in mine] == [type_of(cell) for cell in their[: len(mine)]]
        assert len(mine[1]) == len(their[1]) == 26
    assert (session.folder / f"{STEM}.txt").read_bytes().endswith(b"\n")


def test_the_letter_of_a_row(tmp_path):
    rows = [
        movement_row(9, time_ns=5_000_000_000, trial=0, phase="rest", freq_hz=1000.0, audio=0, outcome=0),
        movement_row(10, time_ns=5_066_667_000, trial=2, freq_hz=1189.9, outcome=-1, audio=1, licks=2, signal=-4.0),
        movement_row(11, valid=False, reason="lost", signal=NAN, parts=(NAN, NAN, *[NAN, NAN, 0.0] * 2)),
    ]
    with make_session(tmp_path, rows) as session:
        assert write_clopy_files(session, session.folder) == ClopyExport(3, 0)
    at = local_datetime(STARTED // 10**9 * 10**9)
    first, second, third = log_of(session.folder)[1:]
    assert first[:8] == ["1", f"{at:%Y-%m-%d %H:%M:%S}.123456", repr(13.5 * (1 / (30 / 3.5))), *"00001"]
    speed = pytest.approx(15 * PX)
    assert [float(second[2]), *second[3:8]] == [speed, "1189", "-1", "2", "1", "2"]
    assert second[8:] == ["10.25", "20.1", "0.99", repr(59.0 + 10 / 3), repr(11.0 + 10 / 7), repr(1 / 3)]
    assert third[2] == "nan"
    assert third[8:] == ["nan", "nan", "0.0"] * 2


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


def test_a_session_without_images_has_a_log_and_no_video(tmp_path):
    rows = [movement_row(1), skipped_row(2), movement_row(3)]
    with make_session(tmp_path, rows) as session:
        assert export_clopy(session, tmp_path / "out") == ClopyExport(2, 1)
    names = {f"{STEM}.txt", f"{STEM}_config.ini", f"{STEM}_times.csv"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    assert [row[0] for row in log_of(tmp_path / "out")] == ["frame", "1", "2"]


def test_a_session_without_frames(tmp_path):
    with record(tmp_path, []) as session:
        assert write_clopy_files(session, session.folder) == ClopyExport(0, 0)
        assert export_clopy(session, tmp_path / "out") == ClopyExport(0, 0)
    assert len(log_of(tmp_path / "out")) == 1


def test_our_own_folder_stays_ours_when_it_has_clopys_files(tmp_path):
    with record(tmp_path, [movement_row(n) for n in range(1, 4)]) as session:
        write_clopy_files(session, session.folder)
        write_clopy_files(session, session.folder)
    names = {path.name for path in session.folder.iterdir()}
    assert {f"{STEM}.txt", f"{STEM}_config.ini"} <= names
    assert not {f"{STEM}.mp4", "config.ini", "VideoTimestamp.txt"} & names
    with open_session(session.folder) as back:
        assert back.meta["experiment"] == "clmf_speed"


def test_config_is_what_clopys_parser_reads(tmp_path, shared_data):
    theirs = config_of(shared_data / "clopy/sessions/clmf/M1test/20231114221320/M1test_20231114221320_config.ini")
    meta = {**META, "experiment": None}
    with make_session(tmp_path, [movement_row(1)], meta) as session:
        write_clopy_files(session, session.folder)
    section = config_of(session.folder / f"{STEM}_config.ini")
    assert section.name == theirs.name == "sentech_dlclive"
    assert set(section) <= set(theirs)
    assert section["resolution"].split(", ") == ["96", "64"]
    assert section["start_center"].split(",") == ["59", "11"]
    assert (section["speed_threshold"], section["joint_history_sec"], section["ppmm"]) == ("20", "5", "3.5")
    assert (section["adaptive_threshold"], section["reward_delay"], section["audio"]) == ("0", "0.5", "1")
    assert section["dlc_model_path"] == "/models/50%/paw.pt"
    assert section["summary_header"] == theirs["summary_header"]
    for key in set(section) & set(theirs) - {"dlc_model_path", "data_root", "video_file"}:
        assert type_of(section[key]) in (type_of(theirs[key]), float)


@pytest.mark.parametrize(
    ("settings", "text"),
    [({"speed_threshold_px_per_frame": 12.5}, "12.5"), ({"ppmm": None}, None), ({"speed_threshold": None}, None)],
)
def test_the_threshold_in_px_per_frame(tmp_path, settings, text):
    meta = {**META, "settings": {**SETTINGS, **settings}}
    with make_session(tmp_path, [movement_row(1)], meta) as session:
        write_clopy_files(session, session.folder)
    assert config_of(session.folder / f"{STEM}_config.ini").get("speed_threshold") == text


@pytest.mark.parametrize("meta", [{"kind": "clmf"}, {"kind": "clmf", "settings": None, "mouse": "a b/c"}])
def test_metadata_may_be_absent(tmp_path, meta):
    with make_session(tmp_path, [movement_row(1)], meta) as session:
        write_clopy_files(session, session.folder)
    stem = "a_b_c_20240102030405" if meta.get("mouse") else "mouse_20240102030405"
    assert log_of(session.folder, stem)[1][2] == "nan"


def test_clopys_own_session_is_given_out_as_it_was(tmp_path, shared_data):
    source = shared_data / "clopy/sessions/clmf/M1test/20231114221320"
    stem = "M1test_20231114221320"
    with open_session(source) as session:
        export_clopy(session, tmp_path / "out")
    for name in (f"{stem}.txt", f"{stem}_config.ini"):
        assert (tmp_path / "out" / name).read_bytes() == (source / name).read_bytes()


def test_a_video_that_is_shorter_than_it_says_is_told(tmp_path):
    path = record(tmp_path, [movement_row(n) for n in range(1, 11)]).image_path
    with pytest.raises(SourceError, match="has 10 frames of 12"):
        write_mp4(path, tmp_path / "a.mp4", range(12), range(12), 30.0, print)
    with pytest.raises(RecordingError, match="make the folder first"):
        write_mp4(path, tmp_path / "missing" / "a.mp4", range(3), range(3), 30.0, print)
