"""Blocks of a running loop, each recorded with something else, in turns: what recording adds to the loop."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.block_loop import BlockLoop
from bench.brain_session import READ_S
from bench.drawn import Images
from bench.recording_sinks import Kept, Nothing, Sink
from camera.pace import Paced
from core.values import as_ns
from hardware.settings import FaultSettings
from recording.writer import FLUSH_S
from session.parts import ring_slots
from session.real_time import real_time

EMPTY = "empty loop"
"""A loop that takes the frames and does nothing with them: what the machine itself adds."""
WARM_UP = 5
"""First frames of a block, which are left out: the caches hold what was done between the blocks."""


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of frames with one sink.

    Attributes
    ----------
    lateness_us, span_us : ndarray, (frames,)
        From a frame's due time to the loop having it; from there until it is handed to what records it.
    loop_cpu_us, recorder_cpu_us : float
        Processor time per frame: of this process, and of the recorder's.
    lost : int
        Frames that the loop did not come to.
    kept : Kept
    """

    lateness_us: npt.NDArray[np.float64]
    span_us: npt.NDArray[np.float64]
    loop_cpu_us: float
    recorder_cpu_us: float
    lost: int
    kept: Kept


class Bench(BlockLoop):
    """The loop; each block has a sink of its own. Parameters and attributes are those of ``BlockLoop``."""

    def __init__(self, images: Images, framerate: float, scratch: Path) -> None:
        super().__init__(images, framerate, scratch)
        self._sink: Sink = Nothing()

    def block(self, make: Callable[[Path], Sink] | None, seconds: float, ring_frames: int = 8) -> Block:
        """Run the loop for ``seconds`` with a new sink, or an empty loop (``make`` is None).

        Parameters
        ----------
        make : callable or None
            Makes the sink in the folder it is given.
        seconds : float
        ring_frames : int
            Frames that can wait in the camera.
        """
        folder = self._scratch / "block"
        joint = self._joint
        joint.sink = self._sink = Nothing() if make is None else make(folder)
        try:
            with real_time(FaultSettings(), live=True) as self.refused:
                # Fetches the source's next frame; the numbers go on from block to block, as do the trials.
                joint.camera = Paced(self._source, self._clock, ring_frames)
                joint.camera.start()
                frames = WARM_UP + max(1, round(seconds * self._framerate))
                measured = self._measure(frames, self._take if make is None else self._turn)
        finally:
            kept = self._sink.close()
            joint.sink = self._sink = Nothing()
            shutil.rmtree(folder, ignore_errors=True)
        lateness, span, loop_cpu, recorder_cpu, lost = measured
        return Block(lateness, span, loop_cpu, recorder_cpu, lost, kept)

    def slots(self, buffer_s: float) -> int:
        """Return how many images a recorder's ring holds that may lag behind by ``buffer_s`` (s)."""
        return ring_slots(buffer_s, self._framerate, self._source)

    def _measure(
        self, frames: int, turn: Callable[[], tuple[int, int, int, int]]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float, float, int]:
        spans = np.zeros((frames, 3), np.int64)
        recorder_ns, loop_ns = self._sink.cpu_ns(), time.process_time_ns()
        lost = 0
        for k in range(frames):
            due_ns, read_ns, done_ns, dropped = turn()
            spans[k] = due_ns, read_ns, done_ns
            lost += dropped
        loop_ns = time.process_time_ns() - loop_ns
        if self._sink.cpu_ns():
            # What it still has to write belongs to these frames.
            self._clock.sleep_until_ns(self._clock.now_ns() + as_ns(FLUSH_S) + as_ns(FLUSH_S) // 4)
        recorder_ns = self._sink.cpu_ns() - recorder_ns
        due, read, done = spans[WARM_UP:].T / 1e3
        return read - due, done - read, loop_ns / 1e3 / frames, recorder_ns / 1e3 / frames, lost

    def _turn(self) -> tuple[int, int, int, int]:
        """Take a frame through the loop; return when it was due, read and done, and how many were lost before it."""
        status = self._loop.status
        before = status.dropped
        self._loop.turn(READ_S, ())
        done_ns = self._clock.now_ns()
        return status.now_ns, self._joint.read_ns, done_ns, status.dropped - before

    def _take(self) -> tuple[int, int, int, int]:
        frame = self._joint.read(READ_S)
        read_ns = self._clock.now_ns()
        return frame.time_ns, read_ns, self._clock.now_ns(), frame.dropped


def in_turns(
    bench: Bench, cases: Mapping[str, Callable[[Path], Sink] | None], seconds: float, rounds: int
) -> dict[str, list[Block]]:
    """Run each case for ``seconds``, in turns, ``rounds`` times; every other round backwards, against any drift."""
    blocks: dict[str, list[Block]] = {name: [] for name in cases}
    for number in range(rounds):
        for name in list(cases)[:: -1 if number % 2 else 1]:
            blocks[name].append(bench.block(cases[name], seconds))
    return blocks


def added_us(
    on: Sequence[npt.NDArray[np.float64]], off: Sequence[npt.NDArray[np.float64]], percent: float
) -> dict[str, float]:
    """Return what a percentile rises by from off to on, round by round: median, quartiles, us.

    A pair of blocks lies seconds apart, so that what the machine does in a slow minute is in both.
    """
    gains = [
        float(np.percentile(one, percent) - np.percentile(other, percent)) for one, other in zip(on, off, strict=True)
    ]
    low, high = np.percentile(gains, (25, 75))
    return {"median": statistics.median(gains), "lower quartile": float(low), "upper quartile": float(high)}
