"""A preview of a movement experiment: the real pipeline on a log's poses, and a pose that fails or is slow."""

from dataclasses import replace

import numpy as np
import pytest

from core.clock import VirtualClock
from core.errors import InputError, PoseError
from session import prepare
from session.build import build
from session.preview import PreviewView, run_preview
from session.stop import StopRequest
from tests.support.movement_settings import movement_settings
from tests.support.sessions import OFFLINE, Wrapped, raising


class Seen(PreviewView):
    """Remembers what it was shown."""

    def __init__(self):
        self.names, self.sights = (), []

    def opened(self, names, frame_shape):
        self.names = names

    def show(self, sight):
        self.sights.append(sight)


def look(settings, seconds=6):
    view = Seen()
    return run_preview(settings, OFFLINE, VirtualClock(), StopRequest(), view, seconds), view


@pytest.fixture
def parts(monkeypatch):
    """Let a test change the parts that the next preview is made of."""
    made = []

    def change(how):
        monkeypatch.setattr(prepare, "build", lambda *args: made.append(how(build(*args))) or made[-1])
        return made

    return change


def test_it_shows_the_signal_and_what_a_trial_waits_for(tmp_path):
    result, view = look(movement_settings(tmp_path))
    assert (result.end, result.pictures) == ("seconds", 6)
    assert view.names[:5] == ("speed_mm_s", "target_mm", "snout_x", "snout_y", "snout_likelihood")
    assert [sight.signal.valid for sight in view.sights] == [False, True, True, True, True, False]
    assert view.sights[1].signal.waits == ""
    assert "moves" in view.sights[3].signal.waits
    assert view.sights[3].signal.value == pytest.approx(10, rel=0.01)
    assert all(sight.exposures == () and sight.dff.size == 0 for sight in view.sights)


def test_each_picture_has_the_signal_since_the_one_before(tmp_path):
    _, view = look(movement_settings(tmp_path))
    times = [time_s for sight in view.sights for time_s, _ in sight.recent]
    assert times == pytest.approx(np.arange(len(times)) / 15, abs=1e-6)
    assert [len(sight.recent) for sight in view.sights] == [1, 15, 15, 15, 15, 15]
    assert view.sights[3].recent[-1][1] == view.sights[3].signal.value


def test_a_pose_that_fails_ends_it_with_all_closed(tmp_path, parts):
    closed = []

    def change(made):
        pose = Wrapped(made.pose, close=lambda: closed.append("pose") or made.pose.close())
        camera = Wrapped(made.camera, close=lambda: closed.append("camera") or made.camera.close())
        pipeline = Wrapped(made.pipeline, update=raising(PoseError("pose: it hangs; lower the resolution")))
        return replace(made, pose=pose, camera=camera, pipeline=pipeline)

    made = parts(change)
    with pytest.raises(PoseError, match="it hangs"):
        look(movement_settings(tmp_path))
    assert closed == ["camera", "pose"]
    assert made[0].rig.lines.closed


def test_frames_that_wait_are_passed_over_and_counted(tmp_path, parts):
    class Slow(Wrapped):
        """Two of three frames come while the pose is still estimated."""

        read_so_far = 0

        def read(self, timeout_s):
            self.read_so_far += 1
            return self._inner.read(timeout_s)

        @property
        def waiting(self):
            return -self.read_so_far % 3

    looked = []

    def change(made):
        pipeline = Wrapped(made.pipeline)
        pipeline.update = lambda frame: looked.append(frame.number) or made.pipeline.update(frame)
        return replace(made, camera=Slow(made.camera), pipeline=pipeline)

    parts(change)
    result, view = look(movement_settings(tmp_path), seconds=2)
    assert result.frames == 30
    assert looked == list(range(3, 31, 3))
    assert view.sights[-1].skipped == view.sights[-1].frame.number * 2 / 3
    assert view.sights[-1].fps == pytest.approx(15, rel=0.1)


def test_a_control_point_that_the_pose_lacks_is_told(tmp_path):
    with pytest.raises(InputError, match="control_point paw"):
        look(movement_settings(tmp_path, control_point="paw"))
