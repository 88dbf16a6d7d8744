"""Whole sessions by the hundred in one process: what each pays on a rig once, and that no test of theirs is about.

A simulated mouse is a process that begins by loading Brian2, which takes more than a second; here it is forked from one
that has done so. And before its first frame a session collects garbage in all that its process holds, which here is a
few thousand tests. ``tests/realtime`` starts both as a rig does.
"""

import gc
import multiprocessing
from multiprocessing import forkserver
from types import SimpleNamespace

import pytest

from hardware import realtime
from insilico import plant

LIBRARIES = ["brian2"]
"""No module of the project: the server may find another copy of it than the tests do."""
QUIET = "ignore:Could not delete log file:UserWarning"
"""Brian2's log was the server's, and the first mouse has deleted it."""


def forked(method):
    """Return a context whose processes are forked from the server, which this starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONWARNINGS", QUIET)
        forkserver.ensure_running()
    return multiprocessing.get_context("forkserver")


@pytest.fixture(scope="package", autouse=True)
def quick_start():
    """Import this fixture into the conftest of a package, where it then holds."""
    multiprocessing.set_forkserver_preload(LIBRARIES)
    young = SimpleNamespace(**{name: getattr(gc, name) for name in ("freeze", "unfreeze", "enable", "disable")})
    young.collect = lambda: gc.collect(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plant, "multiprocessing", SimpleNamespace(get_context=forked))
        patch.setattr(realtime, "gc", young)
        yield
