"""Signs of life of controller, guardian and watcher: a page of shared memory on which each counts upwards.

The rows of the ledger are counted there as well, each when every reader of the file finds it.

Nobody needs to read it for a writer to go on, and a process that is stopped or killed leaves no message behind: it
just stops counting.
"""

from __future__ import annotations

import mmap
import os
from enum import IntEnum

PAGE_BYTES = 4096


class Who(IntEnum):
    """Whose count; ROWS are those that the watcher has written."""

    CONTROLLER = 0
    GUARDIAN = 1
    WATCHER = 2
    ROWS = 3


def make_life_memory() -> int:
    """Return a descriptor of a fresh page; the caller closes it."""
    memory = os.memfd_create("rigloop-life", os.MFD_CLOEXEC)
    os.ftruncate(memory, PAGE_BYTES)
    return memory


class Life:
    """The page.

    Parameters
    ----------
    memory : int
        Its descriptor; still the caller's.
    """

    def __init__(self, memory: int) -> None:
        self._page = mmap.mmap(memory, PAGE_BYTES)
        self._counts = memoryview(self._page).cast("q")

    def beat(self, who: Who) -> None:
        """Give a sign of life, or tell of one row more."""
        self._counts[who] += 1

    def count(self, who: Who) -> int:
        """Return how many there were."""
        return self._counts[who]

    def close(self) -> None:
        """Let go of the page. Twice is legal."""
        if not self._page.closed:
            self._counts.release()
            self._page.close()


class Silence:
    """How long a count has stood still, in time during which the one who looks was awake itself.

    A machine that stood still as a whole (a virtual machine that was not scheduled, a laptop's lid) is nobody's
    silence: of the time between two looks at most ``longest_ns`` counts.

    Parameters
    ----------
    longest_ns : int
        Two looks are no further apart than this, ns, unless the looker was held up.
    """

    def __init__(self, longest_ns: int) -> None:
        self._longest_ns = longest_ns
        self._count = -1
        self._looked_ns = 0
        self.ns = 0

    def look(self, count: int, now_ns: int) -> int:
        """Return for how long there was no sign of life, ns."""
        if count != self._count:
            self.ns = 0
            self._count = count
        else:
            self.ns += min(now_ns - self._looked_ns, self._longest_ns)
        self._looked_ns = now_ns
        return self.ns

    def heard(self) -> None:
        """Take a message for a sign of life."""
        self.ns = 0
