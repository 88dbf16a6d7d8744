"""Imports Brian2 for a process of its own: without log files, and with the target that was chosen."""

from __future__ import annotations

import contextlib
import logging
import os
import random


def quiet_brian(target: str, seed: int) -> str:
    """Set Brian2 up and return its version.

    Its log file would stay behind in the temporary folder whenever the process is killed; its messages go to stderr.
    """
    import brian2 as b2
    from brian2.utils.logger import BrianLogger

    if BrianLogger.file_handler is not None:
        logging.getLogger("brian2").removeHandler(BrianLogger.file_handler)
        BrianLogger.file_handler.close()
        BrianLogger.file_handler = None
    for name in ("tmp_log", "tmp_script"):
        path = getattr(BrianLogger, name)
        if path is not None:
            with contextlib.suppress(OSError):
                os.unlink(path)
            setattr(BrianLogger, name, None)
    # Else every line of generated code is formatted for a log that is not kept.
    logging.getLogger("brian2").setLevel(logging.INFO)
    b2.prefs.codegen.target = target
    b2.seed(seed)
    random.seed(seed)
    return str(b2.__version__)
