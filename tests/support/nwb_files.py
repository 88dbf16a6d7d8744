"""Reads an NWB file with pynwb and holds it against the session it was made of, number by number."""

import math
from pathlib import Path

import numpy as np

from recording.reader import open_session
from recording.subject import SubjectSettings
from roi_manager import parse_roi

SUBJECT = SubjectSettings(
    species="Mus musculus", sex="F", date_of_birth="2023-06-01", strain="C57BL/6J", genotype="Thy1-GCaMP6s/wt",
    subject_description="Fed with care.", experimenter="Doe, Jane & Roe, Richard", lab="Laboratory",
    institution="Institute", indicator="GCaMP6s", excitation_nm=470, emission_nm=525, reflectance_nm=447,
)  # fmt: skip
SERIES = {"signal": "FeedbackSignal", "threshold": "RewardThreshold"}
MOVEMENT = {"speed_mm_s": "ControlPointSpeed", "target_mm": "TargetDistance"}


def inspect(path):
    """Return the messages of nwbinspector in its configuration for DANDI, as (importance, check, object, text)."""
    from nwbinspector import inspect_nwbfile, load_config

    found = inspect_nwbfile(nwbfile_path=str(path), config=load_config("dandi"))
    return [(each.importance.name, each.check_function_name, each.object_name, each.message) for each in found]


def grave(messages):
    return [each for each in messages if each[0] != "BEST_PRACTICE_SUGGESTION"]


def equal(left, right):
    left, right = np.asarray(left), np.asarray(right)
    kind = left.dtype.kind == "f" or right.dtype.kind == "f"
    assert left.shape == right.shape
    assert np.array_equal(left, right, equal_nan=kind)


def plain(text):
    return text.replace("{", "(").replace("}", ")")


def check(folder, path, *, images=True):
    """Assert that every number of a session's tables, and each image, is in the file."""
    from pynwb import NWBHDF5IO, validate

    assert validate(path=str(path)) == []
    with open_session(Path(folder)) as session, NWBHDF5IO(str(path), "r") as io:
        Reading(session, io.read()).check(images)


class Reading:
    def __init__(self, session, nwb):
        self.session, self.nwb = session, nwb
        rows = [*session.events, *(session.inputs or ()), *(session.missing or ())]
        self.zero = min([int(session.frames.time_ns[0]), *(row.time_ns for row in rows)])
        self.movement = session.meta.get("kind") == "clmf"
        self.module = nwb.processing["behavior" if self.movement else "ophys"]

    def check(self, images):
        self.frames()
        self.signals()
        self.timing()
        self.events()
        self.inputs()
        self.trials()
        if self.movement:
            self.pose()
        if images and self.session.has_images:
            self.video() if self.movement else self.images()

    def ns(self, seconds):
        return np.round(np.asarray(seconds) * 1e9).astype(np.int64) + self.zero

    def times(self, series, n):
        seconds = series.timestamps[:] if series.rate is None else series.starting_time + np.arange(n) / series.rate
        return self.ns(seconds)

    def series(self, series, values):
        equal(series.data[:], values)
        equal(self.times(series, len(values)), self.session.frames.time_ns)

    def frames(self):
        frames, table = self.session.frames, self.nwb.acquisition["frames"]
        names = ("frame", "time_ns", "sensor_ns", "dropped", "image", "phase", "trial", "outcome", "water", "licks")
        for name in (*names, "reason"):
            equal(table[name][:], getattr(frames, name))
        equal(table["is_valid"][:], frames.valid)
        equal(table["has_sound"][:], frames.audio.astype(bool))

    def signals(self):
        for name, title in SERIES.items():
            self.series(self.module[title], getattr(self.session.frames, name))
        tone = self.nwb.stimulus["Tone"]
        assert tone.unit == "Hz"
        self.series(tone, self.session.frames.freq_hz)
        if self.movement:
            for name, title in MOVEMENT.items():
                column = self.session.frames.parts[:, self.session.part_names.index(name)]
                self.series(self.module["BehavioralTimeSeries"][title], column)
        else:
            self.series(self.module["DfOverF"]["RoiResponseSeries"], self.session.frames.parts)
            rois = self.module["ImageSegmentation"]["PlaneSegmentation"]
            assert tuple(rois["roi_name"][:]) == self.session.part_names
            self.masks(rois)

    def masks(self, rois):
        for place, name in enumerate(self.session.part_names):
            text = self.session.meta.get("settings", {}).get(f"roi.{name}")
            pixels = [(int(x), int(y), float(weight)) for x, y, weight in rois["pixel_mask"][place]]
            assert rois["shape"][place] == (text or "not recorded")
            if not text:
                assert pixels == [(0, 0, 0.0)]
                continue
            shape = parse_roi(text)
            x0, y0, x1, y1 = shape.bounds()
            inside = shape.mask()
            wanted = [(x, y, 1.0) for y in range(y0, y1) for x in range(x0, x1) if inside[y - y0, x - x0]]
            assert sorted(pixels) == sorted(wanted)

    def timing(self):
        timing = self.session.timing
        if not len(timing):
            assert "host_times" not in self.nwb.acquisition
            return
        for name in ("frame", "read_ns", "signal_ns", "decision_ns", "command_ns"):
            equal(self.nwb.acquisition["host_times"][name][:], getattr(timing, name))

    def events(self):
        found = {}
        for name in ("licks", "rewards", "session_events"):
            table = self.nwb.events.get(name)
            if table is None:
                continue
            n = len(table.id)
            kinds = ["lick"] * n if name == "licks" else table["kind"][:]
            details = table["annotation"][:] if "annotation" in table.colnames else [""] * n
            columns = (table.id[:], self.ns(table["timestamp"][:]), kinds, table["trial"][:], details)
            for place, *row in zip(*columns, strict=True):
                found[int(place)] = tuple(row)
        wanted = [(e.time_ns, e.kind, e.trial, plain(e.detail)) for e in self.session.events]
        assert [found[place] for place in range(len(found))] == wanted
        if "rewards" in self.nwb.events:
            table = self.nwb.events["rewards"]
            assert [float(text) for text in table["annotation"][:]] == table["duration"][:].tolist()

    def inputs(self):
        for name, rows, columns in (
            ("inputs", self.session.inputs, ("frame", "kind", "value", "who")),
            ("missing_frames", self.session.missing, ("frame", "cause")),
        ):
            if not rows:
                assert name not in self.nwb.events
                continue
            table = self.nwb.events[name]
            equal(self.ns(table["timestamp"][:]), [row.time_ns for row in rows])
            for column in columns:
                wanted = [getattr(row, column) for row in rows]
                assert table[column][:].tolist() == [plain(each) if column == "who" else each for each in wanted]
            texts = [plain(getattr(row, "text", "")) for row in rows]
            assert (table["text"][:].tolist() if "text" in table.colnames else [""] * len(rows)) == texts

    def trials(self):
        starts = [event for event in self.session.events if event.kind == "trial_start"]
        ends = {e.trial: e for e in self.session.events if e.kind in ("success", "fail", "cut_short")}
        if not self.session.events:
            self.trials_of_frames()
            return
        if not starts:
            assert self.nwb.trials is None
            return
        table = self.nwb.trials
        equal(self.ns(table["start_time"][:]), [event.time_ns for event in starts])
        assert table["trial"][:].tolist() == [event.trial for event in starts]
        assert table["has_sound"][:].tolist() == [event.detail == "sound" for event in starts]
        rows = list(self.session.frames.rows())
        begun = [[row for row in rows if row.trial == start.trial and row.time_ns >= start.time_ns] for start in starts]
        equal(table["threshold"][:], [inside[0].threshold if inside else math.nan for inside in begun])
        for number, stop, outcome in zip(table["trial"][:], table["stop_time"][:], table["outcome"][:], strict=True):
            end = ends.get(int(number))
            assert outcome == ("unfinished" if end is None else end.kind)
            assert self.ns(stop) == (self.session.frames.time_ns[-1] if end is None else end.time_ns)
        for column, kinds in (("reward_time", ("reward",)), ("crossing_time", ("crossing", "chance"))):
            first = {}
            for event in self.session.events:
                if event.kind in kinds and event.trial:
                    first.setdefault(event.trial, event.time_ns)
            if column not in table.colnames:
                assert not first
                continue
            for number, seconds in zip(table["trial"][:], table[column][:], strict=True):
                assert math.isnan(seconds) if int(number) not in first else self.ns(seconds) == first[int(number)]

    def trials_of_frames(self):
        rows = [row for row in self.session.frames.rows() if row.trial > 0]
        trials = [[row for row in rows if row.trial == number] for number in sorted({row.trial for row in rows})]
        if not trials:
            assert self.nwb.trials is None
            return
        table = self.nwb.trials
        assert table["trial"][:].tolist() == [trial[0].trial for trial in trials]
        equal(self.ns(table["start_time"][:]), [trial[0].time_ns for trial in trials])
        equal(table["threshold"][:], [trial[0].threshold for trial in trials])
        assert table["has_sound"][:].tolist() == [bool(trial[0].audio) for trial in trials]
        results = [[row for row in trial if row.outcome] for trial in trials]
        told = {1: "success", -1: "fail"}
        assert list(table["outcome"][:]) == [told[ends[-1].outcome] if ends else "unfinished" for ends in results]
        last_ns = int(self.session.frames.time_ns[-1])
        stops = [trial[-1].time_ns if ends else last_ns for trial, ends in zip(trials, results, strict=True)]
        equal(self.ns(table["stop_time"][:]), stops)
        assert "crossing_time" not in table.colnames
        drops = [[row.time_ns for row in trial if row.water] for trial in trials]
        assert any(drops) == ("reward_time" in table.colnames)
        if any(drops):
            for water, seconds in zip(drops, table["reward_time"][:], strict=True):
                assert self.ns(seconds) == water[0] if water else math.isnan(seconds)

    def pose(self):
        pose, names = self.module["PoseEstimation"], self.session.part_names
        parts = self.module["Skeletons"]["Skeleton"].nodes[:].tolist()
        assert [f"{part}_x" for part in parts] == [name for name in names if name.endswith("_x")]
        for part in parts:
            x, y, likelihood = (
                self.session.frames.parts[:, names.index(f"{part}_{what}")] for what in ("x", "y", "likelihood")
            )
            self.series(pose[part], np.column_stack([x, y]))
            equal(pose[part].confidence[:], likelihood)

    def images(self):
        image = self.session.frames.image
        rows = np.flatnonzero(image >= 0)
        stored = self.session.images()
        wanted = np.stack([stored[int(image[row])] for row in rows])
        # HDF5 does not open a file a second time with other flags, which a link does.
        self.session.close()
        for name, channel in (("OnePhotonSeriesGreen", 1), ("OnePhotonSeriesBlue", 0)):
            series = self.nwb.acquisition[name]
            assert series.data.dtype == wanted.dtype
            equal(series.data[:], wanted[..., channel])
            equal(self.times(series, len(rows)), self.session.frames.time_ns[rows])

    def video(self):
        series = self.nwb.acquisition["BehaviorVideo"]
        file = Path(self.nwb.container_source).parent / series.external_file[0]
        assert not Path(series.external_file[0]).is_absolute()
        assert file.resolve() == self.session.image_path.resolve()
        kept = self.session.frames.image >= 0
        equal(self.times(series, int(kept.sum())), self.session.frames.time_ns[kept])
