"""Made-up parts for a latency test: a camera that sees a line, and a rig whose every delay is drawn and remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from camera.lifecycle import Lifecycle
from camera.tally import LATE
from core.clock import VirtualClock
from core.errors import CameraTimeout
from core.ports import Clock, Pipeline
from core.values import Frame, Level, Pulse, Report, Signal, as_ns
from session.latency_test import HIGH_HZ

READOUT_NS = 2_000_000
"""From the end of an exposure until the frame is there, ns: a USB or CSI camera of 256 x 256 px."""
DARK, LIT, NOISE = 40.0, 120.0, 1.0
RING = 8


class LedCamera:
    """A camera whose image is as bright as a light was on during the exposure.

    Parameters
    ----------
    lit_ns : callable
        ``lit_ns(start_ns, end_ns)``: how long the light was on. Asked when the frame is read, after its exposure.
    resolution : (int, int)
        Width, height, px.
    framerate : float
        Frames/s.
    exposure_s : float
        s; at most 95 % of the frame interval is used.
    clock : Clock
    seed : int
        Of the noise.
    """

    frame_dtype = "uint8"
    expected_frames = None

    def __init__(
        self,
        lit_ns: Callable[[int, int], int],
        resolution: tuple[int, int],
        framerate: float,
        exposure_s: float,
        clock: Clock,
        seed: int,
    ) -> None:
        self.frame_shape = (resolution[1], resolution[0], 3)
        self._lit_ns = lit_ns
        self._interval_ns = round(1e9 / framerate)
        self._exposure_ns = min(as_ns(exposure_s), round(0.95 * self._interval_ns))
        self._clock = clock
        rng = np.random.default_rng(seed)
        self._noise = rng.normal(0, NOISE, (RING, *self.frame_shape)).astype(np.float32)
        self._life = Lifecycle("camera of a light")
        self._start_ns = 0
        self._next = 0

    def start(self) -> None:
        """Begin the first exposure now."""
        self._life.start()
        self._start_ns = self._clock.now_ns()

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame when it is due; one that nobody fetched in time is lost. Raises CameraTimeout."""
        self._life.check_readable()
        now_ns = self._clock.now_ns()
        newest = (now_ns - self._start_ns - self._exposure_ns - READOUT_NS) // self._interval_ns
        dropped = max(0, newest - RING + 1 - self._next)
        number = self._next + dropped
        opened_ns = self._start_ns + number * self._interval_ns
        due_ns = opened_ns + self._exposure_ns + READOUT_NS
        if due_ns > now_ns + as_ns(timeout_s):
            self._clock.sleep_until_ns(now_ns + as_ns(timeout_s))
            raise CameraTimeout(f"no frame within {timeout_s:g} s; the next is due later")
        self._clock.sleep_until_ns(due_ns)
        self._next = number + 1
        share = self._lit_ns(opened_ns, opened_ns + self._exposure_ns) / self._exposure_ns
        image = self._noise[number % RING] + np.float32(DARK + (LIT - DARK) * share)
        lost = ((LATE, dropped),) if dropped else ()
        return Frame(image.astype(np.uint8), number + 1, opened_ns + self._exposure_ns, dropped, 0, lost)

    def close(self) -> None:
        """Stop; twice is legal."""
        self._life.close()


class Delay:
    """Delays drawn from a log-normal distribution, remembered.

    Parameters
    ----------
    median_ns : float
    spread : float
        Standard deviation of the logarithm.
    rng : Generator

    Attributes
    ----------
    drawn_ns : list of int
    """

    def __init__(self, median_ns: float, spread: float, rng: np.random.Generator) -> None:
        self._median_ns, self._spread, self._rng = median_ns, spread, rng
        self.drawn_ns: list[int] = []

    def __call__(self) -> int:
        """Draw one, ns."""
        self.drawn_ns.append(int(self._median_ns * np.exp(self._spread * self._rng.standard_normal())))
        return self.drawn_ns[-1]


class VirtualLines:
    """A guardian on a virtual clock, ``lines`` and all: an edge comes a drawn delay after its command.

    Parameters
    ----------
    clock : Clock
    delay : callable
        Draws the delay, ns.
    """

    def __init__(self, clock: Clock, delay: Callable[[], int]) -> None:
        self._clock, self._delay = clock, delay
        self._coming: list[Report] = []
        self.lines = self

    def set(self, level: Level, time_ns: int) -> None:
        """Change a line a little later."""
        del time_ns
        self._add(level.line.value, level.high, self._clock.now_ns() + self._delay())

    def pulse(self, pulse: Pulse, time_ns: int) -> None:
        """Raise a line a little later, and let it fall."""
        del time_ns
        up_ns = self._clock.now_ns() + self._delay()
        self._add(pulse.line.value, True, up_ns)
        self._add(pulse.line.value, False, up_ns + as_ns(pulse.duration_s))

    def alive(self) -> None:
        """Nobody to tell."""

    def reports(self) -> tuple[Report, ...]:
        """Return the edges that have come."""
        now_ns = self._clock.now_ns()
        due = [report for report in self._coming if report.time_ns <= now_ns]
        self._coming = [report for report in self._coming if report.time_ns > now_ns]
        return tuple(sorted(due))

    def close(self) -> None:
        """Nothing to release."""

    def _add(self, line: str, high: bool, time_ns: int) -> None:
        self._coming.append(Report(time_ns, "edge", f"{line} {int(high)}"))


class VirtualSpeaker:
    """Speaker and ear on a virtual clock: a tone sounds a drawn delay after its command."""

    about = "a made-up ear"

    def __init__(self, clock: Clock, delay: Callable[[], int]) -> None:
        self._clock, self._delay = clock, delay
        self._highs_ns: list[int] = []

    def set_tone(self, freq_hz: float, time_ns: int) -> None:
        """Sound a little later."""
        del time_ns
        sounds_ns = self._clock.now_ns() + self._delay()
        if freq_hz == HIGH_HZ:
            self._highs_ns.append(sounds_ns)

    def start(self, go_on: Callable[[], bool]) -> None:
        """Nothing to begin."""

    def poll(self) -> None:
        """Nothing to hear."""

    def highs_ns(self) -> Sequence[int]:
        """Return when each high tone sounded."""
        return self._highs_ns

    def close(self) -> None:
        """Nothing to release."""


class Laboured:
    """A pipeline that takes a drawn time on a virtual clock, beside what it computes."""

    def __init__(self, inner: Pipeline, clock: VirtualClock, delay: Callable[[], int]) -> None:
        self._inner, self._clock, self._delay = inner, clock, delay

    @property
    def names(self) -> tuple[str, ...]:
        """The inner one's."""
        return self._inner.names

    def update(self, frame: Frame) -> Signal:
        """Take the time."""
        signal = self._inner.update(frame)
        self._clock.advance(self._delay())
        return signal
