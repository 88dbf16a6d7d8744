"""From a spec to what a run needs: the network of a cortex or of a body, and what films it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InputError
from insilico.checks import check_body, check_tissue
from insilico.film import Chance, Film
from insilico.licks import Licker
from insilico.limb_film import LimbFilm
from insilico.load import load_build
from insilico.placing import place_cells
from insilico.preparation import Body, Living, Preparation, Tissue
from insilico.spec import MouseSpec
from insilico.spikes import SpikeCounter
from insilico.stepper import AnyFilm, Meet, Stepper
from insilico.ticks import Ticks

Image = npt.NDArray[np.uint8]


def build_network(spec: MouseSpec, chance: Chance) -> tuple[Living, Mapping[str, Any]]:
    """Return what the function of the spec builds, checked, and the names at the top of its file."""
    import brian2 as b2

    build, names = load_build(spec.network, moves=spec.limb is not None)
    preparation = Preparation(spec.regions, spec.tones_hz, chance.build)
    before = b2.prefs.codegen.target
    made = build(preparation)
    living: Living = check_tissue(made, preparation) if spec.limb is None else check_body(made)
    if b2.prefs.codegen.target != before:
        raise InputError("sets prefs.codegen.target; leave that out, config.ini's key codegen chooses it")
    return living, names


def make_stepper(living: Living, spec: MouseSpec, chance: Chance, ticks: Ticks, image: Image, meet: Meet) -> Stepper:
    """Put what a step of the network needs together: film, spikes, licks."""
    film = make_film(living, spec, chance, image)
    return Stepper(living, film, SpikeCounter(living.groups), Licker(living.licks, chance.licks), ticks, meet)


def make_film(living: Living, spec: MouseSpec, chance: Chance, image: Image) -> AnyFilm:
    """Return what turns spikes into frames: calcium under a microscope, or a limb before a camera."""
    if isinstance(living, Body) and spec.limb is not None:
        return LimbFilm(living, spec.limb, chance, image)
    if not isinstance(living, Tissue):
        raise InputError(f"a {type(living).__name__} cannot be filmed here; this is a fault of Rigloop, report it")
    places = [spec.regions[key] if isinstance(key, str) else key for key in living.imaged]
    sizes = [len(group) for group in living.groups]
    cells = place_cells(places, sizes, living.region_radius_mm, spec, chance.place)
    return Film(living, cells, spec, chance, image)
