"""A user's body that cannot be used gets one line that names thing, place and cure, before there is a session."""

from dataclasses import replace

import numpy as np
import pytest

from insilico.mouse import live
from insilico.spec import Failure, Ready, Shot
from tests.insilico.test_user_networks import Link
from tests.support.mice import LIMB_SPEC

TOP = """import brian2 as b2
from insilico import *
def cells(n=10, **how):
    how = {"threshold": "v > 1", "reset": "v = 0", "method": "euler", **how}
    return b2.NeuronGroup(n, "dv/dt = -v / (10*ms) : 1", **how)
def body(**how):
    g = cells()
    return Body(**{"network": b2.Network(g), "muscles": {"extend": g[:5], "retract": g[5:]}, "settle_s": 0.1, **how})
def build(preparation):
"""


@pytest.fixture
def told(tmp_path):
    """Return what a body's process says, for the body of ``build``."""
    import brian2 as b2

    def run(text, frames=0, **changes):
        path = tmp_path / "network.py"
        path.write_text(TOP + "".join(f"    {line}\n" for line in text.splitlines()), encoding="utf-8")
        spec = replace(LIMB_SPEC, network=f"{path}:build", **changes)
        link = Link(frames)
        live(link, np.zeros((spec.height, spec.width, 3), np.uint8), spec)
        return link.said

    before = b2.prefs.codegen.target
    yield run
    b2.prefs.codegen.target = before


BUILDS = {
    "returns nothing": ("body()", "returned nothing (has it a return?); this experiment films movement: return insil"),
    "returns a tissue": (
        "g = cells()\nreturn Tissue(b2.Network(g), {(1.0, 1.0): g})",
        "returned a Tissue; this experiment films movement: return insilico.Body(network, muscles={'extend': group, ",
    ),
    "network is a group": ("return body(network=cells())", "network is a NeuronGroup; give a brian2.Network"),
    "muscles empty": ("return body(muscles={})", "muscles is {}; give a dict of muscle to group: extend and retract"),
    "muscles no dict": ("return body(muscles=[1])", "muscles is [1]; give a dict of muscle to group"),
    "no retract": (
        "g = cells()\nreturn Body(b2.Network(g), {'extend': g})",
        "muscles has no 'retract'; give it a group",
    ),
    "unknown muscle": (
        "g = cells()\nreturn Body(b2.Network(g), {'extend': g, 'retract': g, 'twist': g})",
        "muscles has 'twist'; there are extend, retract, lift, lower",
    ),
    "not a group": (
        "g = cells()\nreturn Body(b2.Network(g), {'extend': g, 'retract': [1]})",
        "muscles['retract'] is a list; give a NeuronGroup",
    ),
    "not in the network": (
        "global kept; kept = cells()\ng = cells()\nreturn Body(b2.Network(g), {'extend': g, 'retract': kept})",
        "muscles['retract'] is not in network; add its group to the brian2.Network",
    ),
    "two steps": (
        "a, b = cells(dt=0.5 * b2.ms), cells(dt=0.1 * b2.ms)\n"
        "return Body(b2.Network(a, b), {'extend': a, 'retract': b})",
        "muscles groups have time steps of 0.1 ms and 0.5 ms; give them one",
    ),
    "limb is none": ("return body(limb=3)", "limb is a int; give a LimbSettings"),
    "limb that cannot be": ("return body(limb=LimbSettings(natural_hz=0))", "limb: natural_hz is 0; give 0.1 to 40"),
    "hear is no function": ("return body(hear=3)", "hear is 3; give a function of one argument, or leave it out"),
    "settle": ("return body(settle_s=-1)", "settle_s is -1; give a number from 0 to 600"),
    "two problems": ("return body(hear=3, settle_s=-1)", "; settle_s is -1"),
    "sets the target": ("b2.prefs.codegen.target = 'cython'\nreturn body()", "sets prefs.codegen.target; leave that"),
}


@pytest.mark.parametrize(("text", "expected"), BUILDS.values(), ids=BUILDS.keys())
def test_a_build_that_returns_the_wrong_thing(told, text, expected):
    said = told(text)
    assert isinstance(said[-1], Failure), said
    assert not any(isinstance(each, Ready) for each in said)
    assert expected in said[-1].text
    assert "\n" not in said[-1].text


def test_a_body_that_can_be_used_is_filmed(told):
    said = told("assert preparation.regions == {}\nreturn body()", frames=3)
    ready = next(each for each in said if isinstance(each, Ready))
    assert ready.about["name"] == "network"
    assert ready.about["cells"] == 10
    assert sum(isinstance(each, Shot) for each in said) == 3


def test_a_scene_that_does_not_fit_its_frame_is_one_line(told):
    said = told("return body()", height=60)
    assert isinstance(said[-1], Failure)
    assert "a frame of 120x60 px is too small for it" in said[-1].text


def test_a_cortex_that_returns_a_body_is_refused(told):
    said = told("return body()", limb=None, regions={"M1_L": (0.5, -1.5)})
    assert "returned a Body; return insilico.Tissue(" in said[-1].text
