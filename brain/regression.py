"""The slope of green on blue dF/F over the history, by running sums that are exact. Pure."""

from __future__ import annotations

import math
from collections import deque

FRACTION_BITS = 80
"""Fixed point: dF/F in units of 2**-80. A float64 above 2**-27 in size (1e-8) is held exactly; below, to 1e-24."""
MIN_BLUE_SD_BITS = 30
"""Blue dF/F whose standard deviation (of the population) is below 2**-30 (1e-9) counts as constant.

Chosen because equal images give blue dF/F that differs by the rounding of float64, 1e-16 to 1e-13, and a slope
between such values is noise divided by noise, of any size. A photon noise of 1e-9 would take 1e18 electrons per frame;
a million pixels collect about 1e10 (noise 1e-5).
"""


class RunningSlope:
    """Least-squares slope (with intercept) of the frames remembered; see ``beta``.

    Whole numbers of any length (Python's int) are added and subtracted without error, so that nothing drifts over a
    session and the slope does not depend on what was forgotten long ago.
    """

    def __init__(self) -> None:
        self._pairs: deque[tuple[int, int] | None] = deque()
        self._count = self._x = self._y = self._xy = self._xx = 0

    def remember(self, green: float, blue: float) -> None:
        """Take in the dF/F of one frame; NaN keeps a place, to be forgotten in turn, but counts for nothing."""
        if not (math.isfinite(green) and math.isfinite(blue)):
            self._pairs.append(None)
            return
        pair = int(math.ldexp(blue, FRACTION_BITS)), int(math.ldexp(green, FRACTION_BITS))
        self._pairs.append(pair)
        self._add(*pair, 1)

    def forget(self) -> None:
        """Forget the oldest frame."""
        pair = self._pairs.popleft()
        if pair is not None:
            self._add(*pair, -1)

    def beta(self) -> float:
        """Return cov(green, blue) / var(blue); 0 where blue is constant (``MIN_BLUE_SD_BITS``) or there is no frame."""
        # Both times count**2.
        variance = self._count * self._xx - self._x * self._x
        least = self._count * self._count << 2 * (FRACTION_BITS - MIN_BLUE_SD_BITS)
        if self._count == 0 or variance < least:
            return 0.0
        return (self._count * self._xy - self._x * self._y) / variance

    def _add(self, x: int, y: int, sign: int) -> None:
        self._count += sign
        self._x += sign * x
        self._y += sign * y
        self._xy += sign * x * y
        self._xx += sign * x * x
