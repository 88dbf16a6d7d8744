"""The speaker process: owns the sound card and its stream for a whole session, and plays what the shared memory says.

Spawned by ``hardware.speaker_link``, in a session of its own so that Ctrl-C reaches only the controller; SCHED_FIFO
where that is allowed, memory locked, collector off. Two threads: PortAudio's, which runs ``tone_source.ToneSource``,
and the first one, which watches. It ends, silent, when it is told, when the controller is gone (its socket reads as
ended, or its pidfd says so: a forked relative may hold the socket open), or when the card is lost. A controller that
hangs silences the tone (``tone_source.LIFE_NS``) and nothing else.
"""

from __future__ import annotations

import gc
import json
import os
import select
import socket
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from core.errors import OutputError
from hardware.loudness import FLAT, GainTable
from hardware.oscillator import Oscillator
from hardware.realtime import lock_memory, use_all_cores
from hardware.settings import SoundSettings
from hardware.speaker_card import SoundCard, choose, negotiate, quiet_stderr
from hardware.speaker_memory import CALLBACK_NS, SpeakerMemory
from hardware.speaker_rate import judge_rate
from hardware.tone_source import ToneSource
from recording.child import stand_alone

PRIORITY = 60
LOOK_MS = 50
RATE_S = 24.0
"""Longest time until the rate is known: buffers that fill for 2 s, pauses, then ``speaker_rate.LONGEST_S``."""
STALL_S = 0.5
"""A card that asks for nothing for this long is lost."""
GAP_S = 0.05
"""Added to the output latency: a request later than that found the card's buffer empty."""
END_S = 0.5


@dataclass(frozen=True, slots=True)
class SpeakerSpec:
    """What the process needs to know.

    Attributes
    ----------
    settings : SoundSettings
    gains : GainTable
    make_oscillator : callable
        (rate Hz, loudness, ramp s, gains) -> Oscillator; a module's function or class, as it is pickled by name.
    highest_hz : float
        The highest tone that will be asked for; the card's rate has to be above twice that.
    """

    settings: SoundSettings
    gains: GainTable = FLAT
    make_oscillator: Callable[[float, float, float, GainTable], Oscillator] = field(default=Oscillator)
    highest_hz: float = 0.0


class _Alone(Exception):
    """The controller is gone, or has said goodbye."""


def run_speaker(link: socket.socket, spec: SpeakerSpec) -> None:
    """Run the process; never returns.

    Parameters
    ----------
    link : socket
        This end of a SOCK_SEQPACKET pair; its first message brings the memory's descriptor and the controller's pidfd.
        Messages back are JSON: ``{"ready": facts}``, or ``{"error": text, "details": text}``.
    spec : SpeakerSpec
    """
    code = 1
    try:
        stand_alone()
        use_all_cores()
        code = _serve(link, spec)
    finally:
        # Not an orderly exit: PortAudio waits without end for a server that is gone. The system closes the card.
        os._exit(code)


def _serve(link: socket.socket, spec: SpeakerSpec) -> int:
    greeting, handles, _, _ = socket.recv_fds(link, 100, 2)
    if not greeting:
        return 2
    memory, controller = SpeakerMemory(handles[0]), handles[1]
    with quiet_stderr() as noise:
        try:
            _Speaker(link, controller, memory, spec).run()
        except _Alone:
            return 0
        except OutputError as error:
            _tell(link, {"error": str(error), "details": noise()})
        except Exception as error:  # noqa: BLE001 - the controller shows it; this process has no screen
            text = f"speaker: its process failed ({error!r}); this is a fault of Rigloop, report it with the details"
            _tell(link, {"error": text, "details": traceback.format_exc() + noise()})
    return 3


def _tell(link: socket.socket, message: dict[str, Any]) -> None:
    try:
        link.send(json.dumps(message).encode(), socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT)
    except OSError:
        # Gone, or not reading: the end of this process tells it too.
        return


class _Speaker:
    """The first thread of the process."""

    def __init__(self, link: socket.socket, controller: int, memory: SpeakerMemory, spec: SpeakerSpec) -> None:
        self._link = link
        self._memory = memory
        self._spec = spec
        self._poller = select.poll()
        self._poller.register(link, select.POLLIN)
        self._poller.register(controller, select.POLLIN)

    def run(self) -> None:
        """Open the card, check its rate, then watch. Raises OutputError when the card is lost, else _Alone."""
        scheduling = _become_realtime()
        lock_memory()
        settings = self._spec.settings
        card = SoundCard()
        output = choose(card.outputs(), settings.sound_device)
        rate = negotiate(
            settings.sample_rate, lambda rate: card.takes(output, rate), output.name, self._spec.highest_hz
        )
        oscillator = self._spec.make_oscillator(rate, settings.loudness, settings.tone_ramp_s, self._spec.gains)
        gap_ns = round((GAP_S + output.latency_s) * 1e9)
        source = ToneSource(self._memory, oscillator, gap_ns)
        gc.collect()
        gc.freeze()
        gc.disable()
        latency_s = card.open(output, rate, settings.sound_block, source)
        measured = self._check_rate(card, source, rate, output.name)
        source.stamps = None
        facts = {
            "device": output.name,
            "host_api": output.host_api,
            "rate_asked_hz": settings.sample_rate,
            "rate_hz": rate,
            "rate_measured_hz": round(measured, 2),
            "block": settings.sound_block,
            "latency_told_s": latency_s,
            "scheduling": scheduling,
            "calibrated": bool(self._spec.gains.freqs_hz),
        }
        _tell(self._link, {"ready": facts})
        while not self._is_alone():
            self._check_card(card, source, output.name)
        self._fade(source, round(latency_s * rate))

    def _check_rate(self, card: SoundCard, source: ToneSource, rate: int, name: str) -> float:
        begin = time.monotonic_ns()
        while time.monotonic_ns() - begin < RATE_S * 1e9:
            if self._is_alone():
                raise _Alone
            if source.error is not None or not card.is_active():
                raise OutputError(_lost(name, source.error))
            measured = judge_rate((source.stamps or [])[:], rate, name)
            if measured is not None:
                return measured
        raise OutputError(
            f"speaker: '{name}' did not ask for samples steadily within {RATE_S:g} s of its opening; end other "
            "programs that use sound, or raise sound_block"
        )

    def _check_card(self, card: SoundCard, source: ToneSource, name: str) -> None:
        stalled = time.monotonic_ns() - self._memory.words[CALLBACK_NS] > STALL_S * 1e9
        if source.error is not None or stalled or not card.is_active():
            raise OutputError(_lost(name, source.error))

    def _is_alone(self) -> bool:
        """Wait a moment; whether the controller is gone or says goodbye, which is all that it ever says."""
        return bool(self._poller.poll(LOOK_MS))

    def _fade(self, source: ToneSource, buffered: int) -> None:
        """Fall silent, and let the silence come as far as the card."""
        source.ending = True
        end = time.monotonic_ns() + round(END_S * 1e9)
        nothing = select.poll()
        while time.monotonic_ns() < end and source.silent_frames <= buffered:
            nothing.poll(5)


def _become_realtime() -> str:
    """Schedule this thread as SCHED_FIFO, and those it starts: PortAudio's and a sound server's. Returns what it is.

    Hence not ``hardware.realtime.become_realtime``, whose priority no thread inherits.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except OSError as error:
        return f"normal, SCHED_FIFO was refused ({error.strerror})"
    return f"SCHED_FIFO {PRIORITY}"


def _lost(name: str, error: Exception | None) -> str:
    why = "it asks for no more samples" if error is None else repr(error)
    return f"speaker: the sound card '{name}' was lost ({why}); see that it is connected and its server runs"
