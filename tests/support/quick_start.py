"""Whole sessions by the hundred in one process: what each pays on a rig once, and that no test of theirs is about.

A simulated mouse is a process that begins by loading Brian2, which takes more than a second, and one that finds poses
loads PyTorch; here they are forked from one that has done so. And before its first frame a session collects garbage in
all that its process holds, which here is a few thousand tests. Other tests of ``tests/realtime`` start them as a rig
does.
"""

import gc
import multiprocessing
from multiprocessing import forkserver
from types import SimpleNamespace

import pytest

from hardware import realtime
from insilico import plant

QUIET = "ignore:Could not delete log file:UserWarning"
"""Brian2's log was the server's, and the first mouse has deleted it."""


def forked(*libraries):
    """Return what a module may have in place of ``multiprocessing``: its processes begin with these loaded.

    No module of the project may be one of them: the server may find another copy of it than the tests do.
    """

    def get_context(method):
        multiprocessing.set_forkserver_preload(list(libraries))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONWARNINGS", QUIET)
            # As behavior.dlc has it, before PyTorch is there.
            patch.setenv("OMP_WAIT_POLICY", "PASSIVE")
            forkserver.ensure_running()
        return multiprocessing.get_context("forkserver")

    return SimpleNamespace(get_context=get_context)


@pytest.fixture(scope="package", autouse=True)
def quick_start():
    """Import this fixture into the conftest of a package, where it then holds."""
    young = SimpleNamespace(**{name: getattr(gc, name) for name in ("freeze", "unfreeze", "enable", "disable")})
    young.collect = lambda: gc.collect(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plant, "multiprocessing", forked("brian2"))
        patch.setattr(realtime, "gc", young)
        yield
