"""The simulated mouse: how fast it lives, what a frame costs by part, and what meeting the session adds to its network.

Networks with the same cells and synapses run in slices, in turns, in one process: the bare one; one that meets a
session in another process at each frame; one that also counts its spikes; and one that keeps calcium and draws the
image, too. This is done in several processes, as each has its networks elsewhere in memory. Then whole sessions run as
``make run`` does, recording on. The bars hold with cython; numpy is shown beside it.
"""

from __future__ import annotations

import multiprocessing
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from bench.report import Bar, arguments, finish, table
from core.clock import MonotonicClock
from hardware.settings import OutputKind
from insilico.cortex import CortexSettings
from insilico.settings import Codegen
from insilico.spec import Go, MouseSpec, Shot
from insilico.wire import Wire, make_wires
from session.build import Options
from session.runner import run_session
from session.settings import load_settings
from session.stop import StopRequest
from session.watch import SessionWatch

CONFIG = Path(__file__).resolve().parent.parent / "config.ini"
FRAMERATE = 15.0
SLICE_S = 15.0
LONE_STEPS = 5


@dataclass(frozen=True, slots=True)
class Slices:
    """What the process with the three networks measured.

    Attributes
    ----------
    wall_ms : dict of str to list of float
        Wall time per frame of each slice, by network: ``bare``, ``meeting``, ``counting``, ``whole``.
    indicator_ms, render_ms : list of float
        Parts of ``whole``, per frame, of each slice.
    """

    wall_ms: dict[str, list[float]]
    indicator_ms: list[float]
    render_ms: list[float]


class Stopwatch:
    """Adds up the time spent in a function."""

    def __init__(self) -> None:
        self.total_s = 0.0

    def around(self, verb: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``verb`` with its time added up."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return verb(*args, **kwargs)
            finally:
                self.total_s += time.perf_counter() - start

        return timed

    def take_ms(self, frames: float) -> float:
        """Return ms per frame, and begin again."""
        total, self.total_s = self.total_s, 0.0
        return 1e3 * total / frames


class BlankFilm:
    """Costs nothing, so that what is left is the meeting alone."""

    def step(self, spikes: object, dt_s: float, *, resting: bool = False) -> None:
        """Do nothing."""

    def settle(self) -> None:
        """Do nothing."""

    def shoot(self) -> None:
        """Do nothing."""


class BlankSpikes:
    """Counts nothing."""

    def look(self) -> None:
        """Do nothing."""

    def take(self) -> None:
        """Do nothing."""


def spec_of(target: str) -> MouseSpec:
    """Return the mouse of ``make run``."""
    regions = {"M1_L": (0.64181, -1.8603)}
    return MouseSpec(
        "", Codegen(target), regions, (1000.0, 19_027.3), 256, 256, FRAMERATE, (135.0, 128.0), 25.6, seed=1
    )


def run_networks(end: socket.socket, results: Connection, memory: Any, target: str, rounds: int) -> None:
    """Run the networks in turns; the process's target. Sends a ``Slices`` to ``results``."""
    import brian2 as b2

    from insilico.assemble import build_network, make_stepper
    from insilico.brian import quiet_brian
    from insilico.every import at_each_step
    from insilico.film import chance_from
    from insilico.ticks import Ticks

    link = Wire(end)
    spec = spec_of(target)
    image = np.frombuffer(memory, np.uint8).reshape(spec.height, spec.width, 3)
    indicator, render = Stopwatch(), Stopwatch()
    networks = {}
    for name in ("bare", "meeting", "counting", "whole"):
        chance = chance_from(spec.seed)
        quiet_brian(target, chance.brian)
        made: Any = build_network(spec, chance)[0]
        tissue: Any = replace(made, settle_s=0.0)
        networks[name] = tissue.network
        if name == "bare":
            continue

        def meet(shot: Shot) -> Go | None:
            link.send(shot)
            told = link.recv()
            return told if isinstance(told, Go) else None

        clock = b2.defaultclock
        stepper: Any = make_stepper(tissue, spec, chance, Ticks(float(clock.dt), FRAMERATE), image, meet)
        if name == "whole":
            film = stepper.film
            film.step, film.shoot = indicator.around(film.step), render.around(film.shoot)
        else:
            stepper.film = BlankFilm()
        if name == "meeting":
            stepper._spikes = BlankSpikes()
        tissue.network.add(at_each_step(clock, stepper.make_step(), "meeting", order=-(2**20)))
    frames = SLICE_S * FRAMERATE
    wall: dict[str, list[float]] = {name: [] for name in networks}
    parts: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        turned = list(networks.items())
        for name, network in turned[number % 4 :] + turned[: number % 4]:
            lone = min(_run_s(network, LONE_STEPS * b2.defaultclock.dt) for _ in range(2))
            indicator.take_ms(1), render.take_ms(1)
            spent = _run_s(network, SLICE_S * b2.second) - lone
            if number:  # the first round compiles and warms up
                wall[name].append(1e3 * spent / frames)
                if name == "whole":
                    parts[0].append(indicator.take_ms(frames))
                    parts[1].append(render.take_ms(frames))
    link.send(None)
    results.send(Slices(wall, *parts))


def _run_s(network: Any, duration: Any) -> float:
    """Return how long a run takes, s; its preparation included."""
    start = time.perf_counter()
    network.run(duration, namespace={})
    return time.perf_counter() - start


def measure_networks(target: str, processes: int, rounds: int) -> Slices:
    """Be the session of those networks: take each frame and let them go on. Pools what several processes measured."""
    pooled = Slices({}, [], [])
    for _ in range(processes):
        one = _measure_process(target, rounds)
        for name, values in one.wall_ms.items():
            pooled.wall_ms.setdefault(name, []).extend(values)
        pooled.indicator_ms.extend(one.indicator_ms)
        pooled.render_ms.extend(one.render_ms)
    return pooled


def _measure_process(target: str, rounds: int) -> Slices:
    context = multiprocessing.get_context("spawn")
    link, theirs = make_wires()
    results, their_results = context.Pipe()
    memory = context.RawArray("B", 256 * 256 * 3)
    words = (theirs, their_results, memory, target, rounds)
    process = context.Process(target=run_networks, args=words, daemon=True)
    process.start()
    theirs.close()
    while link.recv() is not None:
        link.send(Go(None, ()))
    slices: Slices = results.recv()
    process.join()
    link.close()
    return slices


def measure_session(target: str, trials: int) -> tuple[float, float]:
    """Return session seconds per wall second of a whole session, and its loop's p50 in ms."""
    with tempfile.TemporaryDirectory() as folder:
        overrides = {"--data-root": folder, "codegen": target, "total_trials": str(trials)}
        settings = load_settings(CONFIG, "SIM1", overrides=overrides)
        options = Options(seed=1, live=False, outputs=OutputKind.fake)
        result = run_session(settings, options, MonotonicClock(), StopRequest(), SessionWatch())
    if result.outcome != "complete":
        raise SystemExit(f"the session ended as {result.outcome}: {result.error}")
    return result.duration_s / result.wall_s, result.latency_us["p50"] / 1e3


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options = arguments(__doc__, argv)
    processes, rounds, sessions, trials = (1, 2, 1, 2) if options.quick else (5, 3, 5, 12)
    figures: dict[str, Any] = {}
    for target in ("cython", "numpy"):
        if target == "numpy":  # shown beside it, and slow
            processes, rounds, sessions = 1, 2, min(sessions, 2)
        print(f"{target}: networks in {processes} processes, then sessions: {sessions}", file=sys.stderr, flush=True)
        slices = measure_networks(target, processes, rounds)
        paces = [measure_session(target, trials) for _ in range(sessions)]
        figures[target] = _figures(slices, paces)
    defaults = CortexSettings()
    told = [f"{each.name} {getattr(defaults, each.name)}" for each in fields(defaults) if each.type in ("int", "float")]
    print(f"SIM1, 6 regions, 256x256x3 uint8 at {FRAMERATE:g} frames/s: {', '.join(told)}\n")
    rows = [(name, figures["cython"][name], figures["numpy"][name]) for name in figures["cython"]]
    print(table(("medians", "cython", "numpy"), rows))
    return finish("mouse", options, figures, _bars(figures["cython"]))


def _figures(slices: Slices, paces: Sequence[tuple[float, float]]) -> dict[str, float]:
    wall = {name: np.array(values) for name, values in slices.wall_ms.items()}

    def median(values: Any) -> float:
        return float(np.median(values))

    return {
        "whole sessions: simulated s per wall s": median([pace for pace, _ in paces]),
        "bare network: simulated s per wall s": 1e3 / FRAMERATE / median(wall["bare"]),
        "network, ms per frame": median(wall["bare"]),
        "meeting the session, ms per frame": median(wall["meeting"] - wall["bare"]),
        "counting spikes, ms per frame": median(wall["counting"] - wall["meeting"]),
        "indicator, ms per frame": median(slices.indicator_ms),
        "render, ms per frame": median(slices.render_ms),
        "loop, frame to last command, ms per frame": median([loop for _, loop in paces]),
        "meeting over bare network": median(wall["meeting"] / wall["bare"]),
        "meeting and counting over bare network": median(wall["counting"] / wall["bare"]),
    }


def _bars(cython: dict[str, float]) -> list[Bar]:
    return [
        Bar("cython: simulated s per wall s, whole session", cython["whole sessions: simulated s per wall s"], 8),
        Bar("cython: render, ms per frame", cython["render, ms per frame"], 0.6, at_least=False),
        Bar(
            "cython: network with the meeting / bare network", cython["meeting over bare network"], 1.1, at_least=False
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
