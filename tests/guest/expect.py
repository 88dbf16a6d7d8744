"""What checks share: an error that must come, and a wait for what must become true."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from core.clock import MonotonicClock

CLOCK = MonotonicClock()


@contextlib.contextmanager
def raises(kind: type[BaseException], words: str) -> Iterator[None]:
    """Fail unless the block raises ``kind`` with a text that has ``words``. pytest takes seconds to import here."""
    try:
        yield
    except kind as error:
        if words.lower() not in str(error).lower():
            raise AssertionError(f"{words!r} is not in: {error}") from error
    else:
        raise AssertionError(f"no {kind.__name__} came")


def wait_until(true: Callable[[], bool], timeout_s: float = 10.0, what: str = "it") -> int:
    """Return (CLOCK_MONOTONIC, ns) when ``true()``; fail if it does not become so."""
    end = CLOCK.now_ns() + round(timeout_s * 1e9)
    while not true():
        if CLOCK.now_ns() > end:
            raise AssertionError(f"{what} did not happen in {timeout_s} s")
        CLOCK.sleep_until_ns(CLOCK.now_ns() + 1_000_000)
    return CLOCK.now_ns()
