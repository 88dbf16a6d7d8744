"""Frames in whole time steps of the network: their periods are no multiples of it."""

from __future__ import annotations

from fractions import Fraction

from core.errors import InputError


class Ticks:
    """Turns frames and times into steps, exactly: frame k is the step nearest to k frame periods.

    At 15 frames/s and 0.1 ms the frames are 666 or 667 steps apart, and never drift from their rate.

    Parameters
    ----------
    dt_s : float
        Time step of the network, s; whole ns.
    framerate : float
        Frames per second.

    Attributes
    ----------
    dt_ns : int
        Time step, ns.
    """

    def __init__(self, dt_s: float, framerate: float) -> None:
        self.dt_ns = round(dt_s * 1e9)
        if self.dt_ns < 1000 or abs(dt_s * 1e9 - self.dt_ns) > 1e-3:
            raise InputError(f"its time step is {dt_s * 1e6:.12g} us; give 1 us or more, in whole ns")
        self._period = Fraction(10**9) / (Fraction(framerate) * self.dt_ns)
        if self._period < 1:
            raise InputError(
                f"its time step of {dt_s * 1e3:g} ms is longer than a frame at {framerate:g} frames/s "
                f"({1e3 / framerate:.3g} ms); shorten it, or lower framerate"
            )

    def of_frame(self, index: int) -> int:
        """Return the step of frame ``index``, from 0; halves are rounded up."""
        return (index * self._period + Fraction(1, 2)).__floor__()

    def at(self, time_ns: int) -> int:
        """Return the step nearest to ``time_ns``."""
        return (time_ns + self.dt_ns // 2) // self.dt_ns

    def time_ns(self, tick: int) -> int:
        """Return the time at the beginning of a step, ns."""
        return tick * self.dt_ns
