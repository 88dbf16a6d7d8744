"""A microphone or loopback, recorded by a process of its own, so that the loop that is measured is not held up.

``Microphone`` owns that process and a pipe from it. The process ends with ``close``, and by itself when nobody holds
the other end of the pipe any more. What is not fetched in time stays in the pipe, then in the card, and is lost there.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import OutputError
from hardware.device_process import DeviceProcess
from hardware.realtime import become_important
from hardware.speaker_card import RATES, import_pyaudio, quiet_stderr
from hardware.steps import STEP_S, Steps, always, to_the_end

BLOCK = 128
"""Samples that are asked for at a time."""
PRIORITY = 60
START_S = 30.0
END_S = 2.0
NEAR_S = 1.0
"""A sample's time is taken from the blocks this near to it: the card's clock is not the host's."""


class Microphone:
    """Records one channel. All verbs are called by one thread.

    Parameters
    ----------
    part : str
        Part of the input's name; empty for the default one.
    """

    def __init__(self, part: str = "") -> None:
        self._part = part
        self._process = DeviceProcess("microphone")
        self._pipe: Connection | None = None
        self._blocks: list[bytes] = []
        self._ends: list[int] = []
        self._stamps_ns: list[int] = []
        self._count = 0
        self.facts: dict[str, Any] = {}

    def start(self, go_on: Callable[[], bool] = always) -> None:
        """Open the input and begin.

        Parameters
        ----------
        go_on : callable
            Asked ten times a second and more whether to go on.

        Raises
        ------
        OutputError
            Which input, what is wrong, the cure.
        Interrupted
            ``go_on`` returned False. With both nothing is left.
        """
        try:
            said = to_the_end(self._opening(), go_on)
        except BaseException:
            self._process.kill()
            self.close()
            raise
        if not isinstance(said, dict):
            self.close()
            raise OutputError(
                said or f"microphone: its process said nothing for {START_S:g} s; see that arecord -L works"
            )
        self.facts = said

    def _opening(self) -> Steps[Any]:
        """Start the process; return the first that it says, None where it says nothing."""
        self._pipe, theirs = multiprocessing.get_context("spawn").Pipe(duplex=False)
        with theirs:
            self._process.start(_record, (theirs, self._part), "rigloop-ear", daemon=True)
        until_ns = time.monotonic_ns() + round(START_S * 1e9)
        with suppress(EOFError):
            while time.monotonic_ns() < until_ns:
                if self._pipe.poll(STEP_S):
                    return self._pipe.recv()
                yield
        return None

    @property
    def rate_hz(self) -> float:
        """Samples/s, as the input was opened."""
        return float(self.facts["rate_hz"])

    def poll(self) -> None:
        """Fetch what was recorded; never blocks. Raises OutputError when the input is lost."""
        if self._pipe is None:
            raise OutputError("microphone: it is not open; call start() first")
        try:
            while self._pipe.poll():
                said = self._pipe.recv()
                if isinstance(said, str):
                    raise OutputError(said)
                stamp_ns, data = said
                self._count += len(data) // 2
                self._blocks.append(data)
                self._ends.append(self._count)
                self._stamps_ns.append(stamp_ns)
        except EOFError as error:
            raise OutputError("microphone: its process has ended; is the input still connected?") from error

    def samples(self) -> npt.NDArray[np.float64]:
        """Return all that was recorded, (n,) float64, 1 = full scale."""
        return np.frombuffer(b"".join(self._blocks), np.int16).astype(np.float64) / 32768

    def time_ns(self, sample: float) -> int:
        """Return when a sample was at hand at the earliest, on the host's monotonic clock.

        Of the blocks near it the one with the least delay counts; the input's own latency is in it.
        """
        ends = np.array(self._ends, np.float64)
        begins_ns = np.array(self._stamps_ns, np.float64) - ends * 1e9 / self.rate_hz
        near = np.abs(ends - sample) <= NEAR_S * self.rate_hz
        base_ns = float(begins_ns[near].min() if near.any() else begins_ns.min())
        return math.floor(base_ns + sample * 1e9 / self.rate_hz)

    def close(self) -> None:
        """End the process; twice is legal."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        to_the_end(self._process.ending(END_S, END_S))


def _record(pipe: Connection, part: str) -> None:
    """Run in the process: send facts, then (stamp, samples), or the text of what is wrong; never returns."""
    with suppress(OSError):
        os.setsid()
    become_important(PRIORITY)
    with quiet_stderr():
        try:
            stream, facts = _open(part)
            pipe.send(facts)
            while True:
                data = stream.read(BLOCK, exception_on_overflow=False)
                pipe.send((time.monotonic_ns(), data))
        except OutputError as error:
            with suppress(OSError):
                pipe.send(str(error))
        except OSError as error:
            # Nobody listens any more, or the card is gone.
            with suppress(OSError):
                pipe.send(f"microphone: the input stopped ({error}); connect it again")
        finally:
            os._exit(0)


def _open(part: str) -> tuple[Any, dict[str, Any]]:
    """Return the running stream and what it is. Raises OutputError."""
    os.environ.setdefault("JACK_NO_START_SERVER", "1")
    pyaudio = import_pyaudio()
    audio = pyaudio.PyAudio()
    infos = [audio.get_device_info_by_index(index) for index in range(audio.get_device_count())]
    inputs = [info for info in infos if info["maxInputChannels"] > 0]
    if not inputs:
        raise OutputError("microphone: this computer has no sound input; connect one, or a cable to the line input")
    info = _choose(audio, inputs, part)
    for rate in RATES:
        try:
            stream = audio.open(
                rate=rate, channels=1, format=pyaudio.paInt16, input=True, input_device_index=info["index"],
                frames_per_buffer=BLOCK,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            problem = str(error)
            continue
        return stream, {"input": info["name"], "rate_hz": rate, "latency_s": float(stream.get_input_latency())}
    raise OutputError(f"microphone: '{info['name']}' cannot be opened ({problem}); end the program that has it")


def _choose(audio: Any, inputs: list[dict[str, Any]], part: str) -> dict[str, Any]:
    if part:
        found = [info for info in inputs if part.lower() in str(info["name"]).lower()]
        if not found:
            names = ", ".join(f"'{info['name']}'" for info in inputs)
            raise OutputError(f"--microphone {part}: no sound input has this in its name; use part of one of {names}")
        return found[0]
    try:
        return dict(audio.get_default_input_device_info())
    except OSError:
        return inputs[0]
