"""Writes the ledger without anybody waiting for the disk.

Owns one thread, which ends with ``close``, or with its process; rows that were handed over are then in the system's
memory at least. A memory card may take most of a second for one row: the one who hands it over goes on at once.
"""

from __future__ import annotations

import queue
import threading
from pathlib import Path

from core.errors import OutputError
from hardware.ledger import Ledger, Opening
from hardware.realtime import become_realtime


class Scribe:
    """The thread.

    Parameters
    ----------
    path : Path
        The ledger.

    Attributes
    ----------
    problem : str
        Why rows cannot be written; empty while they can.
    """

    def __init__(self, path: Path) -> None:
        self.problem = ""
        self._ledger = Ledger(path)
        self._rows: queue.SimpleQueue[Opening | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="rigloop-scribe", daemon=True)
        self._thread.start()

    def add(self, row: Opening) -> None:
        """Hand a row over; does not wait."""
        self._rows.put(row)

    def close(self, timeout_s: float) -> bool:
        """Write what is left and end; return whether it is all on the disk."""
        self._rows.put(None)
        self._thread.join(timeout_s)
        return not (self._thread.is_alive() or self.problem)

    def _write(self) -> None:
        # Just above ordinary programs, so that none of them stops it while it holds the interpreter's lock.
        become_realtime(1)
        row = self._rows.get()
        while row is not None:
            try:
                self._ledger.add(row)
                if self._rows.empty():
                    self._ledger.sync()
            except OutputError as error:
                self.problem = str(error)
            row = self._rows.get()
        self._ledger.close()
