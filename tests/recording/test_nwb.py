"""NWB files hold every number of a session, pass the archive's checks, and come whole or not at all."""

import errno
import importlib.util
import os
from dataclasses import replace

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError, MissingError, RecordingError
from recording import nwb
from recording.csvrows import header_line, side_lines
from recording.folder import write_session_json
from recording.nwb import NwbImages, SubjectFacts, export_nwb
from recording.nwb_clock import EXACT_S, SessionClock
from recording.nwb_images import _runs
from recording.nwb_name import sanitised
from recording.nwb_pack import small
from recording.reader import open_session
from recording.schema import INPUT_COLUMNS, MISSING_COLUMNS, EventRow, InputRow, MissingRow
from recording.subject import SubjectSettings
from tests.recording.clopy_sessions import META, STARTED
from tests.recording.samples import FRAME_NS, NAMES, frame_row, timing_row
from tests.recording.test_csvrows import write_session
from tests.support import movement_sessions
from tests.support.nwb_files import SUBJECT, check, grave, inspect

FACTS = SubjectFacts(SUBJECT, 23.5)
BEGUN = 5_000_000_000
N = 60
SHAPE = (10, 12, 3)
ROIS = {"roi.BC_L": "1,2,4,3", "roi.BC_R": "polygon 5,5 11.5,5 8,9"}


def at(number):
    return BEGUN + number * FRAME_NS


def events():
    yield EventRow(at(1) - 5, "output_error", 0, "valve: {'pin': 27} does not answer")
    for trial, (first, outcome) in enumerate([(5, "success"), (20, "fail"), (40, "cut_short")], start=1):
        yield EventRow(at(first), "trial_start", trial, "silent" if trial == 2 else "sound")
        yield EventRow(at(first) + 77, "lick", trial, "")
        if outcome == "success":
            yield EventRow(at(first + 3), "crossing", trial, "0.081")
            yield EventRow(at(first + 5), "reward", trial, "0.3")
        yield EventRow(at(first + 8), outcome, trial, "")
    yield EventRow(at(50), "free_water", 0, "0.25")
    yield EventRow(at(58), "trial_start", 4, "sound")


def trial_at(number):
    """Columns of a frame that tell of its trial, as ``events`` has them."""
    for trial, first, last, outcome in ((1, 5, 13, 1), (2, 20, 28, -1), (3, 40, 48, 0), (4, 58, N, 0)):
        if first <= number <= last:
            ends = outcome if number == last else 0
            return {"trial": trial, "audio": int(trial != 2), "outcome": ends, "water": int(number == 10)}
    return {"trial": 0, "audio": 0, "outcome": 0, "water": 0}


def make_session(folder, **meta):
    """A neurofeedback session with all that can be in one."""
    images = np.random.default_rng(3).integers(0, 4096, (N - 1, *SHAPE)).astype("uint16")
    # Frame 31 has no image, and two numbers in succession were lost before frame 45.
    rows = [
        frame_row(
            n, image=-1 if n == 31 else n - 1 - (n > 31), dropped=2 if n == 45 else 0, time_ns=at(n) + n % 3,
            threshold=0.05 + n / 1024, **trial_at(n),
        )
        for n in range(1, N + 1)
    ]  # fmt: skip
    write_session(folder, rows, [timing_row(n) for n in range(1, N + 1)], list(events()), NAMES)
    inputs = [
        InputRow(5, at(5) - 9, "lick", 0.0, ""),
        InputRow(9, at(9), "set_threshold", 1 / 3, "page {user: 1}"),
        InputRow(30, at(30), "set", 0.0, "anna", "fail_rest_dur = 5.0"),
        InputRow(30, at(30), "note", 0.0, "bert at 192.0.2.7", 'grooms {both paws}, then \u00e4lter, "sits"'),
    ]
    missing = [MissingRow(43, at(45), "transport"), MissingRow(44, at(45), "transport")]
    for name, columns, table in (("inputs", INPUT_COLUMNS, inputs), ("missing", MISSING_COLUMNS, missing)):
        (folder / f"{name}.csv").write_text(header_line(columns) + "".join(side_lines(row) for row in table))
    settings = {**META["settings"], **ROIS, "rig": "rig2", "vid_source": "pi", "shutter_speed": 60000}
    devices = {"camera": {"sensor": "imx219", "gains": [1, 2]}, "valve": {"pin": 27}}
    write_session_json(folder, {**META, "kind": "clnf", "settings": settings, "devices": devices, **meta})
    with h5py.File(folder / "image_stream.hdf5", "w") as file:
        file["raw_images"] = images
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("nwb") / "M1" / "20231114221320" / "S1"
    home.mkdir(parents=True)
    return make_session(home)


def export(folder, path, facts=FACTS, **options):
    with open_session(folder) as session:
        return export_nwb(session, path, facts, **options)


def left(path):
    return sorted(each.name for each in path.rglob("*"))


def test_compressed_it_passes_the_archives_checks(folder, tmp_path):
    said = []
    done = export(folder, tmp_path, progress=lambda *counts: said.append(counts))
    assert done.path == tmp_path / "sub-M1" / "sub-M1_ses-20231114221320_ophys.nwb"
    assert (done.frames, done.images, done.missing_images) == (N, N - 1, 0)
    assert said[0] == (0, N - 1)
    assert said[-1] == (N - 1, N - 1)
    assert left(tmp_path) == ["sub-M1", done.path.name]
    check(folder, done.path)
    # The times of such a trial, and tables of one row, are what the session was.
    assert [each[:2] for each in inspect(done.path)] == []


def test_notes_and_changes_are_told_with_when_and_by_whom(folder, tmp_path):
    from pynwb import NWBHDF5IO

    done = export(folder, tmp_path / "x.nwb", images=NwbImages.none)
    with NWBHDF5IO(str(done.path), "r") as io:
        rows = io.read().events["inputs"].to_dataframe()
    assert rows[["frame", "kind", "who", "text"]].to_numpy().tolist()[2:] == [
        [30, "set", "anna", "fail_rest_dur = 5.0"],
        [30, "note", "bert at 192.0.2.7", 'grooms (both paws), then \u00e4lter, "sits"'],
    ]
    first_ns = next(events()).time_ns
    assert (rows["timestamp"][2:] * 1e9).round().tolist() == [at(30) - first_ns] * 2


def test_linked_it_is_the_recordings_own_images(folder, tmp_path):
    done = export(folder, tmp_path / "x.nwb", images=NwbImages.link)
    check(folder, done.path)
    with h5py.File(done.path, "r") as file:
        data = file["acquisition/OnePhotonSeriesGreen/data"]
        assert data.is_virtual
        assert {source.file_name for source in data.virtual_sources()} == {
            os.path.relpath(folder / "image_stream.hdf5", tmp_path)
        }
        # The frame without an image is none of the series, and none is doubled.
        assert len(data) == N - 1
    assert done.path.stat().st_size < (folder / "image_stream.hdf5").stat().st_size + 600_000


def test_what_is_said_of_the_session(folder, tmp_path):
    from pynwb import NWBHDF5IO

    done = export(folder, tmp_path / "x.nwb", images=NwbImages.none)
    with NWBHDF5IO(str(done.path), "r") as io:
        file = io.read()
        subject = file.subject
        assert (subject.subject_id, subject.species, subject.sex, subject.age) == ("M1", "Mus musculus", "F", "P166D")
        assert (subject.strain, subject.genotype, subject.weight) == ("C57BL/6J", "Thy1-GCaMP6s/wt", "23.5 g")
        assert list(file.experimenter) == ["Doe, Jane", "Roe, Richard"]
        assert (file.session_id, file.identifier) == ("20231114221320", f"M1 rig2 {STARTED}")
        # Second 0 is an event before the first frame.
        assert abs(file.session_start_time.timestamp() - (STARTED - 5) / 1e9) < 2e-6
        assert file.session_start_time.utcoffset() is not None
        assert file.devices["camera"].description == "sensor: imx219; gains: 1, 2"
        assert '"mouse": "M1"' in file.data_collection
        green = file.imaging_planes["ImagingPlaneGreen"]
        assert (green.indicator, green.excitation_lambda, green.location) == ("GCaMP6s", 470, "Isocortex")
        assert green.optical_channel[0].emission_lambda == 525
        assert file.imaging_planes["ImagingPlaneBlue"].optical_channel[0].emission_lambda == 447
        masks = file.processing["ophys"]["ImageSegmentation"]["PlaneSegmentation"]["pixel_mask"]
        assert {(int(x), int(y)) for x, y, _ in masks[0]} == {(x, y) for x in range(1, 5) for y in range(2, 5)}
        triangle = {5: range(5, 11), 6: range(6, 10), 7: range(7, 9)}
        assert {(int(x), int(y)) for x, y, _ in masks[1]} == {(x, y) for y, row in triangle.items() for x in row}
        assert "OnePhotonSeriesGreen" not in file.acquisition
        trials = file.trials.to_dataframe()
        assert trials["outcome"].tolist() == ["success", "fail", "cut_short", "unfinished"]
        assert trials["has_sound"].tolist() == [True, False, True, True]
        assert trials["threshold"].tolist() == [0.05 + n / 1024 for n in (5, 20, 40, 58)]


def test_movement_sessions(tmp_path):
    tracks = movement_sessions.wander(np.random.default_rng(1), 40)
    image = np.zeros((48, 64, 3), np.uint8)
    folder = movement_sessions.write_session(tmp_path / "M3" / "20231114221320" / "S1", tracks, image=image)
    meta = {"mouse": "M3", "kind": "clmf", "outcome": "complete", "started_wall_ns": STARTED, "counts": {"images": 1}}
    write_session_json(folder, {**meta, "settings": movement_sessions.SETTINGS})
    done = export(folder, tmp_path / "out", SubjectFacts(SUBJECT))
    assert done.path.name == "sub-M3_ses-20231114221320_behavior+image.nwb"
    # The video was closed after its first image; the other rows name images that nobody can read.
    assert (done.images, done.missing_images) == (1, done.frames - 1)
    with open_session(folder) as session:
        assert session.frames.trial.max() > 0
    check(folder, done.path, images=False)
    assert grave(inspect(done.path)) == []
    with h5py.File(done.path, "r") as file:
        [video] = file["acquisition/BehaviorVideo/external_file"][:]
        assert (done.path.parent / video.decode()).samefile(folder / "behavior_video.mkv")


@pytest.mark.parametrize(
    ("subject", "options", "path", "says"),
    [
        (replace(SUBJECT, sex="", emission_nm=0), {}, "x.nwb", r"M1: sex, emission_nm not given; add .*\[mouse:M1\]"),
        (replace(SUBJECT, date_of_birth="2023-11-16"), {}, "x.nwb", "2023-11-16 is after the session's day"),
        (SUBJECT, {}, "x.h5", r"ends in \.nwb"),
        (SUBJECT, {}, "there.nwb", "exists"),
        (SUBJECT, {}, "there.nwb/x.nwb", None),
    ],
)
def test_what_is_refused_leaves_nothing(folder, tmp_path, subject, options, path, says):
    (tmp_path / "there.nwb").write_text("mine")
    with pytest.raises(InputError if says else RecordingError, match=says):
        export(folder, tmp_path / path, SubjectFacts(subject), **options)
    assert left(tmp_path) == ["there.nwb"]
    assert (tmp_path / "there.nwb").read_text() == "mine"


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), RecordingError),
        (RuntimeError("Unable to write raw data (errno = 28)"), RecordingError),
    ],
)
def test_what_fails_in_the_middle_leaves_nothing(folder, tmp_path, monkeypatch, error, raised):
    def fail(*_):
        assert any(name.endswith(".tmp.nwb") for name in left(tmp_path))
        raise error

    monkeypatch.setattr(nwb, "put_images", fail)
    with pytest.raises(raised, match="free space on that disk, or choose" if raised is RecordingError else None):
        export(folder, tmp_path / "new" / "dir")
    assert left(tmp_path) == []


def test_without_the_libraries(folder, tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ndx_pose" else found(name))
    with pytest.raises(MissingError, match=r"ndx-pose: not installed.*make nwb"):
        export(folder, tmp_path)


def test_incomplete_data_on_request_and_sessions_that_hold_little(tmp_path):
    home = tmp_path / "M1" / "20231114221320" / "S1"
    home.mkdir(parents=True)
    make_session(home, outcome="running")
    # A kill: no image file, no events, no inputs, and nothing of timing.csv.
    for name in ("image_stream.hdf5", "events.csv", "inputs.csv", "missing.csv", "timing.csv"):
        (home / name).unlink()
    done = export(home, tmp_path / "x.nwb", SubjectFacts(SubjectSettings()), allow_incomplete=True)
    # The rows name images, and their file is gone.
    assert (done.images, done.missing_images) == (0, N - 1)
    check(home, done.path)
    with h5py.File(done.path, "r") as file:
        # The rows of frames.csv tell the trials.
        assert file["intervals/trials/outcome"][:2].tolist() == [b"success", b"fail"]


def test_a_file_that_was_never_closed_is_not_linked(folder, tmp_path, monkeypatch):
    def shut(_):
        raise OSError("file is already open for write")

    monkeypatch.setattr("recording.hdf5.open_finished", shut)
    with pytest.raises(InputError, match=r"never closed.*--images compress"):
        export(folder, tmp_path / "x.nwb", images=NwbImages.link)


def test_a_session_without_frames(tmp_path):
    write_session(tmp_path)
    with pytest.raises(InputError, match="no frame"):
        export(tmp_path, tmp_path / "x.nwb")


class Times:
    """Of a session no more than its clock asks for."""

    def __init__(self, time_ns):
        self.frames = self
        self.time_ns = np.asarray(time_ns, np.int64)
        self.events, self.inputs, self.missing = (), None, None
        self.meta = {"started_wall_ns": STARTED}
        self.folder = "S1"


SPANS = st.integers(0, EXACT_S * 10**9)
STARTS = st.integers(0, 2**62)


@given(STARTS, st.lists(SPANS, min_size=1, max_size=20))
def test_seconds_come_back_to_the_ns(start, offsets):
    times = start + np.sort(np.array([0, *offsets]))
    clock = SessionClock(Times(times))
    assert np.array_equal(np.round(clock.seconds(times) * 1e9).astype(np.int64) + clock.zero_ns, times)


@given(STARTS, st.integers(1, 10**9), st.integers(3, 1000), st.integers(0, 10**6))
def test_regular_times_are_a_rate_and_come_back_to_the_ns(start, step, n, scale):
    index = np.arange(n) * max(1, min(scale, EXACT_S * 10**9 // (step * n)))
    times = start + np.arange(n) * step
    made = SessionClock(Times(times)).timing(times)
    assert set(made) == {"starting_time", "rate"}
    assert np.array_equal(np.round((made["starting_time"] + index / made["rate"]) * 1e9).astype(np.int64), index * step)


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_whole_numbers_lose_nothing(values):
    assert small(values).tolist() == values


@given(st.lists(st.integers(0, 60), unique=True).map(sorted))
def test_stretches_of_images(index):
    got = [(at + k, first + k) for at, first, end in _runs(np.array(index, np.int64)) for k in range(end - first)]
    assert got == list(enumerate(index))


@pytest.mark.parametrize(("given_id", "name"), [("M-1", "M-1"), ("a_b.c d", "a-b-c-d"), ("x/y:z", "x-y-z")])
def test_names_as_the_archive_writes_them(given_id, name):
    assert sanitised(given_id) == name
