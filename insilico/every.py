"""Calls a function at a fixed number of time steps, from inside a network and at next to no cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brian2 import NetworkOperation


def every(clock: Any, period_s: float, call: Callable[[float], None], name: str) -> NetworkOperation:
    """Return an operation that calls ``call(dt_s)`` on ``clock``, every ``period_s`` (s) rounded to whole steps.

    On a network operation with a time step of its own Brian2 would have to look after two clocks at each step.
    """
    import brian2 as b2

    dt_s = float(clock.dt)
    steps = max(1, round(period_s / dt_s))
    left = 1

    def count() -> None:
        nonlocal left
        left -= 1
        if not left:
            left = steps
            call(steps * dt_s)

    return b2.NetworkOperation(count, clock=clock, when="start", order=-1, name=name)
