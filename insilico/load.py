"""Finds the function that builds a network: that of SIM1 or SIM2, or one in a user's file."""

from __future__ import annotations

import importlib.util
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.errors import InputError
from insilico.calls import takes_one
from insilico.settings import split_network
from insilico.spec import OWN

Build = Callable[..., Any]


def load_build(network: str, *, moves: bool = False) -> tuple[Build, Mapping[str, Any]]:
    """Return the function, and the names at the top of its file; ``moves``: of a mouse whose movement is filmed.

    Raises
    ------
    InputError
        The file cannot be read or run, or has no such function.
    """
    if network == OWN:
        from insilico import cortex, motor

        return (motor.build, vars(motor)) if moves else (cortex.build, vars(cortex))
    path, name = split_network(network)
    if not Path(path).is_file():
        raise InputError(f"there is no file {path}; correct the path (it is relative to config.ini)")
    spec = importlib.util.spec_from_file_location("rigloop_user_network", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} cannot be loaded as Python; give a .py file")
    module = importlib.util.module_from_spec(spec)
    if clash := _clash(Path(path).resolve().parent):
        raise InputError(f"{clash} beside {path} has the name of a module of Rigloop; rename it")
    # As for a script: what lies beside the file can be imported, and objects of its classes can be pickled.
    sys.modules[spec.name] = module
    sys.path.insert(0, str(Path(path).resolve().parent))
    spec.loader.exec_module(module)
    build = getattr(module, name, None)
    if build is None:
        there = ", ".join(key for key, value in vars(module).items() if callable(value) and not key.startswith("_"))
        own = [key for key in there.split(", ") if getattr(getattr(module, key, None), "__module__", "") == spec.name]
        raise InputError(f"{path} has no {name}; it has {', '.join(own) or 'no function'}")
    if not callable(build):
        raise InputError(f"{name} in {path} is a {type(build).__name__}; give a function of one argument (Preparation)")
    if not takes_one(build):
        raise InputError(f"{name} in {path} does not take one argument; write def {name}(preparation):")
    return build, vars(module)


def _clash(folder: Path) -> str:
    """Return what in the folder of a user's network could not be imported, as Rigloop has a module of that name."""
    root = Path(__file__).resolve().parent.parent
    if root in (folder, *folder.parents):
        return ""
    own = {path.stem for path in root.glob("*.py")} | {path.parent.name for path in root.glob("*/__init__.py")}
    there = [path for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()]
    return next((path.name for path in sorted(there) if path.stem in own - {"tests"}), "")


def root_cause(error: BaseException) -> BaseException:
    """Return what an error of the user's code is: Brian2 wraps what goes wrong in an object."""
    while error.__cause__ is not None and type(error).__module__.partition(".")[0] == "brian2":
        error = error.__cause__
    return error


def in_one_line(error: BaseException, network: str) -> str:
    """Return an error of the user's code as one line, with the line of the file where it arose."""
    cause = root_cause(error)
    text = " ".join(str(cause).split()) or "no message"
    unknown = re.search(r'identifier "(\w+)" could not be resolved', text)
    if unknown:
        cure = "put it at the top of the file, or pass namespace=locals() to Tissue or Body"
        return f"the equations use {unknown[1]}, which has no value; {cure}"
    path = network.rpartition(":")[0]
    at = ""
    if isinstance(cause, SyntaxError) and cause.lineno:
        return f"line {cause.lineno}: {type(cause).__name__}: {cause.msg}"
    for each in (cause, error):
        lines = [frame.lineno for frame in traceback.extract_tb(each.__traceback__) if path and frame.filename == path]
        if lines and not at:
            at = f"line {lines[-1]}: "
    return f"{at}{type(cause).__name__}: {text}"
