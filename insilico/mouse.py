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
from insilico.assemble import build_network, make_stepper
from insilico.every import at_each_step
from insilico.film import chance_from
from insilico.load import in_one_line
from insilico.preparation import Living
from insilico.spec import Failure, Go, MouseSpec, Ready, Shot, Stage
from insilico.stepper import Stepper
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
    living, names = build_network(spec, chance)
    ticks = _ticks(living, spec)

    def about() -> About:
        return _about(living, ticks, target, why, version) | {"rate_hz": round(stepper.film.rest_rate_hz(), 2)}

    stepper = make_stepper(living, spec, chance, ticks, image, _Meeting(link, spec.n_frames, about))
    link.send(Stage(f"{'compiling and ' * (target == 'cython')}settling the network"))
    run(living, stepper, names)
    if not stepper.ended:
        raise InputError(
            "the network stopped itself: something called stop(); leave that out, the session ends the run"
        )


def _ticks(living: Living, spec: MouseSpec) -> Ticks:
    return Ticks(float(living.groups[0].clock.dt), spec.framerate)


def _about(living: Living, ticks: Ticks, target: str, why: str, version: str) -> About:
    """Return what the screen and the session's record say of the mouse."""
    sources = {id(source): len(source) for source in _sources(living)}
    return {
        "name": living.name,
        "cells": sum(sources.values()),
        "dt_us": ticks.dt_ns / 1000,
        "target": target,
        "why": why,
        "brian2": version,
        "hears": living.hear is not None,
        "drinks": living.drink is not None,
    }


def _sources(living: Living) -> list[Any]:
    from brian2.core.spikesource import SpikeSource

    return [each for each in living.network.objects if isinstance(each, SpikeSource)]


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


def run(living: Living, stepper: Stepper, names: Mapping[str, Any]) -> None:
    """Make the one run of a network; returns when the stepper's meeting returned None. Raises what the network raises.

    Parameters
    ----------
    living : Tissue or Body
    stepper : Stepper
    names : dict
        Names that equations may use beside its ``namespace``.
    """
    import brian2 as b2

    clock = living.groups[0].clock
    # Before all else of a step, and after all of the step before it.
    living.network.add(at_each_step(clock, stepper.make_step(), "rigloop_plant", order=-(2**20)))
    living.network.run(RUN_S * b2.second, namespace=dict(names) | dict(living.namespace or {}))
