"""What the tests of the command line share."""

import shutil
import signal
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.main import main
from core.clock import MonotonicClock
from core.errors import OutputError
from core.values import Report
from hardware.ledger import Ledger, Opening
from recording import lock_file
from session import rig_outputs
from session.stop import SIGNALS
from tests.cli.words import ROOT
from tests.support.outputs import VirtualGuard
from tests.support.quick_start import quick_start as quick_start


@contextmanager
def signals_kept():
    """``rigloop run`` keeps the signals caught for good; this process goes on."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def signals_as_before():
    with signals_kept():
        yield


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


@pytest.fixture
def own_locks(monkeypatch, tmp_path):
    """Locks of this test's own: another program on this machine may hold rig1."""
    folder = tmp_path / "locks"
    folder.mkdir()
    folder.chmod(0o1777)
    monkeypatch.setattr(lock_file, "SHARED_FOLDERS", (folder,))


class QuickGuard(VirtualGuard):
    """A guardian without a process on the host's clock, for openings of a few ms; writes the ledger as the real one."""

    def __init__(self, spec):
        super().__init__(MonotonicClock(), spec.outputs)
        self.spec = spec
        self.killed_ns = None
        self._sync = 0

    def pulse(self, asked, time_ns):
        before = len(self.pulses)
        super().pulse(asked, time_ns)
        if len(self.pulses) > before:
            self._write(asked)

    def reports(self):
        if self.killed_ns is not None and self._clock.now_ns() > self.killed_ns:
            raise OutputError("guardian: it was killed; its lines are low")
        return super().reports() + self._sync_edge()

    def _sync_edge(self):
        """The line that pulses by itself."""
        if not self.spec.pins.pin_sync or "sync" in self.dead:
            return ()
        self._sync = 1 - self._sync
        return (Report(self._clock.now_ns(), "sync", str(self._sync)),)

    def close(self):
        if not self.closed and self.pulses:
            cut_ns = self.pulses[-1][1] - self._clock.now_ns()
            if cut_ns > 0 and self.killed_ns is None:
                self._write(-cut_ns / 1e9)
        super().close()

    def _write(self, seconds):
        row = Opening(self._clock.wall_ns(), self.spec.purpose, seconds)
        for path in self.spec.ledgers:
            ledger = Ledger(path)
            ledger.add(row)
            ledger.close()


@pytest.fixture
def guards(monkeypatch):
    """The guardians that a command made, in place of processes."""
    made = []
    monkeypatch.setattr(rig_outputs, "LEAST_PAUSE_S", 0.0)
    monkeypatch.setattr(rig_outputs, "make_guard", lambda spec: made.append(QuickGuard(spec)) or made[-1])
    return made
