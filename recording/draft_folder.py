"""What is made under a hidden name beside its own, and what processes that were killed left of such."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path


def make_draft(target: Path) -> Path:
    """Return a new folder beside ``target``, hidden, that takes its name once it is whole.

    Drafts for the same name whose process is no more are removed. Those of other computers, which may share the disk,
    stay: whether they live cannot be seen from here. Raises OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for draft in stale_drafts(target):
        shutil.rmtree(draft, ignore_errors=True)
    draft = draft_name(target)
    draft.mkdir(mode=0o755)
    return draft


def draft_name(target: Path, suffix: str = "") -> Path:
    """Return the hidden name beside ``target`` under which this process makes it."""
    return target.with_name(f"{_begin(target)}{os.getpid()}.tmp{suffix}")


def stale_drafts(target: Path, suffix: str = "") -> list[Path]:
    """Return the drafts for the name of ``target`` that processes of this computer left and can finish no more."""
    name = re.compile(rf"{re.escape(_begin(target))}(\d+)\.tmp{re.escape(suffix)}")
    found = ((name.fullmatch(each.name), each) for each in target.parent.iterdir())
    return sorted(each for match, each in found if match is not None and not lives(int(match[1])))


def _begin(target: Path) -> str:
    return f".{target.name}.{os.uname().nodename}-"


def lives(pid: int) -> bool:
    """Return whether another process has this id; a draft of our own id is that of an earlier process."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return pid != os.getpid()
