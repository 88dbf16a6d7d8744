"""Lines of text between host and Arduino, with a checksum: made, and taken apart. Pure.

Their reference is docs/reference/arduino-protocol.md.

A line is ``>`` (from the host) or ``<`` (from the board), a number and a letter, arguments of a length that the letter
fixes, ``*``, the checksum and a line end. What is not exactly that is not a message: a line that was cut, joined to
another or changed on its way is dropped here as it is in the firmware.
"""

from __future__ import annotations

import binascii
import re
from enum import Enum
from typing import NamedTuple

PROTOCOL_VERSION = 1
BAUD = 500_000
"""Bits per second; chosen because a 16 MHz crystal divides into it without error."""
LONGEST_BODY = 32
"""Longest line without its start and its end, bytes; the firmware's ``LONGEST``."""
ASKED_MAX_US = 600_000_000
"""The longest bound that a line may be given, us; the firmware's ``ASKED_MAX_US``."""

HOST, BOARD = b">", b"<"
_MESSAGE = re.compile(rb"([0-9A-F]{2})([A-Z])([0-9A-Z]*)")
_SUM = re.compile(rb"[0-9A-F]{4}")

COMMANDS = {"V": r"", "H": r"", "C": r"[0-9A-F]{3}[01]", "S": r"[0-9A-F][01][0-9A-F]{8}", "L": r"", "Q": r""}
"""Each command's arguments: hello, heartbeat, configure, set, all low, query."""
ANSWERS = {
    "B": r"[0-9A-F]{2}", "V": r"[0-9A-F]{4}[A-Z][0-9A-F]{15}", "K": r"[0-9A-F]{8}", "N": r"[A-Z]",
    "Q": r"[0-9A-F]{10}", "E": r"[0-9A-F][A-Z][0-9A-F]{8}",
}  # fmt: skip
"""Each answer's arguments: booted, hello, done, refused, levels, event."""


class Message(NamedTuple):
    """One line's content.

    Attributes
    ----------
    number : int
        0 to 255; an answer has its command's, 0 where it answers none.
    letter : str
    args : str
    """

    number: int
    letter: str
    args: str = ""


class Hello(NamedTuple):
    """What a board says of itself; times in ms, as the firmware was compiled."""

    protocol: int
    firmware: int
    chip: str
    lines: int
    valve_max_ms: int
    valve_silence_ms: int
    all_silence_ms: int
    reset_cause: int

    @property
    def name(self) -> str:
        """The board's name."""
        return {"U": "Uno", "M": "Mega 2560"}.get(self.chip, f"board {self.chip}")

    @property
    def last_pin(self) -> int:
        """Its highest pin; the lowest is 2."""
        return {"U": 19, "M": 69}.get(self.chip, 19)


class Closed(Enum):
    """Why a board closed a line by itself."""

    time = "T"
    bound = "B"
    silence = "S"


def checksum(data: bytes) -> int:
    """Return CRC-16 of polynomial 0x1021 begun with 0xFFFF (CRC-16/IBM-3740); ``b"123456789"`` gives 0x29B1."""
    return binascii.crc_hqx(data, 0xFFFF)


def encode(message: Message, start: bytes = HOST) -> bytes:
    """Return the line of a message, from ``start`` to its line end."""
    data = start + f"{message.number:02X}{message.letter}{message.args}".encode("ascii")
    return data + f"*{checksum(data):04X}\n".encode("ascii")


def decode(body: bytes, start: bytes = BOARD) -> Message | None:
    """Return the message of a line without its start and end, or None if it is not whole."""
    content, star, given = body[:-5], body[-5:-4], body[-4:]
    found = _MESSAGE.fullmatch(content)
    if star != b"*" or _SUM.fullmatch(given) is None or found is None:
        return None
    if int(given, 16) != checksum(start + content):
        return None
    message = Message(int(found[1], 16), found[2].decode(), found[3].decode())
    form = (ANSWERS if start == BOARD else COMMANDS).get(message.letter)
    return message if form is not None and re.fullmatch(form, message.args) else None


class LineParser:
    """Takes bytes as they come, gives whole messages. A start in the middle of a line begins a new one.

    Parameters
    ----------
    start : bytes
        ``BOARD`` for what a board sends, ``HOST`` for what it is sent.

    Attributes
    ----------
    broken : int
        Lines that were begun and were no message.
    """

    def __init__(self, start: bytes = BOARD) -> None:
        self._start = start
        self._body: bytearray | None = None
        self.broken = 0

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages that these bytes complete, in order."""
        messages = []
        for byte in data:
            message = self._take(byte)
            if message is not None:
                messages.append(message)
        return messages

    def _take(self, byte: int) -> Message | None:
        if byte == self._start[0]:
            self.broken += self._body is not None
            self._body = bytearray()
        elif self._body is not None and byte == 0x0A:
            message = decode(bytes(self._body), self._start)
            self._body = None
            self.broken += message is None
            return message
        elif self._body is not None:
            self._body.append(byte)
            if len(self._body) > LONGEST_BODY:
                self._body = None
                self.broken += 1
        return None


def hello_args(message: Message) -> Hello:
    """Return what a hello's answer says."""
    text = message.args
    numbers = [int(text[i : i + n], 16) for i, n in ((0, 2), (2, 2), (5, 1), (6, 4), (10, 4), (14, 4), (18, 2))]
    return Hello(numbers[0], numbers[1], text[4], *numbers[2:])


def configure(number: int, line: int, pin: int, is_valve: bool) -> Message:
    """Give a line its pin."""
    return Message(number, "C", f"{line:X}{pin:02X}{is_valve:d}")


def set_line(number: int, line: int, high: bool, at_most_us: int) -> Message:
    """Set a line; high for ``at_most_us`` (0: no bound of the host's)."""
    if not 0 <= at_most_us <= ASKED_MAX_US:
        raise ValueError(f"at_most_us is {at_most_us}; give 0 (no bound) to {ASKED_MAX_US}")
    return Message(number, "S", f"{line:X}{high:d}{at_most_us:08X}")
