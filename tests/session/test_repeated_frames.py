"""A camera that gives a frame twice: the session is what it would have been without."""

from dataclasses import replace

import pytest

from core.clock import VirtualClock
from core.values import as_ns
from recording.reader import open_session
from tests.support.sessions import run, settings_for


class Repeating:
    """A camera that gives each n-th frame again, with changes."""

    def __init__(self, camera, every, **changes):
        self._camera, self._every = camera, every
        self._changes = changes
        self._last = None

    def __getattr__(self, name):
        return getattr(self._camera, name)

    def read(self, timeout_s):
        if self._last is not None and self._last.number % self._every == 0:
            again, self._last = self._last, None
            return again._replace(**{name: change(getattr(again, name)) for name, change in self._changes.items()})
        frame = self._camera.read(timeout_s)
        self._last = frame._replace(image=frame.image.copy())
        return frame


@pytest.mark.parametrize(
    "changes",
    [{}, {"time_ns": lambda time_ns: time_ns + 1}, {"number": lambda number: number + 1}],
    ids=["as it was", "with a later time", "with a later number"],
)
@pytest.mark.parametrize("every", [1, 7])
def test_clopy_fault_08_a_repeated_frame_is_no_frame(tmp_path, parts_of, every, changes):
    settings = settings_for(tmp_path)
    plain = run(settings)
    parts_of(lambda parts: replace(parts, camera=Repeating(parts.camera, every, **changes)))
    repeated = run(settings)
    assert (repeated.outcome, repeated.frames, repeated.images) == ("complete", plain.frames, plain.images)
    assert (repeated.session / "frames.csv").read_bytes() == (plain.session / "frames.csv").read_bytes()
    with open_session(repeated.session) as session:
        repeats = [event for event in session.events if event.kind == "repeat"]
    assert len(repeats) >= plain.frames // every - 1


def test_a_camera_that_only_repeats_itself_is_silent(tmp_path, parts_of):
    """A frozen driver is as good as a pulled cable."""
    clock = VirtualClock()

    class Frozen(Repeating):
        def read(self, timeout_s):
            if self._last is not None and self._last.number == 20:
                clock.advance(as_ns(0.1))
                return self._last
            return super().read(timeout_s)

    parts_of(lambda parts: replace(parts, camera=Frozen(parts.camera, 10_000)))
    result = run(settings_for(tmp_path, camera_timeout_s="3"), clock=clock)
    assert (result.outcome, result.frames) == ("failed", 20)
    assert "camera_timeout_s" in result.error
