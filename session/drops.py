"""Drops that a person asks for outside a session: free water, a flush, a calibration. Paced, and stopped at once.

Makes no thread. The guardian behind the valve bounds what comes out whatever happens here; this only asks it for one
opening after another, tells it that somebody is alive, and looks whether somebody wants the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from core.errors import OutputError
from core.ports import Clock, Valve
from core.values import Report, as_ns, as_seconds

LOOK_NS = 20_000_000
"""Longest time between two looks at the stop flag, ns; also the guardian's sign of life."""
GRACE_S = 12.0
"""How long an opening may be late before the valve counts as stuck, s: a drop may wait out the guardian's 10 s of
``max_duty``."""


ENDS = ("water_cut", "lines_low", "refused")
"""Reports after which no drop will come as it was asked for; ``water_wait`` only tells of a delay."""


class Outputs(Protocol):
    """What is needed of ``hardware.guard.Guard``."""

    @property
    def valve(self) -> Valve:
        """The valve."""

    def reports(self) -> tuple[Report, ...]:
        """Return the edges that were made since the last look. Raises OutputError when the guardian is lost."""

    def alive(self) -> None:
        """Tell the guardian that somebody is there."""


@dataclass(frozen=True, slots=True)
class DropPlan:
    """What is asked for.

    Attributes
    ----------
    pulses : int
    duration_s : float
        Of each opening, s.
    pause_s : float
        From the end of one to the start of the next, s.
    """

    pulses: int
    duration_s: float
    pause_s: float

    @property
    def total_s(self) -> float:
        """Return how long it takes, s, the last pause left out."""
        return self.pulses * (self.duration_s + self.pause_s) - self.pause_s


@dataclass(frozen=True, slots=True)
class Given:
    """What came out.

    Attributes
    ----------
    pulses : int
        Openings that have ended.
    seconds : float
        Time the valve was open, by the guardian's own stamps, s.
    stopped : bool
        Whether somebody asked for the end before the last one.
    """

    pulses: int
    seconds: float
    stopped: bool


class _Edges:
    """Counts openings from the guardian's reports."""

    def __init__(self) -> None:
        self.pulses = 0
        self.open_ns = 0
        self._up_ns = -1

    def take(self, reports: tuple[Report, ...]) -> None:
        """Take note of what the guardian tells. Raises OutputError where it cut or refused water."""
        for report in reports:
            if report.kind != "edge" or report.detail.split()[:1] != ["valve"]:
                continue
            if report.detail.split()[1] == "1":
                self._up_ns = report.time_ns
            elif self._up_ns >= 0:
                self.open_ns += report.time_ns - self._up_ns
                self.pulses += 1
                self._up_ns = -1
        # All edges first, for the error that tells how much was given.
        for report in reports:
            if report.kind in ENDS:
                raise OutputError(f"valve: the guardian gave no more water ({report.kind}: {report.detail})")

    def running_ns(self, now_ns: int) -> int:
        """Return how long the opening that has not ended has lasted, ns."""
        return max(0, now_ns - self._up_ns) if self._up_ns >= 0 else 0


def give_drops(
    outputs: Outputs,
    plan: DropPlan,
    clock: Clock,
    stop: Callable[[], bool],
    told: Callable[[int, float], None] | None = None,
) -> Given:
    """Open the valve as planned, until it is done or ``stop()`` is true. The caller closes ``outputs``, at once.

    Parameters
    ----------
    outputs : Outputs
        Started.
    plan, clock
    stop : callable
        Looked at every ``LOOK_NS``.
    told : callable
        ``told(pulses, left_s)``, as often: openings so far, and time that is left.

    Raises
    ------
    OutputError
        The guardian refuses an opening, is lost, or the valve's line does not answer; tells what was given before.
    """
    edges = _Edges()
    try:
        return _give(outputs, plan, clock, stop, told, edges)
    except OutputError as error:
        running = min(edges.running_ns(clock.now_ns()), as_ns(plan.duration_s))
        pulses = f"{edges.pulses} of {plan.pulses} openings" + " and part of one" * bool(running)
        raise OutputError(f"{error}; given: {pulses}, {as_seconds(edges.open_ns + running):.3f} s of water") from error


def _give(
    outputs: Outputs,
    plan: DropPlan,
    clock: Clock,
    stop: Callable[[], bool],
    told: Callable[[int, float], None] | None,
    edges: _Edges,
) -> Given:
    start_ns = due_ns = clock.now_ns()
    step_ns = as_ns(plan.duration_s + plan.pause_s)
    asked = 0
    while edges.pulses < plan.pulses:
        now_ns = clock.now_ns()
        if stop():
            edges.take(outputs.reports())
            return Given(edges.pulses, as_seconds(edges.open_ns + edges.running_ns(now_ns)), stopped=True)
        # One at a time: an opening that waits for max_duty holds back the next, and a stop finds none queued.
        if asked < plan.pulses and asked == edges.pulses and now_ns >= due_ns:
            outputs.valve.pulse(plan.duration_s, now_ns)
            asked, due_ns = asked + 1, now_ns + step_ns
        if now_ns > due_ns + as_ns(GRACE_S):
            raise OutputError(
                f"valve: opening {asked} of {plan.duration_s:g} s was not over {GRACE_S:g} s after its time; look at "
                "the board with rigloop doctor"
            )
        outputs.alive()
        if told is not None:
            told(edges.pulses, max(0.0, plan.total_s - as_seconds(now_ns - start_ns)))
        wake_ns = now_ns + LOOK_NS
        clock.sleep_until_ns(min(wake_ns, due_ns) if asked == edges.pulses and due_ns > now_ns else wake_ns)
        edges.take(outputs.reports())
    return Given(edges.pulses, as_seconds(edges.open_ns), stopped=False)
