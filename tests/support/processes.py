"""Waits for the end of a process by its id."""

import contextlib
import os
import select


def await_end(pid, timeout_s=30):
    """Wait for the end of a process, whoever started it; fail where it does not end in time."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            assert select.select([handle], [], [], timeout_s)[0], f"process {pid} did not end"
        finally:
            os.close(handle)
