"""Fixtures of the tests with real processes: the Arduino's firmware, compiled once, in a simulated Uno."""

import pytest

from tests.support.simavr import Simulator, build, first_of_all


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
