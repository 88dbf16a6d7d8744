"""The sound card through PyAudio: which there are, which is meant, the rate it takes, its stream.

PyAudio is imported where it is used: it comes with the extra ``rig`` and is compiled on the spot.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

from core.errors import OutputError

RATES = (48_000, 44_100, 96_000)
"""Rates that are tried, best first: nearly every card runs at 48 kHz without converting."""
NO_PYAUDIO = (
    "speaker: PyAudio is not installed; run make rig, or: sudo apt-get install portaudio19-dev build-essential "
    "python3-dev, then .venv/bin/pip install -c constraints.txt -e '.[rig]'"
)
DOCTOR = "rigloop doctor lists the sound outputs"


@dataclass(frozen=True, slots=True)
class SoundOutput:
    """One output that PortAudio found.

    Attributes
    ----------
    index : int
        PortAudio's number; changes when cards come and go.
    name, host_api : str
        Such as ``USB Audio: - (hw:1,0)`` and ``ALSA``.
    channels : int
    default_rate_hz : float
    latency_s : float
        The lowest that PortAudio believes in.
    is_default : bool
    """

    index: int
    name: str
    host_api: str
    channels: int
    default_rate_hz: float
    latency_s: float
    is_default: bool

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def choose(outputs: Sequence[SoundOutput], part: str) -> SoundOutput:
    """Return the output whose name is ``part``, else the first whose name holds it; the default one for ``""``.

    Upper and lower case are the same. Raises OutputError which lists what there is.
    """
    if not outputs:
        raise OutputError(
            "speaker: this computer has no sound output; connect a card, on a Raspberry Pi set dtparam=audio=on or the "
            "card's dtoverlay in config.txt, and see that you are in the group audio"
        )
    if not part:
        return next((output for output in outputs if output.is_default), outputs[0])
    wanted = part.lower()
    exact = [output for output in outputs if output.name.lower() == wanted]
    found = exact or [output for output in outputs if wanted in output.name.lower()]
    if not found:
        names = ", ".join(f"'{output.name}'" for output in outputs)
        raise OutputError(f"sound_device = {part}: no sound output has this in its name; use part of one of {names}")
    return found[0]


def negotiate(wanted: int, takes: Callable[[int], bool], name: str, highest_hz: float = 0.0) -> int:
    """Return the rate to open with: ``wanted``, or where that is 0 the first of ``RATES`` that the card takes.

    A rate that is not above twice ``highest_hz``, the highest tone to be played, is none. Raises OutputError when there
    is no rate left.
    """
    if wanted and wanted <= 2 * highest_hz:
        raise OutputError(
            f"sample_rate = {wanted}: the highest tone is {highest_hz:.0f} Hz, which needs more than "
            f"{2 * highest_hz:.0f} samples/s; raise it, or lower n_tones, start_freq or single_freq"
        )
    high_enough = [rate for rate in RATES if rate > 2 * highest_hz]
    for rate in (wanted,) if wanted else high_enough:
        if takes(rate):
            return rate
    if not wanted and len(high_enough) < len(RATES):
        raise OutputError(
            f"speaker: the highest tone is {highest_hz:.0f} Hz, and '{name}' takes no rate above {2 * highest_hz:.0f} "
            "samples/s; lower n_tones, start_freq or single_freq, or choose another sound_device"
        )
    if wanted:
        raise OutputError(f"sample_rate = {wanted}: '{name}' does not take it, or is busy; use 0 to have one chosen")
    rates = ", ".join(map(str, RATES))
    raise OutputError(f"speaker: '{name}' takes none of {rates} samples/s, or another program has it; end that one")


def import_pyaudio() -> ModuleType:
    """Return the module ``pyaudio``. Raises OutputError which says what to install."""
    try:
        return importlib.import_module("pyaudio")
    except ImportError as error:
        raise OutputError(NO_PYAUDIO) from error


@contextlib.contextmanager
def quiet_stderr() -> Iterator[Callable[[], str]]:
    """Keep what ALSA and JACK print while PortAudio looks around off the screen; yields a function that returns it.

    For processes of our own: the descriptor 2 of the whole process is redirected meanwhile.
    """
    before = os.dup(2)
    heard = os.memfd_create("rigloop-alsa")
    os.dup2(heard, 2)
    try:
        yield lambda: os.pread(heard, 20_000, 0).decode(errors="replace")
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(heard)


class SoundCard:
    """PortAudio, and one stream of it. Owns PortAudio's callback thread while the stream is open.

    Ends with its process: closing a stream whose server is gone may never return.
    """

    def __init__(self) -> None:
        # Else PortAudio starts a JACK server where one is installed, which takes the card.
        os.environ.setdefault("JACK_NO_START_SERVER", "1")
        self._pyaudio = import_pyaudio()
        self._audio = self._pyaudio.PyAudio()
        self._stream: Any = None

    def outputs(self) -> tuple[SoundOutput, ...]:
        """Return the outputs there are."""
        try:
            default = int(self._audio.get_default_output_device_info()["index"])
        except OSError:
            default = -1
        infos = (self._audio.get_device_info_by_index(index) for index in range(self._audio.get_device_count()))
        return tuple(
            SoundOutput(
                index=int(info["index"]),
                name=str(info["name"]),
                host_api=str(self._audio.get_host_api_info_by_index(info["hostApi"])["name"]),
                channels=int(info["maxOutputChannels"]),
                default_rate_hz=float(info["defaultSampleRate"]),
                latency_s=float(info["defaultLowOutputLatency"]),
                is_default=int(info["index"]) == default,
            )
            for info in infos
            if info["maxOutputChannels"] > 0
        )

    def takes(self, output: SoundOutput, rate: int) -> bool:
        """Whether an output says that it can be opened at ``rate``."""
        try:
            return bool(
                self._audio.is_format_supported(
                    rate, output_device=output.index, output_channels=1, output_format=self._pyaudio.paInt16
                )
            )
        except ValueError:
            return False

    def open(self, output: SoundOutput, rate: int, block: int, source: Callable[..., tuple[bytes, int]]) -> float:
        """Open and start the stream; return the output latency it tells, s. Raises OutputError."""
        try:
            self._stream = self._audio.open(
                rate=rate,
                channels=1,
                format=self._pyaudio.paInt16,
                output=True,
                output_device_index=output.index,
                frames_per_buffer=block,
                stream_callback=source,
            )
        except (OSError, ValueError) as error:
            raise OutputError(
                f"speaker: '{output.name}' cannot be opened at {rate} samples/s ({error}); end the program that has "
                f"it, or set another sound_device: {DOCTOR}"
            ) from error
        return float(self._stream.get_output_latency())

    def is_active(self) -> bool:
        """Whether the stream still asks for samples."""
        try:
            return self._stream is not None and bool(self._stream.is_active())
        except OSError:
            return False
