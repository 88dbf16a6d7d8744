"""Sessions in which something fails: outputs off, everything closed, log and summary kept, the cause told."""

import json
from dataclasses import replace

import pytest

from core.clock import VirtualClock
from core.errors import CameraTimeout, InputError, RecordingError
from core.values import as_ns
from hardware.fake import FakeLickSensor, FakeLines, FakeSpeaker, FakeValve
from hardware.ledger import Ledger, Opening
from hardware.ledger_rows import Purpose
from hardware.rig import Rig
from hardware.settings import OutputKind
from recording.reader import open_session
from session import disk_room, failures, prepare, runner, running
from session import finish as finish_module
from session.build import build as build_parts
from session.build import gives_water, refuse_missing
from session.rig_outputs import refuse_used_up
from session.water_day import WaterToday, water_ledgers
from tests.support.sessions import (
    OFFLINE,
    SilentCamera,
    StopAfter,
    Wrapped,
    failing_rig,
    raising,
    rows,
    run,
    settings_for,
)


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
    made = parts_of(failing_rig(lines=5))
    result = run(settings_for(tmp_path, success_led_dur="0.1", fail_led_dur="0", reward_threshold="0.02"))
    assert result.outcome == "failed"
    assert len(made[0].rig.valve.pulses) == result.water == 2
    with open_session(result.session) as session:
        assert session.frames.water.sum() == 2
        assert [event.kind for event in session.events].count("reward") == 2
        assert "output_error" in [event.kind for event in session.events][-3:]


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
    monkeypatch.setattr(failures, "ERROR_TXT", "no/such/folder.txt")
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
    close = running.Recorder.close
    monkeypatch.setattr(running.Recorder, "close", lambda self: order.append("recorder") or close(self))
    run(settings_for(tmp_path))
    assert order == ["outputs", "camera", "recorder"]


def test_a_recorder_that_fails_at_the_end_makes_the_session_failed(tmp_path, monkeypatch):
    close = running.Recorder.close
    monkeypatch.setattr(running.Recorder, "close", lambda self: close(self)._replace(error="the disk is gone"))
    result = run(settings_for(tmp_path))
    assert (result.outcome, result.error) == ("failed", "the disk is gone")


def test_a_silent_camera_ends_the_session_after_its_time(tmp_path, parts_of):
    clock = VirtualClock()
    parts_of(lambda parts: replace(parts, camera=SilentCamera(parts.camera, clock, 50)))
    before = clock.now_ns()
    result = run(settings_for(tmp_path, camera_timeout_s="2.5"), clock=clock)
    assert result.outcome == "failed"
    assert "no frame for 2.5 s" in result.error
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


def test_real_outputs_are_refused_before_anything_is_made(tmp_path):
    with pytest.raises(InputError, match="--outputs real"):
        run(settings_for(tmp_path), replace(OFFLINE, outputs=OutputKind.real))
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(("kind", "refused"), [("normal_audio_normal_reward", True), ("normal_audio_no_reward", False)])
def test_a_session_that_gives_water_needs_a_valve(tmp_path, kind, refused):
    options = replace(OFFLINE, outputs=OutputKind.real, live=True)
    settings = settings_for(tmp_path, pin_valve="0", session_type=kind)
    if refused:
        with pytest.raises(InputError, match="pin_valve 0: no valve is connected"):
            run(settings, options)
    else:
        refuse_missing(settings, options)
    assert not (tmp_path / "data").exists()
    refuse_missing(settings, replace(options, outputs=OutputKind.fake))
    refuse_missing(settings, replace(options, lines_only=True))


@pytest.mark.parametrize(("had_s", "refused"), [(0.8, True), (0.7, False)])
def test_a_session_whose_mouse_has_no_reward_left_today_is_refused_before_it_begins(tmp_path, had_s, refused):
    settings = settings_for(tmp_path, max_day_water_s="0.9", reward_dur="0.2")
    ledger = Ledger(water_ledgers(settings)[0])
    clock = VirtualClock()
    ledger.add(Opening(clock.wall_ns(), Purpose.free, had_s))
    ledger.close()
    real = replace(OFFLINE, outputs=OutputKind.real, live=True)
    if not refused:
        refuse_used_up(settings, clock.wall_ns())
        return
    told = rf"the day's water of mouse DEMO is used up: it has had {had_s:.3f} s of max_day_water_s .0.9. today"
    with pytest.raises(InputError, match=told):
        run(settings, real, clock=clock)
    assert not (tmp_path / "data").exists()
    assert not gives_water(settings, replace(real, outputs=OutputKind.fake))


def test_the_water_of_the_day_stands_in_the_summary(tmp_path):
    settings = settings_for(tmp_path)
    result = replace(run(settings), water_today=WaterToday(seconds=1.25, reward_s=1.0, free_s=0.25, session_s=0.5))
    finish_module.finish(result, settings, 0, 0)
    offline, real = rows(tmp_path / "data" / "expt_1roi_trial_summary.csv")
    assert (offline["day_water_s"], real["day_water_s"]) == ("", "1.25")
    assert (float(offline["water_s"]), real["water_s"]) == (result.water * settings.trial.reward_dur, "0.5")


class Losing(FakeValve):
    """A valve whose guardian gives every other drop, and writes down what it gives."""

    def __init__(self, settings, clock, session):
        super().__init__(settings.outputs)
        self._ledgers = [Ledger(path) for path in water_ledgers(settings)]
        self._clock, self._session = clock, session

    def pulse(self, duration_s, time_ns):
        super().pulse(duration_s, time_ns)
        if len(self.pulses) % 2:
            for ledger in self._ledgers:
                ledger.add(Opening(self._clock.wall_ns(), Purpose.reward, duration_s, self._session))


def test_drops_that_were_not_given_are_no_water_in_the_summary(tmp_path, monkeypatch):
    """The loop asked for them; they waited, and were dropped since a device was lost."""
    clock, rigs = VirtualClock(), []

    def build(settings, options, *others):
        parts = build_parts(settings, replace(options, outputs=OutputKind.fake), *others)
        valve = Losing(settings, clock, options.session)
        rigs.append(Rig(FakeSpeaker(), valve, FakeLines(), FakeLickSensor()))
        return replace(parts, rig=rigs[-1])

    monkeypatch.setattr(prepare, "build", build)
    monkeypatch.setattr(runner, "refuse_missing", lambda *_: None)
    settings = settings_for(tmp_path)
    before = Ledger(water_ledgers(settings)[0])
    before.add(Opening(clock.wall_ns() - 60 * 10**9, Purpose.reward, 1.0, "earlier"))
    before.close()
    result = run(settings, replace(OFFLINE, outputs=OutputKind.real), clock=clock)
    asked = len(rigs[0].valve.pulses)
    assert asked == result.water > 1
    given_s = (asked + 1) // 2 * settings.trial.reward_dur
    [row] = rows(tmp_path / "data" / "expt_1roi_trial_summary.csv")
    assert float(row["water_s"]) == pytest.approx(given_s)
    assert float(row["day_water_s"]) == pytest.approx(given_s + 1.0)


def test_a_data_root_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "data").write_text("a file, not a folder")
    with pytest.raises(RecordingError, match="data_root"):
        run(settings_for(tmp_path))


def test_a_disk_that_is_full_before_the_session_makes_nothing(tmp_path, monkeypatch):
    full = disk_room.check_space
    monkeypatch.setattr(disk_room, "check_space", lambda root, reserve, need: full(root, 1 << 62, need))
    with pytest.raises(InputError, match="MB"):
        run(settings_for(tmp_path))
    assert not (tmp_path / "data").exists()
