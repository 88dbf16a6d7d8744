"""One running session, as the page's process follows it: reads its link, encodes what is new, hands it to who looks.

Owns the link's end and no thread; runs in the process's event loop. An update is encoded once, for all, and only if
somebody looks.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from core.values import Image
from dashboard.live_reader import LiveReader, News
from dashboard.pictures import Pictures

HISTORY_ROWS = 20_000
"""Rows that are kept for who comes later: a minute at 300 frames/s."""
LATENCY_ROWS = 3000
ANSWER_S = 10.0
"""A session that has not answered by then has no frames, or hangs."""
COLUMNS = ("t_s", "signal", "threshold", "freq_hz", "phase", "valid", "outcome", "water", "licks", "trial", "dropped")
"""What of a row is sent, before its parts."""

Answered = Callable[[bool, str], None]


class Watcher(Protocol):
    """Who looks."""

    def give(self, data: bytes) -> None:
        """Take an update; never waits."""

    def tell(self, message: Mapping[str, Any]) -> None:
        """Take a message that must not be missed."""


class Feed:
    """See the module.

    Parameters
    ----------
    name : str
        The session's, from ``find_live``.
    reader : LiveReader
    over : callable
        Called once the session has ended or was killed.

    Attributes
    ----------
    newest : (height, width, 3) or None
        The newest image, a copy; None before the first.
    """

    def __init__(self, name: str, reader: LiveReader, over: Callable[[Feed], None]) -> None:
        self.name = name
        self.about = reader.about
        self.newest: Image | None = None
        self._reader = reader
        self._over = over
        self._pictures = Pictures(reader.about)
        self._watchers: list[Watcher] = []
        self._rows: deque[npt.NDArray[np.void]] = deque()
        self._kept = 0
        self._first_ns: int | None = None
        self._events: deque[list[Any]] = deque(maxlen=300)
        self._asked: dict[int, tuple[Answered, asyncio.TimerHandle]] = {}
        self._number = 0
        self._sent = 0
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(reader.fileno(), self._come)

    def add(self, watcher: Watcher) -> None:
        """Let somebody look: first at what has been, then at what comes."""
        self._watchers.append(watcher)
        watcher.tell(
            {
                "t": "hello",
                "live": self.name,
                "about": self.about,
                "events": list(self._events),
                "first_ns": self._first_ns,
            }
        )
        if self._rows:
            watcher.give(self._packed({}, np.concatenate(list(self._rows)), [], {}))

    def remove(self, watcher: Watcher) -> None:
        """Show it to somebody no more."""
        if watcher in self._watchers:
            self._watchers.remove(watcher)

    def ask(self, control: Mapping[str, Any], answered: Answered) -> None:
        """Ask the session for something; the answer comes later, from here if the session gives none."""
        self._number += 1
        number = self._number
        if not self._reader.ask({**control, "id": number}):
            answered(False, "the session does not listen now; try again, or stop it with Ctrl-C where it runs")
            return
        late = self._loop.call_later(ANSWER_S, self._no_answer, number)
        self._asked[number] = (answered, late)

    def close(self) -> None:
        """Let go of the session, which goes on."""
        self._loop.remove_reader(self._reader.fileno())
        self._reader.close()
        for number in list(self._asked):
            self._answer(number, False, "the page was closed before the session answered")

    def _no_answer(self, number: int) -> None:
        self._answer(number, False, f"no answer within {ANSWER_S:g} s: no frame comes, or the session hangs")

    def _answer(self, number: int, ok: bool, text: str) -> None:
        if (waiting := self._asked.pop(number, None)) is not None:
            answered, late = waiting
            late.cancel()
            answered(ok, text)

    def _come(self) -> None:
        """Take what the link has."""
        try:
            news, answers = self._reader.read()
        except (EOFError, ValueError, KeyError) as error:
            self._end(error)
            return
        for answer in answers:
            self._answer(answer["id"], bool(answer["ok"]), str(answer["text"]))
        if news is not None:
            self._take(news)

    def _end(self, error: Exception) -> None:
        """Tell everybody that the session is over."""
        end = self._reader.end
        if end is None:
            known = isinstance(error, EOFError)
            why = "the session's process is gone; `rigloop recover` finishes what it left" if known else str(error)
            end = {"outcome": "lost", "text": why}
        for watcher in tuple(self._watchers):
            watcher.tell({"t": "end", "live": self.name, **end})
        self._watchers.clear()
        self.close()
        self._over(self)

    def _take(self, news: News) -> None:
        self._events.extend(news.events)
        if len(news.rows):
            if self._first_ns is None:
                self._first_ns = int(news.rows["time_ns"][0])
            self._rows.append(news.rows)
            self._kept += len(news.rows)
            while self._kept - len(self._rows[0]) > HISTORY_ROWS:
                self._kept -= len(self._rows.popleft())
        pictures: dict[str, bytes] = {}
        if news.image is not None:
            self.newest = news.image
        if news.image is not None and self._watchers:
            pictures["camera"] = self._pictures.camera(news.image)
            # The newest row is not always that of the image; a baseline of seconds does not feel it.
            dff = self._pictures.dff(news.image, int(news.rows["time_ns"][-1])) if len(news.rows) else None
            if dff is not None:
                pictures["map"] = dff
        if self._watchers:
            data = self._packed(dict(news.status), news.rows, news.events, pictures, news.rows_lost)
            for watcher in tuple(self._watchers):
                watcher.give(data)

    def _packed(
        self, status: dict[str, Any], rows: npt.NDArray[np.void], events: list[list[Any]], pictures: dict[str, bytes],
        lost: int = 0,
    ) -> bytes:  # fmt: skip
        """Return an update as the browser reads it: length of the header, header, rows, pictures."""
        self._sent += 1
        blobs = {"rows": self._columns(rows), **pictures}
        header = {
            "t": "update",
            "seq": self._sent,
            "status": status,
            "first_ns": self._first_ns,
            "latency": self._latency(),
            "events": events,
            "rows": {"n": len(rows), "columns": [*COLUMNS, *self.about["names"]], "lost": lost},
            "blobs": {name: len(data) for name, data in blobs.items()},
        }
        text = json.dumps(header, allow_nan=False, separators=(",", ":")).encode()
        return b"".join([struct.pack("<I", len(text)), text, *blobs.values()])

    def _columns(self, rows: npt.NDArray[np.void]) -> bytes:
        """Return rows as float32, row by row."""
        table = np.empty((len(rows), len(COLUMNS) + len(self.about["names"])), "<f4")
        table[:, 0] = (rows["time_ns"] - (self._first_ns or 0)) / 1e9
        for place, name in enumerate(COLUMNS[1:], 1):
            table[:, place] = rows[name]
        table[:, len(COLUMNS) :] = rows["parts"]
        return table.tobytes()

    def _latency(self) -> dict[str, list[float]]:
        """Return p50 and p99 of the newest rows, us: ``late_us`` and ``span_us`` of ``session.live_wire.row_dtype``."""
        newest: list[npt.NDArray[np.void]] = []
        count = 0
        for rows in reversed(self._rows):
            newest.append(rows)
            count += len(rows)
            if count >= LATENCY_ROWS:
                break
        if not newest:
            return {}
        table = np.concatenate(newest)
        told = {}
        for name in ("late_us", "span_us"):
            values = table[name][np.isfinite(table[name])]
            if len(values):
                told[name] = [round(float(value), 1) for value in np.percentile(values, (50, 99))]
        return told
