"""Scheduling of a process that must not be late: SCHED_FIFO, memory that stays, one core, no collector.

Every function works on the calling thread or process, changes nothing it has no right to, and then says in one line
what was refused and what allows it; an empty text is success.
"""

from __future__ import annotations

import ctypes
import gc
import os
import pwd
import resource

_MCL_CURRENT = 1
_MCL_FUTURE = 2
RTPRIO, MEMLOCK = "rtprio 90", "memlock unlimited"
"""Limits that a rig's user needs, as ``limits.conf`` writes them."""


def user_name(number: int) -> str:
    """Return a user as ``limits.conf`` names it: by name, or as a range of one number where it has none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"{number}:{number}"


def rights_cure(limit: str, user: str) -> str:
    """Return how this user gets a right. A group would not do: which ones there are differs between systems."""
    return f"write '{user} - {limit}' into /etc/security/limits.d/rigloop.conf and log in again"


def _cure(limit: str) -> str:
    return f"{rights_cure(limit, user_name(os.getuid()))}, or run as root"


def become_realtime(priority: int) -> str:
    """Run the calling thread before every ordinary one: SCHED_FIFO with this priority, which no child inherits.

    Parameters
    ----------
    priority : int
        1 to 99; 0 changes nothing.

    Returns
    -------
    str
        Why not and the cure; empty where it is so.
    """
    if priority == 0:
        return ""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except (OSError, ValueError) as error:
        return f"real-time priority {priority} refused ({_reason(error)}): {_cure(RTPRIO)}"
    return ""


def become_important(priority: int) -> str:
    """Become real-time, or, without the right, as nice to oneself as is allowed; say why it is not real-time."""
    refused = become_realtime(priority)
    if refused:
        for nice in (-20, -10, -5):
            try:
                os.setpriority(os.PRIO_PROCESS, 0, nice)
            except OSError:
                continue
            break
    return refused


def lock_memory() -> str:
    """Keep this process's memory out of swap, what it has and, where there is no limit, what it will have.

    Under a limit of locked memory only what is there now is locked: an allocation beyond it would fail.
    """
    unlimited = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] == resource.RLIM_INFINITY or os.geteuid() == 0
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT | (_MCL_FUTURE if unlimited else 0)) == 0:
        return ""
    return f"locking memory refused ({os.strerror(ctypes.get_errno())}): {_cure(MEMLOCK)}"


def pin_to_core(core: int) -> str:
    """Keep the calling thread, and threads it starts from now on, on one core; -1 changes nothing."""
    if core < 0:
        return ""
    try:
        os.sched_setaffinity(0, {core})
    except (OSError, ValueError) as error:
        return f"core {core} refused ({_reason(error)}): choose one of {sorted(os.sched_getaffinity(0))}, or -1 for any"
    return ""


def use_all_cores() -> None:
    """Undo a parent's ``pin_to_core``; the kernel leaves out the cores that this process may not have.

    For every process that may be started while a session turns: the loop's core is no place for it.
    """
    os.sched_setaffinity(0, range(os.cpu_count() or 1))


def freeze_collector() -> None:
    """Collect once, then never again; for a process whose memory is bounded by what it does."""
    gc.collect()
    gc.freeze()
    gc.disable()


def thaw_collector() -> None:
    """Undo ``freeze_collector``."""
    gc.unfreeze()
    gc.enable()


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
