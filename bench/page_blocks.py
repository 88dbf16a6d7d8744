"""Blocks of a session's loop with and without pages that look at it, in random order: what a page costs the session."""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.block_loop import BlockLoop
from bench.brain_session import READ_S, make_plan
from bench.drawn import Images
from bench.page_sinks import InLoop, about_session
from bench.processes import cpu_ns
from bench.recording_sinks import Recording
from camera.pace import Paced
from hardware.settings import FaultSettings
from recording.settings import RecordingSettings
from session.live_link import LiveLink
from session.pages import Pages
from session.parts import ring_slots
from session.real_time import real_time
from session.stop import StopRequest

WARM_UP = 5
READY_S = 40.0
"""A server and its browsers are there by then, or the benchmark ends."""


@dataclass(frozen=True, slots=True)
class Case:
    """Who looks at the session.

    Attributes
    ----------
    link : bool
        Whether the session can be looked at, as every `rigloop run` can.
    server : bool
        Whether the page is served.
    readers, deaf : int
        Browsers that take what comes, and such as never read.
    in_loop : bool
        Whether the loop's own thread makes the pictures, as a window of OpenCV has it: the rival.
    """

    link: bool = True
    server: bool = False
    readers: int = 0
    deaf: int = 0
    in_loop: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """What was measured of a stretch of frames.

    Attributes
    ----------
    late_us, command_us, turn_us : ndarray, (frames,)
        From a frame's due time to the loop having it; to the last command; from having it until all that came of it was
        handed on, to pages, too.
    cpu_us : float
        Processor time of the session's process, per frame.
    server_share : float
        Processor time of the page's process, as a share of one core.
    lost : int
        Frames that the loop did not come to.
    rates, gaps_ms : tuple of float
        Of each browser that reads: updates per second, and the longest time without one.
    """

    late_us: npt.NDArray[np.float64]
    command_us: npt.NDArray[np.float64]
    turn_us: npt.NDArray[np.float64]
    cpu_us: float
    server_share: float
    lost: int
    rates: tuple[float, ...]
    gaps_ms: tuple[float, ...]


class Browsers:
    """The page's server and who looks at it, as processes of their own.

    Parameters
    ----------
    folder : Path
        Where they meet the session.
    case : Case
    """

    def __init__(self, folder: Path, case: Case) -> None:
        self._server = _start("bench.page_alone", str(folder))
        port = self._line(self._server)
        self._clients = _start("bench.page_clients", port, str(case.readers), str(case.deaf))
        self.pid = self._server.pid

    def ready(self) -> bool:
        """Return whether everybody has seen something of the session. Raises SystemExit where they have ended."""
        assert self._clients.stdout is not None
        if not select.select([self._clients.stdout], [], [], 0)[0]:
            return False
        return self._line(self._clients) == "ready"

    def between(self, start_ns: int, end_ns: int) -> list[Mapping[str, float]]:
        """Return what came to each that reads: ``rate`` and ``gap``."""
        assert self._clients.stdin is not None
        self._clients.stdin.write(f"{start_ns} {end_ns}\n")
        self._clients.stdin.flush()
        told: list[Mapping[str, float]] = json.loads(self._line(self._clients))
        return told

    def close(self) -> None:
        """End both."""
        for process in (self._clients, self._server):
            process.kill()
            process.communicate()

    @staticmethod
    def _line(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        if not (line := process.stdout.readline().strip()):
            raise SystemExit(f"bench_page: {process.args!r} ended before it said anything")
        return line


class Bench(BlockLoop):
    """The loop; each block has other lookers. Sessions and pages meet in ``scratch``, too.

    Parameters and attributes are those of ``BlockLoop``.
    """

    def __init__(self, images: Images, framerate: float, scratch: Path) -> None:
        super().__init__(images, framerate, scratch)
        self._slots = ring_slots(RecordingSettings().recorder_buffer_s, framerate, self._source)

    def block(self, case: Case, seconds: float) -> Block:
        """Run the loop for ``seconds`` with these lookers."""
        folder = self._scratch / "block"
        with ExitStack() as ends:
            ends.callback(shutil.rmtree, folder, ignore_errors=True)
            recording = Recording(folder, self._slots)
            ends.callback(recording.close)
            link = LiveLink(self._clock, f"session-{os.getpid()}") if case.link else None
            sink = InLoop(recording, self._framerate) if case.in_loop else recording
            pages = Pages(link, sink, make_plan(), StopRequest())
            ends.callback(pages.close, "", "the block is over")
            pages.open(about_session(self._framerate), self._loop.status, _fail)
            browsers = Browsers(self._scratch, case) if case.server else None
            if browsers is not None:
                ends.callback(browsers.close)
            self._joint.sink = pages
            self.refused = ends.enter_context(real_time(FaultSettings(), live=True))
            self._joint.camera = Paced(self._source, self._clock)
            self._joint.camera.start()
            self._until_ready(pages, browsers)
            return self._measure(pages, browsers, WARM_UP + max(1, round(seconds * self._framerate)))

    def _until_ready(self, pages: Pages, browsers: Browsers | None) -> None:
        """Turn until everybody looks."""
        if browsers is None:
            return
        last_ns = self._clock.now_ns() + round(READY_S * 1e9)
        while not browsers.ready():
            self._turn(pages)
            if self._clock.now_ns() > last_ns:
                raise SystemExit(f"bench_page: no browser saw the session within {READY_S:g} s")

    def _measure(self, pages: Pages, browsers: Browsers | None, frames: int) -> Block:
        spans = np.zeros((frames, 4), np.int64)
        lost = self._loop.status.dropped
        server_ns = cpu_ns(browsers.pid) if browsers is not None else 0
        start_ns, cpu = self._clock.now_ns(), time.process_time_ns()
        for k in range(frames):
            spans[k] = self._turn(pages)
        cpu, end_ns = time.process_time_ns() - cpu, self._clock.now_ns()
        told: list[Mapping[str, float]] = []
        if browsers is not None:
            server_ns = cpu_ns(browsers.pid) - server_ns
            told = browsers.between(start_ns, end_ns)
        due, read, command, done = spans[WARM_UP:].T / 1e3
        return Block(
            read - due, command - due, done - read, cpu / 1e3 / frames, server_ns / (end_ns - start_ns),
            self._loop.status.dropped - lost, tuple(each["rate"] for each in told), tuple(each["gap"] for each in told),
        )  # fmt: skip

    def _turn(self, pages: Pages) -> tuple[int, int, int, int]:
        """Take a frame through the loop, as a session does; return its times: due, read, commanded, done."""
        pages.look()
        self._loop.turn(READ_S, ())
        return self._loop.status.now_ns, self._joint.read_ns, self._joint.command_ns, self._clock.now_ns()


def in_random_order(
    bench: Bench, cases: Mapping[str, Case], seconds: float, rounds: int, seed: int
) -> dict[str, list[Block]]:
    """Run each case for ``seconds``, ``rounds`` times, each round in an order of its own."""
    rng = random.Random(seed)  # noqa: S311 - an order, no secret
    blocks: dict[str, list[Block]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name in rng.sample(list(cases), len(cases)):
            blocks[name].append(bench.block(cases[name], seconds))
    return blocks


def _start(module: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", module, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _fail(text: str) -> None:
    raise SystemExit(f"bench_page: {text}")
