"""Lives inside the one Brian2 run: counts spikes at every step, and does what is due at whole steps.

Due are the beats of the film (its indicator, or its limb), the edges of the water, and the frames. Between them a step
costs one comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Protocol

from insilico.licks import Licker
from insilico.preparation import Living
from insilico.spec import Go, Shot
from insilico.spikes import Counts, SpikeCounter
from insilico.ticks import Ticks

BEAT_S = 0.02
"""Longest step of a film, s: a third of the indicator's rise, and exact to second order, which leaves less than 1 %."""
REST_SHARE = 0.6
"""Last part of the time before the first frame that is called resting."""

Meet = Callable[[Shot], Go | None]
"""Hands over a frame that has been drawn, and waits for what is to be done until the next; None ends the run."""


class AnyFilm(Protocol):
    """Turns spikes into frames. Called by the network, in the thread that runs it."""

    def step(self, spikes: Counts, dt_s: float, *, resting: bool = False) -> None:
        """Go ``dt_s`` (s) on; ``spikes`` (n,) of the cells that are seen fell into it."""

    def settle(self) -> None:
        """Take note that the first frame comes now."""

    def rest_rate_hz(self) -> float:
        """Return how often a cell fired in the resting steps, spikes/s; NaN where there were none."""

    def shoot(self) -> None:
        """Draw the frame of this moment, over the one before."""


class Stepper:
    """One step of the network after the other. Called by the network, in the thread that runs it.

    Parameters
    ----------
    living : Tissue or Body
    film : AnyFilm
    spikes : SpikeCounter
    licker : Licker
    ticks : Ticks
    meet : callable
        See ``Meet``.

    Attributes
    ----------
    film : AnyFilm
    ended : bool
        Whether the meeting has asked for the end.
    """

    def __init__(
        self, living: Living, film: AnyFilm, spikes: SpikeCounter, licker: Licker, ticks: Ticks, meet: Meet
    ) -> None:
        self._living = living
        self.film = film
        self._spikes = spikes
        self._licker = licker
        self._ticks = ticks
        self._meet = meet
        settle = ticks.at(round(living.settle_s * 1e9))
        # Steps are counted from the first frame, so that settling happens at negative ones.
        self._tick = -settle
        self._resting_from = -round(settle * REST_SHARE)
        self._last_beat = self._tick
        self._beat = max(1, ticks.at(round(BEAT_S * 1e9)))
        self.ended = False
        self._frame = 0
        self._frame_tick = 0
        self._edges: list[tuple[int, int]] = []
        self._flowing = 0

    def make_step(self) -> Callable[[], None]:
        """Return what is to be called at the beginning of each step; made of local names, as it is called so often."""
        look, act = self._spikes.look, self._act
        tick = due = self._tick

        def step() -> None:
            nonlocal tick, due
            look()
            if tick == due:
                due = act(tick)
            tick += 1

        return step

    def _act(self, tick: int) -> int:
        """Water first, then the film's beat, then the frame, which may ask for water at once; return what is due."""
        self._tick = tick
        self._pour()
        self._go_on()
        if tick == self._frame_tick:
            self._shoot()
            self._pour()
        due = min(self._frame_tick, tick + self._beat)
        return min(due, self._edges[0][0]) if self._edges else due

    def _go_on(self) -> None:
        passed = self._tick - self._last_beat
        if not passed:
            # What stands in the list of spikes before the first step is none of this run's.
            self._spikes.take()
        else:
            resting = self._resting_from <= self._last_beat < 0
            self.film.step(self._spikes.take(), passed * self._ticks.dt_ns / 1e9, resting=resting)
            self._last_beat = self._tick

    def _pour(self) -> None:
        """Let water begin and end. Openings do not overlap, so that an end comes before the next beginning."""
        while self._edges and self._edges[0][0] <= self._tick:
            _, change = heappop(self._edges)
            before, self._flowing = self._flowing, self._flowing + change
            if self._living.drink is not None and (before > 0) != (self._flowing > 0):
                self._living.drink(self._flowing > 0)

    def _shoot(self) -> None:
        if self._frame == 0:
            self.film.settle()
        time_ns = self._ticks.time_ns(self._tick)
        shot = Shot(time_ns, self._licker.take(time_ns))
        self.film.shoot()
        go = self._meet(shot)
        self._frame += 1
        self._frame_tick = self._ticks.of_frame(self._frame)
        if go is None:
            self.ended = True
            self._living.network.stop()
            return
        if go.freq_hz is not None and self._living.hear is not None:
            self._living.hear(go.freq_hz)
        for start_ns, end_ns in go.openings:
            start = max(self._tick, self._ticks.at(start_ns))
            heappush(self._edges, (start, 1))
            heappush(self._edges, (max(start + 1, self._ticks.at(end_ns)), -1))
            self._licker.water(self._ticks.time_ns(start))
