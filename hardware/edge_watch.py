"""Both edges of one input line, with their times, through the RPi.GPIO API.

Owns the line, a pipe, and by ``add_event_detect`` the GPIO library's own thread, which calls ``_note``; all end with
``close()``. The module is an argument: ``RPi.GPIO`` (of that name or rpi-lgpio) or ``Jetson.GPIO``.
"""

from __future__ import annotations

import os
import time
from collections import deque
from contextlib import suppress
from typing import Any

from hardware.debounce import Touch
from hardware.gpio_errors import gpio_error

MOST_EDGES = 4096
"""Edges that wait to be taken; of more the oldest are forgotten, and counted."""


class EdgeWatch:
    """One input line.

    Parameters
    ----------
    gpio : module
        With the RPi.GPIO API.
    pin : int
        In the numbering ``numbering`` (a constant of ``gpio``, such as ``gpio.BCM``).
    low_is_touch : bool
        Whether a low level counts as a touch.

    Attributes
    ----------
    handle : int
        File descriptor that is readable when there are edges.
    lost : int
        Edges that were forgotten, as nobody took them.

    Raises
    ------
    OutputError
        The line is busy, missing or forbidden.
    """

    def __init__(self, gpio: Any, numbering: int, pin: int, low_is_touch: bool) -> None:
        self._gpio = gpio
        self._pin = pin
        self._touch_level = 0 if low_is_touch else 1
        self._edges: deque[Touch] = deque(maxlen=MOST_EDGES)
        self._claimed = False
        self.lost = 0
        self.handle, self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            self._claim(numbering)
        except Exception as error:
            self.close()
            # What these libraries raise has no common class: lgpio.error, RuntimeError, OSError, ValueError.
            raise gpio_error(f"lick sensor: lick_pin {pin}", error) from error

    @property
    def touching(self) -> bool:
        """Whether the line has the level of a touch, now."""
        return bool(self._gpio.input(self._pin) == self._touch_level)

    def take(self) -> list[Touch]:
        """Return the edges since the last call, oldest first."""
        with suppress(BlockingIOError):
            os.read(self.handle, MOST_EDGES)
        taken: list[Touch] = []
        while self._edges:
            taken.append(self._edges.popleft())
        return taken

    def close(self) -> None:
        """Release the line; twice is legal."""
        if self._claimed:
            self._claimed = False
            with suppress(RuntimeError, ValueError):
                self._gpio.remove_event_detect(self._pin)
            self._gpio.cleanup(self._pin)
        if self.handle >= 0:
            for end in (self.handle, self._bell):
                os.close(end)
            self.handle = self._bell = -1

    def _claim(self, numbering: int) -> None:
        gpio = self._gpio
        gpio.setwarnings(False)
        if gpio.getmode() is None:
            gpio.setmode(numbering)
        if "Jetson" in gpio.__name__:
            # It has no pull resistors that a program could set, and warns where it is asked for one.
            gpio.setup(self._pin, gpio.IN)
        else:
            gpio.setup(self._pin, gpio.IN, pull_up_down=gpio.PUD_UP)
        self._claimed = True
        gpio.add_event_detect(self._pin, gpio.BOTH, callback=self._note)

    def _note(self, _pin: int) -> None:
        """Called by the library's thread at each edge."""
        now = time.monotonic_ns()
        if len(self._edges) == MOST_EDGES:
            self.lost += 1
        self._edges.append(Touch(now, self.touching))
        # A full pipe is one that nobody has listened to; it rings all the same.
        with suppress(BlockingIOError, OSError):
            os.write(self._bell, b"!")
