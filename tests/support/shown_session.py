"""A session that only shows, and where pages find it."""

from __future__ import annotations

import numpy as np
import pytest

from core.clock import VirtualClock
from core.values import as_ns
from recording import lock_file
from session.live_link import PERIOD_NS, LiveLink
from tests.support.live import ABOUT, connect


@pytest.fixture
def folder(tmp_path, monkeypatch):
    # Longer than what an address of a socket holds.
    long = tmp_path / ("long" * 25)
    long.mkdir()
    monkeypatch.setattr(lock_file, "SHARED_FOLDERS", (long,))
    return long


class Session:
    """A session that only shows."""

    def __init__(self, name="session-1"):
        self.clock = VirtualClock(as_ns(50))
        self.link = LiveLink(self.clock, name)
        self.link.open(ABOUT)
        self.asked, self.pages = [], []
        self.frames = 0

    def look(self):
        self.clock.sleep_until_ns(self.clock.now_ns() + PERIOD_NS)
        self.link.look(lambda: {"frames": self.frames}, self.take)

    def take(self, message, answer):
        self.asked.append(dict(message))
        answer(message["do"] == "water", "as you like")

    def frame(self, seconds=0.01):
        self.frames += 1
        k = self.frames
        self.clock.sleep_until_ns(self.clock.now_ns() + as_ns(seconds))
        row = (k, as_ns(k), 1.0, 2.0, k / 10, 0.05, 1000.0, 1, 1, 1, 0, 3, 0, 0, 0, (k * 1.0, k * 2.0))
        self.link.put(row, np.full(ABOUT["shape"], k % 256, np.uint8), self.clock.now_ns())

    def page(self, name="session-1"):
        self.pages.append(connect(name, self.look, self.link))
        return self.pages[-1]

    def close(self):
        for page in self.pages:
            page.close()
        self.link.close({})


@pytest.fixture
def session(folder):
    del folder
    made = Session()
    yield made
    made.close()
