"""What tests of the real speaker share: a sound server of our own, a recording of what it plays, a speaker on it."""

from __future__ import annotations

import contextlib
import sys

import pytest

from hardware.speaker import ProcessSpeaker
from tests.support.programme import SETTINGS
from tests.support.pulse import Pulse, require


@pytest.fixture(scope="module")
def pulse(tmp_path_factory):
    require()
    server = Pulse(tmp_path_factory.mktemp("pulse"))
    with pytest.MonkeyPatch.context() as patch:
        for key, value in server.environment.items():
            patch.setenv(key, value)
        yield server
    server.close()


@pytest.fixture(scope="module")
def recording(pulse):
    with contextlib.closing(pulse.record()) as made:
        yield made


@pytest.fixture
def speaker(recording):
    with contextlib.closing(ProcessSpeaker(SETTINGS)) as made:
        made.start()
        yield made


@pytest.fixture
def tell(capsys):
    """Print a figure where a person who runs the tests sees it."""

    def print_line(text):
        with capsys.disabled():
            sys.stdout.write(f"\nspeaker: {text}\n")

    return print_line
