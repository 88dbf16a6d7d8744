"""The process of a simulated mouse: builds the network, makes its one run, and meets the session once per frame.

Spawned by ``insilico.plant.Plant``, in a session of its own so that Ctrl-C reaches only the controller. Owns Brian2,
the network and one thread that ends the process when the controller is gone. Ends when it is told, when its end of the
connection closes, and when the network fails, having said so.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing import connection, parent_process
from multiprocessing.connection import Connection
from typing import Any

from core.errors import InputError
from insilico.checks import check_tissue
from insilico.film import Chance, Film, chance_from
from insilico.licks import Licker
from insilico.load import in_one_line, load_build
from insilico.placing import place_cells
from insilico.preparation import Preparation, Tissue
from insilico.spec import Failure, Go, MouseSpec, Ready, Shot, Stage
from insilico.spikes import SpikeCounter
from insilico.stepper import Stepper
from insilico.ticks import Ticks

RUN_S = 1e6
"""Longest run, s of the mouse's time: 11 days."""
IGNORED_SIGNALS = (signal.SIGINT, signal.SIGHUP)


def run_mouse(link: Connection, spec: MouseSpec) -> None:
    """Run the process.

    Parameters
    ----------
    link : Connection
        This end of the connection to the plant.
    spec : MouseSpec
    """
    os.setsid()
    for number in IGNORED_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    threading.Thread(target=_end_with_controller, name="controller-watch", daemon=True).start()
    # A session's stdout may be one line of JSON; what a user's network prints is for the screen.
    sys.stdout = sys.stderr
    live(link, spec)
    link.close()
    sys.stderr.flush()
    # At a normal exit Brian2 takes its time, and complains about the objects of a network that could not be used.
    os._exit(0)


def _end_with_controller() -> None:
    """Wait for the controller's end; a network that is stuck, or a compiler, must not outlive it."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
    os._exit(1)


def live(link: Connection, spec: MouseSpec) -> None:
    """Build the network and run it until it is told to end; a failure is told in one line."""
    try:
        _live(link, spec)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the session has gone
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a user's network raises is told in one line
        text = str(error) if isinstance(error, InputError) else in_one_line(error, spec.network)
        with suppress(OSError):
            link.send(Failure(" ".join(text.split()), "".join(traceback.format_exception(error))))


def _live(link: Connection, spec: MouseSpec) -> None:
    from insilico.brian import quiet_brian
    from insilico.target import choose_target

    link.send(Stage("loading Brian2"))
    chance = chance_from(spec.seed)
    target, why = choose_target(spec.codegen)
    version = quiet_brian(target, chance.brian)
    link.send(Stage("building the network"))
    tissue, names = _build(spec, chance)
    ticks = _ticks(tissue, spec)
    about = _about(tissue, ticks, target, why, version)
    run(tissue, spec, chance, ticks, names, _Meeting(link, spec.n_frames, about), lambda text: link.send(Stage(text)))


def _build(spec: MouseSpec, chance: Chance) -> tuple[Tissue, Mapping[str, Any]]:
    build, names = load_build(spec.network)
    preparation = Preparation(spec.regions, spec.tones_hz, chance.build)
    tissue = check_tissue(build(preparation), preparation)
    return tissue, names


def _ticks(tissue: Tissue, spec: MouseSpec) -> Ticks:
    return Ticks(float(next(iter(tissue.imaged.values())).clock.dt), spec.framerate)


def _about(tissue: Tissue, ticks: Ticks, target: str, why: str, version: str) -> dict[str, str | int | float | bool]:
    """Return what the screen and the session's record say of the mouse."""
    sources = {id(source): len(source) for source in _sources(tissue)}
    return {
        "name": tissue.name,
        "cells": sum(sources.values()),
        "dt_us": ticks.dt_ns / 1000,
        "target": target,
        "why": why,
        "brian2": version,
        "hears": tissue.hear is not None,
        "drinks": tissue.drink is not None,
    }


def _sources(tissue: Tissue) -> list[Any]:
    from brian2.core.spikesource import SpikeSource

    return [each for each in tissue.network.objects if isinstance(each, SpikeSource)]


class _Meeting:
    """Meets the session at each frame. The first frame says that all is ready, and waits to be asked for."""

    def __init__(self, link: Connection, n_frames: int | None, about: dict[str, str | int | float | bool]) -> None:
        self._link = link
        self._left = n_frames
        self._about = about
        self._begun = False

    def __call__(self, shot: Shot, image: memoryview) -> Go | None:
        """Hand a frame over when it is asked for; return what comes before the next one."""
        if not self._begun:
            self._begun = True
            self._link.send(Ready(self._about))
            if self._next() is None:
                return None
        self._link.send(shot)
        self._link.send_bytes(image)
        if self._left is not None:
            self._left -= 1
            if not self._left:
                return None
        return self._next()

    def _next(self) -> Go | None:
        told: Go | None = self._link.recv()
        return told


def run(
    tissue: Tissue,
    spec: MouseSpec,
    chance: Chance,
    ticks: Ticks,
    names: Mapping[str, Any],
    meet: Callable[[Shot, memoryview], Go | None],
    tell: Callable[[str], None],
) -> None:
    """Make the one run of a network, meeting a session at each frame; returns when ``meet`` returned None.

    Raises what the network raises.
    """
    import brian2 as b2

    places = [spec.regions[key] if isinstance(key, str) else key for key in tissue.imaged]
    groups = list(tissue.imaged.values())
    cells = place_cells(places, [len(group) for group in groups], tissue.region_radius_mm, spec, chance.place)
    film = Film(tissue, cells, spec, chance)
    stepper = Stepper(tissue, film, SpikeCounter(groups), Licker(tissue.licks, chance.licks), ticks, meet)
    # Before all else of a step, and after all of the step before it.
    operation = b2.NetworkOperation(
        stepper.step, clock=groups[0].clock, when="start", order=-(2**20), name="rigloop_plant"
    )
    tissue.network.add(operation)
    tell("compiling and settling the network" if b2.prefs.codegen.target == "cython" else "settling the network")
    namespace = dict(names) | dict(tissue.namespace or {})
    tissue.network.run(RUN_S * b2.second, namespace=namespace)
