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
        Key("", "Your own Brian2 network, as FILE.py:FUNCTION; empty for SIM1. For vid_source = simulated."),
    ] = ""
    codegen: Annotated[
        Codegen,
        Key("", "Brian2's code generation: cython (needs a C++ compiler), numpy, or auto: cython where it works."),
    ] = Codegen.auto
