"""The process of a pose estimator: loads the model and answers for one frame after the other.

Spawned by ``behavior.pose_link.PoseLink``, in a session of its own so that Ctrl-C reaches only the controller. Owns the
model, with it PyTorch and the GPU's memory, and one thread that ends the process when the controller is gone, whatever
the model is doing. Ends when its socket does, when the controller is gone, and when the model fails, having said so.
A process, since a model that stalls can be ended no other way, and a crash in a library takes the whole process with
it.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from contextlib import suppress

from behavior.pose_spec import PoseSpec
from behavior.pose_wire import Answer, Failure, Gone, Ready, Stage, Wire
from core.errors import InputError, MissingError
from core.values import Image
from recording.child import stand_alone
from recording.ring import ImageRing

IGNORED_SIGNALS = (signal.SIGINT, signal.SIGHUP)
"""Not SIGTERM: with it the interpreter ends its daemons at its own exit, and waits for them."""
HANDLES = 2
"""Descriptors in the first message: the shared memory and the controller's pidfd."""


def run_pose(end: socket.socket, spec: PoseSpec) -> None:
    """Run the process.

    Parameters
    ----------
    end : socket.socket
        This end of the connection to the estimator; its first message brings the shared memory's descriptor and the
        controller's pidfd.
    spec : PoseSpec
    """
    stand_alone(IGNORED_SIGNALS)
    # Undoes the loop's pin to a core of its own: that core is no place for a model.
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    # A session's stdout may be one line of JSON; what a library prints is for the screen.
    sys.stdout = sys.stderr
    os.dup2(2, 1)
    handles = socket.recv_fds(end, 16, HANDLES)[1]
    if len(handles) == HANDLES:
        memory, controller = handles
        threading.Thread(target=_end_with_controller, args=(controller,), name="controller-watch", daemon=True).start()
        image = ImageRing(memory, 1, spec.shape, "uint8").images[0]
        image.flags.writeable = False
        live(Wire(end), image, spec)
    sys.stderr.flush()
    # At a normal exit libraries take their time, or crash.
    os._exit(0)


def _end_with_controller(controller: int) -> None:
    """Wait for the controller's end: a forked relative of it may hold the socket open, and a model may hang."""
    select.select([controller], [], [])
    os._exit(1)


def live(wire: Wire, image: Image, spec: PoseSpec) -> None:
    """Load the model and answer until the other end hangs up; a failure is told in one line."""
    try:
        _live(wire, image, spec)
    except Gone:
        pass
    except BaseException as error:  # noqa: BLE001 - whatever a model raises is told in one line
        with suppress(Gone):
            wire.say(_failure(error))


def _live(wire: Wire, image: Image, spec: PoseSpec) -> None:
    model = spec.load(lambda text: wire.say(Stage(text)))
    _take_priority(spec.priority)
    wire.say(Ready(model.names, dict(model.facts)))
    while True:
        number = wire.asked()
        start_ns = time.monotonic_ns()
        points = model.estimate(image, number)
        wire.say(Answer(points, start_ns, time.monotonic_ns()))


def _take_priority(priority: int) -> None:
    """Run this thread before every ordinary one; the model's other threads stay as they are.

    A frame must not wait for its pose until another program, such as the recorder's encoder, gives a core up, which
    takes milliseconds. The other threads share what cores are left: a model that is always at work starves nobody.
    Without the right to it nothing changes; that the loop has none either is what a person is told.
    """
    if priority:
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))


def _failure(error: BaseException) -> Failure:
    text = " ".join(str(error).split())
    details = "".join(traceback.format_exception(error))
    if isinstance(error, InputError):
        return Failure("input", text, details)
    if isinstance(error, MissingError):
        return Failure("missing", text, details)
    return Failure("raised", f"{type(error).__name__}: {text}" if text else type(error).__name__, details)
