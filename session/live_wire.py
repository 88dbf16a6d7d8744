"""What a running session and the page beside it share: where they meet, a piece of memory, and the messages between.

A session (or preview) listens on a socket of its own in ``live_folder``. Whoever connects, as the same user, is told
what the session is (HELLO, with the descriptor of the memory), and from then on that there is something new to be seen
(UPDATE). A page asks for something with CONTROL, and gets an ANSWER. Every message is one packet: a letter, then JSON.

======= ================================================================================================================
HELLO   ``session.live_about``: what session it is, and the shape of the memory
UPDATE  ``image``: number of the newest image, from 1 (0: none), in slot ``image % SLOTS``; ``rows``: number of the
        newest row, in place ``rows % ROWS``; ``status``: ``session.live_status``; ``events``: those since the last
        UPDATE, ``[number, time_ns, kind, trial, detail]``, oldest first, some at a time
CONTROL ``id``, ``do``, ``who`` and what ``session.live_controls`` lists for each
ANSWER  ``id``, ``ok``, ``text``
END     ``outcome``, ``text``; the last message
======= ================================================================================================================

The memory holds the newest images, and the newest rows of the log, of which the session writes one per frame. An UPDATE
says which image and which rows are there. The system call that sends it comes after the writes, and the one that
receives it before the reads. A page that reads so late that its image or row is being written again sees the number
of another one beside it, and leaves it out; an image that is torn all the same costs a page one picture.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import socket
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import RecordingError
from core.values import Image
from recording.lock_file import lock_folder

WIRE = 1
"""Version of all that stands here; a page and a session of two versions do not look at each other."""
SLOTS = 4
"""Images in the memory: at 15 a second a page has a fifth of a second to take one away."""
ROWS = 4096
"""Rows in the memory: those of 13 s at 300 frames/s."""
LONGEST_CHARACTER = 12
"""Bytes that a character takes at most in JSON."""
CONTROL_BYTES = 8192
"""Longest message of a page: a note of 500 characters of any script, and who wrote it."""
MESSAGE_BYTES = 100_000
"""Longest message of a session; a socket takes twice that in one packet."""
PAGES = 4
"""Pages that may look at a session at a time."""
UNTOLD = frozenset({"lick", "edge", "sync", "drop", "skip", "repeat"})
"""Events that no page is told one by one: there may be many a second, and rows and status count them."""
LASTING = frozenset(
    {"operator", "set", "threshold", "note", "refused", "free_water", "lost", "back", "warning", "camera_lost"}
)
"""Events by which who comes later knows how things are now: what people changed, what was lost."""
PHASES = ("rest", "trial", "paused", "done")
"""The phases of a row, by their number there."""


class Tag(Enum):
    """The letter that a message begins with."""

    HELLO = b"H"
    UPDATE = b"U"
    ANSWER = b"A"
    END = b"Z"
    CONTROL = b"C"


def row_dtype(parts: int) -> np.dtype[np.void]:
    """Return the layout of a row: one frame, as ``recording.schema`` has it.

    Parameters
    ----------
    parts : int
        How many values the signal comes from.

    Returns
    -------
    dtype
        ``number`` of the row, from 1, 0 where none was written; ``frame``; ``time_ns``; ``late_us`` from the frame's
        time to its arrival in the loop, ``span_us`` from there to the last command; ``signal``, ``threshold`` (dF/F or
        mm/s); ``freq_hz``; ``phase`` (place in PHASES), ``valid``, ``audio``, ``outcome``; ``trial``; ``water``,
        ``licks``, ``dropped``; ``parts``.
    """
    return np.dtype(
        [
            ("number", "<i8"),
            ("frame", "<i8"),
            ("time_ns", "<i8"),
            ("late_us", "<f8"),
            ("span_us", "<f8"),
            ("signal", "<f8"),
            ("threshold", "<f8"),
            ("freq_hz", "<f8"),
            ("phase", "<i4"),
            ("valid", "<i4"),
            ("audio", "<i4"),
            ("outcome", "<i4"),
            ("trial", "<i4"),
            ("water", "<i4"),
            ("licks", "<i4"),
            ("dropped", "<i4"),
            ("parts", "<f8", (parts,)),
        ]
    )


class LiveMemory:
    """The shared memory, mapped.

    Parameters
    ----------
    handle : int
        Its descriptor, which the caller closes.
    shape : (height, width, 3)
    dtype : {"uint8", "uint16"}
    parts : int

    Attributes
    ----------
    numbers : (SLOTS,) int64
        Number of the image in each slot.
    images : list of (height, width, 3)
    rows : (ROWS,) of ``row_dtype``

    Raises
    ------
    ValueError, OSError
        The memory is smaller than that.
    """

    def __init__(self, handle: int, shape: tuple[int, int, int], dtype: str, parts: int) -> None:
        layout = row_dtype(parts)
        image_bytes = math.prod(shape) * np.dtype(dtype).itemsize
        memory = mmap.mmap(handle, memory_bytes(shape, dtype, parts), flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
        self.numbers: npt.NDArray[np.int64] = np.frombuffer(memory, np.int64, SLOTS)
        self.rows: npt.NDArray[np.void] = np.frombuffer(memory, layout, ROWS, SLOTS * 8)
        start = SLOTS * 8 + ROWS * layout.itemsize
        self.images: list[Image] = [
            np.frombuffer(memory, dtype, math.prod(shape), start + slot * image_bytes).reshape(shape)
            for slot in range(SLOTS)
        ]


def memory_bytes(shape: tuple[int, int, int], dtype: str, parts: int) -> int:
    """Return how much memory ``LiveMemory`` takes, bytes."""
    return SLOTS * 8 + ROWS * row_dtype(parts).itemsize + SLOTS * math.prod(shape) * np.dtype(dtype).itemsize


def make_live_memory(shape: tuple[int, int, int], dtype: str, parts: int) -> int:
    """Return the descriptor of new memory, which has no name and goes with its last user. Raises OSError."""
    handle = os.memfd_create("rigloop-live", os.MFD_CLOEXEC)
    try:
        os.posix_fallocate(handle, 0, memory_bytes(shape, dtype, parts))
    except OSError:
        os.close(handle)
        raise
    return handle


def pack(tag: Tag, content: Mapping[str, Any]) -> bytes:
    """Return a message. Raises ValueError for NaN or infinity, which JSON has no word for; give None."""
    return tag.value + json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def unpack(message: bytes) -> tuple[Tag, dict[str, Any]]:
    """Return what a message is and says. Raises ValueError for one that is none."""
    tag = Tag(message[:1])
    try:
        content = json.loads(message[1:].decode())
    except RecursionError:
        raise ValueError("a message of brackets in brackets") from None
    if not isinstance(content, dict):
        raise ValueError(f"a message of {type(content).__name__}, not of names and values")
    return tag, content


def live_folder() -> Path:
    """Return the folder of this user's sockets, made if need be; nobody else may look into it.

    Raises
    ------
    RecordingError
        It cannot be made, or is another's.
    """
    folder = lock_folder() / f"rigloop-live-{os.geteuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = os.lstat(folder)
    except OSError as error:
        raise RecordingError(f"{folder}: cannot be made ({error.strerror}); make its folder writable") from error
    if not folder.is_dir() or folder.is_symlink() or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise RecordingError(f"{folder}: is not this user's own; remove it")
    return folder


def socket_name(folder_handle: int, name: str) -> str:
    """Return an address for a socket in an open folder: that of a long path does not fit into one."""
    return f"/proc/self/fd/{folder_handle}/{name}"


def new_socket() -> socket.socket:
    """Return a socket whose messages are packets, in order, and whose end is told."""
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
