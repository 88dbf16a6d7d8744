"""What the tests of the command line share."""

import shutil
import signal
from pathlib import Path

import pytest

from cli.main import main
from core.clock import MonotonicClock
from session import rig_outputs
from session.stop import SIGNALS
from tests.cli.words import ROOT
from tests.support.outputs import VirtualGuard


@pytest.fixture(autouse=True)
def signals_as_before():
    """``rigloop run`` keeps the signals caught for good; this process goes on."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def config(tmp_path):
    return Path(shutil.copy(ROOT / "config.ini", tmp_path / "config.ini"))


@pytest.fixture
def rigloop(capsys, config):
    """Run one command in this process; return (exit code, stdout, stderr)."""

    def call(*words):
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        return code, out, err

    return call


class QuickGuard(VirtualGuard):
    """A guardian without a process on the host's clock, for openings of a few ms."""

    def __init__(self, spec):
        super().__init__(MonotonicClock(), spec.outputs)
        self.spec = spec


@pytest.fixture
def guards(monkeypatch):
    """The guardians that a command made, in place of processes."""
    made = []
    monkeypatch.setattr(rig_outputs, "LEAST_PAUSE_S", 0.0)
    monkeypatch.setattr(rig_outputs, "make_guard", lambda spec: made.append(QuickGuard(spec)) or made[-1])
    return made
