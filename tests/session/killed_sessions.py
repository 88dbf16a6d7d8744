"""What the tests of ``session.recover`` ask of a session that was killed, and of one that was recovered."""

import re
from pathlib import Path

import pytest

from core.clock import VirtualClock
from core.errors import InputError
from session.recover import recover
from tests.support.sessions import rows

HOST = ("latency_us", "lateness_us")
UNEQUAL = {"wall_s", "real_time_factor"}
SIDE = ("timing.csv", "events.csv", "inputs.csv", "missing.csv")


def recovered(session, **more):
    return recover(session, VirtualClock(), lambda folder: (folder / "session.png").touch(), **more)


def summary(settings):
    return rows(settings_root(settings) / settings.recording.summary_file)


def settings_root(settings):
    return Path(settings.recording.data_root)


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


def refused(session, settings, said, **more):
    before = everything(settings_root(settings))
    with pytest.raises(InputError) as told:
        recovered(session, **more)
    assert re.fullmatch(said, str(told.value))
    assert everything(settings_root(settings)) == before
