"""Writes the ledgers without anybody waiting for the disk.

Owns two threads, which end with ``close``, or with their process; rows that were handed over are then in the system's
memory at least. A memory card may take seconds to store one row: meanwhile the next ones go into the system's memory,
where every reader finds them, and the one who hands them over goes on at once.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from core.errors import OutputError
from hardware.ledger import Ledger, Opening
from hardware.realtime import become_realtime


class Scribe:
    """The threads.

    Parameters
    ----------
    paths : sequence of Path
        The ledgers; each row goes into all of them, in this order.
    files : sequence of int
        They, where they are held already (``hardware.ledger.hold_ledger``); else empty.
    tell : callable
        Called by the thread once for each row, in their order, when it stands in the ledgers.

    Attributes
    ----------
    problem : str
        Why rows cannot be written; empty while they can.
    """

    def __init__(
        self, paths: Sequence[Path], files: Sequence[int] = (), tell: Callable[[], None] = lambda: None
    ) -> None:
        self.problem = ""
        self._tell = tell
        self._ledgers = [Ledger(*held) for held in zip(paths, files or [-1] * len(paths), strict=True)]
        self._rows: queue.SimpleQueue[Opening | None] = queue.SimpleQueue()
        self._written: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=work, name=f"rigloop-scribe-{work.__name__}", daemon=True)
            for work in (self._write, self._store)
        ]
        for thread in self._threads:
            thread.start()

    def add(self, row: Opening) -> None:
        """Hand a row over; does not wait."""
        self._rows.put(row)

    def close(self, timeout_s: float) -> bool:
        """Write what is left and end; return whether it is all on the disk."""
        self._rows.put(None)
        self._threads[1].join(timeout_s)
        return not (self._threads[1].is_alive() or self.problem)

    def _write(self) -> None:
        # Just above ordinary programs, so that none of them stops it while it holds the interpreter's lock.
        become_realtime(1)
        row = self._rows.get()
        while row is not None:
            # A correction without its opening would take from another one.
            if row.seconds > 0 or not self.problem:
                self._try(partial(self._add, row))
            self._written.put(True)
            row = self._rows.get()
        self._written.put(False)

    def _store(self) -> None:
        while self._written.get():
            if self._written.empty():
                self._try(self._sync)
        self._try(self._sync)
        for ledger in self._ledgers:
            ledger.close()

    def _add(self, row: Opening) -> None:
        for ledger in self._ledgers:
            ledger.add(row)
        self._tell()

    def _sync(self) -> None:
        for ledger in self._ledgers:
            ledger.sync()

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except OutputError as error:
            self.problem = self.problem or str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, a row is missing, and a person must know
            self.problem = self.problem or f"water of the day: {type(error).__name__}: {error}; report this"
