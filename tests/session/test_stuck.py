"""A process that hangs in the kernel at a session's end: it is told, and the session is as complete as it was."""

from dataclasses import replace

import pytest

from core.clock import VirtualClock
from core.values import Report
from hardware.fake import FakeLickSensor, FakeLines, FakeSpeaker, FakeValve
from hardware.rig import Rig
from hardware.settings import OutputSettings
from session.runner import run_session
from session.stop import StopRequest
from session.watch import SessionWatch
from tests.support.flaky import kinds
from tests.support.sessions import OFFLINE, settings_for


class Told(SessionWatch):
    def __init__(self):
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


class Stuck:
    """Of a device: it tells nothing, and leaves its process behind when it is closed."""

    def reports(self):
        return ()

    def left_behind(self):
        return (Report(7, self.kind, f"{self.kind}: process 12 hangs"),) if self.closed else ()


class StuckLicks(Stuck, FakeLickSensor):
    kind = "licks_stuck"


class StuckSpeaker(Stuck, FakeSpeaker):
    kind = "sound_stuck"


@pytest.mark.parametrize(("speaker", "licks"), [(FakeSpeaker, StuckLicks), (StuckSpeaker, FakeLickSensor)])
def test_a_process_that_hangs_at_the_end_is_an_event_and_a_warning_of_a_complete_session(
    tmp_path, parts_of, speaker, licks
):
    rig = Rig(speaker(), FakeValve(OutputSettings()), FakeLines(), licks())
    parts_of(lambda parts: replace(parts, rig=rig))
    watch = Told()
    result = run_session(settings_for(tmp_path), OFFLINE, VirtualClock(), StopRequest(), watch)
    assert (result.outcome, result.exit_code, result.error) == ("complete", 0, "")
    kind = "licks_stuck" if licks is StuckLicks else "sound_stuck"
    assert kinds(result, kind) == [(kind, f"{kind}: process 12 hangs")]
    assert watch.warnings == [f"{kind}: process 12 hangs"]
    assert ("warning", f"{kind}: process 12 hangs") in kinds(result, "warning")
