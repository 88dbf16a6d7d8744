"""A second camera that is lost, fails, or loses frames, and a first that does beside it: each goes on by itself."""

from dataclasses import replace

import numpy as np
import pytest

from core.clock import VirtualClock
from core.errors import CameraError, DeviceLost
from core.ports import EndOfSource
from core.values import Report, as_ns
from recording.schema import SECOND_FOLDER
from tests.session.two_cameras import frames_of, settings_for
from tests.support.flaky import Flaky, kinds
from tests.support.sessions import LIVE, SilentCamera, Wrapped, raising, run


def test_of_a_recording_that_ends_the_session_keeps_what_there_was(tmp_path, parts_of):
    class Ending(Wrapped):
        left = 30

        def read(self, timeout_s):
            self.left -= 1
            if self.left < 0:
                raise EndOfSource("all frames have been delivered")
            return self._inner.read(timeout_s)

    parts_of(lambda parts: replace(parts, second=Ending(parts.second)))
    result = run(settings_for(tmp_path))
    assert result.outcome == "complete"
    assert (result.second_camera.frames, result.second_camera.images) == (30, 30)
    assert result.second_camera.ended == "its recording ended"
    assert kinds(result, "source_ended") == [("source_ended", SECOND_FOLDER)]
    assert any("not to the end: its recording ended" in line for line in result.text())


class Lossy(Flaky):
    """A camera whose losses are reported by cause."""

    def reports(self):
        self.told = getattr(self, "told", 0) + 1
        return (Report(self._clock.now_ns(), "drop", "3 transport"),) if self.told == 5 else ()


def lose_second(parts_of, clock, frames, tries, error="the cable is out", camera=Flaky):
    made = []

    def change(parts):
        made.append(camera(parts.second, clock, frames, tries, error))
        return replace(parts, second=made[-1])

    parts_of(change)
    return made


def test_a_lost_second_camera_comes_back_while_the_session_goes_on(tmp_path, parts_of):
    clock = VirtualClock(as_ns(50))
    lose_second(parts_of, clock, 30, 4, camera=Lossy)
    result = run(settings_for(tmp_path), LIVE, clock=clock)
    assert (result.outcome, result.interruptions) == ("complete", 0)
    assert result.images == result.frames
    assert (result.second_camera.interruptions, result.second_camera.ended) == (1, "")
    assert [detail for _, detail in kinds(result, "lost")] == ["camera2: the cable is out"]
    [(_, back)] = kinds(result, "back")
    assert back.startswith("camera2 after 0.")
    assert kinds(result, "drop") == [("drop", "camera2: 3 transport")]
    gaps = np.diff(frames_of(result).time_ns)
    assert (gaps > as_ns(0.3)).sum() == 1


def test_a_silent_second_camera_is_opened_again(tmp_path, parts_of):
    clock = VirtualClock(as_ns(50))
    lose_second(parts_of, clock, 30, 1, error=None)
    result = run(settings_for(tmp_path, "", "camera_timeout_s = 1"), LIVE, clock=clock)
    assert result.outcome == "complete"
    assert result.second_camera.interruptions == 1
    [(_, lost)] = kinds(result, "lost")
    assert "no frame for 1." in lost


def test_what_does_not_come_back_is_given_up_after_reconnect_s(tmp_path, parts_of):
    clock = VirtualClock(as_ns(50))
    lose_second(parts_of, clock, 30, 10**6)
    result = run(settings_for(tmp_path, reconnect_s="1"), LIVE, clock=clock)
    assert result.outcome == "complete"
    assert result.second_camera.ended == (
        "the cable is out; it did not come back within 1 s, reconnect_s (still unplugged)"
    )
    assert [detail for _, detail in kinds(result, "lost")] == [
        "camera2: the cable is out",
        "camera2: it did not come back within 1 s, reconnect_s (still unplugged); the session goes on without it",
    ]
    assert 0 < result.second_camera.frames == len(frames_of(result)) < 30


@pytest.mark.parametrize("frames", [1, 30])
def test_where_config_says_so_a_lost_second_camera_ends_the_session(tmp_path, parts_of, frames):
    clock = VirtualClock(as_ns(50))
    made = lose_second(parts_of, clock, frames, 1)
    result = run(settings_for(tmp_path, lost_camera="0"), LIVE, clock=clock)
    assert (result.outcome, result.error) == ("failed", "camera2: the cable is out")
    assert made[0].tries == 1
    assert result.images == result.frames


def test_one_that_does_not_start_is_lost(tmp_path, parts_of):
    def change(parts):
        return replace(parts, second=Wrapped(parts.second, start=raising(CameraError("it is broken"))))

    parts_of(change)
    result = run(settings_for(tmp_path))
    assert result.outcome == "complete"
    assert (result.second_camera.frames, result.second_camera.ended) == (0, "it is broken")


def test_a_frame_that_comes_again_is_told_and_not_recorded(tmp_path, parts_of):
    class Twice(Wrapped):
        frame = None

        def read(self, timeout_s):
            if self.frame is not None and self.frame.number == 10 and not self.__dict__.get("done"):
                self.done = True
                return self.frame
            self.frame = self._inner.read(timeout_s)
            return self.frame

    parts_of(lambda parts: replace(parts, second=Twice(parts.second)))
    result = run(settings_for(tmp_path))
    assert [detail.split(" at ")[0] for _, detail in kinds(result, "repeat")] == ["camera2: frame 10"]
    assert result.second_camera.frames == len(set(frames_of(result).frame))


def test_losses_of_a_source_that_tells_nothing_are_events(tmp_path, parts_of):
    class Dropping(Wrapped):
        lost = 0

        def read(self, timeout_s):
            frame = self._inner.read(timeout_s)
            if frame.number >= 10:
                self.lost, lost = 2, 2 - self.lost
                return frame._replace(number=frame.number + 2, dropped=lost)
            return frame

    parts_of(lambda parts: replace(parts, second=Dropping(parts.second)))
    result = run(settings_for(tmp_path))
    assert kinds(result, "drop") == [("drop", "camera2: 2")]
    assert (result.second_camera.dropped, result.dropped) == (2, 0)


def test_it_is_recorded_while_the_first_is_lost(tmp_path, parts_of):
    clock = VirtualClock(as_ns(50))
    parts_of(lambda parts: replace(parts, camera=Flaky(parts.camera, clock, 20, 6, "the cable is out")))
    result = run(settings_for(tmp_path), LIVE, clock=clock)
    assert (result.outcome, result.interruptions) == ("complete", 1)
    assert [detail for _, detail in kinds(result, "lost")] == ["camera: the cable is out"]
    times = frames_of(result).time_ns
    # Eight frames can wait, and 0.2 s pass between two looks.
    assert np.diff(times).max() <= as_ns(1.5 / 25)
    assert result.second_camera.dropped == 0


def test_a_camera_that_does_not_close_costs_nothing_recorded(tmp_path, parts_of):
    parts_of(lambda parts: replace(parts, second=Wrapped(parts.second, close=raising(CameraError("it hangs")))))
    result = run(settings_for(tmp_path))
    assert (result.outcome, result.error) == ("failed", "it hangs")
    assert result.second_camera.images == result.second_camera.frames
    assert result.images == result.frames


def test_a_second_recording_that_fails_ends_the_session_and_keeps_the_first(tmp_path, parts_of):
    class Odd(Wrapped):
        def read(self, timeout_s):
            frame = self._inner.read(timeout_s)
            return frame if frame.number < 20 else frame._replace(image=frame.image[:-1])

    parts_of(lambda parts: replace(parts, second=Odd(parts.second)))
    result = run(settings_for(tmp_path))
    assert result.outcome == "failed"
    assert "the camera must deliver what it declared" in result.error
    assert result.images == result.frames > 0
    assert result.second_camera.images == 19


def test_the_first_silent_for_good_ends_as_ever(tmp_path, parts_of):
    clock = VirtualClock(as_ns(50))
    parts_of(lambda parts: replace(parts, camera=SilentCamera(parts.camera, clock, 20)))
    result = run(settings_for(tmp_path), LIVE, clock=clock)
    assert result.outcome == "failed"
    assert "no frame for 5" in result.error
    assert result.second_camera.frames > 5 * 25


def test_lost_outputs_do_not_stop_it(tmp_path, parts_of):
    """A turn that is cut off leaves the frames waiting; the next takes them."""

    def change(parts):
        looks = iter(range(10**6))

        def check_lost():
            if next(looks) == 25:
                raise DeviceLost({"nothing": "it is gone"})

        return replace(parts, rig=Wrapped(parts.rig, check_lost=check_lost))

    parts_of(change)
    result = run(settings_for(tmp_path))
    assert result.outcome == "failed"
    assert result.second_camera.frames == int((result.frames - 1) / 15 * 25) + 1
