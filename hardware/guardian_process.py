"""What the guardian and its watcher have in common as processes: signals, scheduling, orders, the controller.

Both are started by ``hardware.guard_pair`` as programs of their own (not forked: nothing of the controller is in them),
each in a session of its own, so that Ctrl-C reaches only the controller.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import sys
from pathlib import Path

from core.errors import OutputError
from hardware.guardian_spec import Orders
from hardware.realtime import become_important, freeze_collector, lock_memory, use_all_cores

IGNORED = (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE)
HELD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ORDERS_BYTES = 1 << 16


def mind_signals() -> socket.socket:
    """Ignore Ctrl-C; return a socket that becomes readable on SIGTERM."""
    told, tell = socket.socketpair()
    tell.setblocking(False)
    signal.set_wakeup_fd(tell.detach(), warn_on_full_buffer=False)
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: None)
    # The controller blocked them while this process came up, so that none ends it before this line.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)
    return told


def take_orders(link: socket.socket) -> Orders:
    """Return the first message; end where the controller let go before it gave any. Raises OutputError for another."""
    try:
        packet = link.recv(_ORDERS_BYTES)
    except ConnectionResetError:
        packet = b""
    if not packet:
        sys.exit(0)
    orders = pickle.loads(packet)  # noqa: S301 - from the controller, which started this process
    if not isinstance(orders, Orders):
        raise OutputError("guardian: started without orders; it is started by hardware.guard alone")
    return orders


def give_orders(link: socket.socket, orders: Orders) -> None:
    """Send the first message."""
    link.send(pickle.dumps(orders))


def hold_controller(pid: int) -> int:
    """Return a handle that becomes readable when the controller, this process's parent, is gone; end if it is."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        sys.exit(0)
    if os.getppid() != pid:
        sys.exit(0)
    return handle


def become_prompt(priority: int) -> list[str]:
    """Be scheduled first, stay in memory, never collect; return what of it was refused, with its cure."""
    use_all_cores()
    freeze_collector()
    survive_shortage()
    return [refused for refused in (become_important(priority), lock_memory()) if refused]


def survive_shortage() -> None:
    """Ask the kernel to end another process when memory runs short; without the right nothing changes."""
    try:
        Path("/proc/self/oom_score_adj").write_text("-900", encoding="ascii")
    except OSError:
        return
