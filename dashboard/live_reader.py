"""A page's end of a running session's link: finds sessions, and reads what they show. Owns a socket and a mapping."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InputError, RecordingError
from core.values import Image
from session.live_wire import (
    CONTROL_BYTES,
    MESSAGE_BYTES,
    ROWS,
    SLOTS,
    WIRE,
    LiveMemory,
    Tag,
    live_folder,
    new_socket,
    pack,
    socket_name,
    unpack,
)

SUFFIX = ".sock"
HELLO_S = 2.0
"""A session that has let a page in says what it is within this time; it looks at its link 15 times a second."""


class Refused(InputError):
    """A session that runs does not let the page in, and will not by itself; says why."""


@dataclass(frozen=True, slots=True)
class News:
    """One update.

    Attributes
    ----------
    status : dict
        As ``session.live_status.live_status``.
    events : list of [number, time_ns, kind, trial, detail]
    rows : (n,) of ``session.live_wire.row_dtype``
        Those since the last update that were still there; a copy.
    rows_lost : int
        Those that were not.
    image : (height, width, 3) or None
        The newest; None where there is none since the last update. A copy.
    """

    status: Mapping[str, Any]
    events: list[list[Any]]
    rows: npt.NDArray[np.void]
    rows_lost: int
    image: Image | None


class LiveReader:
    """A connection to one session.

    Parameters
    ----------
    name : str
        From ``find_live``.

    Attributes
    ----------
    about : dict
        As ``session.live_status.live_about``.
    end : dict or None
        What the session came to, once it has ended in order.

    Raises
    ------
    InputError
        There is no such session, or it looks at nobody now.
    Refused
        It is of another version, or it has as many pages as it takes.
    """

    def __init__(self, name: str) -> None:
        self._socket = _connect(name)
        self.about: dict[str, Any] = {}
        self.end: dict[str, Any] | None = None
        try:
            self._memory = self._begin(name)
        except BaseException:
            self._socket.close()
            raise
        self._socket.setblocking(False)
        self._rows = 0
        self._image = 0

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._socket.fileno()

    def read(self) -> tuple[News | None, list[dict[str, Any]]]:
        """Return what has come since the last call, without waiting: the newest state, and answers to ``ask``.

        Raises
        ------
        EOFError
            The session has ended (see ``end``), or was killed.
        """
        answers: list[dict[str, Any]] = []
        update: dict[str, Any] | None = None
        events: list[list[Any]] = []
        while True:
            try:
                message = self._socket.recv(MESSAGE_BYTES)
            except BlockingIOError:
                break
            except OSError:
                message = b""
            if not message:
                if update is None and not answers:
                    raise EOFError
                break
            tag, content = unpack(message)
            if tag is Tag.UPDATE:
                update = content
                events += content["events"]
            elif tag is Tag.ANSWER:
                answers.append(content)
            elif tag is Tag.END:
                self.end = content
        return (None if update is None else self._news(update, events)), answers

    def ask(self, control: Mapping[str, Any]) -> bool:
        """Ask for something (see ``session.live_controls``); return whether the session takes it now.

        Raises
        ------
        InputError
            It is too long.
        """
        message = pack(Tag.CONTROL, control)
        if len(message) > CONTROL_BYTES:
            raise InputError(f"a message of {len(message)} bytes is too long; give {CONTROL_BYTES} at most")
        try:
            self._socket.send(message)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Let go."""
        self._socket.close()

    def _begin(self, name: str) -> LiveMemory:
        """Take what the session says first, and map its memory. Raises InputError."""
        self._socket.settimeout(HELLO_S)
        handles: list[int] = []
        try:
            message, handles, _, _ = socket.recv_fds(self._socket, MESSAGE_BYTES, 1, socket.MSG_CMSG_CLOEXEC)
            tag, about = unpack(message)
            if tag is Tag.END:
                raise Refused(f"session {name}: {about.get('text')}")
            if tag is not Tag.HELLO or about.get("wire") != WIRE or len(handles) != 1:
                raise Refused(f"session {name} is of another version of Rigloop; restart the page or the session")
            self.about = about
            return LiveMemory(handles[0], tuple(about["shape"]), about["dtype"], len(about["names"]))
        except Refused:
            raise
        except (OSError, ValueError) as error:
            raise InputError(f"session {name} does not let the page in ({error}); see whether it still runs") from error
        finally:
            for handle in handles:
                os.close(handle)

    def _news(self, update: Mapping[str, Any], events: list[list[Any]]) -> News:
        newest = update["rows"]
        numbers = np.arange(max(self._rows, newest - ROWS) + 1, newest + 1)
        rows = self._memory.rows[numbers % ROWS]
        rows = rows[rows["number"] == numbers]
        lost = newest - self._rows - len(rows) if self._rows else 0
        self._rows = newest
        return News(update["status"], events, rows, lost, self._new_image(update["image"]))

    def _new_image(self, number: int) -> Image | None:
        if number == self._image:
            return None
        slot = number % SLOTS
        image: Image = self._memory.images[slot].copy()
        if self._memory.numbers[slot] != number:
            return None
        self._image = number
        return image


def find_live(known: Collection[str] = ()) -> list[str]:
    """Return the names of this user's sessions and previews that run on this machine, the oldest first.

    Those that are ``known`` to run are not asked again, which would cost them time. What was left behind by one that
    was killed is removed.

    Raises
    ------
    RecordingError
        The folder of sockets cannot be used.
    """
    folder = live_folder()
    found = []
    try:
        paths = list(folder.glob(f"*{SUFFIX}"))
    except OSError as error:
        raise RecordingError(f"{folder}: cannot be listed ({error.strerror}); close other pages") from error
    for path in paths:
        # One may end at any moment.
        with suppress(FileNotFoundError):
            found.append((path.stat().st_mtime_ns, path.name, path))
    names = []
    for _, _, path in sorted(found):
        if path.stem in known:
            names.append(path.stem)
            continue
        try:
            _connect(path.stem).close()
        except InputError:
            continue
        names.append(path.stem)
    return names


def _connect(name: str) -> socket.socket:
    """Return a socket that is connected to a session. Raises InputError, and removes the file of one that is gone."""
    try:
        folder = os.open(live_folder(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise RecordingError(f"{live_folder()}: cannot be opened ({error.strerror})") from error
    try:
        connection = new_socket()
    except OSError as error:
        os.close(folder)
        raise RecordingError(f"no session can be looked at ({error.strerror}); close other pages") from error
    connection.settimeout(HELLO_S)
    try:
        connection.connect(socket_name(folder, name + SUFFIX))
    except OSError as error:
        connection.close()
        if isinstance(error, ConnectionRefusedError):
            with suppress(FileNotFoundError):
                os.unlink(name + SUFFIX, dir_fd=folder)
        raise InputError(f"session {name} does not run on this machine, or not as this user") from error
    finally:
        os.close(folder)
    return connection
