"""The guardian: the process that owns every output line of the rig, and lets nothing keep the valve open.

Started by ``hardware.guard_pair``; owns the board (made here, ``hardware.boards.make_board``) and no thread. It ends,
valve low first, when it is told to, when the controller is gone (its socket reads as ended; or its process has, where a
forked relative still holds the socket), on SIGTERM, when its watcher is gone, and on any error of its own. While it
runs it closes the valve at the end of each pulse, and when the controller gives no sign of life for 50 ms.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import sys
import time
import traceback
from collections.abc import Callable

from core.clock import MonotonicClock
from core.errors import OutputError
from hardware.board import Board
from hardware.boards import make_board
from hardware.bounds import openings
from hardware.guardian_life import Life, Silence, Who
from hardware.guardian_outputs import Outputs
from hardware.guardian_process import become_prompt, hold_controller, mind_signals, take_orders
from hardware.guardian_spec import Orders
from hardware.guardian_wire import MAX_MESSAGE, Kind, Message, Outbox, pack, unpack

PRIORITY = 80
TICK_NS = 5_000_000
TAIL_NS = 200_000
"""The last part of every wait is spent awake: a sleeping process is woken this much late at worst, ns."""
WATER_SILENCE_NS = 50_000_000
LINES_SILENCE_NS = 1_000_000_000
WATCHER_SILENCE_NS = 2_000_000_000
FLUSH_MS = 200
TERMINATED = "guardian: it was told to end (SIGTERM); restart the outputs"
_BATCH = 64


class Guardian:
    """The loop.

    Parameters
    ----------
    link, watch, told : socket
        To the controller, to the watcher, and what SIGTERM makes readable.
    controller : int
        Handle (pidfd) of the controller.
    life : Life
    orders : Orders
    """

    def __init__(
        self,
        link: socket.socket,
        watch: socket.socket,
        told: socket.socket,
        controller: int,
        life: Life,
        orders: Orders,
    ) -> None:
        self._link, self._watch, self._life = link, watch, life
        self._orders = orders
        self._clock = MonotonicClock()
        self._outbox = Outbox(link)
        self._controller_silence = Silence(4 * TICK_NS)
        self._watcher_silence = Silence(4 * TICK_NS)
        self._board: Board | None = None
        self._outputs: Outputs | None = None
        self._hushed = self._dark = False
        self._end = ""
        self._rows = 0
        self._readers: dict[int, Callable[[], None]] = {
            link.fileno(): self._hear_controller,
            watch.fileno(): self._hear_watcher,
            told.fileno(): lambda: self._stop(TERMINATED),
            controller: lambda: self._stop("the controller ended"),
        }

    def run(self) -> str:
        """Work until there is a reason to end; return it. Raises what goes wrong."""
        orders, spec = self._orders, self._orders.spec
        bounds = openings(spec.outputs, orders.session_s, orders.day_s)
        for start_ns, end_ns in orders.openings:
            bounds.note(start_ns, end_ns)
        self._board = make_board(spec.pins)
        self._outputs = Outputs(
            self._board, spec, bounds, time.monotonic_ns, self._outbox.put, self._write_down, self._unwritten
        )
        refused = become_prompt(PRIORITY)
        self._outbox.put(Message(Kind.READY, text="\n".join(refused)))
        self._work(self._board, self._outputs)
        return self._end

    def close(self, why: str) -> bool:
        """Valve low, then all lines low, then release the board; return whether that is sure. Raises nothing."""
        sure = self._guarded(lambda: self._outputs.stop(why) if self._outputs else None)
        if self._board is not None:
            self._tell_of(self._board)
        self.tell_watcher(Kind.CLOSING)
        sure &= self._guarded(lambda: self._board.close() if self._board else None)
        self._outbox.flush(FLUSH_MS)
        return sure

    def tell_watcher(self, kind: Kind) -> None:
        """Tell the watcher how the end goes; it may be gone."""
        with contextlib.suppress(OSError):
            self._watch.send(pack(Message(kind)), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)

    def _guarded(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - the next line must fall all the same
            self.say(Message(Kind.FATAL, text=f"guardian: lines may be high: {error}"))
            return False
        return True

    def say(self, message: Message) -> None:
        """Tell the controller, without waiting."""
        self._outbox.put(message)

    def _work(self, board: Board, outputs: Outputs) -> None:
        alive_ns = 0
        while not self._end:
            now = time.monotonic_ns()
            if now - alive_ns >= TICK_NS:
                self._life.beat(Who.GUARDIAN)
                self._look_for_life(outputs, now)
                board.alive()
                self._tell_of(board)
                alive_ns = now
            wait = min(outputs.due_ns - TAIL_NS, alive_ns + TICK_NS) - time.monotonic_ns()
            for ready in select.select(list(self._readers), (), (), max(0, wait) / 1e9)[0]:
                self._readers[ready]()
            outputs.act(TAIL_NS)
            self._outbox.post(now)

    def _tell_of(self, board: Board) -> None:
        for report in board.reports():
            self.say(Message(Kind.BOARD, a=report.time_ns, text=f"{report.kind}\t{report.detail}"))

    def _look_for_life(self, outputs: Outputs, now_ns: int) -> None:
        silence = self._controller_silence.look(self._life.count(Who.CONTROLLER), now_ns)
        if silence < WATER_SILENCE_NS:
            self._hushed = self._dark = False
        elif not self._hushed:
            self._hushed = True
            outputs.cut_water("the controller gave no sign of life for 50 ms")
        if silence >= LINES_SILENCE_NS and not self._dark:
            self._dark = True
            outputs.lines_low()
            self.say(Message(Kind.TAKEN, a=now_ns, text="the controller gave no sign of life for 1 s"))
        watched = self._life.count(Who.WATCHER)
        # Before its first sign it is still starting, and the controller waits for it.
        if watched and self._watcher_silence.look(watched, now_ns) >= WATCHER_SILENCE_NS:
            raise OutputError("guardian: its watcher gives no sign of life; restart the outputs")

    def _hear_controller(self) -> None:
        for _ in range(_BATCH):
            try:
                packet = self._link.recv(MAX_MESSAGE, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except ConnectionResetError:
                # It died with our messages unread; what it sent before is still to come, and its end.
                continue
            if not packet:
                self._stop("the controller ended")
                return
            self._controller_silence.heard()
            message = unpack(packet)
            if message.kind is Kind.BYE:
                self._stop("the session ended")
                return
            if message.kind is Kind.THREAD:
                self._hold_thread(message.number)
            elif self._outputs is not None:
                self._outputs.take(message)

    def _hold_thread(self, thread: int) -> None:
        """Watch the controller's heartbeat itself, where the kernel can (Linux 6.9).

        A killed process is seen to end when its memory is freed and each of its threads has been scheduled once more:
        tens of ms on a loaded machine. This thread has real-time priority, and is gone within 0.1 ms.
        """
        try:
            handle = os.pidfd_open(thread, os.O_EXCL)
        except OSError as error:
            if error.errno == errno.ESRCH:
                self._stop("the controller ended")
            return
        self._readers[handle] = lambda: self._stop("the controller ended")

    def _hear_watcher(self) -> None:
        try:
            packet = self._watch.recv(MAX_MESSAGE, socket.MSG_DONTWAIT)
        except ConnectionError:
            packet = b""
        if not packet:
            raise OutputError("guardian: its watcher died; restart the outputs")
        raise OutputError(unpack(packet).text)

    def _stop(self, why: str) -> None:
        self._end = self._end or why

    def _write_down(self, number: int, length_ns: int) -> None:
        if not self._orders.spec.ledgers or length_ns == 0:
            return
        row = pack(Message(Kind.ROW, number=number, a=self._clock.wall_ns(), b=length_ns))
        try:
            self._watch.send(row, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except BlockingIOError as error:
            raise OutputError(
                f"water of the day: the disk of {self._orders.spec.ledger} takes no rows; check it: no water without"
            ) from error
        except ConnectionError as error:
            raise OutputError("guardian: its watcher died; restart the outputs") from error
        self._rows += 1

    def _unwritten(self) -> int:
        return self._rows - self._life.count(Who.ROWS)


def main(argv: list[str]) -> int:
    """Run the process. ``argv``: descriptors of link, watch and life, process id of the controller."""
    told = mind_signals()
    link, watch = socket.socket(fileno=int(argv[0])), socket.socket(fileno=int(argv[1]))
    life = Life(int(argv[2]))
    controller = hold_controller(int(argv[3]))
    guardian = Guardian(link, watch, told, controller, life, take_orders(link))
    try:
        why = guardian.run()
        failed = why == TERMINATED
    except OutputError as error:
        why, failed = str(error), True
    except BaseException as error:  # noqa: BLE001 - whatever it is, the valve must close, and a person must know
        why, failed = f"guardian: {type(error).__name__}: {error}; restart the outputs, and report this", True
        traceback.print_exc()
    if failed:
        guardian.say(Message(Kind.FATAL, text=why))
    if not guardian.close(why):
        return 1
    guardian.tell_watcher(Kind.CLEAN)
    return 0


if __name__ == "__main__":
    # Not sys.exit: nothing of what Python does at its end may keep a line high.
    os._exit(main(sys.argv[1:]))
