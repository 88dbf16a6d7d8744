"""Plays tone after tone for the calibration of loudness, and takes each one's level with a microphone if there is one.

Each tone sounds for the time it is given and then stops: a person reads the meter meanwhile, and types afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from contextlib import ExitStack

import numpy as np
import numpy.typing as npt

from core.clock import MonotonicClock
from core.ports import Clock
from core.values import as_ns
from hardware.tone_onset import envelope
from session.locks import rig_locks
from session.settings import Settings

SETTLE_S = 0.3
"""Of each tone this much is not measured: the tone before it is still under way."""
STEP_NS = 50_000_000
PIECE_S = 0.1
"""The level is that of the middle one of pieces this long: a gap in the sound or in its recording spoils but one."""


def level_db(samples: npt.NDArray[np.float64], rate_hz: float, freq_hz: float) -> float:
    """Return the level of one frequency in a recording (n,), dB of full scale; -inf where there is nothing."""
    if not len(samples):
        return -math.inf
    pieces = np.array_split(samples - samples.mean(), max(1, round(len(samples) / rate_hz / PIECE_S)))
    amplitude = float(np.median([envelope(piece, rate_hz, freq_hz, len(piece))[len(piece) // 2] for piece in pieces]))
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def play_levels(
    settings: Settings,
    freqs_hz: Sequence[float],
    seconds: float,
    microphone: str | None,
    clock: Clock | None = None,
) -> Generator[tuple[float, float | None], None, None]:
    """Play each frequency; yield it with its level (dB), or with None where a person is to read a meter.

    Parameters
    ----------
    settings : Settings
    freqs_hz : sequence of float
    seconds : float
        Of each tone, at least, s.
    microphone : str or None
        Part of the input's name; empty for the default one; None where a person measures.
    clock : Clock, optional

    Raises
    ------
    InputError
        The rig is in a session.
    OutputError
        Speaker or microphone cannot be had, or are lost.
    """
    from hardware.microphone import Microphone
    from hardware.speaker import ProcessSpeaker

    clock = clock or MonotonicClock()
    with ExitStack() as held:
        held.enter_context(rig_locks(settings.outputs.rig, settings.mouse)[0])
        ear = None if microphone is None else Microphone(microphone)
        if ear is not None:
            held.callback(ear.close)
            ear.start()
        speaker = ProcessSpeaker(settings.sound)
        held.callback(speaker.close)
        speaker.start()
        for freq in freqs_hz:
            speaker.set_tone(freq, clock.now_ns())
            start_ns = clock.now_ns()
            while clock.now_ns() < start_ns + as_ns(seconds):
                speaker.reports()
                if ear is not None:
                    ear.poll()
                clock.sleep_until_ns(clock.now_ns() + STEP_NS)
            speaker.set_tone(0.0, clock.now_ns())
            if ear is None:
                yield freq, None
                continue
            wanted = round((seconds - SETTLE_S) * ear.rate_hz)
            yield freq, level_db(ear.samples()[-wanted:], ear.rate_hz, freq)
