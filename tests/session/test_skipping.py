"""Frames that wait while another is judged: all are recorded, one is judged, and why the others were not is counted."""

from collections import deque

import pytest

from core.errors import CameraError, CameraTimeout
from core.trial import begin
from core.values import SKIPPED, Frame, black
from recording.schema import EventRow, MissingRow
from session.frame_tally import FrameTally
from session.skipping import Skipping
from session.status import Status
from tests.support.scripted import Scripted
from tests.support.trials import make_plan

MS = 1_000_000
IMAGE = black(2, 2)


def frame(number, **more):
    return Frame(IMAGE, number, number * 10 * MS, **more)


class Kept:
    """A recorder that keeps what it is given."""

    def __init__(self):
        self.rows, self.side = [], []

    def write(self, frame, row, timing, side):
        assert timing.frame == row.frame == frame.number
        self.rows.append((row.frame, row.reason, row.outcome))
        self.side.extend(side)


class Scene:
    """Frames that wait, an error standing for one that the loop refuses."""

    def __init__(self, *waiting, tells=False):
        self.left = deque(waiting)
        self.kept, self.status, self.notes = Kept(), Status(begin(make_plan())), []
        self.skipping = Skipping(
            self, self.next, self.kept, self.status, Scripted(lambda time_s: 0.0), self.note, tells=tells
        )

    def note(self, kind, detail):
        self.notes.append((kind, detail))

    @property
    def waiting(self):
        return len(self.left)

    def next(self, timeout_s):
        assert timeout_s == 0.0
        item = self.left.popleft()
        if isinstance(item, Exception):
            raise item
        return item, item.time_ns + MS

    @property
    def counted(self):
        return dict(self.status.tally.skipped)


def missed(scene):
    return [(row.frame, row.cause, row.numbers) for row in scene.kept.side if isinstance(row, MissingRow)]


@pytest.mark.parametrize(("measured_ms", "cause"), [(21, "inference"), (19, "late")])
def test_the_newest_is_judged_and_the_others_say_why_they_are_not(measured_ms, cause):
    scene = Scene(frame(3), frame(4, dropped=2, lost=(("transport", 2),)))
    newest, read_ns = scene.skipping.to_newest(frame(2), 21 * MS, measured_ms * MS)
    assert (newest.number, read_ns) == (4, 41 * MS)
    assert scene.kept.rows == [(2, SKIPPED, 0), (3, SKIPPED, 0)]
    assert missed(scene) == [], "those before the newest are for its own turn"
    assert scene.counted == {cause: 2}
    assert scene.notes == [("skip", f"2 {cause}")]
    assert (scene.status.frames, scene.status.skipped, scene.status.number) == (2, 2, 3)


def test_where_none_waits_the_frame_itself_is_judged():
    scene = Scene()
    assert scene.skipping.to_newest(frame(2), 21 * MS, 0) == (frame(2), 21 * MS)
    assert (scene.kept.rows, scene.notes, scene.counted) == ([], [], {})


def test_what_was_recorded_before_a_repeat_is_counted():
    scene = Scene(frame(3), CameraTimeout("again"), frame(4))
    with pytest.raises(CameraTimeout):
        scene.skipping.to_newest(frame(2), 21 * MS, 0)
    assert [number for number, _, _ in scene.kept.rows] == [2, 3]
    assert scene.counted == {"late": 2}
    assert scene.status.skipped == 2


@pytest.mark.parametrize("tells", [False, True])
def test_while_a_device_is_lost_all_that_waits_is_recorded(tells):
    lost = frame(5, dropped=2, lost=(("late", 1), ("transport", 1)))
    scene = Scene(frame(2), CameraTimeout("again"), lost, CameraError("gone"), frame(6), tells=tells)
    scene.skipping.waiting("pose")
    assert [number for number, _, _ in scene.kept.rows] == [2, 5]
    assert missed(scene) == [(3, "late", 1), (4, "transport", 1)]
    assert [row.detail for row in scene.kept.side if isinstance(row, EventRow)] == ([] if tells else ["2"])
    assert scene.status.tally == FrameTally({"late": 1, "transport": 1}, {"pose lost": 2})
    scene.skipping.to_newest(frame(7), 0, 0)
    scene.left.extend([frame(9)])
    scene.skipping.to_newest(frame(8), 0, 0)
    assert scene.counted == {"pose lost": 3, "late": 1}, "frames that waited for the pose do so until one was judged"
