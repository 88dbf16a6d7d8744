"""What the tests with real processes share: a sound server with a speaker on it, a witness of stalls,
a browser, an Arduino."""

from __future__ import annotations

import contextlib
import sys

import pytest

from hardware.speaker import ProcessSpeaker
from tests.support.programme import SETTINGS
from tests.support.pulse import Pulse, require
from tests.support.simavr import Simulator, build, first_of_all
from tests.support.stalls import Stalls


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


@pytest.fixture
def stalls():
    """A witness of this machine's standing still, while a test runs."""
    with contextlib.closing(Stalls()) as witness:
        yield witness


@pytest.fixture(scope="module")
def chromium():
    # Nothing else here needs Playwright.
    from tests.support.page_browser import Chromium

    with Chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    return build(tmp_path_factory.mktemp("arduino"))


@pytest.fixture
def prompt():
    with first_of_all():
        yield


@pytest.fixture
def uno(built, prompt, tmp_path):
    with Simulator(built, tmp_path) as simulator:
        yield simulator
