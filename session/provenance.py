"""Where a session's numbers come from: software and its state, host, and the hash of the config."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("numpy", "numba", "h5py", "opencv-python-headless", "av", "brian2", "deeplabcut-live", "torch")


def config_sha256(text: str) -> str:
    """Return the SHA-256 of a resolved config: of its text as UTF-8, which is session.ini without its first line.

    That line has the command for the session. Equal hashes: equal settings, data_root included.
    """
    return hashlib.sha256(text.encode("utf-8", errors="backslashreplace")).hexdigest()


def software() -> dict[str, Any]:
    """Return versions, git state and host: what a session was run with."""
    return {
        "rigloop": _version("rigloop"),
        "git": _git("rev-parse", "HEAD"),
        "git_changed": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "python": platform.python_version(),
        "host": platform.node(),
        "machine": platform.machine(),
        "kernel": platform.release(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def host(root: Path = Path("/")) -> dict[str, Any]:
    """Return what is told of the computer: name, board, system, processor, cores this process may use, and memory.

    Parameters
    ----------
    root : Path
        Stands for ``/``.

    Returns
    -------
    dict
        ``name``, ``model`` (of a board that tells it, such as a Raspberry Pi), ``system``, ``processor``; empty where
        it is not told. ``cores``; ``memory_bytes``, 0 where it is not told.
    """
    release = _fields(root / "etc" / "os-release", "=")
    processor = _fields(root / "proc" / "cpuinfo", ":")
    memory = _fields(root / "proc" / "meminfo", ":").get("memtotal", "").split()
    return {
        "name": platform.node(),
        "model": _text(root / "proc" / "device-tree" / "model").strip("\0 \n"),
        "system": release.get("pretty_name", "").strip('"') or platform.system(),
        "processor": processor.get("model name") or processor.get("model") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": int(memory[0]) * 1024 if memory and memory[0].isdecimal() else 0,
    }


def _text(path: Path) -> str:
    """Return a file's text, empty where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _fields(path: Path, between: str) -> dict[str, str]:
    """Return a file's lines as names, in small letters, and values; the first line of a name counts."""
    pairs = [line.split(between, 1) for line in _text(path).splitlines() if between in line]
    return {name.strip().lower(): value.strip() for name, value in reversed(pairs)}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _git(*words: str) -> str:
    """Return what git says of the code, empty where there is no git, or the code is in no repository of its own."""
    if not (ROOT / ".git").exists():
        # Installed, maybe into an environment inside of a repository, whose state is not that of the code.
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            ("git", *words),  # noqa: S607 - the user's own git
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
