"""Every number of the camera is a frame or a row of missing.csv with its cause; counts by cause add up."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from core.clock import VirtualClock
from core.errors import CameraError
from core.values import Frame, as_ns, black
from recording.reader import open_session
from recording.schema import SECOND_FOLDER
from session.first_look import PutBack
from session.recover import recover
from session.replay import replay_session
from session.runner import run_session
from session.stop import StopRequest
from session.watch import SessionWatch
from tests.session.test_repeated_frames import Repeating
from tests.session.two_cameras import settings_for as settings_of_two
from tests.support.killed import as_killed
from tests.support.sessions import LIVE, OFFLINE, Wrapped, run, settings_for

SHORT = {"total_trials": "1"}
GAPS = {10: (("transport", 1),), 20: (("transport", 2), ("late", 3), ("incomplete", 1)), 21: (("late", 1),)}
UNNAMED = {30: 2}
LOST = ["transport", "transport", "transport", "late", "late", "late", "incomplete", "late", "unknown", "unknown"]
BY_CAUSE = {"transport": 3, "late": 4, "incomplete": 1, "unknown": 2}


class Losing(Wrapped):
    """A camera that loses frames of a longer sequence, for causes that it tells; numbers go on as the sequence's."""

    lost = 0

    def read(self, timeout_s):
        frame = self._inner.read(timeout_s)
        causes = GAPS.get(frame.number, ())
        dropped = sum(n for _, n in causes) + UNNAMED.get(frame.number, 0)
        self.lost += dropped
        return frame._replace(number=frame.number + self.lost, dropped=dropped, lost=causes)


class StatusKept(SessionWatch):
    """Keeps the status that the bar looks at."""

    def started(self, folder, status, goal):
        self.status = status


def check_numbers(session):
    """Frames and missing numbers are the camera's numbers, each once, and a missing one has its frame's time."""
    frames, missing = session.frames, session.missing
    numbers = sorted([*frames.frame.tolist(), *(row.frame for row in missing)])
    assert numbers == list(range(1, len(numbers) + 1))
    times = dict(zip(frames.frame.tolist(), frames.time_ns.tolist(), strict=True))
    for row in missing:
        after = min(number for number in times if number > row.frame)
        assert row.time_ns == times[after]
    assert int(frames.dropped.sum()) == len(missing)


def check_sums(counts):
    for name in ("dropped", "images_dropped"):
        assert sum(counts["by_cause"][name].values()) == counts[name]
    assert sum(counts["by_cause"].get("skipped", {}).values()) == counts.get("skipped", 0)


def test_each_missing_number_is_a_row_with_its_cause(tmp_path, parts_of):
    parts_of(lambda parts: replace(parts, camera=Losing(parts.camera)))
    result = run(settings_for(tmp_path, **SHORT))
    assert (result.dropped, dict(result.tally.dropped)) == (len(LOST), BY_CAUSE)
    with open_session(result.session) as session:
        check_numbers(session)
        assert [row.cause for row in session.missing] == LOST
        check_sums(session.meta["counts"])
        assert session.meta["counts"]["by_cause"] == result.json()["by_cause"]
    [line] = [line for line in result.text() if line.startswith("frames")]
    assert "lost 10 (4 late, 3 transport, 2 unknown, 1 incomplete);" in line


def test_a_replay_misses_what_its_recording_missed(tmp_path, parts_of):
    parts_of(lambda parts: replace(parts, camera=Losing(parts.camera)))
    first = run(settings_for(tmp_path, **SHORT))
    parts_of()
    again = run(settings_for(tmp_path, **SHORT, **{"--camera": "replay", "--source": str(first.session)}))
    assert again.tally == first.tally
    with open_session(first.session) as one, open_session(again.session) as other:
        assert other.missing == one.missing


def test_what_the_loop_did_not_fetch_in_time_is_late(tmp_path, parts_of):
    clock = VirtualClock(as_ns(1000))

    class Stalls(Wrapped):
        """A pipeline that takes 2 s for its 20th frame, in which 30 others come, and 8 can wait."""

        frames = 0

        def update(self, frame):
            self.frames += 1
            clock.advance(as_ns(2.0) if self.frames == 20 else 0)
            return self._inner.update(frame)

    parts_of(lambda parts: replace(parts, pipeline=Stalls(parts.pipeline)))
    result = run(settings_for(tmp_path, **SHORT), LIVE, clock=clock)
    assert dict(result.tally.dropped) == {"late": 22}
    with open_session(result.session) as session:
        check_numbers(session)
        assert {row.cause for row in session.missing} == {"late"}


class GivenUp(Losing):
    """One whose cable goes bad: after its 40th frame it counts more, and none of them comes whole."""

    left = 40

    @property
    def lost_since(self):
        return () if self.left else (("transport", 2), ("incomplete", 30))

    def read(self, timeout_s):
        if not self.left:
            raise CameraError("no whole frame for 5 s")
        self.left -= 1
        return super().read(timeout_s)


REST = ["transport"] * 2 + ["incomplete"] * 30


def check_rest(session):
    frames, missing = session.frames, session.missing
    numbers = sorted([*frames.frame.tolist(), *(row.frame for row in missing)])
    assert numbers == list(range(1, len(numbers) + 1))
    assert [row.cause for row in missing] == LOST + REST
    last = frames.frame[-1], frames.time_ns[-1]
    assert {(row.frame > last[0], row.time_ns) for row in missing[len(LOST) :]} == {(True, last[1])}


@pytest.mark.parametrize("killed", [False, True])
def test_what_was_lost_after_the_last_frame_has_rows_too(tmp_path, parts_of, killed):
    parts_of(lambda parts: replace(parts, camera=GivenUp(parts.camera)))
    result = run(settings_for(tmp_path, **SHORT))
    assert (result.outcome, result.frames) == ("failed", 40)
    assert result.dropped == len(LOST + REST)
    if killed:
        # In the moment in which all was written but the end of session.json.
        as_killed(result.session)
        result = recover(result.session, VirtualClock(), lambda folder: None).result
        assert result.dropped == len(LOST + REST)
    with open_session(result.session) as session:
        check_rest(session)
        check_sums(session.meta["counts"])
        assert session.meta["counts"]["by_cause"] == result.json()["by_cause"]
    assert replay_session(result.session).compared.mismatches == 0


def test_what_a_second_camera_lost_after_its_last_frame_has_rows_too(tmp_path, parts_of):
    parts_of(lambda parts: replace(parts, second=GivenUp(parts.second)))
    result = run(settings_of_two(tmp_path))
    second = result.second_camera
    assert (second.frames, second.dropped) == (40, len(LOST + REST))
    with open_session(result.session / SECOND_FOLDER) as session:
        check_rest(session)
        check_sums(session.meta["counts"])


@pytest.mark.parametrize("back", [False, True])
def test_a_frame_that_was_put_back_is_the_newest_one(back):
    camera = PutBack(GivenUp(None, left=0))
    camera.put_back(Frame(black(1, 1), 1, 1) if back else None)
    assert camera.lost_since == (() if back else (("transport", 2), ("incomplete", 30)))


@pytest.mark.parametrize(
    ("changes", "cause"), [({}, "number"), ({"number": lambda number: number + 1}, "time")], ids=["number", "time"]
)
def test_a_repeat_is_counted_by_what_shows_it(tmp_path, parts_of, changes, cause):
    parts_of(lambda parts: replace(parts, camera=Repeating(parts.camera, 7, **changes)))
    result = run(settings_for(tmp_path, **SHORT))
    with open_session(result.session) as session:
        repeats = sum(event.kind == "repeat" for event in session.events)
        check_numbers(session)
    assert dict(result.tally.repeated) == {cause: repeats}
    assert f"repeated    {repeats} frames ({repeats} {cause}) came again, and are left out" in result.text()


def test_a_second_camera_has_a_table_of_its_own(tmp_path, parts_of):
    parts_of(lambda parts: replace(parts, second=Repeating(Losing(parts.second), 25)))
    watch = StatusKept()
    result = run_session(settings_of_two(tmp_path), OFFLINE, VirtualClock(), StopRequest(), watch)
    second = result.second_camera
    assert (second.dropped, dict(second.tally.dropped)) == (len(LOST), BY_CAUSE)
    assert watch.status.second() == second.tally
    with open_session(result.session / SECOND_FOLDER) as session:
        check_numbers(session)
        assert [row.cause for row in session.missing] == LOST
        check_sums(session.meta["counts"])
    with open_session(result.session) as session:
        assert session.missing == ()
    assert "lost 10 (4 late, 3 transport, 2 unknown, 1 incomplete)" in second.text()
    assert "; repeated 3 (3 number)" in second.text()


def test_every_frame_has_all_its_times(tmp_path, parts_of):
    parts_of(lambda parts: replace(parts, camera=Losing(parts.camera)))
    result = run(settings_for(tmp_path, **SHORT), LIVE, clock=VirtualClock(as_ns(1000)))
    with open_session(result.session) as session:
        frames, timing = session.frames, session.timing
        assert np.array_equal(frames.frame, timing.frame), "one row of times for each frame"
        for earlier, later in (
            (frames.time_ns, timing.read_ns),
            (timing.read_ns, timing.signal_ns),
            (timing.signal_ns, timing.decision_ns),
            (timing.decision_ns, timing.command_ns),
        ):
            assert np.all(earlier <= later)
        assert np.all(frames.time_ns > 0)


def test_session_json_tells_what_the_numbers_come_from(tmp_path):
    result = run(settings_for(tmp_path, **SHORT, rig="rig7"))
    meta = json.loads((result.session / "session.json").read_text())
    config = (result.session / "session.ini").read_bytes().split(b"\n", 1)[1]
    assert meta["config_sha256"] == hashlib.sha256(config).hexdigest()
    assert (meta["schema"], meta["rig"], meta["seed"]) == (3, "rig7", OFFLINE.seed)
    assert set(meta["latency_us"]) == {"p50", "p99", "p999", "max"}
    assert set(meta["software"]) >= {"rigloop", "git", "git_changed", "python", "host", "packages"}
    assert set(meta["host"]) == {"name", "model", "system", "processor", "cores", "memory_bytes"}
    assert meta["host"]["cores"] >= 1
    assert meta["settings"]["framerate"] == 15
    assert meta["counts"]["by_cause"] == {"dropped": {}, "skipped": {}, "repeated": {}, "images_dropped": {}}
