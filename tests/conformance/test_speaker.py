"""What every speaker must do. A new one is one more line in CASES."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from core.errors import OutputError
from core.ports import Speaker
from hardware.fake import FakeSpeaker
from hardware.oscillator import Oscillator
from hardware.settings import SoundSettings
from hardware.speaker import ProcessSpeaker
from hardware.speaker_memory import SpeakerMemory, make_speaker_memory
from hardware.speaker_process import SpeakerSpec
from hardware.steps import Steps
from hardware.tone_source import ToneSource
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


class NearLink:
    """Stands where the speaker's process is: the same memory and the same callback, called by the test, and no card."""

    pid = 0

    def __init__(self, spec: SpeakerSpec) -> None:
        self._settings = spec.settings
        self._memory: SpeakerMemory | None = None

    def opening(self) -> Steps[tuple[SpeakerMemory, dict[str, Any]]]:
        yield
        handle = make_speaker_memory()
        self._memory = SpeakerMemory(handle)
        os.close(handle)
        self._source = ToneSource(self._memory, Oscillator(48_000, 0.5, 0.005), gap_ns=10**9)
        self.hear()
        return self._memory, {"rate_hz": 48_000, "device": "none"}

    def lost(self) -> str:
        self.hear()
        return ""

    def hear(self) -> float:
        """Return the frequency of the next samples, past their ramp, from their spectrum; 0 for silence."""
        if self._memory is None:
            return 0.0
        self._source(None, 480, None, 0)
        samples = np.frombuffer(self._source(None, 48_000, None, 0)[0], "<i2").astype(float)
        if not samples.any():
            return 0.0
        peak = int(np.abs(np.fft.rfft(samples)).argmax())
        carrier = np.exp(-2j * np.pi * peak / 48_000 * np.arange(48_000))
        halves = (samples * carrier).reshape(2, 24_000) * np.hanning(24_000)
        first, second = np.angle(halves.sum(axis=1))
        return peak + float(np.angle(np.exp(1j * (second - first)))) / np.pi

    def kill(self) -> None:
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    def ending(self) -> Steps[str]:
        yield
        self.kill()
        return ""


class NearSpeaker(ProcessSpeaker):
    """The real client, open, whose process is near."""

    def __init__(self) -> None:
        self.near: NearLink | None = None
        super().__init__(SoundSettings(), make_link=self._make_near)
        self.start()

    def _make_near(self, spec: SpeakerSpec) -> NearLink:
        self.near = NearLink(spec)
        return self.near

    def hear(self) -> float:
        return 0.0 if self.near is None else self.near.hear()


CASES = {
    "process": Case(NearSpeaker, NearSpeaker.hear),
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
