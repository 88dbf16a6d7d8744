"""What every speaker must do. A new one is one more line in CASES."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from core.errors import OutputError
from core.ports import Speaker
from hardware.fake import FakeSpeaker
from insilico.devices import MouseSpeaker
from tests.conformance.conftest import MS


@dataclass(frozen=True)
class Case:
    """One implementation.

    Attributes
    ----------
    make : callable
        Makes a speaker.
    heard : callable
        Tells what a speaker plays now, Hz; 0 for silence.
    """

    make: Callable[[], Speaker]
    heard: Callable[[Speaker], float]


CASES = {
    "fake": Case(FakeSpeaker, lambda speaker: speaker.freq_hz),
    "simulated": Case(MouseSpeaker, lambda speaker: speaker.freq_hz),
}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture
def speaker(case: Case) -> Iterator[Speaker]:
    made = case.make()
    yield made
    made.close()


def test_is_a_speaker(speaker: Speaker) -> None:
    assert isinstance(speaker, Speaker)


def test_is_silent_until_told(case: Case, speaker: Speaker) -> None:
    assert case.heard(speaker) == 0


@pytest.mark.usefixtures("nobody_sleeps")
def test_plays_one_tone_at_a_time_and_goes_on_until_told(case: Case, speaker: Speaker) -> None:
    for frame, freq in enumerate((1000.0, 1189.2, 1189.2, 0.0, 0.0, 19_027.3)):
        speaker.set_tone(freq, frame * MS)
        assert case.heard(speaker) == pytest.approx(freq)


@pytest.mark.parametrize("freq", [-1.0, float("nan"), float("inf"), 1e6])
def test_a_tone_that_cannot_be_played_is_refused(case: Case, speaker: Speaker, freq: float) -> None:
    with pytest.raises(OutputError):
        speaker.set_tone(freq, 0)
    assert case.heard(speaker) == 0
    speaker.set_tone(1000.0, MS)
    assert case.heard(speaker) == pytest.approx(1000.0)


def test_close_falls_silent(case: Case, speaker: Speaker) -> None:
    speaker.set_tone(1000.0, 0)
    speaker.close()
    assert case.heard(speaker) == 0


def test_close_twice_is_legal_and_so_is_close_without_use(speaker: Speaker) -> None:
    speaker.close()
    speaker.close()


@pytest.mark.parametrize("freq", [1000.0, 0.0])
def test_a_closed_speaker_refuses(case: Case, speaker: Speaker, freq: float) -> None:
    speaker.close()
    with pytest.raises(OutputError):
        speaker.set_tone(freq, 0)
    assert case.heard(speaker) == 0
