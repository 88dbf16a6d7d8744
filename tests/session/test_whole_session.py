"""Whole sessions, from config.ini to the closed folder, on a virtual clock."""

import csv
import gc
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.clock import VirtualClock
from core.errors import BusyError, CameraTimeout, InputError
from core.ports import EndOfSource
from core.values import as_ns
from hardware.fake import FakeLickSensor, FakeLines, FakeSpeaker, FakeValve
from hardware.rig import Rig
from hardware.settings import OutputKind
from recording.reader import open_session
from session import finish as finish_module
from session import runner
from session.build import Options, build
from session.locks import mouse_lock, rig_lock
from session.runner import InterruptedEarly, SessionWatch, run_session
from session.settings import load_settings
from session.stop import StopRequest

CONFIG = Path(__file__).resolve().parent.parent.parent / "config.ini"
SHORT = {
    "total_trials": "4", "initial_rest_dur": "1", "dff_history": "1", "max_trial_dur": "3", "success_rest_dur": "1",
    "fail_rest_dur": "1", "reward_delay": "0.2", "reward_threshold": "0.03", "resolution": "64, 48", "ppmm": "6",
    "bregma": "24, 32",
}  # fmt: skip
OFFLINE = Options(seed=5, live=False, outputs=OutputKind.fake)


def settings_for(tmp_path, mouse="DEMO", **overrides):
    chosen = {**SHORT, **overrides, "--data-root": str(tmp_path / "data")}
    return load_settings(CONFIG, mouse, overrides=chosen)


def run(settings, options=OFFLINE, stop=None, clock=None):
    # A StopRequest that has not been asked yet is false, so it cannot be told from None by "or".
    stop = StopRequest() if stop is None else stop
    return run_session(settings, options, clock or VirtualClock(), stop, SessionWatch())


@pytest.fixture(autouse=True)
def own_rig(monkeypatch, tmp_path):
    """The rig's lock lies in the machine's folder for temporary files; each test has its own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def parts_of(monkeypatch):
    """Let a test look at, or change, the parts that the next session is made of."""
    made = []

    def change(how=lambda parts: parts):
        def remember(*args):
            made.append(how(build(*args)))
            return made[-1]

        monkeypatch.setattr(runner, "build", remember)
        return made

    return change


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_session_runs_to_its_last_trial_and_leaves_a_whole_folder(tmp_path, parts_of):
    made = parts_of()
    result = run(settings_for(tmp_path))
    assert (result.outcome, result.error, result.exit_code) == ("complete", "", 0)
    assert result.trials == 4
    assert result.images == result.frames > 0
    names = {path.name for path in result.session.iterdir()}
    assert names == {
        "session.json", "session.ini", "image_stream.hdf5", "frames.csv", "timing.csv", "events.csv", "config.ini",
        "VideoTimestamp.txt",
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
    live = run(settings_for(tmp_path), replace(OFFLINE, live=True), clock=clock)
    with open_session(offline.session) as a, open_session(live.session) as b:
        for column in ("signal", "freq_hz", "trial", "outcome", "water"):
            np.testing.assert_array_equal(getattr(a.frames, column), getattr(b.frames, column))
        assert b.frames.time_ns[0] >= 77_000_000_123
        assert (np.diff(a.frames.time_ns) == np.diff(b.frames.time_ns)).all()


class StopAfter(StopRequest):
    """Asks for a stop when it has been looked at often enough."""

    def __init__(self, looks):
        super().__init__()
        self.left = looks

    def wish(self):
        self.left -= 1
        if self.left <= 0:
            self.request("SIGINT")
        return super().wish()


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


def failing_rig(**fail):
    def change(parts):
        bounds = settings_outputs
        rig = Rig(
            FakeSpeaker(fail.get("speaker")), FakeValve(bounds, fail.get("valve")),
            FakeLines(fail.get("lines")), FakeLickSensor((), fail.get("licks")),
        )  # fmt: skip
        return replace(parts, rig=rig)

    from hardware.settings import OutputSettings

    settings_outputs = OutputSettings()
    return change


@pytest.mark.parametrize(("device", "call"), [("speaker", 3), ("valve", 1), ("lines", 1), ("licks", 30)])
def test_clopy_fault_10_a_device_that_fails_loses_neither_log_nor_summary(tmp_path, parts_of, device, call):
    made = parts_of(failing_rig(**{device: call}))
    result = run(settings_for(tmp_path))
    assert (result.outcome, result.exit_code) == ("failed", 3)
    assert "told to" in result.error
    assert result.images == result.frames
    assert rows(tmp_path / "data" / "expt_1roi_trial_summary.csv")[0]["outcome"] == "failed"
    rig = made[0].rig
    assert all(device.closed for device in (rig.speaker, rig.valve, rig.lines, rig.lick_sensor))


def test_a_bug_in_the_loop_is_a_failed_session_with_its_traceback(tmp_path, parts_of):
    class Broken:
        names = ("M1_L",)

        def update(self, frame):
            if frame.number == 20:
                raise ZeroDivisionError("boom")
            from core.values import Signal

            return Signal(0.0, True, "", (0.0,))

    parts_of(lambda parts: replace(parts, pipeline=Broken()))
    result = run(settings_for(tmp_path))
    assert result.outcome == "failed"
    assert result.frames == result.images == 19
    assert "boom" in (result.session / "error.txt").read_text()


def test_an_output_that_fails_in_the_middle_of_a_frame_leaves_that_frame_on_record(tmp_path, parts_of):
    """The valve opened before the LED failed: the log must say so."""
    made = parts_of(failing_rig(lines=4))
    result = run(settings_for(tmp_path, success_led_dur="0.1", fail_led_dur="0", reward_threshold="0.02"))
    assert result.outcome == "failed"
    assert len(made[0].rig.valve.pulses) == result.water == 2
    with open_session(result.session) as session:
        assert session.frames.water.sum() == 2
        assert [event.kind for event in session.events].count("reward") == 2
        assert "output_error" in [event.kind for event in session.events][-3:]


class Wrapped:
    """A part with some of its verbs replaced."""

    def __init__(self, inner, **verbs):
        self._inner = inner
        self.__dict__.update(verbs)

    def __getattr__(self, name):
        return getattr(self._inner, name)


def raising(error):
    def verb(*args):
        raise error

    return verb


def test_a_camera_that_fails_to_close_costs_neither_recording_nor_summary(tmp_path, parts_of):
    hiccup = RuntimeError("driver hiccup")
    made = parts_of(lambda parts: replace(parts, camera=Wrapped(parts.camera, close=raising(hiccup))))
    result = run(settings_for(tmp_path))
    assert result.outcome == "failed"
    assert result.images == result.frames > 0
    assert made[0].rig.valve.closed
    assert rows(tmp_path / "data" / "expt_1roi_trial_summary.csv")[0]["outcome"] == "failed"
    assert "driver hiccup" in (result.session / "error.txt").read_text()


def test_a_bug_whose_traceback_cannot_be_written_is_still_closed_and_summed_up(tmp_path, parts_of, monkeypatch):
    made = parts_of(lambda parts: replace(parts, pipeline=Wrapped(parts.pipeline, update=raising(KeyError("bug")))))
    monkeypatch.setattr(runner, "ERROR_TXT", "no/such/folder.txt")
    result = run(settings_for(tmp_path))
    assert result.outcome == "failed"
    assert "could not be written" in result.error
    assert made[0].rig.valve.closed
    assert rows(tmp_path / "data" / "expt_1roi_trial_summary.csv")[0]["outcome"] == "failed"


@pytest.mark.parametrize("step", ["append_summary", "write_clopy_files"])
def test_an_end_step_that_fails_is_told_and_the_others_are_done(tmp_path, monkeypatch, step):
    monkeypatch.setattr(finish_module, step, raising(ValueError("odd")))
    result = run(settings_for(tmp_path))
    assert (result.outcome, result.error) == ("failed", "ValueError: odd")
    assert json.loads((result.session / "session.json").read_text())["outcome"] == "failed"
    assert (result.session / "VideoTimestamp.txt").exists() == (step != "write_clopy_files")


def test_outputs_are_off_before_the_camera_and_the_recorder_close(tmp_path, parts_of, monkeypatch):
    order = []

    def watch(parts):
        rig, camera = parts.rig, parts.camera
        return replace(
            parts,
            rig=Wrapped(rig, close=lambda: order.append("outputs") or rig.close()),
            camera=Wrapped(camera, close=lambda: order.append("camera") or camera.close()),
        )

    parts_of(watch)
    close = runner.Recorder.close
    monkeypatch.setattr(runner.Recorder, "close", lambda self: order.append("recorder") or close(self))
    run(settings_for(tmp_path))
    assert order == ["outputs", "camera", "recorder"]


@pytest.mark.parametrize("live", [False, True])
def test_only_a_session_without_a_rig_waits_for_the_disk(tmp_path, monkeypatch, live):
    made = []

    def remember(*args, **how):
        made.append(how)
        return recorder(*args, **how)

    recorder = runner.Recorder
    monkeypatch.setattr(runner, "Recorder", remember)
    run(settings_for(tmp_path), replace(OFFLINE, live=live))
    assert [how["wait"] for how in made] == [not live]


def test_a_recorder_that_fails_at_the_end_makes_the_session_failed(tmp_path, monkeypatch):
    close = runner.Recorder.close
    monkeypatch.setattr(runner.Recorder, "close", lambda self: close(self)._replace(error="the disk is gone"))
    result = run(settings_for(tmp_path))
    assert (result.outcome, result.error) == ("failed", "the disk is gone")


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


class SilentCamera:
    """Delivers some frames, then none: what a pulled cable looks like."""

    def __init__(self, camera, clock, frames):
        self._camera, self._clock, self._left = camera, clock, frames

    def __getattr__(self, name):
        return getattr(self._camera, name)

    def read(self, timeout_s):
        if self._left == 0:
            self._clock.sleep_until_ns(self._clock.now_ns() + as_ns(timeout_s))
            raise CameraTimeout("none")
        self._left -= 1
        return self._camera.read(timeout_s)


def test_a_silent_camera_ends_the_session_after_its_time(tmp_path, parts_of):
    clock = VirtualClock()
    parts_of(lambda parts: replace(parts, camera=SilentCamera(parts.camera, clock, 50)))
    before = clock.now_ns()
    result = run(settings_for(tmp_path, camera_timeout_s="2.5"), clock=clock)
    assert result.outcome == "failed"
    assert "no frame for 2.6 s" in result.error
    assert 2.5e9 <= clock.now_ns() - before < 3.5e9
    assert result.frames == result.images == 50


def test_a_camera_that_comes_back_in_time_goes_on(tmp_path, parts_of):
    clock = VirtualClock()

    class Stuttering(SilentCamera):
        """Silent for 2 s before each tenth frame."""

        quiet = 0

        def read(self, timeout_s):
            if self._left % 10 == 0 and self.quiet < 10:
                self.quiet += 1
                self._clock.sleep_until_ns(self._clock.now_ns() + as_ns(timeout_s))
                raise CameraTimeout("none")
            self.quiet = 0
            return super().read(timeout_s)

    parts_of(lambda parts: replace(parts, camera=Stuttering(parts.camera, clock, 10_000)))
    assert run(settings_for(tmp_path, camera_timeout_s="2.5"), clock=clock).outcome == "complete"


def test_a_stop_is_heard_while_the_camera_is_silent(tmp_path, parts_of):
    clock = VirtualClock()
    parts_of(lambda parts: replace(parts, camera=SilentCamera(parts.camera, clock, 20)))
    result = run(settings_for(tmp_path, camera_timeout_s="600"), clock=clock, stop=StopAfter(25))
    assert result.outcome == "aborted"
    assert rows(result.session / "events.csv")[-1]["kind"] == "session_end"


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


def test_one_live_session_per_rig(tmp_path):
    settings = settings_for(tmp_path)
    with rig_lock("rig1"):
        with pytest.raises(BusyError, match="rig rig1"):
            run(settings, replace(OFFLINE, live=True))
        assert run(settings).outcome == "complete", "a session without a rig does not need it"


def test_real_outputs_are_refused_before_anything_is_made(tmp_path):
    with pytest.raises(InputError, match="--outputs real"):
        run(settings_for(tmp_path), replace(OFFLINE, outputs=OutputKind.real))
    assert not (tmp_path / "data").exists()


def test_a_data_root_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "data").write_text("a file, not a folder")
    with pytest.raises(InputError, match="data_root"):
        run(settings_for(tmp_path))


def test_a_disk_that_is_full_before_the_session_makes_nothing(tmp_path, monkeypatch):
    full = runner.check_space
    monkeypatch.setattr(runner, "check_space", lambda root, reserve: full(root, 1 << 62))
    with pytest.raises(InputError, match="MB"):
        run(settings_for(tmp_path))
    assert not (tmp_path / "data").exists()


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
    result = run(settings_for(tmp_path), replace(OFFLINE, live=True), clock=clock)
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
