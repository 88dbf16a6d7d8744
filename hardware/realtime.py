"""Real-time scheduling and locked memory, where this user is allowed them."""

from __future__ import annotations

import ctypes
import os

_MCL_CURRENT_AND_FUTURE = 3


def become_realtime(priority: int) -> str:
    """Schedule this process, and threads it makes, as SCHED_FIFO at ``priority`` (1 to 90); return what came of it."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except OSError as error:
        return f"normal ({error.strerror})"
    return f"SCHED_FIFO {priority}"


def lock_memory() -> str:
    """Keep this process's memory from being paged out; return what came of it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT_AND_FUTURE):
        return f"not locked ({os.strerror(ctypes.get_errno())})"
    return "locked"
