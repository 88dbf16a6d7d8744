"""Finds the children of a process by its id, and waits for the end of one."""

import contextlib
import os
import select
from pathlib import Path


def children_of(pid):
    """Return the process ids of a process's children, each with the words that it was started with, as one text."""
    children = {}
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        # A thread that ended meanwhile has no list, and its children are another's.
        with contextlib.suppress(OSError):
            for child in listed.read_text().split():
                with contextlib.suppress(OSError):
                    children[int(child)] = Path(f"/proc/{child}/cmdline").read_text()
    return children


def await_end(pid, timeout_s=30):
    """Wait for the end of a process, whoever started it; fail where it does not end in time."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            assert select.select([handle], [], [], timeout_s)[0], f"process {pid} did not end"
        finally:
            os.close(handle)
