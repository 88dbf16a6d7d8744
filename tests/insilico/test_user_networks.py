"""A user's network that cannot be used gets one line that names thing, place and cure, before there is a session.

In this process, over a connection that is none: what the session's end of it is told.
"""

import re

import numpy as np
import pytest

from insilico.mouse import live
from insilico.settings import Codegen
from insilico.spec import Failure, Go, MouseSpec, Ready, Shot

TOP = """import brian2 as b2
from insilico import *
def cells(n=10, eqs="dv/dt = -v / (10*b2.ms) : 1", **how):
    how = {"threshold": "v > 1", "reset": "v = 0", "method": "euler", **how}
    return b2.NeuronGroup(n, eqs.replace("b2.", ""), **how)
def tissue(**how):
    g = cells()
    return Tissue(**{"network": b2.Network(g), "imaged": {"M1_L": g}, "settle_s": 0.1, **how})
def build(preparation):
"""
LINES = TOP.count("\n")


class Link:
    """Keeps what is sent; asks for some frames, each with the tone, then for the end."""

    def __init__(self, frames=0):
        self.said, self.left = [], frames

    def send(self, what):
        self.said.append(what)

    def recv(self):
        self.left -= 1
        return Go(1000.0, ()) if self.left >= 0 else None


@pytest.fixture
def told(tmp_path):
    """Return the last of what a network's process says, for the text of its file or only the body of ``build``."""
    import brian2 as b2

    def run(body=None, whole=None, name="network.py:build", frames=0, framerate=15.0):
        path = tmp_path / "network.py"
        if whole is not None or body is not None:
            text = TOP + "".join(f"    {line}\n" for line in body.splitlines()) if whole is None else whole
            path.write_text(text, encoding="utf-8")
        spec = MouseSpec(
            f"{tmp_path}/{name}", Codegen.numpy, {"M1_L": (0.6, -1.9)}, (1000.0, 19000.0), 48, 64, framerate,
            (24.0, 32.0), 6.0, 5,
        )  # fmt: skip
        link = Link(frames)
        live(link, np.zeros((48, 64, 3), np.uint8), spec)
        return link.said

    before = b2.prefs.codegen.target
    yield run
    b2.prefs.codegen.target = before


def refusal(said):
    assert isinstance(said[-1], Failure), said
    assert not any(isinstance(each, Ready) for each in said)
    text = said[-1].text
    assert "\n" not in text
    assert len(text) < 300, text
    return text


FILES = {
    "no Python": ("\x00\x01", "SyntaxError|ValueError"),
    "syntax": ("x = 1\ndef build(p)\n    pass\n", "line 2: SyntaxError: expected ':'"),
    "import": ("import brian3\n", "line 1: ModuleNotFoundError: No module named 'brian3'"),
    "raises at the top": ("x = 1\n\nx / 0\n", "line 3: ZeroDivisionError: division by zero"),
    "no function": ("def make(p): ...\n", r"network.py has no build; it has make"),
    "nothing at all": ("", "network.py has no build; it has no function"),
    "not callable": ("build = 3\n", r"build in .*network.py is a int; give a function of one argument"),
    "no argument": ("def build(): ...\n", r"build in .*network.py does not take one argument; write def build\(prep"),
    "two arguments": ("def build(a, b): ...\n", "does not take one argument"),
    "exits": ("import sys\nsys.exit(3)\n", "line 2: SystemExit: 3"),
}


@pytest.mark.parametrize(("text", "expected"), FILES.values(), ids=FILES.keys())
def test_a_file_that_cannot_be_used(told, text, expected):
    assert re.search(expected, refusal(told(whole=text)))


def test_a_file_that_is_not_there(told):
    assert "there is no file" in refusal(told())


BUILDS = {
    "raises": ("x = {}\nreturn x['a']", f"line {LINES + 2}: KeyError: 'a'"),
    "raises as if the session had gone": ("raise BrokenPipeError('mine')", "BrokenPipeError: mine"),
    "raises from another error": (
        "try:\n    {}['a']\nexcept KeyError as error:\n    raise ValueError('the real one') from error",
        f"line {LINES + 4}: ValueError: the real one",
    ),
    "returns nothing": ("tissue()", "returned nothing (has it a return?); return insilico.Tissue(network, imaged="),
    "returns a network": ("return tissue().network", "returned a Network; return insilico.Tissue("),
    "returns a tuple": ("t = tissue(); return t.network, t.imaged", "returned a tuple; return insilico.Tissue("),
    "network is a group": ("return tissue(network=cells())", "network is a NeuronGroup; give a brian2.Network"),
    "network is empty": ("return tissue(network=b2.Network())", "network holds no object; give brian2.Network(group"),
    "imaged empty": ("return tissue(imaged={})", "imaged is {}; give a dict of region to group, one at least"),
    "imaged no dict": ("return tissue(imaged=[cells()])", "give a dict of region to group"),
    "unknown region": (
        "g = cells()\nreturn Tissue(b2.Network(g), {'V1_R': g})",
        "imaged has region 'V1_R', the experiment has M1_L; use one of them, or a place (AP, ML) in mm",
    ),
    "place out of range": (
        "g = cells()\nreturn Tissue(b2.Network(g), {(1.0, 900.0): g})",
        "imaged has the place (1.0, 900.0); give AP and ML in mm from bregma, at most 20 away",
    ),
    "place that is none": (
        "g = cells()\nreturn Tissue(b2.Network(g), {3: g})",
        "imaged has 3 for a place; give a region's name, or (AP, ML) in mm",
    ),
    "not a group": (
        "return tissue(imaged={'M1_L': [1, 2]})",
        "imaged['M1_L'] is a list; give a NeuronGroup, or a part of one such as group[:100]",
    ),
    "no threshold": (
        "g = b2.NeuronGroup(5, 'v : 1')\nreturn Tissue(b2.Network(g), {'M1_L': g})",
        "imaged['M1_L'] cannot fire; give its group a threshold",
    ),
    "part of a group that is gone": (
        "return tissue(imaged={'M1_L': cells()[:4]})",
        "imaged['M1_L'] is a part of a group that is gone; add that group to the brian2.Network",
    ),
    "not in the network": (
        "global kept; kept = cells()\nreturn tissue(imaged={'M1_L': kept[:4]})",
        "imaged['M1_L'] is not in network; add its group to the brian2.Network",
    ),
    "empty subgroup": ("g = cells()\nreturn Tissue(b2.Network(g), {'M1_L': g[3:3]})", f"line {LINES + 2}: IndexError"),
    "two steps": (
        "a, b = cells(dt=0.5 * b2.ms), cells(dt=0.1 * b2.ms)\n"
        "return Tissue(b2.Network(a, b), {'M1_L': a, (1.0, 2.0): b})",
        "imaged groups have time steps of 0.1 ms and 0.5 ms; give them one",
    ),
    "step longer than a frame": (
        "g = cells(dt=100 * b2.ms)\nreturn Tissue(b2.Network(g), {'M1_L': g})",
        "its time step of 100 ms is longer than a frame at 15 frames/s (66.7 ms); shorten it, or lower framerate",
    ),
    "step not whole": (
        "g = cells(dt=b2.ms / 3)\nreturn Tissue(b2.Network(g), {'M1_L': g})",
        "its time step is 333.333333333 us; give 1 us or more, in whole ns",
    ),
    "hear takes nothing": ("return tissue(hear=lambda: 0)", "give a function of one argument, or leave it out"),
    "drink takes two": ("return tissue(drink=lambda a, b: 0)", "give a function of one argument, or leave it out"),
    "sets the target": (
        "b2.prefs.codegen.target = 'cython'\nreturn tissue()",
        "sets prefs.codegen.target; leave that out",
    ),
    "hear is no function": ("return tissue(hear=3)", "hear is 3; give a function of one argument, or leave it out"),
    "drink is no function": ("return tissue(drink='x')", "drink is 'x'; give a function of one argument"),
    "settle negative": ("return tissue(settle_s=-1)", "settle_s is -1; give a number from 0 to 600"),
    "settle nan": ("return tissue(settle_s=float('nan'))", "settle_s is nan; give a number from 0 to 600"),
    "optics are none": ("return tissue(optics=0.1)", "optics is a float; give a OpticsSettings"),
    "name": ("return tissue(name='a\\nb')", "name is 'a\\nb'; give 1 to 60 printable characters"),
    "two problems": ("return tissue(hear=3, settle_s=-1)", "; settle_s is -1"),
    "standalone": (
        "b2.set_device('cpp_standalone', build_on_run=False)\nreturn tissue()",
        "set_device(CPPStandaloneDevice) is on; leave set_device out, a camera needs every step",
    ),
    "a name that nobody knows": (
        "g = cells(eqs='dv/dt = -v / tau_q : 1')\nreturn Tissue(b2.Network(g), {'M1_L': g})",
        "the equations use tau_q, which has no value; put it at the top of the file, or pass namespace=locals() to Tis",
    ),
    "a unit that does not fit": (
        "g = cells(eqs='dv/dt = -v / (10*b2.mV) : 1')\nreturn Tissue(b2.Network(g), {'M1_L': g}, settle_s=0)",
        "DimensionMismatchError: Expression '-v / (10*mV)' does not have the expected unit hertz",
    ),
    "a run that fails at once": (
        "def op():\n    raise RuntimeError('too hot')\n"
        "g = cells()\nreturn Tissue(b2.Network(g, b2.NetworkOperation(op)), {'M1_L': g})",
        f"line {LINES + 2}: RuntimeError: too hot",
    ),
    "two groups of one name": (
        "a, b = cells(name='a'), cells(name='a')\nreturn Tissue(b2.Network(a, b), {'M1_L': a})",
        "All objects in a network need to have unique names",
    ),
}


@pytest.mark.parametrize(("body", "expected"), BUILDS.values(), ids=BUILDS.keys())
def test_a_build_that_returns_the_wrong_thing(told, body, expected):
    import brian2 as b2

    try:
        assert expected in refusal(told(body))
    finally:
        b2.set_device("runtime")


def test_names_of_the_function_are_given_with_namespace(told):
    body = (
        "tau_q = 10 * b2.ms\ng = cells(eqs='dv/dt = (2 - v) / tau_q : 1')\n"
        "return Tissue(b2.Network(g), {'M1_L': g}, namespace=locals(), settle_s=0.1)"
    )
    said = told(body, frames=3)
    assert isinstance(said[-2], Shot), said[-1]
    assert sum(isinstance(each, Shot) for each in said) == 3


def test_what_hear_raises_is_told_after_the_first_frame(told):
    said = told("def hear(freq):\n    raise RuntimeError('deaf')\nreturn tissue(hear=hear)", frames=5)
    assert any(isinstance(each, Ready) for each in said)
    assert said[-1].text == f"line {LINES + 2}: RuntimeError: deaf"


def test_a_network_that_stops_itself_is_told_so(told):
    body = (
        "g = cells()\nnet = b2.Network(g)\n"
        "net.add(b2.NetworkOperation(lambda t: net.stop() if t > 0.3 * b2.second else None, dt=10 * b2.ms))\n"
        "return Tissue(net, {'M1_L': g}, settle_s=0.1)"
    )
    said = told(body, frames=100)
    assert isinstance(said[-1], Failure)
    assert said[-1].text.startswith("the network stopped itself: something called stop(); leave that out")


def test_a_file_beside_it_that_would_never_be_imported_is_refused(told, tmp_path):
    (tmp_path / "helper.py").write_text("x = 1\n")
    assert "helper.py beside" in refusal(told("import helper\nreturn tissue()"))


def test_ctrl_c_inside_a_network_is_one_line(told):
    assert "KeyboardInterrupt" in refusal(told("raise KeyboardInterrupt"))
