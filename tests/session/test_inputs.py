"""inputs.csv holds what the trial logic was given, all of it and in its order: with the frames it replays a session."""

from dataclasses import replace

import pytest

from core.clock import VirtualClock
from core.errors import DeviceLost
from core.values import Operator, OperatorKind, as_ns
from hardware.fake import FakeLickSensor, FakeLines, FakeSpeaker, FakeValve
from hardware.rig import Rig
from hardware.settings import OutputSettings
from recording.reader import open_session
from recording.schema import InputRow
from session import loop
from session.stop import StopRequest
from tests.support.flaky import NEVER, FlakySpeaker
from tests.support.sessions import OFFLINE, run, settings_for

WISHES = {
    20: (Operator(OperatorKind.FREE_WATER, who="page"),),
    50: (Operator(OperatorKind.PAUSE, who="page"), Operator(OperatorKind.SET_THRESHOLD, 0.04, "page, second tab")),
    60: (Operator(OperatorKind.RESUME, who="page"),),
    61: (
        Operator(OperatorKind.SET_THRESHOLD, -1.0, "page"),
        Operator(OperatorKind.SET, 0.0, "page", "audio_delay=nan"),
    ),
    62: (Operator(OperatorKind.SET, 0.0, "page", "success_rest_dur = 1.5"),),
    63: (Operator(OperatorKind.NOTE, 0.0, "page", 'grooms, "calm"; 100 %'),),
    70: (Operator(OperatorKind.ABORT_TRIAL, who="page"),),
    150: (Operator(OperatorKind.STOP_AFTER_TRIAL, who="page"),),
}
"""Given with the look of that number, from 1; those at 61 are refused, which makes them no less inputs."""
SECOND_TRIAL = 115
"""A frame in it."""
LICKS_S = (0.5, 0.501, 1.9, 2.0, 3.3333)


class Asked(StopRequest):
    """Hands out wishes at their looks."""

    looks = 0

    def wish(self):
        self.looks += 1
        return (*WISHES.get(self.looks, ()), *super().wish())


@pytest.fixture
def given(monkeypatch):
    """Return what the trial logic is given, as it is given, beside the frames."""
    seen, newest = [], [None]
    step, obey, rest_from = loop.step, loop.obey, loop.Loop.rest_from

    def spied_step(plan, state, given):
        newest[0] = given.time_ns
        seen.extend((given.time_ns, lick.time_ns, "lick", 0.0, "", "") for lick in given.licks)
        seen.extend((given.time_ns, given.time_ns, w.kind.value, w.value, w.who, w.text) for w in given.operator)
        return step(plan, state, given)

    def spied_obey(plan, state, wish, now, commands):
        seen.append((newest[0], now, "cut", 0.0, wish.who))
        return obey(plan, state, wish, now, commands)

    def spied_rest_from(self, time_ns):
        seen.append((newest[0], time_ns, "rest_from", 0.0, ""))
        return rest_from(self, time_ns)

    monkeypatch.setattr(loop, "step", spied_step)
    monkeypatch.setattr(loop, "obey", spied_obey)
    monkeypatch.setattr(loop.Loop, "rest_from", spied_rest_from)
    return seen


def expected(seen, frames):
    """Return the rows for what was seen; what was given between two frames stands with the number of the first."""
    numbers = dict(zip(frames.time_ns.tolist(), frames.frame.tolist(), strict=True))
    return tuple(InputRow(numbers[frame_ns], *rest) for frame_ns, *rest in seen)


@pytest.mark.parametrize("live", [False, True])
def test_they_are_what_the_trial_logic_was_given(tmp_path, parts_of, given, live):
    begin_ns = as_ns(1000) if live else 0
    licks = FakeLickSensor([begin_ns + as_ns(second) for second in LICKS_S])
    speaker = FlakySpeaker(SECOND_TRIAL, tries=3)
    rig = Rig(speaker, FakeValve(OutputSettings()), FakeLines(), licks)
    parts_of(lambda parts: replace(parts, rig=rig))
    settings = settings_for(tmp_path, fail_rest_dur="2", **NEVER)
    result = run(settings, replace(OFFLINE, live=live), stop=Asked(), clock=VirtualClock(begin_ns))
    assert (result.outcome, result.interruptions) == ("stopped", 1)
    with open_session(result.session) as session:
        assert session.inputs == expected(given, session.frames)
        kinds = [row.kind for row in session.inputs]
        assert int(session.frames.licks.sum()) == kinds.count("lick") == len(LICKS_S)
        assert session.missing == ()
    wished = {wish.kind.value for wishes in WISHES.values() for wish in wishes}
    assert set(kinds) == wished | {"cut", "rest_from", "lick"}
    assert kinds.index("cut") < kinds.index("rest_from")


def test_a_stop_is_an_input_of_the_frame_it_ended(tmp_path, given):
    class Stopped(StopRequest):
        looks = 0

        def wish(self):
            self.looks += 1
            if self.looks == 30:
                self.request("SIGTERM")
            return super().wish()

    result = run(settings_for(tmp_path), stop=Stopped())
    with open_session(result.session) as session:
        assert session.inputs == expected(given, session.frames)
        assert [(row.kind, row.who) for row in session.inputs] == [("stop_now", "SIGTERM")]
        assert session.inputs[0].frame == session.frames.frame[-1]


def test_a_drop_that_the_valve_refused_is_an_input(tmp_path, parts_of, given):
    """Later decisions rest on what was given, not on what was asked for."""

    class Stuck(FakeValve):
        def pulse(self, *args):
            raise DeviceLost({"board": "the valve does not answer"})

    rig = Rig(FakeSpeaker(), Stuck(OutputSettings()), FakeLines(), FakeLickSensor())
    parts_of(lambda parts: replace(parts, rig=rig))
    result = run(settings_for(tmp_path))
    assert (result.outcome, result.water) == ("failed", 0)
    with open_session(result.session) as session:
        wet = [event.time_ns for event in session.events if event.kind == "output_error"]
        numbers = dict(zip(session.frames.time_ns.tolist(), session.frames.frame.tolist(), strict=True))
        assert session.inputs[-1] == InputRow(numbers[wet[-1]], wet[-1], "refused", 0.0, "")
        assert session.inputs[:-1] == expected(given, session.frames)
