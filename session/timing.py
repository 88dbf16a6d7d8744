"""Latencies of a session: one number per frame, kept without allocating in the loop, and their percentiles."""

from __future__ import annotations

from array import array

import numpy as np
import numpy.typing as npt


class Latencies:
    """Camera-to-command latency of every frame, in ns.

    Memory is 8 bytes a frame (a 45-minute session at 100 frames/s: 2 MB).
    """

    def __init__(self) -> None:
        self._ns = array("q")

    def add(self, latency_ns: int) -> None:
        """Take one frame's latency."""
        self._ns.append(latency_ns)

    def ns(self) -> npt.NDArray[np.int64]:
        """Return a copy of all latencies, (frames,) int64 ns."""
        return np.array(self._ns, np.int64)

    def percentiles_us(self) -> dict[str, float]:
        """Return p50, p99, p999 and max in us; 0 without frames."""
        if not self._ns:
            return {"p50": 0.0, "p99": 0.0, "p999": 0.0, "max": 0.0}
        us = self.ns() / 1000
        p50, p99, p999 = np.percentile(us, (50, 99, 99.9))
        return {
            "p50": round(float(p50), 1),
            "p99": round(float(p99), 1),
            "p999": round(float(p999), 1),
            "max": round(float(us.max()), 1),
        }
