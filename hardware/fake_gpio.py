"""A GPIO module without pins: RPi.GPIO's names, its refusals, and a memory of every edge. It ships.

Held to what RPi.GPIO 0.7, rpi-lgpio 0.6 and Jetson.GPIO 2.1 refuse; where they differ it is as strict as the strictest.
"""

from __future__ import annotations

import errno
import os
import warnings
from collections.abc import Callable, Iterable
from typing import NamedTuple

from hardware.header import BCM_OF_PLACE

Callback = Callable[[int], object]


class Edge(NamedTuple):
    """A change of an output: when (ns), on which channel as it was counted, and to what."""

    time_ns: int
    channel: int
    high: bool


class _Watch:
    """Edge detection on one input."""

    def __init__(self, edge: int) -> None:
        self.edge = edge
        self.callbacks: list[Callback] = []
        self.seen = False


class FakeGpio:
    """Stands where a GPIO module would.

    Parameters
    ----------
    now_ns : callable
        Gives the time of an edge, ns.
    busy : iterable of int
        Channels that another program holds: OSError EBUSY, as the kernel says it.
    left_high : iterable of int
        Channels that a killed program left as high outputs: the warning of RPi.GPIO, until they are set up.
    functions : dict of int to int
        Channels in another use, such as ``{2: FakeGpio.I2C}``.
    forbidden : bool
        The user lacks the right.

    Attributes
    ----------
    edges : list of Edge
    levels : dict of int to bool
        Level of each channel that is or was an output.
    fail_at : dict of int to Exception
        Raised by ``output`` on these channels.
    """

    BOARD, BCM = 10, 11
    OUT, IN = 0, 1
    LOW, HIGH = 0, 1
    PUD_OFF, PUD_DOWN, PUD_UP = 20, 21, 22
    RISING, FALLING, BOTH = 31, 32, 33
    SERIAL, SPI, I2C, HARD_PWM, UNKNOWN = 40, 41, 42, 43, -1

    def __init__(
        self,
        now_ns: Callable[[], int],
        *,
        busy: Iterable[int] = (),
        left_high: Iterable[int] = (),
        functions: dict[int, int] | None = None,
        forbidden: bool = False,
    ) -> None:
        self._now_ns = now_ns
        self._busy = frozenset(busy)
        self._left = set(left_high)
        self._functions = dict(functions or {})
        self._forbidden = forbidden
        self._mode: int | None = None
        self._warnings = True
        self._directions: dict[int, int] = {}
        self._watches: dict[int, _Watch] = {}
        self.edges: list[Edge] = []
        self.levels: dict[int, bool] = dict.fromkeys(self._left, True)
        self.fail_at: dict[int, Exception] = {}

    def setmode(self, mode: int) -> None:
        """Choose how channels are counted. Raises ValueError for a second, other way."""
        if self._forbidden:
            raise RuntimeError("No access to /dev/mem.  Try running as root!")
        if self._mode is not None and mode != self._mode:
            raise ValueError("A different mode has already been set!")
        if mode not in (self.BOARD, self.BCM):
            raise ValueError("An invalid mode was passed to setmode()")
        self._mode = mode

    def getmode(self) -> int | None:
        """Return how channels are counted, None before it was chosen."""
        return self._mode

    def setwarnings(self, on: bool) -> None:
        """Switch warnings on or off."""
        self._warnings = bool(on)

    def gpio_function(self, channel: int) -> int:
        """Return what a channel is used as."""
        self._check(channel)
        if channel in self._functions:
            return self._functions[channel]
        return self.OUT if channel in self._left else self._directions.get(channel, self.IN)

    def setup(self, channel: int, direction: int, pull_up_down: int = PUD_OFF, initial: int | None = None) -> None:
        """Make a channel an output or an input."""
        self._check(channel)
        if direction not in (self.IN, self.OUT):
            raise ValueError("An invalid direction was passed to setup()")
        if direction == self.OUT and pull_up_down != self.PUD_OFF:
            raise ValueError("pull_up_down parameter is not valid for outputs")
        if direction == self.IN and initial is not None:
            raise ValueError("initial parameter is not valid for inputs")
        if channel in self._busy:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        if self._warnings and (channel in self._left or channel in self._functions):
            text = (
                "This channel is already in use, continuing anyway.  Use GPIO.setwarnings(False) to disable warnings."
            )
            warnings.warn(text, RuntimeWarning, stacklevel=2)
        self._left.discard(channel)
        self._directions[channel] = direction
        if direction == self.OUT:
            self._set(channel, bool(initial))

    def output(self, channel: int, value: int) -> None:
        """Set an output. Raises RuntimeError on what is none."""
        self._check(channel)
        if self._directions.get(channel) != self.OUT:
            raise RuntimeError("The GPIO channel has not been set up as an OUTPUT")
        if channel in self.fail_at:
            raise self.fail_at[channel]
        self._set(channel, bool(value))

    def input(self, channel: int) -> int:
        """Return a channel's level. Raises RuntimeError on what was not set up."""
        self._check(channel)
        if channel not in self._directions:
            raise RuntimeError("You must setup() the GPIO channel first")
        return int(self.levels.get(channel, False))

    def add_event_detect(
        self, channel: int, edge: int, callback: Callback | None = None, bouncetime: int | None = None
    ) -> None:
        """Watch an input. Raises RuntimeError on what is none, or is watched already."""
        self._check_input(channel)
        if edge not in (self.RISING, self.FALLING, self.BOTH):
            raise ValueError("The edge must be set to RISING, FALLING or BOTH")
        if bouncetime is not None and bouncetime <= 0:
            raise ValueError("Bouncetime must be greater than 0")
        if channel in self._watches:
            raise RuntimeError("Conflicting edge detection already enabled for this GPIO channel")
        self._watches[channel] = _Watch(edge)
        if callback is not None:
            self.add_event_callback(channel, callback)

    def add_event_callback(self, channel: int, callback: Callback) -> None:
        """Call one more at each edge."""
        self._check_input(channel)
        if not callable(callback):
            raise TypeError("Parameter must be callable")
        if channel not in self._watches:
            raise RuntimeError("Add event detection using add_event_detect first before adding a callback")
        self._watches[channel].callbacks.append(callback)

    def remove_event_detect(self, channel: int) -> None:
        """Watch an input no longer."""
        self._check(channel)
        self._watches.pop(channel, None)

    def event_detected(self, channel: int) -> bool:
        """Return whether an edge came since the last call."""
        self._check(channel)
        watch = self._watches.get(channel)
        seen = watch is not None and watch.seen
        if watch is not None:
            watch.seen = False
        return seen

    def cleanup(self, channel: int | None = None) -> None:
        """Make a channel, or all, an input again; all: how they are counted is forgotten too."""
        if channel is None:
            self._warn_of_nothing()
            for each in list(self._directions):
                self._forget(each)
            self._mode = None
            return
        self._check(channel)
        self._forget(channel)

    def drive(self, channel: int, high: bool) -> None:
        """Change an input's level from outside, as a lick does; calls back in this thread."""
        before = self.levels.get(channel, False)
        self.levels[channel] = high
        watch = self._watches.get(channel)
        if watch is None or high == before or watch.edge == (self.FALLING if high else self.RISING):
            return
        watch.seen = True
        for callback in watch.callbacks:
            callback(channel)

    def _warn_of_nothing(self) -> None:
        if self._warnings and not self._directions:
            text = "No channels have been set up yet - nothing to clean up!"
            warnings.warn(text, RuntimeWarning, stacklevel=3)

    def _forget(self, channel: int) -> None:
        """An input floats; a resistor on the wire pulls it down."""
        if self._directions.pop(channel, None) == self.OUT:
            self._set(channel, False)
        self._watches.pop(channel, None)

    def _set(self, channel: int, high: bool) -> None:
        if self.levels.get(channel, False) != high:
            self.edges.append(Edge(self._now_ns(), channel, high))
        self.levels[channel] = high

    def _check(self, channel: int) -> None:
        if self._mode is None:
            raise RuntimeError("Please set pin numbering mode using GPIO.setmode(GPIO.BOARD) or GPIO.setmode(GPIO.BCM)")
        if not isinstance(channel, int):
            raise ValueError("Channel must be an integer or list/tuple of integers")
        known = BCM_OF_PLACE if self._mode == self.BOARD else frozenset(BCM_OF_PLACE.values())
        if channel not in known:
            raise ValueError("The channel sent is invalid on a Raspberry Pi")

    def _check_input(self, channel: int) -> None:
        self._check(channel)
        if self._directions.get(channel) != self.IN:
            raise RuntimeError("You must setup() the GPIO channel as an input first")
