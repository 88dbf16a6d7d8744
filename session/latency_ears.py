"""Ears for a latency test that need a device: the card's own stamp, and a microphone or loopback."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hardware.microphone import Microphone
from hardware.speaker import ProcessSpeaker
from hardware.tone_onset import onsets


class CardEar:
    """Asks the speaker's process when the card asked for the first sample of the high tone.

    Parameters
    ----------
    speaker : ProcessSpeaker
        Started; not closed by this.
    high_hz : float
    """

    def __init__(self, speaker: ProcessSpeaker, high_hz: float) -> None:
        latency_s = float(speaker.facts.get("latency_told_s", 0.0))
        self.about = f"the card, which tells {1e3 * latency_s:.1f} ms for its buffer (added)"
        self._speaker = speaker
        self._high_hz = high_hz
        self._latency_ns = round(latency_s * 1e9)
        self._times: dict[int, int] = {}

    def start(self, go_on: Callable[[], bool]) -> None:
        """Nothing to begin."""

    def poll(self) -> None:
        """Ask. Raises OutputError when the card is lost."""
        heard = self._speaker.heard()
        if heard.freq_hz == self._high_hz:
            self._times.setdefault(heard.number, heard.time_ns + self._latency_ns)

    def highs_ns(self) -> Sequence[int]:
        """Return when each high tone began."""
        return sorted(self._times.values())

    def close(self) -> None:
        """Nothing to release."""


class MicrophoneEar:
    """Records, and looks for the high tone when all is over.

    Parameters
    ----------
    part : str
        Part of the input's name.
    low_hz, high_hz : float
    """

    def __init__(self, part: str, low_hz: float, high_hz: float) -> None:
        self._microphone = Microphone(part)
        self._low_hz, self._high_hz = low_hz, high_hz
        self.about = "a microphone"

    def start(self, go_on: Callable[[], bool]) -> None:
        """Open the input. Raises OutputError, and Interrupted as soon as ``go_on`` says no."""
        self._microphone.start(go_on)
        facts = self._microphone.facts
        self.about = (
            f"the input '{facts['input']}', whose own latency ({1e3 * facts['latency_s']:.1f} ms told) is in it"
        )

    def poll(self) -> None:
        """Fetch what was recorded. Raises OutputError when the input is lost."""
        self._microphone.poll()

    def highs_ns(self) -> Sequence[int]:
        """Return when each high tone was at hand."""
        microphone = self._microphone
        found = onsets(microphone.samples(), microphone.rate_hz, self._low_hz, self._high_hz)
        return [microphone.time_ns(sample) for sample in found]

    def close(self) -> None:
        """Release the input; twice is legal."""
        self._microphone.close()
