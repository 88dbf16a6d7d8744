"""A device that is lost and takes long to be opened again: nobody is kept waiting, and the log says what came back."""

from dataclasses import replace

from core.clock import VirtualClock
from core.errors import StillOpening
from core.values import as_ns
from tests.support.flaky import MIDDLE_OF_FIRST_TRIAL, NEVER, Flaky, FlakySpeaker, Keeper, kinds, rig_with
from tests.support.sessions import StopAfter, run, settings_for


class SlowSpeaker(FlakySpeaker):
    """A speaker whose opening takes calls, of which each tells what the rig is told meanwhile."""

    def __init__(self, reports, clock, calls):
        super().__init__(reports)
        self._clock, self._openings = clock, calls

    @property
    def facts(self):
        return {"device": "USB Audio", "rate_hz": 44_100}

    def reconnect(self):
        self._openings -= 1
        self._clock.sleep_until_ns(self._clock.now_ns() + as_ns(0.1))
        if self._openings > 0:
            raise StillOpening("sound: it is being opened again")
        super().reconnect()


class CompanyKeeper(Keeper):
    """A guardian that knows for how long it heard nothing of the runner, at most."""

    def __init__(self, clock):
        super().__init__(0)
        self._clock, self._heard_ns, self.longest_ns = clock, clock.now_ns(), 0

    def alive(self):
        now_ns = self._clock.now_ns()
        self.longest_ns, self._heard_ns = max(self.longest_ns, now_ns - self._heard_ns), now_ns


def test_who_waits_for_a_device_that_opens_slowly_is_kept_company_and_the_log_says_what_came_back(tmp_path, parts_of):
    clock = VirtualClock()
    keeper = CompanyKeeper(clock)
    rig = rig_with(SlowSpeaker(MIDDLE_OF_FIRST_TRIAL, clock, 300), keeper)
    parts_of(lambda parts: replace(parts, rig=rig))
    result = run(settings_for(tmp_path, reconnect_s="60", **NEVER), clock=clock)
    assert (result.outcome, result.interruptions) == ("complete", 1)
    assert keeper.longest_ns <= as_ns(0.25)
    ((_, back),) = kinds(result, "back")
    assert back == 'sound after 30.0 s: {"device": "USB Audio", "rate_hz": 44100}'


def test_a_device_that_is_not_open_after_reconnect_s_ends_the_session(tmp_path, parts_of):
    clock = VirtualClock()
    parts_of(lambda parts: replace(parts, rig=rig_with(SlowSpeaker(MIDDLE_OF_FIRST_TRIAL, clock, 10**6))))
    result = run(settings_for(tmp_path, reconnect_s="7", **NEVER), clock=clock)
    assert result.exit_code == 3
    assert "; it did not come back within 7 s, reconnect_s (it is being opened again); see to the sound" in result.error


def test_a_stop_is_heard_while_a_device_opens_slowly(tmp_path, parts_of):
    clock, stop = VirtualClock(), StopAfter(10**6)

    class Speaker(SlowSpeaker):
        def reconnect(self):
            if self._openings == 5:
                stop.request("SIGINT")
            super().reconnect()

    speaker = Speaker(MIDDLE_OF_FIRST_TRIAL, clock, 10)
    parts_of(lambda parts: replace(parts, rig=rig_with(speaker)))
    result = run(settings_for(tmp_path, **NEVER), stop=stop, clock=clock)
    assert (result.outcome, result.exit_code) == ("aborted", 130)
    assert speaker._openings == 4


class DescribedCamera(Flaky):
    @property
    def facts(self):
        return {"camera": "usb C920", "gain": 4.0}


def test_what_a_camera_is_when_it_comes_back_is_in_the_log(tmp_path, parts_of):
    clock = VirtualClock()
    parts_of(lambda parts: replace(parts, camera=DescribedCamera(parts.camera, clock, 40, 1, "the cable is out")))
    result = run(settings_for(tmp_path, **NEVER), clock=clock)
    ((_, back),) = kinds(result, "back")
    assert back == 'camera after 0.0 s: {"camera": "usb C920", "gain": 4.0}'
