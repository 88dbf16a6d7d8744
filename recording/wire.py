"""What travels between the loop and the writer process: one packet of a SOCK_SEQPACKET socket is one message.

To the writer go frames (slot, row, timing, side rows), more side rows, and ``END``. Back come replies: ready, free
slots, an error, that images have ended, the final count. Both ends are this project's own processes on one socket
pair, so pickle is safe here; only plain tuples travel, as a NamedTuple costs four times as much. Free slots, a message
per frame, go as bare numbers.
"""

from __future__ import annotations

import pickle
from array import array
from collections.abc import Sequence
from typing import Any, NamedTuple

from recording.schema import SIDE_TABLES, EventRow, FrameRow, SideRow, TimingRow

MAX_MESSAGE = 65_536
END = b"end"
NO_SLOT = -1
# No pickle begins like this. Four bytes, as the slots behind it are.
_FREE = b"free"
_LONGEST_TEXT = 4_096
_TABLES = {kind: table for table, (kind, _, _) in enumerate(SIDE_TABLES)}


class Reply(NamedTuple):
    """A message from the writer.

    Attributes
    ----------
    kind : {"ready", "error", "images_ended", "done"}
    text : str
        With ``error`` and ``images_ended``: what failed and the cure.
    frames, images : int
        With ``done``: counted in the closed files.
    cause : str
        With ``images_ended``: ``disk_full`` or ``image_file_failed``.
    """

    kind: str
    text: str = ""
    frames: int = 0
    images: int = 0
    cause: str = ""


def pack_frame(slot: int, row: FrameRow, timing: TimingRow, side: Sequence[SideRow]) -> list[bytes]:
    """Return a frame as messages; nearly always one.

    Parameters
    ----------
    slot : int
        Where in the ring its image is, ``NO_SLOT`` where it was not kept.
    row, timing, side
        What is recorded of it.
    """
    message = pickle.dumps((slot, tuple(row), tuple(timing), [(_TABLES[type(each)], *each) for each in side]), 5)
    if len(message) < MAX_MESSAGE:
        return [message]
    clipped = row._replace(reason=row.reason[:_LONGEST_TEXT], phase=row.phase[:_LONGEST_TEXT])
    return [pickle.dumps((slot, tuple(clipped), tuple(timing), []), 5), *pack_side(side)]


def pack_side(side: Sequence[SideRow]) -> list[bytes]:
    """Return side rows without a frame as messages, one each."""
    messages = []
    for each in side:
        if isinstance(each, EventRow):
            each = each._replace(kind=each.kind[:_LONGEST_TEXT], detail=each.detail[:_LONGEST_TEXT])
        messages.append(pickle.dumps((NO_SLOT, None, None, [(_TABLES[type(each)], *each)]), 5))
    return messages


def unpack_frame(message: memoryview) -> tuple[int, Any, Any, list[SideRow]]:
    """Return slot, row, timing and side rows of a frame message; row and timing are None where it has none."""
    slot, row, timing, side = pickle.loads(message)  # noqa: S301 - see the module's docstring
    return slot, row, timing, [SIDE_TABLES[table][0](*cells) for table, *cells in side]


def pack_free(slots: Sequence[int]) -> bytes:
    """Return a message that names slots of the ring which may be filled again."""
    return _FREE + array("I", slots).tobytes()


def unpack_free(message: memoryview) -> memoryview | None:
    """Return the slots in a message of ``pack_free``, None where it is another message."""
    return message[len(_FREE) :].cast("I") if message[: len(_FREE)] == _FREE else None


def pack_reply(reply: Reply) -> bytes:
    """Return a reply as a message."""
    return pickle.dumps(tuple(reply), 5)


def unpack_reply(message: memoryview) -> Reply:
    """Return the reply in a message."""
    return Reply(*pickle.loads(message))  # noqa: S301 - see the module's docstring
