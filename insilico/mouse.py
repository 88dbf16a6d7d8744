"""The process of a simulated mouse: builds the network, makes its one run, and meets the session once per frame.

Spawned by ``insilico.plant.Plant``, in a session of its own so that Ctrl-C reaches only the controller. Owns Brian2,
the network and one thread that ends the process when the controller is gone. Ends when it is told, when its end of the
connection closes, and when the network fails, having said so.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing import connection, parent_process
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InputError
from insilico.checks import check_tissue
from insilico.every import at_each_step
from insilico.film import Chance, Film, chance_from
from insilico.licks import Licker
from insilico.load import in_one_line, load_build
from insilico.placing import place_cells
from insilico.preparation import Preparation, Tissue
from insilico.spec import Failure, Go, MouseSpec, Ready, Shot, Stage
from insilico.spikes import SpikeCounter
from insilico.stepper import Meet, Stepper
from insilico.ticks import Ticks
from insilico.wire import Gone, Wire
from recording.child import stand_alone

Image = npt.NDArray[np.uint8]
About = dict[str, str | int | float | bool]

RUN_S = 1e6
"""Longest run, s of the mouse's time: 11 days."""
IGNORED_SIGNALS = (signal.SIGINT, signal.SIGHUP)


def run_mouse(end: socket.socket, memory: Any, spec: MouseSpec) -> None:
    """Run the process.

    Parameters
    ----------
    end : socket.socket
        This end of the connection to the plant.
    memory : multiprocessing.RawArray of bytes
        Where frames are drawn; the plant reads them there until it asks for the next.
    spec : MouseSpec
    """
    stand_alone(IGNORED_SIGNALS)
    threading.Thread(target=_end_with_controller, name="controller-watch", daemon=True).start()
    # A session's stdout may be one line of JSON; what a user's network prints is for the screen.
    sys.stdout = sys.stderr
    os.dup2(2, 1)
    link = Wire(end)
    live(link, np.frombuffer(memory, np.uint8).reshape(spec.height, spec.width, 3), spec)
    link.close()
    sys.stderr.flush()
    # At a normal exit Brian2 takes its time, and complains about the objects of a network that could not be used.
    os._exit(0)


def _end_with_controller() -> None:
    """Wait for the controller's end; a network that is stuck must not outlive it.

    A compiler may, for its few seconds: killed half-way it would leave half an extension where the next session looks.
    """
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
    os._exit(1)


def live(link: Wire, image: Image, spec: MouseSpec) -> None:
    """Build the network and run it until it is told to end; a failure is told in one line."""
    try:
        _live(link, image, spec)
    except Gone:
        pass
    except BaseException as error:  # noqa: BLE001 - whatever a user's network raises is told in one line
        text = str(error) if isinstance(error, InputError) else in_one_line(error, spec.network)
        with suppress(Gone):
            link.send(Failure(" ".join(text.split()), "".join(traceback.format_exception(error))))


def _live(link: Wire, image: Image, spec: MouseSpec) -> None:
    from insilico.brian import quiet_brian
    from insilico.target import choose_target

    link.send(Stage("loading Brian2"))
    chance = chance_from(spec.seed)
    target, why = choose_target(spec.codegen)
    version = quiet_brian(target, chance.brian)
    link.send(Stage("building the network"))
    tissue, names = build_tissue(spec, chance)
    ticks = _ticks(tissue, spec)

    def about() -> About:
        return _about(tissue, ticks, target, why, version) | {"rate_hz": round(stepper.film.rest_rate_hz(), 2)}

    stepper = make_stepper(tissue, spec, chance, ticks, image, _Meeting(link, spec.n_frames, about))
    link.send(Stage(f"{'compiling and ' * (target == 'cython')}settling the network"))
    run(tissue, stepper, names)
    if not stepper.ended:
        raise InputError(
            "the network stopped itself: something called stop(); leave that out, the session ends the run"
        )


def build_tissue(spec: MouseSpec, chance: Chance) -> tuple[Tissue, Mapping[str, Any]]:
    """Return what the function of the spec builds, checked, and the names at the top of its file."""
    import brian2 as b2

    build, names = load_build(spec.network)
    preparation = Preparation(spec.regions, spec.tones_hz, chance.build)
    before = b2.prefs.codegen.target
    tissue = check_tissue(build(preparation), preparation)
    if b2.prefs.codegen.target != before:
        raise InputError("sets prefs.codegen.target; leave that out, config.ini's key codegen chooses it")
    return tissue, names


def _ticks(tissue: Tissue, spec: MouseSpec) -> Ticks:
    return Ticks(float(next(iter(tissue.imaged.values())).clock.dt), spec.framerate)


def _about(tissue: Tissue, ticks: Ticks, target: str, why: str, version: str) -> About:
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

    def __init__(self, link: Wire, n_frames: int | None, about: Callable[[], About]) -> None:
        self._link = link
        self._left = n_frames
        self._about = about
        self._begun = False

    def __call__(self, shot: Shot) -> Go | None:
        """Hand a frame over when it is asked for; return what comes before the next one."""
        if not self._begun:
            self._begun = True
            self._link.send(Ready(self._about()))
            if self._next() is None:
                return None
        self._link.send(shot)
        if self._left is not None:
            self._left -= 1
            if not self._left:
                return None
        return self._next()

    def _next(self) -> Go | None:
        told = self._link.recv()
        if not (told is None or isinstance(told, Go)):
            raise TypeError(f"a mouse was told {told!r}")
        return told


def make_stepper(tissue: Tissue, spec: MouseSpec, chance: Chance, ticks: Ticks, image: Image, meet: Meet) -> Stepper:
    """Put what a step of the network needs together: cells in their places, film, spikes, licks."""
    places = [spec.regions[key] if isinstance(key, str) else key for key in tissue.imaged]
    groups = list(tissue.imaged.values())
    cells = place_cells(places, [len(group) for group in groups], tissue.region_radius_mm, spec, chance.place)
    film = Film(tissue, cells, spec, chance, image)
    return Stepper(tissue, film, SpikeCounter(groups), Licker(tissue.licks, chance.licks), ticks, meet)


def run(tissue: Tissue, stepper: Stepper, names: Mapping[str, Any]) -> None:
    """Make the one run of a network; returns when the stepper's meeting returned None. Raises what the network raises.

    Parameters
    ----------
    tissue : Tissue
    stepper : Stepper
    names : dict
        Names that equations may use beside the tissue's ``namespace``.
    """
    import brian2 as b2

    clock = next(iter(tissue.imaged.values())).clock
    # Before all else of a step, and after all of the step before it.
    tissue.network.add(at_each_step(clock, stepper.make_step(), "rigloop_plant", order=-(2**20)))
    tissue.network.run(RUN_S * b2.second, namespace=dict(names) | dict(tissue.namespace or {}))
