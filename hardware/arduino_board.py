"""Output lines on an Arduino that runs our firmware (hardware/arduino/rigloop_outputs)."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Final

from core.errors import OutputError
from core.values import Report, as_ns
from hardware import arduino_protocol as protocol
from hardware.arduino_protocol import BAUD, PROTOCOL_VERSION, Closed, Hello, LineParser, Message
from hardware.board import OutputLine
from hardware.pins import connected
from hardware.serial_line import SerialLine
from hardware.settings import PinSettings

UPLOAD = "upload hardware/arduino/rigloop_outputs (docs/how-to/wire-a-rig.md)"
REFUSALS = {
    "C": "the line was garbled on its way",
    "S": "the command was not understood",
    "L": "the line is not set up",
    "P": "the board has no such pin, or two lines are on it",
    "H": "the line is high",
    "X": "the board had closed the line by itself; it must be set low before it is set high",
    "W": "the board has restarted, or had not heard of this computer for too long",
}
CLOSED = "arduino: used after it was closed"
MAX_REPORTS = 1000
"""Reports kept for one who never asks; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the driver waits, s.

    Attributes
    ----------
    boot_s : float
        For an Arduino's boot loader, which a Mega takes 2 s for.
    answer_s : float
        For an answer, before the command is sent again. USB takes 1 to 4 ms, with an FTDI chip up to 20 ms.
    tries : int
        The board is lost after ``answer_s * tries``: 36 ms, since a guardian that says nothing for 50 ms is taken for
        hung.
    heartbeat_s : float
        Least time between two heartbeats.
    lost_s : float
        Heartbeats unanswered for this long: the board is lost.
    """

    boot_s: float = 4.0
    answer_s: float = 0.012
    tries: int = 3
    heartbeat_s: float = 0.005
    lost_s: float = 0.15


DEFAULT_TIMING: Final = Timing()
QUIET_BOOT_S = 2.5
"""A board that was not reset by the opening says nothing by itself; it is greeted after this time."""
HELLO_S = 0.3
"""Time between two hellos."""
AGAIN_S = 0.002
"""A garbled command is sent again at once, but not faster than this: old complaints may still be on their way."""


class ArduinoBoard:
    """The lines of an Arduino; owns its serial port. For one thread: the guardian's.

    ``write`` returns when the board has said that it was done, within ``answer_s * tries``; the board itself drops a
    line at ``at_most_ns``, on its own clock. ``alive`` sends a heartbeat and never waits: the board closes the valve
    when it hears nothing for 0.1 s, every line after 1 s. A board that is lost stays lost: make a new one.

    Parameters
    ----------
    pins : PinSettings
    timing : Timing, optional

    Raises
    ------
    OutputError
        No such port, no firmware of ours or of another version, no such pin; with the cure.

    Attributes
    ----------
    hello : Hello
        What the board says of itself.
    """

    def __init__(self, pins: PinSettings, timing: Timing = DEFAULT_TIMING) -> None:
        if not pins.serial_port:
            raise OutputError("arduino: serial_port is empty; give the Arduino's port, such as /dev/ttyACM0")
        self._timing = timing
        self._reports: deque[Report] = deque(maxlen=MAX_REPORTS)
        self._parser = LineParser()
        self._number = 0
        self._asked_ns = 0
        self._beat_ns = 0
        self._garbled = False
        self._lost = ""
        self._pins = connected(pins)
        self._index = {line: index for index, line in enumerate(OutputLine)}
        self._line = SerialLine(pins.serial_port, BAUD)
        try:
            self.hello = self._greet()
            self._configure()
        except OutputError:
            self._line.close()
            raise

    def write(self, line: OutputLine, high: bool, at_most_ns: int = 0) -> None:
        """Set a line. Raises OutputError if the board refuses it, or does not answer."""
        if line not in self._pins:
            return
        # What is longer than the board's clock can count is left to the guardian.
        at_most_us = -(-at_most_ns // 1000)
        bound_us = at_most_us if at_most_us <= protocol.ASKED_MAX_US else 0
        self._command(protocol.set_line(self._next(), self._index[line], high, bound_us), line)

    def alive(self) -> None:
        """Send a heartbeat, hear what the board has to say. Never waits. Raises OutputError if the board is lost."""
        self._check()
        self._hear(self._read(0.0))
        now_ns = time.monotonic_ns()
        if self._asked_ns and now_ns - self._asked_ns > as_ns(self._timing.lost_s):
            raise self._lose(f"has not answered for {(now_ns - self._asked_ns) / 1e9:.2g} s; check the cable")
        if now_ns - self._beat_ns >= as_ns(self._timing.heartbeat_s):
            self._send(Message(self._next(), "H"))
            self._beat_ns = now_ns

    def levels(self) -> dict[OutputLine, bool]:
        """Return the level of each connected line, as the board reads it from its pins. Raises OutputError."""
        answer = self._command(Message(self._next(), "Q"))
        high = int(answer.args[:2], 16)
        return {line: bool(high >> self._index[line] & 1) for line in self._pins}

    def reports(self) -> tuple[Report, ...]:
        """Return what the board did by itself since the last look: ``board_closed`` with the line and why."""
        reports = tuple(self._reports)
        self._reports.clear()
        return reports

    def close(self) -> None:
        """All lines low, then release the port; twice is legal.

        Raises OutputError if a board that was not lost before cannot be told: it puts its lines low by itself then.
        """
        if self._lost == CLOSED:
            return
        try:
            if not self._lost:
                self._command(Message(self._next(), "L"))
        finally:
            self._lost = CLOSED
            self._line.close()

    def _greet(self) -> Hello:
        """Wait until the board has started, and ask what it is."""
        begin_ns = time.monotonic_ns()
        end_ns = begin_ns + as_ns(self._timing.boot_s)
        next_ns = begin_ns + as_ns(min(QUIET_BOOT_S, self._timing.boot_s / 2))
        hello = None
        while hello is None and (now_ns := time.monotonic_ns()) < end_ns:
            if now_ns >= next_ns:
                self._line.write(protocol.encode(Message(self._next(), "V")))
                next_ns = now_ns + as_ns(HELLO_S)
            for message in self._parser.feed(self._line.read(max(0, min(next_ns, end_ns) - now_ns) / 1e9)):
                if message.letter == "B":
                    next_ns = 0
                elif message.letter == "V":
                    hello = protocol.hello_args(message)
        if hello is None:
            raise OutputError(f"{self._line.path}: no board with Rigloop's firmware answers; {UPLOAD}")
        if hello.protocol != PROTOCOL_VERSION:
            text = f"its firmware speaks protocol {hello.protocol}, this Rigloop {PROTOCOL_VERSION}"
            raise OutputError(f"{self._line.path}: {text}; {UPLOAD}")
        return hello

    def _configure(self) -> None:
        for line, pin in self._pins.items():
            if not 2 <= pin <= self.hello.last_pin:
                text = f"pin_{line.value} {pin}: an {self.hello.name} has pins 2 to {self.hello.last_pin}"
                raise OutputError(f"arduino: {text}; correct pin_{line.value}")
            is_valve = line is OutputLine.VALVE
            self._command(protocol.configure(self._next(), self._index[line], pin, is_valve), line)

    def _command(self, message: Message, line: OutputLine | None = None) -> Message:
        """Send a command until it is answered. The board does it once, however often it is sent."""
        self._check()
        name = f"{line.value}: " if line is not None else ""
        answer = self._ask(message)
        if answer is None:
            waited = self._timing.tries * self._timing.answer_s
            raise self._lose(f"did not answer a command within {waited:.2g} s ({name or 'all lines: '}check the cable)")
        if answer.letter == "N":
            raise OutputError(f"arduino: {name}refused, {REFUSALS.get(answer.args, answer.args)}")
        return answer

    def _ask(self, message: Message) -> Message | None:
        """Send a command, again whenever the board says it was garbled or says nothing; return what it answers."""
        begin_ns = time.monotonic_ns()
        end_ns = begin_ns + as_ns(self._timing.tries * self._timing.answer_s)
        send_ns = begin_ns
        while (now_ns := time.monotonic_ns()) < end_ns:
            if now_ns >= send_ns:
                self._send(message)
                sent_ns, send_ns = now_ns, now_ns + as_ns(self._timing.answer_s)
            self._garbled = False
            for answer in self._hear(self._read(max(0, min(send_ns, end_ns) - time.monotonic_ns()) / 1e9)):
                if answer.number == message.number and answer.letter in "KQN":
                    return answer
            if self._garbled:
                send_ns = min(send_ns, sent_ns + as_ns(AGAIN_S))
        return None

    def _send(self, message: Message) -> None:
        try:
            self._line.write(protocol.encode(message))
        except OutputError as error:
            raise self._lose(str(error)) from error
        self._asked_ns = self._asked_ns or time.monotonic_ns()

    def _read(self, timeout_s: float) -> bytes:
        try:
            return self._line.read(timeout_s)
        except OutputError as error:
            raise self._lose(str(error)) from error

    def _hear(self, data: bytes) -> list[Message]:
        """Take in bytes; return the messages. Raises OutputError if the board says that it has forgotten us."""
        messages = self._parser.feed(data)
        for message in messages:
            if message.letter in "KQN":
                self._asked_ns = 0
            if message.letter == "E":
                self._note(message)
            elif message.letter == "N" and message.args in "CS":
                self._garbled = True
            elif message.letter == "B" or (message.letter == "N" and message.args == "W"):
                raise self._lose(f"{REFUSALS['W']}; its lines are low")
        return messages

    def _note(self, message: Message) -> None:
        index, cause = int(message.args[0], 16), message.args[1]
        line = next((line for line, place in self._index.items() if place == index), None)
        if line is not None and cause in {closed.value for closed in Closed}:
            detail = f"{line.value} {Closed(cause).name}"
            self._reports.append(Report(time.monotonic_ns(), "board_closed", detail))

    def _next(self) -> int:
        self._number = self._number % 255 + 1
        return self._number

    def _check(self) -> None:
        if self._lost:
            raise OutputError(self._lost)

    def _lose(self, text: str) -> OutputError:
        self._lost = f"arduino on {self._line.path}: {text}" if not text.startswith(self._line.path) else text
        return OutputError(self._lost)
