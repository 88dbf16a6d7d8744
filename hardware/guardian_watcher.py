"""The watcher: takes the lines low when the guardian itself is killed or hangs, and writes the water of the day.

Kernels of the Raspberry Pi keep an output's level when its owner dies: a guardian killed within a pulse would leave the
valve open. Started by ``hardware.guard_pair`` beside the guardian, at a higher priority, it does nothing but look: at
the guardian's process and at its signs of life. A guardian that was stopped and gives none for 50 ms is killed; so is
one that hangs in any other way for 250 ms (a virtual machine may leave out one of its processors for 100 ms, and with
it a guardian that is well). Then the watcher makes the board itself, which takes all lines low, and holds it until it
is told to let go or the controller is gone.

Owns that board, and the thread of ``hardware.scribe``. Ends when it is told to, or when controller and guardian are
gone; the rows of the ledger are then on the disk.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from core.errors import OutputError
from hardware.board import Board
from hardware.boards import make_board, preload
from hardware.guardian_life import Life, Silence, Who
from hardware.guardian_process import become_prompt, hold_controller, mind_signals, take_orders
from hardware.guardian_spec import GuardSpec
from hardware.guardian_wire import MAX_MESSAGE, Kind, Message, pack, unpack
from hardware.ledger import Opening
from hardware.scribe import Scribe

PRIORITY = 81
TICK_MS = 10
SILENCE_NS = 50_000_000
HUNG_NS = 250_000_000
CLOSING_NS = 2_000_000_000
TAKE_NS = 10_000_000_000
WRITE_S = 10.0
UNWRITTEN = 4
"""Exit code where rows of the ledger did not reach the disk."""


class Watcher:
    """The loop.

    Parameters
    ----------
    link, rows : socket
        To the controller, and from the guardian.
    guardian, controller : int
        Handles (pidfd) of both.
    life : Life
    spec : GuardSpec
    ledgers : sequence of int
        The ledgers, held by the controller before (``hardware.ledger.hold_ledger``); empty: held with the first row.
    """

    def __init__(
        self, link: socket.socket, rows: socket.socket, guardian: int, controller: int, life: Life, spec: GuardSpec,
        ledgers: Sequence[int] = (),
    ) -> None:  # fmt: skip
        self._link, self._rows, self._life, self._spec = link, rows, life, spec
        self._guardian, self._controller = guardian, controller
        self._scribe = Scribe(spec.ledgers, ledgers, lambda: life.beat(Who.ROWS)) if spec.ledgers else None
        self._silence = Silence(2 * TICK_MS * 1_000_000)
        self._allowed_ns = SILENCE_NS
        self._board: Board | None = None
        self._how = "died"
        self._alone = self._dead = self._clean = self._told_to_end = False
        self._take_until_ns = 0
        self._poller = select.poll()
        for descriptor in (link.fileno(), rows.fileno(), guardian, controller):
            self._poller.register(descriptor, select.POLLIN)

    def run(self) -> None:
        """Look until there is nobody left to look after."""
        while not (self._dead and (self._told_to_end or self._alone) and self._is_low()):
            self._life.beat(Who.WATCHER)
            ready = {descriptor for descriptor, _ in self._poller.poll(TICK_MS)}
            if self._rows.fileno() in ready:
                self._read_rows()
            if self._guardian in ready:
                self._bury()
            elif not self._dead:
                self._look()
            if self._link.fileno() in ready:
                self._hear()
            if self._controller in ready:
                self._leave_controller(self._controller)
            if self._dead and not self._is_low():
                self._take()
            if self._board is not None:
                self._hold(self._board)

    @property
    def left_low(self) -> bool:
        """Whether the lines were taken low, by the guardian at its end or here."""
        return self._clean or self._board is not None

    def shut_down(self) -> None:
        """End the guardian and take its lines low, without looking at anything else. Raises nothing."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._guardian, signal.SIGKILL)
        select.select([self._guardian], [], [], TAKE_NS / 1e9)
        self._take_until_ns = time.monotonic_ns() + TAKE_NS
        while not self._is_low():
            self._take()
            select.select([], [], [], TICK_MS / 1000)

    def close(self) -> bool:
        """Write the last rows and release the board; return whether the ledger is on the disk. Raises nothing."""
        # The rows first: the lines are low, and a board that cannot be released must cost no row.
        written = self._scribe is None or self._scribe.close(WRITE_S)
        if self._board is not None:
            try:
                self._board.close()
            except Exception as error:  # noqa: BLE001 - it took its lines low when it was made; that is what counts
                sys.stderr.write(f"watcher: the lines are low, but their board was not released: {error}\n")
        return written

    def _look(self) -> None:
        count = self._life.count(Who.GUARDIAN)
        silence = self._silence.look(count, time.monotonic_ns()) if count else 0
        if silence >= self._allowed_ns and (silence >= HUNG_NS or is_stopped(self._guardian)):
            self._how = "hung"
            signal.pidfd_send_signal(self._guardian, signal.SIGKILL)
        if self._scribe is not None and self._scribe.problem:
            self._tell_guardian(self._scribe.problem)

    def _bury(self) -> None:
        """The guardian is gone: take what it left."""
        self._poller.unregister(self._guardian)
        self._read_rows()
        self._dead = True
        self._take_until_ns = time.monotonic_ns() + TAKE_NS

    def _is_low(self) -> bool:
        return self.left_low or time.monotonic_ns() > self._take_until_ns

    def _take(self) -> None:
        try:
            self._board = make_board(self._spec.pins)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next try may succeed
            if time.monotonic_ns() + TICK_MS * 1_000_000 > self._take_until_ns:
                self._say(Message(Kind.FATAL, text=f"guardian: it {self._how}, and its lines may be high: {error}"))
            return
        self._say(Message(Kind.TAKEN, a=time.monotonic_ns(), text=f"the guardian {self._how}"))

    def _hold(self, board: Board) -> None:
        try:
            board.alive()
        except OutputError:
            # A board that is lost now cannot be helped from here; its lines were taken low.
            return

    def _read_rows(self) -> None:
        while self._rows.fileno() >= 0:
            try:
                packet = self._rows.recv(MAX_MESSAGE, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except ConnectionResetError:
                continue
            if not packet:
                self._poller.unregister(self._rows.fileno())
                self._rows.close()
                return
            self._take_row(unpack(packet))

    def _take_row(self, message: Message) -> None:
        if message.kind is Kind.CLEAN:
            self._clean = True
        elif message.kind is Kind.CLOSING:
            self._allowed_ns = CLOSING_NS
        elif message.kind is Kind.ROW and self._scribe is not None:
            self._scribe.add(Opening(message.a, self._spec.purpose, message.b / 1e9, self._spec.session))

    def _hear(self) -> None:
        try:
            packet = self._link.recv(MAX_MESSAGE, socket.MSG_DONTWAIT)
        except (BlockingIOError, ConnectionError):
            return
        if not packet:
            self._leave_controller(self._link.fileno())
        elif unpack(packet).kind is Kind.BYE:
            self._told_to_end = True

    def _leave_controller(self, descriptor: int) -> None:
        """The controller is gone; the guardian ends by itself, or is killed if it hangs."""
        self._poller.unregister(descriptor)
        self._alone = True

    def _tell_guardian(self, problem: str) -> None:
        try:
            self._rows.send(pack(Message(Kind.FATAL, text=problem)), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except OSError:
            return

    def _say(self, message: Message) -> None:
        try:
            self._link.send(pack(message), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except OSError:
            # Nobody listens any more.
            return


def is_stopped(handle: int) -> bool:
    """Whether the process of a pidfd was stopped, as by SIGSTOP or a debugger; False where /proc does not tell."""
    try:
        about = Path(f"/proc/self/fdinfo/{handle}").read_text(encoding="ascii")
        pid = next(line.split()[1] for line in about.splitlines() if line.startswith("Pid:"))
        # The state follows the name, which is in brackets and may hold anything.
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except (OSError, StopIteration, IndexError):
        return False
    return state in "Tt"


def main(argv: list[str]) -> int:
    """Run the process. ``argv``: descriptors of link, rows, life, guardian, ledgers; the controller's process id."""
    # Open until the end: SIGTERM, which means nothing here, is written into it.
    with mind_signals():
        link, rows = socket.socket(fileno=int(argv[0])), socket.socket(fileno=int(argv[1]))
        controller = hold_controller(int(argv[-1]))
        spec = take_orders(link).spec
        preload(spec.pins)
        watcher = Watcher(
            link, rows, int(argv[3]), controller, Life(int(argv[2])), spec, [int(each) for each in argv[4:-1]]
        )
        refused = become_prompt(PRIORITY)
        link.send(pack(Message(Kind.READY, text="\n".join(refused))), socket.MSG_NOSIGNAL)
        try:
            watcher.run()
        except BaseException:  # noqa: BLE001 - whatever it is, nobody watches from here on: no line may stay high
            traceback.print_exc()
            watcher.shut_down()
        written = watcher.close()
        if not watcher.left_low:
            return 1
        return 0 if written else UNWRITTEN


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))
