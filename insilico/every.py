"""Calls Python at each step of a network, or at every so many, at next to no cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brian2 import NetworkOperation


def at_each_step(clock: Any, call: Callable[[], None], name: str, order: int) -> NetworkOperation:
    """Return an operation that calls ``call()`` at the beginning of each step of ``clock``; lowest order first."""
    import brian2 as b2

    operation = b2.NetworkOperation(call, clock=clock, when="start", order=order, name=name)
    # The method of this name would only call it; at thousands of steps a second that can be seen.
    operation.run = call
    return operation


def every(clock: Any, period_s: float, call: Callable[[float], None], name: str) -> NetworkOperation:
    """Return an operation that calls ``call(dt_s)`` on ``clock``, every ``period_s`` (s) rounded to whole steps.

    On a network operation with a time step of its own Brian2 would have to look after two clocks at each step.
    """
    dt_s = float(clock.dt)
    steps = max(1, round(period_s / dt_s))
    left = 1

    def count() -> None:
        nonlocal left
        left -= 1
        if not left:
            left = steps
            call(steps * dt_s)

    return at_each_step(clock, count, name, order=-1)
