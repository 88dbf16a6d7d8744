"""A pipeline that does not look at the image, for whole sessions in which a test says what the signal is."""

from collections.abc import Callable

from core.values import Frame, Signal


class Scripted:
    """Gives the signal that a function of time names, for the one ROI M1_L.

    Parameters
    ----------
    value : callable
        From the time since the first frame, s, to dF/F.
    """

    names = ("M1_L",)

    def __init__(self, value: Callable[[float], float]) -> None:
        self._value = value
        self._first_ns: int | None = None

    def update(self, frame: Frame) -> Signal:
        if self._first_ns is None:
            self._first_ns = frame.time_ns
        value = self._value((frame.time_ns - self._first_ns) / 1e9)
        return Signal(value, True, "", (value,))


def every(period_s: float, high: float = 0.06, climb: float = 0.04) -> Callable[[float], float]:
    """A signal that climbs from 0 to ``climb`` in each period and is ``high`` in the last tenth of it."""

    def value(time_s: float) -> float:
        part = time_s % period_s / period_s
        return high if part >= 0.9 else climb * part

    return value
