"""The messages of the lick process to the controller: whole messages on a local socket."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import NamedTuple

from core.values import Lick, Report

MAX_BYTES = 1 << 14
MOST_LICKS = 256
"""Licks in one message."""
MAX_TEXT = 2000
"""Longest text of a message, characters."""
_LICKS, _OTHER = b"L", b"J"


class Ready(NamedTuple):
    """The sensor is in use."""

    name: str


class Alive(NamedTuple):
    """Nothing new, but all is well."""


class Lost(NamedTuple):
    """The sensor cannot be used, or not any more; the process ends."""

    text: str


Said = tuple[Lick, ...] | Report | Ready | Alive | Lost
_KINDS = {"report": Report, "ready": Ready, "alive": Alive, "lost": Lost}


def pack_licks(times_ns: Sequence[int]) -> bytes:
    """Return the message of up to ``MOST_LICKS`` licks."""
    return _LICKS + struct.pack(f"<{len(times_ns)}q", *times_ns)


def pack(said: Report | Ready | Alive | Lost) -> bytes:
    """Return the message of anything else."""
    kind = type(said).__name__.lower()
    fields = [field[:MAX_TEXT] if isinstance(field, str) else field for field in said]
    return _OTHER + json.dumps([kind, *fields]).encode()


def unpack(packet: bytes) -> Said:
    """Return what a message says."""
    kind, body = packet[:1], packet[1:]
    if kind == _LICKS:
        return tuple(Lick(time_ns) for time_ns in struct.unpack(f"<{len(body) // 8}q", body))
    name, *fields = json.loads(body)
    said: Said = _KINDS[name](*fields)
    return said
