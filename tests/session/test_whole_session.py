"""Whole sessions, from config.ini to the closed folder, on a virtual clock."""

import gc
import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.clock import VirtualClock
from core.errors import BusyError
from core.ports import EndOfSource
from core.values import as_ns
from recording.lock_file import lock_folder
from recording.reader import open_session
from roi_manager import Rect
from session import running
from session.locks import mouse_lock, rig_locks
from session.prepare import InterruptedEarly
from session.settings import load_settings
from session.stop import StopRequest
from tests.support.sessions import (
    CONFIG,
    LIVE,
    OFFLINE,
    SilentCamera,
    StopAfter,
    Wrapped,
    raising,
    rows,
    run,
    settings_for,
)


def test_a_session_runs_to_its_last_trial_and_leaves_a_whole_folder(tmp_path, parts_of):
    made = parts_of()
    result = run(settings_for(tmp_path))
    assert (result.outcome, result.error, result.exit_code) == ("complete", "", 0)
    assert result.trials == 4
    assert result.images == result.frames > 0
    names = {path.name for path in result.session.iterdir()}
    assert names == {
        "session.json", "session.ini", "image_stream.hdf5", "frames.csv", "timing.csv", "events.csv", "inputs.csv",
        "missing.csv", "config.ini", "VideoTimestamp.txt",
    }  # fmt: skip
    rig = made[0].rig
    with open_session(result.session) as session:
        assert session.meta["outcome"] == "complete"
        assert len(rig.valve.pulses) == session.frames.water.sum() == result.water == result.rewards
        assert [freq for _, freq in rig.speaker.tones] == [
            freq for freq, before in zip(session.frames.freq_hz, [0, *session.frames.freq_hz], strict=False)
            if freq != before
        ]  # fmt: skip
        assert session.images().shape == (result.frames, 48, 64, 3)
        assert len(session.timing.frame) == result.frames
    assert rig.speaker.closed
    assert rig.valve.closed
    assert not any(rig.lines.levels.values())
    [row] = rows(tmp_path / "data" / "expt_1roi_trial_summary.csv")
    assert (row["outcome"], row["rewards"]) == ("complete", str(result.rewards))
    given_s = sum(down - up for up, down in rig.valve.pulses) / 1e9
    assert given_s > 0
    assert float(row["water_s"]) == pytest.approx(given_s)
    assert row["day_water_s"] == "", "no real water"


@pytest.mark.parametrize("mouse", ["DEMO", "DEMO2"])
def test_same_seed_same_bytes_other_seed_other_session(tmp_path, mouse):
    def log(seed):
        return (run(settings_for(tmp_path, mouse), replace(OFFLINE, seed=seed)).session / "frames.csv").read_bytes()

    assert log(5) == log(5)
    assert log(5) != log(6)


def test_the_resolved_config_runs_the_same_session_again(tmp_path):
    first = run(settings_for(tmp_path))
    again = run(load_settings(first.session / "session.ini", "DEMO"))
    assert (again.session / "frames.csv").read_bytes() == (first.session / "frames.csv").read_bytes()


@pytest.mark.parametrize("name", ["image_stream.hdf5", ""])
def test_a_recorded_session_replays_to_the_same_decisions(tmp_path, name):
    first = run(settings_for(tmp_path))
    again = run(settings_for(tmp_path, **{"--camera": "replay", "--source": str(first.session / name)}))
    assert (again.session / "frames.csv").read_bytes() == (first.session / "frames.csv").read_bytes()


def test_at_its_own_pace_decisions_are_the_same_and_time_is_the_hosts(tmp_path):
    offline = run(settings_for(tmp_path))
    clock = VirtualClock(start_ns=77_000_000_123)
    live = run(settings_for(tmp_path), LIVE, clock=clock)
    with open_session(offline.session) as a, open_session(live.session) as b:
        for column in ("signal", "freq_hz", "trial", "outcome", "water"):
            np.testing.assert_array_equal(getattr(a.frames, column), getattr(b.frames, column))
        assert b.frames.time_ns[0] >= 77_000_000_123
        assert (np.diff(a.frames.time_ns) == np.diff(b.frames.time_ns)).all()


@pytest.mark.parametrize("looks", [1, 2, 10, 40])
def test_clopy_fault_11_a_stopped_session_is_marked_aborted_everywhere(tmp_path, looks, parts_of):
    made = parts_of()
    result = run(settings_for(tmp_path), stop=StopAfter(looks))
    assert (result.outcome, result.exit_code) == ("aborted", 130)
    assert result.images == result.frames == looks
    assert rows(tmp_path / "data" / "expt_1roi_trial_summary.csv")[0]["outcome"] == "aborted"
    assert json.loads((result.session / "session.json").read_text())["outcome"] == "aborted"
    events = rows(result.session / "events.csv")
    assert events[-1]["kind"] == "session_end"
    assert "SIGINT" in events[-1]["detail"]
    assert made[0].rig.speaker.freq_hz == 0
    assert made[0].rig.valve.closed


def test_a_stop_before_the_session_makes_nothing(tmp_path):
    stop = StopRequest()
    stop.request("SIGTERM")
    with pytest.raises(InterruptedEarly):
        run(settings_for(tmp_path), stop=stop)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("live", [False, True])
def test_only_a_session_without_a_rig_waits_for_the_disk(tmp_path, monkeypatch, live):
    made = []

    def remember(*args, **how):
        made.append(how)
        return recorder(*args, **how)

    recorder = running.Recorder
    monkeypatch.setattr(running, "Recorder", remember)
    run(settings_for(tmp_path), replace(OFFLINE, live=live))
    assert [how["wait"] for how in made] == [not live]


def test_the_collector_is_off_in_the_loop_and_on_again_afterwards(tmp_path, parts_of):
    seen = []

    def watch(parts):
        update = parts.pipeline.update
        return replace(
            parts, pipeline=Wrapped(parts.pipeline, update=lambda f: seen.append(gc.isenabled()) or update(f))
        )

    parts_of(watch)
    run(settings_for(tmp_path))
    assert set(seen) == {False}
    assert gc.isenabled()


def test_a_recording_that_ends_early_ends_the_session(tmp_path, parts_of):
    class Short(SilentCamera):
        def read(self, timeout_s):
            if self._left == 0:
                raise EndOfSource
            return super().read(timeout_s)

    parts_of(lambda parts: replace(parts, camera=Short(parts.camera, None, 25)))
    result = run(settings_for(tmp_path))
    assert (result.outcome, result.exit_code, result.frames) == ("source_ended", 0, 25)
    kinds = [event["kind"] for event in rows(result.session / "events.csv")]
    assert kinds[-2:] == ["cut_short", "session_end"]


def test_a_stop_that_meets_the_end_of_the_recording_is_a_stop(tmp_path, parts_of):
    parts_of(lambda parts: replace(parts, camera=Wrapped(parts.camera, read=raising(EndOfSource()))))
    assert run(settings_for(tmp_path), stop=StopAfter(1)).outcome == "aborted"


def test_one_session_per_mouse(tmp_path):
    settings = settings_for(tmp_path)
    with mouse_lock(Path(settings.recording.data_root), "DEMO"), pytest.raises(BusyError, match="mouse DEMO"):
        run(settings)
    assert run(settings).outcome == "complete"


@pytest.mark.parametrize(
    ("rig", "mouse", "match"), [("rig1", "OTHER", "rig rig1"), ("rig2", "DEMO", "mouse DEMO")], ids=["rig", "mouse"]
)
def test_one_live_session_per_rig_and_mouse_whatever_their_data_root(tmp_path, rig, mouse, match):
    settings = settings_for(tmp_path)
    with ExitStack() as held:
        for lock in rig_locks(rig, mouse):
            held.enter_context(lock)
        with pytest.raises(BusyError, match=match):
            run(settings, LIVE)
        assert not (tmp_path / "data").exists()
        assert run(settings).outcome == "complete", "a session without a rig does not need it"


def test_the_folder_of_locks_does_not_depend_on_who_asks(tmp_path, monkeypatch):
    """TMPDIR differs between users and services, who must meet all the same."""
    monkeypatch.undo()
    before = lock_folder()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert lock_folder() == before
    assert before in (Path("/run/lock"), Path("/tmp"))


def test_no_device_is_opened_for_a_session_that_cannot_have_the_rig(tmp_path, parts_of):
    made = parts_of()
    with ExitStack() as held:
        for lock in rig_locks("rig1", "OTHER"):
            held.enter_context(lock)
        with pytest.raises(BusyError):
            run(settings_for(tmp_path), LIVE)
    assert made == []


def test_clopy_fault_08_lost_frames_are_counted_where_they_were_lost(tmp_path, parts_of):
    clock = VirtualClock()

    class Stalling:
        """A pipeline that once takes two seconds."""

        def __init__(self, inner):
            self._inner, self.names = inner, inner.names

        def update(self, frame):
            if frame.number == 20:
                clock.advance(as_ns(2.0))
            return self._inner.update(frame)

    parts_of(lambda parts: replace(parts, pipeline=Stalling(parts.pipeline)))
    result = run(settings_for(tmp_path), LIVE, clock=clock)
    with open_session(result.session) as session:
        lost = session.frames.dropped
        gaps = np.diff(session.frames.frame) - 1
    assert result.dropped == lost.sum() > 10
    assert (gaps == lost[1:]).all()
    assert [event["kind"] for event in rows(result.session / "events.csv")].count("drop") == (lost > 0).sum()


def test_clopy_fault_13_the_users_config_is_not_touched(tmp_path):
    before = CONFIG.read_bytes()
    run(settings_for(tmp_path))
    assert CONFIG.read_bytes() == before


def test_clopy_fault_13_a_placed_roi_is_the_one_that_is_read(tmp_path):
    settings = settings_for(tmp_path, **{"roi.M1_L": "10,12,5,7"})
    assert settings.rois == {"M1_L": Rect(10, 12, 5, 7)}
    session = run(settings).session
    with open_session(session) as recorded:
        crop = recorded.images()[:40, 12:19, 10:15, :2].astype(float)
        # 15 frames/s: frame 30 is at 2 s, its history of 1 s holds frames 15 to 29.
        change = crop[30] / crop[15:30].mean(axis=0) - 1
        assert recorded.frames.signal[30] == pytest.approx((change[..., 1] - change[..., 0]).mean(), abs=1e-12)
