"""A session's link and a page's end of it, in one process and one thread."""

from __future__ import annotations

import select
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from core.clock import VirtualClock
from core.values import as_ns
from dashboard.live_reader import LiveReader
from session.live_link import LiveLink

ABOUT = {"wire": 1, "shape": (4, 6, 3), "dtype": "uint8", "names": ("M1_L", "M1_R"), "mouse": "M"}
ANNA = {"who": "anna"}


def connect(name, look, link):
    """Return a reader of the session ``name``, whose own ``look`` lets it in; it looks no more often than that takes.

    Each look sends something: a machine that stands still would have filled the page's end before it reads.
    """
    with ThreadPoolExecutor(1) as other:
        coming = other.submit(LiveReader, name)
        while not coming.done():
            if link._listening is None or select.select([link._listening], [], [], 0.005)[0]:
                look()
        return coming.result()


class Ticking(VirtualClock):
    """The host's time goes on by a frame's with each look."""

    def now_ns(self):
        self.sleep_until_ns(super().now_ns() + as_ns(0.02))
        return super().now_ns()


class WithPage(LiveLink):
    """A link with a page at its other end, which asks for things at certain looks."""

    def __init__(self, asks):
        super().__init__(Ticking(), "session-7")
        self.asks, self.looks, self.page = asks, 0, None
        self.news, self.answers, self.ids = [], {}, count(1)

    def look(self, status, asked):
        super().look(status, asked)
        self.looks += 1
        if self.page is None:
            self.page = connect("session-7", lambda: super(WithPage, self).look(status, asked), self)
        for control in self.asks.get(self.looks, ()):
            assert self.page.ask({"id": next(self.ids), **ANNA, **control})
        news, answers = self.page.read()
        if news is not None:
            self.news.append(news)
        for answer in answers:
            self.answers[answer["id"]] = answer

    def close(self, end):
        super().close(end)
        if self.page is not None and end:
            self.read_out()
            self.page.close()

    def read_out(self):
        try:
            while True:
                self.page.read()
        except EOFError:
            return
