"""Keys of config.ini that the simulated mouse reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from core.keys import Key


class Codegen(Enum):
    """What Brian2 turns equations into."""

    auto = "auto"
    cython = "cython"
    numpy = "numpy"


@dataclass(frozen=True, slots=True)
class SimulationSettings:
    """The network behind a simulated camera."""

    network: Annotated[
        str,
        Key("", "Your own Brian2 network, as FILE.py:FUNCTION; empty for SIM1 or SIM2. For vid_source = simulated."),
    ] = ""
    codegen: Annotated[
        Codegen,
        Key("", "Brian2's code generation: cython (needs a C++ compiler), numpy, or auto: cython where it works."),
    ] = Codegen.auto


def split_network(network: str) -> tuple[str, str]:
    """Return file and function of ``FILE.py:FUNCTION``. Raises ValueError with the cure."""
    path, colon, name = network.rpartition(":")
    if not colon or not path.endswith(".py") or not name.isidentifier():
        raise ValueError("not FILE.py:FUNCTION; give the file and its function, such as my_network.py:build")
    return path, name
