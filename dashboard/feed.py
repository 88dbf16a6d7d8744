"""One running session, as the page's process follows it: reads its link, encodes what is new, hands it to who looks.

Owns the link's end and no thread; runs in the process's event loop. A picture is encoded once, for all, and only if
somebody looks. An update is put together for each who looks once it can be sent: the newest state and pictures, and all
rows and events that this one has not been given yet, so that a slow one misses pictures and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from core.values import Image
from dashboard.live_reader import LiveReader, News
from dashboard.pictures import DFF_END, Pictures
from session.live_wire import LASTING, row_dtype

HISTORY_ROWS = 20_000
"""Rows that are kept for who comes later: a minute at 300 frames/s."""
LATENCY_S = 10.0
"""The latency that is told is that of the rows of this span."""
EVENTS = 500
"""Events that are kept for who comes later, and as many more of those that last."""
ANSWER_S = 10.0
"""A session that has not answered by then has no frames, or hangs."""
LATE = "once frames come, it is done all the same"
COLUMNS = ("t_s", "signal", "threshold", "freq_hz", "phase", "valid", "outcome", "water", "licks", "trial", "dropped")
"""What of a row is sent, before its parts."""

Answered = Callable[[bool, str], None]


class Watcher(Protocol):
    """Who looks."""

    def give(self, update: Callable[[], bytes]) -> None:
        """Take what makes an update, which is called when it can be sent, or never; never waits."""

    def forget(self) -> None:
        """Leave out what was given and has not been sent."""

    def tell(self, message: Mapping[str, Any]) -> None:
        """Take a message that must not be missed."""


@dataclass(slots=True)
class _Given:
    """What one who looks has been given."""

    row: int = 0
    """Number of the newest row."""
    event: int = 0
    picture: int = 0


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
        self._watchers: dict[Watcher, _Given] = {}
        self._status: dict[str, Any] = {}
        self._rows: deque[npt.NDArray[np.void]] = deque()
        self._kept = self._newest = 0
        self._first_ns: int | None = None
        self._events: deque[list[Any]] = deque(maxlen=EVENTS)
        self._lasting: deque[list[Any]] = deque(maxlen=EVENTS)
        self._blobs: dict[str, bytes] = {}
        self._picture = 0
        self._latency: dict[str, list[float]] = {}
        self._asked: dict[int, tuple[Answered, asyncio.TimerHandle]] = {}
        self._number = 0
        self._sent = 0
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(reader.fileno(), self._come)

    def add(self, watcher: Watcher) -> None:
        """Let somebody look: first at what has been, then at what comes."""
        # Nothing is encoded while nobody looks: what is left from then is old.
        given = _Given(picture=0 if self._watchers else self._picture)
        if self._events:
            given.event = self._events[-1][0]
        self._watchers[watcher] = given
        watcher.tell(
            {
                "t": "hello",
                "live": self.name,
                "about": self.about,
                "map_end": DFF_END,
                "events": self._events_so_far(),
                "first_ns": self._first_ns,
            }
        )
        if self._newest:
            watcher.give(lambda: self._update(given))

    def remove(self, watcher: Watcher) -> None:
        """Show it to somebody no more."""
        if self._watchers.pop(watcher, None) is not None:
            watcher.forget()

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
        self._answer_all("the page was closed before the session answered")

    def _no_answer(self, number: int) -> None:
        self._answer(number, False, f"no answer within {ANSWER_S:g} s: no frame comes, or the session hangs; {LATE}")

    def _answer(self, number: int, ok: bool, text: str) -> None:
        if (waiting := self._asked.pop(number, None)) is not None:
            answered, late = waiting
            late.cancel()
            answered(ok, text)

    def _answer_all(self, text: str) -> None:
        for number in list(self._asked):
            self._answer(number, False, text)

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
        self._answer_all("the session ended before it was given")
        for watcher in self._watchers:
            # Sent after the end, it would look as if the session went on.
            watcher.forget()
            watcher.tell({"t": "end", "live": self.name, **end})
        self._watchers.clear()
        self.close()
        self._over(self)

    def _take(self, news: News) -> None:
        self._status = dict(news.status)
        self._events.extend(news.events)
        self._lasting.extend(event for event in news.events if event[2] in LASTING)
        if len(news.rows):
            if self._first_ns is None:
                self._first_ns = int(news.rows["time_ns"][0])
            self._newest = int(news.rows["number"][-1])
            self._rows.append(news.rows)
            self._kept += len(news.rows)
            while self._kept - len(self._rows[0]) > HISTORY_ROWS:
                self._kept -= len(self._rows.popleft())
        if news.image is not None:
            self.newest = news.image
        if not self._watchers:
            return
        self._latency = self._latency_now()
        if news.image is not None:
            self._draw(news)
        for watcher, given in self._watchers.items():
            watcher.give(lambda given=given: self._update(given))  # type: ignore[misc]

    def _events_so_far(self) -> list[list[Any]]:
        """Return the events that are kept, oldest first."""
        newest = list(self._events)
        return [event for event in self._lasting if newest and event[0] < newest[0][0]] + newest

    def _draw(self, news: News) -> None:
        """Encode the newest image."""
        if news.image is None:
            return
        self._picture += 1
        self._blobs = {"camera": self._pictures.camera(news.image)}
        # The newest row is not always that of the image; a baseline of seconds does not feel it.
        dff = self._pictures.dff(news.image, int(news.rows["time_ns"][-1])) if len(news.rows) else None
        if dff is not None:
            self._blobs["map"] = dff

    def _update(self, given: _Given) -> bytes:
        """Return what one has not been given yet: length of the header, header, rows, pictures."""
        rows = self._rows_after(given.row)
        events = [event for event in self._events if event[0] > given.event]
        blobs = {"rows": self._columns(rows), **(self._blobs if self._picture > given.picture else {})}
        lost = self._newest - given.row - len(rows) if given.row else 0
        header = {
            "t": "update",
            "live": self.name,
            "status": self._status,
            "first_ns": self._first_ns,
            "latency": self._latency,
            "events": events,
            "rows": {"n": len(rows), "columns": [*COLUMNS, *self.about["names"]], "lost": lost},
            "blobs": {name: len(data) for name, data in blobs.items()},
        }
        given.row, given.picture = self._newest, self._picture
        if events:
            given.event = events[-1][0]
        text = json.dumps(header, allow_nan=False, separators=(",", ":")).encode()
        return b"".join([struct.pack("<I", len(text)), text, *blobs.values()])

    def _rows_after(self, number: int) -> npt.NDArray[np.void]:
        """Return the rows after this one that are kept still, oldest first."""
        newer: list[npt.NDArray[np.void]] = []
        for rows in reversed(self._rows):
            if rows["number"][-1] <= number:
                break
            newer.append(rows[rows["number"] > number])
        return np.concatenate(newer[::-1] or [np.empty(0, row_dtype(len(self.about["names"])))])

    def _columns(self, rows: npt.NDArray[np.void]) -> bytes:
        """Return rows as float32, row by row."""
        table = np.empty((len(rows), len(COLUMNS) + len(self.about["names"])), "<f4")
        table[:, 0] = (rows["time_ns"] - (self._first_ns or 0)) / 1e9
        for place, name in enumerate(COLUMNS[1:], 1):
            table[:, place] = rows[name]
        table[:, len(COLUMNS) :] = rows["parts"]
        return table.tobytes()

    def _latency_now(self) -> dict[str, list[float]]:
        """Return p50 and p99 of the newest rows, us: ``late_us`` and ``span_us`` of ``session.live_wire.row_dtype``."""
        if not self._rows:
            return {}
        since_ns = int(self._rows[-1]["time_ns"][-1]) - int(LATENCY_S * 1e9)
        newest = []
        for rows in reversed(self._rows):
            newest.append(rows)
            if rows["time_ns"][0] < since_ns:
                break
        told = {}
        for name in ("late_us", "span_us"):
            values = np.concatenate([rows[name] for rows in newest])
            values = values[np.isfinite(values)]
            if len(values):
                told[name] = [round(float(value), 1) for value in np.percentile(values, (50, 99))]
        return told
