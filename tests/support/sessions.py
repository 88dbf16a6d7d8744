"""Runs whole sessions in this process on a virtual clock, with parts that a test may replace."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.clock import VirtualClock
from core.errors import CameraTimeout
from core.values import as_ns
from hardware.fake import FakeLickSensor, FakeLines, FakeSpeaker, FakeValve
from hardware.rig import Rig
from hardware.settings import OutputKind, OutputSettings
from session.build import Options
from session.runner import run_session
from session.settings import load_settings
from session.stop import StopRequest
from session.watch import SessionWatch

CONFIG = Path(__file__).resolve().parent.parent.parent / "config.ini"
SHORT = {
    "total_trials": "4", "initial_rest_dur": "1", "dff_history": "1", "max_trial_dur": "3", "success_rest_dur": "1",
    "fail_rest_dur": "1", "reward_delay": "0.2", "reward_threshold": "0.03", "resolution": "64, 48", "ppmm": "6",
    "bregma": "24, 32",
}  # fmt: skip
OFFLINE = Options(seed=5, live=False, outputs=OutputKind.fake)
LIVE = replace(OFFLINE, live=True)


def settings_for(tmp_path, mouse="DEMO", **overrides):
    chosen = {**SHORT, **overrides, "--data-root": str(tmp_path / "data")}
    return load_settings(CONFIG, mouse, overrides=chosen)


def run(settings, options=OFFLINE, stop=None, clock=None):
    # A StopRequest that has not been asked yet is false, so it cannot be told from None by "or".
    stop = StopRequest() if stop is None else stop
    return run_session(settings, options, clock or VirtualClock(), stop, SessionWatch())


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class StopAfter(StopRequest):
    """Asks for a stop when it has been looked at often enough."""

    def __init__(self, looks):
        super().__init__()
        self.left = looks

    def wish(self):
        self.left -= 1
        if self.left <= 0:
            self.request("SIGINT")
        return super().wish()


class Wrapped:
    """A part with some of its verbs replaced."""

    def __init__(self, inner, **verbs):
        self._inner = inner
        self.__dict__.update(verbs)

    def __getattr__(self, name):
        return getattr(self._inner, name)


def raising(error):
    def verb(*args):
        raise error

    return verb


class SilentCamera:
    """Delivers some frames, then none: what a pulled cable looks like."""

    def __init__(self, camera, clock, frames):
        self._camera, self._clock, self._left = camera, clock, frames

    def __getattr__(self, name):
        return getattr(self._camera, name)

    def read(self, timeout_s):
        if self._left == 0:
            self._clock.sleep_until_ns(self._clock.now_ns() + as_ns(timeout_s))
            raise CameraTimeout("none")
        self._left -= 1
        return self._camera.read(timeout_s)


class Exposed:
    """A camera whose images a function changes, such as by a light that is too strong."""

    def __init__(self, camera, change):
        self._camera, self._change = camera, change

    def __getattr__(self, name):
        return getattr(self._camera, name)

    def read(self, timeout_s):
        frame = self._camera.read(timeout_s)
        return frame._replace(image=self._change(frame.image))


def brighter(gain):
    """Return a change of images: so many times the light, cut off at the top."""
    return lambda image: np.clip(image * float(gain), 0, 255).astype(np.uint8)


def failing_rig(**fail):
    def change(parts):
        bounds = settings_outputs
        rig = Rig(
            FakeSpeaker(fail.get("speaker")), FakeValve(bounds, fail.get("valve")),
            FakeLines(fail.get("lines")), FakeLickSensor((), fail.get("licks")),
        )  # fmt: skip
        return replace(parts, rig=rig)

    settings_outputs = OutputSettings()
    return change
