"""Lets pages look at a running session, and takes what they ask for. Owns a socket, its file, and a piece of memory.

Has no thread: the session's own calls it, with each frame (which costs a row of numbers, and fifteen times a second a
copy of the image) and between two frames. Nothing here waits. A page that does not read misses updates, one that
misbehaves is let go, and a session that nobody looks at writes its rows only.
"""

from __future__ import annotations

import os
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from types import TracebackType
from typing import Any

import numpy as np

from core.errors import RecordingError
from core.ports import Clock
from core.values import Frame, Image
from recording.schema import EventRow, FrameRow, SideRow, TimingRow
from session.live_wire import (
    CONTROL_BYTES,
    LASTING,
    LONGEST_CHARACTER,
    PAGES,
    PHASES,
    ROWS,
    SLOTS,
    UNTOLD,
    LiveMemory,
    Tag,
    live_folder,
    make_live_memory,
    new_socket,
    pack,
    socket_name,
    unpack,
)

PERIOD_NS = 1_000_000_000 // 15
"""Time between two updates; chosen because a film of 15 pictures a second is seen to move."""
EARLY_NS = PERIOD_NS // 4
"""An update may come this much early, so that frames that come at the same rate, more or less, are all shown."""
EVENTS = 1000
"""Events that are kept for a page that comes late, and as many more of those that last."""
EVENTS_AT_A_TIME = 50
EVENT_BYTES = 50_000
"""Of an update's events, so that it fits into one message whatever is noted in whatever script."""
DETAIL_CHARACTERS = 1000
CONTROLS_AT_A_TIME = 16
DRAFT = ".new"
"""Ends the name of a socket that nobody listens on yet."""
FULL = f"{PAGES} pages look at it already, as many as may; end one of the servers"

Answer = Callable[[bool, str], None]
"""Tells a page what became of what it asked for: whether it is done, and what is to be said of it."""
Asked = Callable[[Mapping[str, Any], Answer], None]
"""Takes what a page asks for; answers now or later."""


@dataclass(slots=True)
class _Page:
    """One that looks."""

    socket: socket.socket
    told: int = 0
    """Number of the newest event it was told."""


@dataclass(slots=True)
class _Events:
    """The newest events that are told, numbered from 1, and the newest of those that last."""

    newest: deque[list[Any]] = field(default_factory=lambda: deque(maxlen=EVENTS))
    lasting: deque[list[Any]] = field(default_factory=lambda: deque(maxlen=EVENTS))
    number: int = 0

    def take(self, side: Sequence[SideRow]) -> None:
        for row in side:
            if isinstance(row, EventRow) and row.kind not in UNTOLD:
                self.number += 1
                event = [self.number, row.time_ns, row.kind, row.trial, row.detail[:DETAIL_CHARACTERS]]
                self.newest.append(event)
                if row.kind in LASTING:
                    self.lasting.append(event)

    def after(self, number: int) -> list[list[Any]]:
        """Return the events after this one, or those that are left of them; some at a time."""
        events: list[list[Any]] = []
        left = EVENT_BYTES
        for event in islice(self._kept_after(number), EVENTS_AT_A_TIME):
            left -= len(event[-1]) * LONGEST_CHARACTER
            if left < 0:
                break
            events.append(event)
        return events

    def _kept_after(self, number: int) -> Iterator[list[Any]]:
        if number < self.number:
            oldest = self.newest[0][0]
            if number + 1 < oldest:
                yield from (event for event in self.lasting if number < event[0] < oldest)
            yield from islice(self.newest, max(0, number + 1 - oldest), None)


class LiveLink:
    """See the module.

    Parameters
    ----------
    clock : Clock
        The host's.
    name : str
        Of the socket's file, such as ``"session-4711"``.

    Raises
    ------
    RecordingError
        From ``open``, where no socket or memory is to be had.
    """

    def __init__(self, clock: Clock, name: str) -> None:
        self._now = clock.now_ns
        self._name = f"{name}.sock"
        self._folder = -1
        self._listening: socket.socket | None = None
        self._handle = -1
        self._memory: LiveMemory | None = None
        self._hello = b""
        self._pages: list[_Page] = []
        self._events = _Events()
        self._rows = self._image = 0
        self._due_ns = self._look_ns = 0

    def __enter__(self) -> LiveLink:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close({"outcome": "", "text": "it was not begun" if error is None else str(error)})

    def open(self, about: Mapping[str, Any]) -> None:
        """Listen. ``about`` is what a page is told first: ``shape``, ``dtype``, ``names``, and what else there is."""
        shape, dtype, parts = about["shape"], about["dtype"], len(about["names"])
        try:
            self._handle = make_live_memory(shape, dtype, parts)
            self._memory = LiveMemory(self._handle, shape, dtype, parts)
            self._folder = os.open(live_folder(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._hello = pack(Tag.HELLO, about)
            draft = f"{self._name}{DRAFT}"
            with suppress(FileNotFoundError):
                os.unlink(draft, dir_fd=self._folder)
            self._listening = new_socket()
            self._listening.bind(socket_name(self._folder, draft))
            self._listening.listen(PAGES)
            self._listening.setblocking(False)
            # Seen by pages from here on: one that does not listen yet would be taken for one that is gone.
            os.rename(draft, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except (OSError, ValueError, RecordingError) as error:
            self.close({})
            raise RecordingError(f"no page can look at this session: {error}") from error

    def show(self, row: FrameRow, timing: TimingRow, frame: Frame, side: Sequence[SideRow]) -> None:
        """Take one frame, and what came of it."""
        self.put(
            (
                row.frame,
                row.time_ns,
                (timing.read_ns - row.time_ns) / 1e3,
                (timing.command_ns - timing.read_ns) / 1e3,
                row.signal,
                row.threshold,
                row.freq_hz,
                PHASES.index(row.phase),
                row.valid,
                row.audio,
                row.outcome,
                row.trial,
                row.water,
                row.licks,
                row.dropped,
                row.parts,
            ),
            frame.image,
            timing.command_ns,
        )
        if side:
            self._events.take(side)

    def put(self, row: tuple[Any, ...], image: Image, now_ns: int) -> None:
        """Put a row (as ``live_wire.row_dtype``, less its number) into the memory, and the image where one is due."""
        if self._memory is None:
            return
        self._rows += 1
        self._memory.rows[self._rows % ROWS] = (self._rows, *row)
        if not self._pages or now_ns < self._due_ns - EARLY_NS:
            return
        self._due_ns = max(self._due_ns + PERIOD_NS, now_ns)
        self._image += 1
        slot = self._image % SLOTS
        self._memory.numbers[slot] = 0
        np.copyto(self._memory.images[slot], image)
        self._memory.numbers[slot] = self._image
        # The image is told of by the next look, which is at once.
        self._look_ns = 0

    def note(self, side: Sequence[SideRow]) -> None:
        """Take what belongs to no frame."""
        self._events.take(side)

    def look(self, status: Callable[[], Mapping[str, Any]], asked: Asked) -> None:
        """Let in who knocks, take what is asked for, and tell what is new; at most as often as there are updates."""
        now_ns = self._now()
        if self._listening is None or now_ns < self._look_ns:
            return
        self._look_ns = now_ns + PERIOD_NS
        self._let_in()
        if not self._pages:
            return
        for page in tuple(self._pages):
            self._hear(page, asked)
        news = {"image": self._image, "rows": self._rows, "status": status()}
        for page in tuple(self._pages):
            events = self._events.after(page.told)
            if self._send(page, pack(Tag.UPDATE, {**news, "events": events})) and events:
                page.told = events[-1][0]

    def close(self, end: Mapping[str, Any]) -> None:
        """Tell that it is over, and let go of everything. May be called again."""
        for page in tuple(self._pages):
            self._send(page, pack(Tag.END, end))
            page.socket.close()
        self._pages.clear()
        if self._listening is not None:
            self._listening.close()
            self._listening = None
            with suppress(FileNotFoundError):
                os.unlink(self._name, dir_fd=self._folder)
        for handle in (self._folder, self._handle):
            if handle >= 0:
                os.close(handle)
        self._folder = self._handle = -1
        self._memory = None

    def _let_in(self) -> None:
        """Take those who knock: this user's, as many as there is room for."""
        if self._listening is None:
            return
        while True:
            try:
                knocking, _ = self._listening.accept()
            except BlockingIOError:
                return
            except OSError:
                # It has gone again before it was let in.
                continue
            knocking.setblocking(False)
            page = _Page(knocking)
            if _user_of(knocking) not in (os.geteuid(), 0):
                knocking.close()
                continue
            if len(self._pages) >= PAGES:
                self._send(page, pack(Tag.END, {"outcome": "", "text": FULL}))
                knocking.close()
                continue
            try:
                socket.send_fds(knocking, [self._hello], [self._handle])
            except OSError:
                knocking.close()
                continue
            self._pages.append(page)

    def _hear(self, page: _Page, asked: Asked) -> None:
        """Take what a page asks for."""
        for _ in range(CONTROLS_AT_A_TIME):
            try:
                message = page.socket.recv(CONTROL_BYTES + 1)
            except BlockingIOError:
                return
            except OSError:
                message = b""
            try:
                tag, content = unpack(message)
                known = tag is Tag.CONTROL and len(message) <= CONTROL_BYTES and isinstance(content.get("id"), int)
            except ValueError:
                known = False
            if not known:
                # It has gone, or is no page of ours.
                self._let_go(page)
                return
            asked(content, self._answer(page, content["id"]))

    def _answer(self, page: _Page, number: int) -> Answer:
        def answer(ok: bool, text: str) -> None:
            self._send(page, pack(Tag.ANSWER, {"id": number, "ok": ok, "text": text[:DETAIL_CHARACTERS]}))

        return answer

    def _send(self, page: _Page, message: bytes) -> bool:
        """Send, or leave it where the page has not read what was sent before; let go of one that is gone."""
        try:
            page.socket.send(message)
        except BlockingIOError:
            return False
        except OSError:
            self._let_go(page)
            return False
        return True

    def _let_go(self, page: _Page) -> None:
        page.socket.close()
        if page in self._pages:
            self._pages.remove(page)


def _user_of(peer: socket.socket) -> int:
    """Return who is at the other end."""
    _, user, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return int(user)
