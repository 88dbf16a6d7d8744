"""An input line behind the RPi.GPIO API, moved by the test: in this process, or in a spawned one by a plan of edges."""

import threading

from core.clock import MonotonicClock

CLOCK = MonotonicClock()
PIN = 4


class InputPins:
    """What ``hardware.edge_watch`` uses of ``RPi.GPIO``; refuses what the library refuses.

    Parameters
    ----------
    level : int
        At first.
    plan : sequence of (int, int)
        Times (CLOCK_MONOTONIC, ns) and levels that a thread puts on the line once its edges are watched.
    busy : bool
        Whether another program has the line.
    """

    BCM, BOARD, IN, OUT, PUD_UP, BOTH, RISING, FALLING = 11, 10, 1, 0, 22, 33, 31, 32

    def __init__(self, level=1, plan=(), busy=False, name="RPi.GPIO"):
        self.__name__ = name
        self._level, self._plan, self._busy = level, plan, busy
        self._mode = None
        self.callback = None
        self.pull = None
        self.cleaned = []

    def setwarnings(self, on):
        pass

    def getmode(self):
        return self._mode

    def setmode(self, mode):
        self._mode = mode

    def setup(self, pin, direction, pull_up_down=None):
        if self._mode is None:
            raise RuntimeError("Please set pin numbering mode")
        if self._busy:
            raise RuntimeError("GPIO busy")
        self.pull = pull_up_down

    def input(self, pin):
        return self._level

    def add_event_detect(self, pin, edge, callback):
        assert edge == self.BOTH
        self.callback = callback
        if self._plan:
            threading.Thread(target=self._play, daemon=True).start()

    def remove_event_detect(self, pin):
        self.callback = None

    def cleanup(self, pin):
        self.cleaned.append(pin)

    def put(self, level):
        """Move the line; tells whoever watches it."""
        if level != self._level:
            self._level = level
            self.callback(PIN)

    def glitch(self):
        """Move the line there and back before the library can look."""
        self.callback(PIN)
        self.callback(PIN)

    def _play(self):
        for time_ns, level in self._plan:
            CLOCK.sleep_until_ns(time_ns)
            self.put(level)


class FindInputPins:
    """Picklable: finds such a module in a spawned process."""

    def __init__(self, **pins):
        self._pins = pins

    def __call__(self, pins):
        gpio = InputPins(**self._pins)
        return gpio, gpio.BCM
