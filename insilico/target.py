"""Chooses what Brian2 turns equations into: cython where it works, else numpy; and says why."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

from core.errors import InputError
from insilico.settings import Codegen

HOW = "sudo apt-get install g++ python3-dev"


def choose_target(wanted: Codegen) -> tuple[str, str]:
    """Return ``"cython"`` or ``"numpy"``, and the reason. Raises InputError if cython is wanted and does not work."""
    if wanted is Codegen.numpy:
        return "numpy", "as codegen says"
    lacking = _lacking()
    if not lacking:
        return "cython", "as codegen says" if wanted is Codegen.cython else "a C++ compiler works"
    if wanted is Codegen.cython:
        raise InputError(f"codegen = cython: {lacking}; {HOW}, or set codegen = numpy (two to three times slower)")
    return "numpy", f"{lacking}; cython would be two to three times as fast: {HOW}"


def _lacking() -> str:
    """Return what cython lacks on this machine, empty if nothing."""
    if not any(shutil.which(name) for name in ("c++", "g++", "clang++")):
        return "there is no C++ compiler"
    include = sysconfig.get_paths()["include"]
    if not (Path(include) / "Python.h").is_file():
        return "Python's header files are missing"
    from brian2.codegen.runtime.cython_rt import CythonCodeObject

    # Compiles an empty extension the first time, which finds what only a compiler can.
    return "" if CythonCodeObject.is_available() else "the C++ compiler does not make extensions for this Python"
