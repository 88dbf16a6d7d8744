"""Devices that are lost in mid-session and come back, or do not; and what a session's log says of it."""

from core.errors import CameraError, CameraTimeout, OutputError
from core.values import Report, as_ns
from hardware.fake import FakeLickSensor, FakeLines, FakeSpeaker, FakeValve
from hardware.rig import Rig
from hardware.settings import OutputSettings
from tests.support.sessions import rows

MIDDLE_OF_FIRST_TRIAL = 40
"""Frames: 1 s of rest and 1.7 s of a trial of 3 s."""
SETTLED = 1
"""Looks at the rig before the first frame."""
NEVER = {"reward_threshold": "0.4"}


class Flaky:
    """A camera that is lost after some frames, silently or with an error, and comes back at the n-th try."""

    def __init__(self, camera, clock, frames, tries=1, error=None):
        self._camera, self._clock, self._left, self.tries, self._error = camera, clock, frames, tries, error
        self.lost = False

    def __getattr__(self, name):
        return getattr(self._camera, name)

    def read(self, timeout_s):
        self._left -= 1
        self.lost = self.lost or self._left == 0
        if not self.lost:
            return self._camera.read(timeout_s)
        if self._error:
            raise CameraError(self._error)
        self._clock.sleep_until_ns(self._clock.now_ns() + as_ns(timeout_s))
        raise CameraTimeout("none")

    def reconnect(self):
        self.tries -= 1
        if self.tries > 0:
            raise CameraError("still unplugged")
        self.lost = False

    def reports(self):
        return ()


class FlakySpeaker(FakeSpeaker):
    """A speaker whose card is lost at its n-th report, and comes back at the n-th try."""

    def __init__(self, reports, tries=1):
        super().__init__()
        self._left, self.tries, self.lost = reports, tries, False

    def set_tone(self, freq_hz, time_ns):
        if self.lost:
            raise OutputError("sound: the card is gone")
        super().set_tone(freq_hz, time_ns)

    def reports(self):
        self._left -= 1
        self.lost = self.lost or self._left == 0
        if self.lost:
            raise OutputError("sound: the card is gone; plug it in again")
        return (Report(self._left, "underflow", "1"),) if self._left % 10 == 0 else ()

    def reconnect(self):
        self.tries -= 1
        if self.tries > 0:
            raise OutputError("sound: there is no card")
        self.lost = False


class Keeper:
    """A guardian that dies at its n-th report."""

    def __init__(self, reports):
        self._left, self.lives, self.closed, self.restarts = reports, 0, False, 0
        self.dropped = 0

    def alive(self):
        self.lives += 1

    def reports(self):
        self._left -= 1
        if self._left == 0:
            raise OutputError("board: the guardian has died")
        return ()

    def reconnect(self):
        self.restarts += 1

    def drop_waiting(self):
        self.dropped += 1
        raise OutputError("board: it takes no commands")

    def close(self):
        self.closed = True


class QuietKeeper(Keeper):
    """A guardian that tells of something at its n-th report."""

    def __init__(self, reports, kind):
        super().__init__(reports)
        self._kind = kind

    def reports(self):
        self._left -= 1
        return (Report(5, self._kind, "no sign of life for 1 s"),) if self._left == 0 else ()


class DyingKeeper(Keeper):
    """A guardian whose watcher tells first that the lines fell; then it is lost."""

    def reports(self):
        self._left -= 1
        if self._left == -1:
            raise OutputError("board: the guardian has died")
        return (Report(5, "lines_low", "the guardian died"),) if self._left == 0 else ()


def rig_with(speaker=None, keeper=None):
    return Rig(speaker or FakeSpeaker(), FakeValve(OutputSettings()), FakeLines(), FakeLickSensor(), keeper)


def events(result):
    return rows(result.session / "events.csv")


def kinds(result, *wanted):
    return [(event["kind"], event["detail"]) for event in events(result) if event["kind"] in wanted]
