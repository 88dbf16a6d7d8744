"""An input line behind the RPi.GPIO API, moved by the test: here, or in a spawned process by intervals of time."""

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
    spans : iterable of (int, int), or None
        When the line is low (CLOCK_MONOTONIC, ns); a thread moves it accordingly once its edges are watched.
    busy : bool
        Whether another program has the line.
    """

    BCM, BOARD, IN, OUT, PUD_UP, BOTH, RISING, FALLING = 11, 10, 1, 0, 22, 33, 31, 32

    def __init__(self, level=1, spans=None, busy=False, name="RPi.GPIO"):
        self.__name__ = name
        self._level, self._spans, self._busy = level, spans, busy
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
        if self._spans is not None:
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
        while self.callback is not None:
            now = CLOCK.now_ns()
            self.put(int(not any(begin <= now < end for begin, end in self._spans)))
            CLOCK.sleep_until_ns(now + 1_000_000)


class FindInputPins:
    """Picklable: finds such a module in a spawned process."""

    def __init__(self, **pins):
        self._pins = pins

    def __call__(self, pins):
        gpio = InputPins(**self._pins)
        return gpio, gpio.BCM
