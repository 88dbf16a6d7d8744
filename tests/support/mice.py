"""Makes simulated mice for tests."""

from dataclasses import replace
from pathlib import Path

from core.clock import MonotonicClock
from core.outputs import Openings
from insilico.limb_settings import LimbSceneSettings
from insilico.plant import Plant
from insilico.settings import Codegen
from insilico.spec import MouseSpec

NETWORKS = Path(__file__).resolve().parent / "networks"
REALTIME = Path(__file__).resolve().parent.parent / "realtime"
SPEC = MouseSpec(
    network=f"{NETWORKS / 'tiny.py'}:build", codegen=Codegen.numpy, regions={"M1_L": (0.5, -1.5), "M1_R": (0.5, 1.5)},
    tones_hz=(1000.0, 19_000.0), height=24, width=32, framerate=15.0, bregma=(12.0, 16.0), ppmm=5.0, seed=7,
)  # fmt: skip
LIMB_SPEC = replace(
    SPEC, network=f"{NETWORKS / 'tiny_body.py'}:build", regions={}, height=90, width=120, framerate=30.0,
    bregma=(0.0, 0.0), ppmm=3.5, limb=LimbSceneSettings((60.0, 62.0), (36.0, 55.0), 3.5),
)  # fmt: skip


def network(name):
    """Return the config value for a network of the tests, ``FILE:FUNCTION``; its file is here or in realtime."""
    file, function = name.split(":")
    own = NETWORKS / f"{file}.py"
    return f"{own if own.exists() else REALTIME / own.name}:{function}"


def spec_for(name="tiny:build", **changes):
    return replace(SPEC, network=network(name), **changes)


def make_plant(spec=SPEC, *, clock=None, pace_real=False, gap_s=0.0):
    return Plant(spec, Openings(1.0, gap_s, 60.0), clock or MonotonicClock(), pace_real=pace_real)
