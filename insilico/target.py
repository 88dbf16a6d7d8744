"""Chooses what Brian2 turns equations into: cython where it works, else numpy; and says why."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path

from core.errors import InputError
from insilico.settings import Codegen

HOW = "install it: sudo apt-get install g++ python3-dev"


def choose_target(wanted: Codegen) -> tuple[str, str]:
    """Return ``"cython"`` or ``"numpy"``, and the reason. Raises InputError if cython is wanted and does not work."""
    if wanted is Codegen.numpy:
        return "numpy", "as codegen says"
    lacking = _lacking()
    if not lacking:
        return "cython", "as codegen says" if wanted is Codegen.cython else "a C++ compiler works"
    if wanted is Codegen.cython:
        raise InputError(f"codegen = cython: {lacking}, or set codegen = numpy (two to four times slower)")
    return "numpy", f"{lacking}; cython is two to four times as fast"


def _lacking() -> str:
    """Return what cython lacks on this machine, and the cure; empty if nothing."""
    if not any(shutil.which(name) for name in ("c++", "g++", "clang++")):
        return f"there is no C++ compiler; {HOW}"
    include = sysconfig.get_paths()["include"]
    if not (Path(include) / "Python.h").is_file():
        return f"Python's header files are missing; {HOW}"
    if problem := _cache_problem():
        return problem
    from brian2.codegen.runtime.cython_rt import CythonCodeObject

    # Compiles an empty extension the first time, which finds what only a compiler can.
    works = CythonCodeObject.is_available()
    return "" if works else f"the C++ compiler does not make extensions for this Python; {HOW}"


def _cache_problem() -> str:
    """Return what is wrong with the folder in which compiled extensions are kept, empty if nothing."""
    from brian2.codegen.runtime.cython_rt.extension_manager import get_cython_cache_dir

    folder = Path(get_cython_cache_dir())
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return f"{folder} cannot be made ({error.strerror}); make it writable"
    return "" if os.access(folder, os.W_OK) else f"{folder} cannot be written; make it writable"
