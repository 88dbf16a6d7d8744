"""Whether what a network's function returned can be used; each problem is one line with its cure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from core.errors import InputError
from insilico.calls import takes_one
from insilico.indicator import IndicatorSettings
from insilico.licks import LickSettings
from insilico.limb import MUSCLES, NEEDED, LimbSettings
from insilico.optics import OpticsSettings
from insilico.preparation import Body, Living, Preparation, Tissue

MAX_MM = 20.0
MAX_SETTLE_S = 600.0
MAX_CELLS = 1_000_000


def check_tissue(made: Any, preparation: Preparation) -> Tissue:
    """Return ``made`` if it is a usable Tissue. Raises InputError with every problem."""
    if not isinstance(made, Tissue):
        what = "nothing (has it a return?)" if made is None else f"a {type(made).__name__}"
        raise InputError(
            f"returned {what}; return insilico.Tissue(network, imaged={{region: group}}, hear=..., drink=...)"
        )
    kinds = {"indicator": IndicatorSettings, "optics": OpticsSettings}
    _refuse(list(_network(made)) or [*_imaged(made, preparation), *_rest(made, kinds, region_radius_mm=(0.01, 5.0))])
    return made


def check_body(made: Any) -> Body:
    """Return ``made`` if it is a usable Body. Raises InputError with every problem."""
    if not isinstance(made, Body):
        what = "nothing (has it a return?)" if made is None else f"a {type(made).__name__}"
        raise InputError(
            f"returned {what}; this experiment films movement: return insilico.Body(network, muscles={{'extend': "
            "group, 'retract': group}, hear=..., drink=...)"
        )
    _refuse(list(_network(made)) or [*_muscles(made), *_rest(made, {"limb": LimbSettings})])
    return made


def _refuse(problems: list[str]) -> None:
    if problems:
        raise InputError("; ".join(problems))


def _network(made: Living) -> Iterator[str]:
    import brian2 as b2
    from brian2.devices.device import RuntimeDevice, get_device

    if not isinstance(made.network, b2.Network):
        yield f"network is a {type(made.network).__name__}; give a brian2.Network of all objects"
    elif not isinstance(get_device(), RuntimeDevice):
        yield f"set_device({type(get_device()).__name__}) is on; leave set_device out, a camera needs every step"
    elif not made.network.objects:
        yield "network holds no object; give brian2.Network(group, synapses, ...)"


def _imaged(made: Tissue, preparation: Preparation) -> Iterator[str]:
    if not isinstance(made.imaged, Mapping) or not made.imaged:
        yield f"imaged is {_shown(made.imaged)}; give a dict of region to group, one at least"
        return
    for place, group in made.imaged.items():
        yield from _place(place, preparation)
        problem = _group(group, made)
        if problem:
            yield f"imaged[{place!r}] {problem}"
    yield from _cells("imaged", made)


def _muscles(made: Body) -> Iterator[str]:
    if not isinstance(made.muscles, Mapping) or not made.muscles:
        yield f"muscles is {_shown(made.muscles)}; give a dict of muscle to group: extend and retract at least"
        return
    for name in NEEDED:
        if name not in made.muscles:
            yield f"muscles has no {name!r}; give it a group"
    for name, group in made.muscles.items():
        if name not in MUSCLES:
            yield f"muscles has {_shown(name)}; there are {', '.join(MUSCLES)}"
        problem = _group(group, made)
        if problem:
            yield f"muscles[{name!r}] {problem}"
    yield from _cells("muscles", made)


def _cells(what: str, made: Living) -> Iterator[str]:
    """Yield what is wrong with the groups that are seen, taken together; ``what`` is their name."""
    groups = [group for group in made.groups if not _group(group, made)]
    steps = sorted({float(group.clock.dt) for group in groups})
    if len(steps) > 1:
        yield f"{what} groups have time steps of {' and '.join(f'{step * 1e3:g} ms' for step in steps)}; give them one"
    cells = sum(len(group) for group in groups)
    if cells > MAX_CELLS:
        yield f"{what} holds {cells} cells; give {MAX_CELLS} at most"


def _group(group: Any, made: Living) -> str:
    """Return what is wrong with a group that is seen; empty if nothing is."""
    from brian2.core.spikesource import SpikeSource

    if not isinstance(group, SpikeSource):
        return f"is a {type(group).__name__}; give a NeuronGroup, or a part of one such as group[:100]"
    try:
        whole = getattr(group, "source", group)
        if whole.name not in made.network:
            return "is not in network; add its group to the brian2.Network"
    except ReferenceError:  # a part does not keep its group alive
        return "is a part of a group that is gone; add that group to the brian2.Network"
    if len(group) == 0:
        return "has no cells"
    return "" if "_spikespace" in whole.variables else "cannot fire; give its group a threshold"


def _place(place: Any, preparation: Preparation) -> Iterator[str]:
    if isinstance(place, str):
        if place not in preparation.regions:
            there = ", ".join(preparation.regions)
            yield f"imaged has region {place!r}, the experiment has {there}; use one of them, or a place (AP, ML) in mm"
        return
    try:
        ap, ml = (float(part) for part in place)
    except (TypeError, ValueError):
        yield f"imaged has {_shown(place)} for a place; give a region's name, or (AP, ML) in mm"
        return
    # Written so that NaN is out of range too.
    if not (abs(ap) <= MAX_MM and abs(ml) <= MAX_MM):
        yield f"imaged has the place {_shown(place)}; give AP and ML in mm from bregma, at most {MAX_MM:g} away"


def _rest(made: Living, kinds: Mapping[str, type], **ranges: tuple[float, float]) -> Iterator[str]:
    for name in ("hear", "drink"):
        value = getattr(made, name)
        if value is not None and not (callable(value) and takes_one(value)):
            yield f"{name} is {_shown(value)}; give a function of one argument, or leave it out"
    if made.namespace is not None and not isinstance(made.namespace, Mapping):
        yield f"namespace is a {type(made.namespace).__name__}; give a dict such as locals()"
    for name, (least, most) in {"settle_s": (0.0, MAX_SETTLE_S), **ranges}.items():
        value = getattr(made, name)
        if not (isinstance(value, int | float) and math.isfinite(value) and least <= value <= most):
            yield f"{name} is {_shown(value)}; give a number from {least:g} to {most:g}"
    for name, kind in {**kinds, "licks": LickSettings}.items():
        if not isinstance(getattr(made, name), kind):
            yield f"{name} is a {type(getattr(made, name)).__name__}; give a {kind.__name__}"
    if not isinstance(made.name, str) or not made.name.isprintable() or not 0 < len(made.name) <= 60:
        yield f"name is {_shown(made.name)}; give 1 to 60 printable characters"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
