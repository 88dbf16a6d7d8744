"""Intervals of time that a test gives to a process which is running already."""

import ctypes
import multiprocessing


class SharedSpans:
    """Up to 64 intervals (start and end, CLOCK_MONOTONIC, ns), in memory that a spawned process shares."""

    MOST = 64

    def __init__(self):
        self._edges = multiprocessing.get_context("spawn").RawArray(ctypes.c_longlong, 2 * self.MOST)

    def give(self, spans):
        """Set them, and return them."""
        assert len(spans) <= self.MOST
        for place, (begin, end) in enumerate(spans):
            # The end first: an interval that is half given is none.
            self._edges[2 * place + 1] = end
            self._edges[2 * place] = begin
        return spans

    def __iter__(self):
        for place in range(self.MOST):
            begin, end = self._edges[2 * place], self._edges[2 * place + 1]
            if begin:
                yield begin, end
