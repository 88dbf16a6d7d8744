"""The limb: force from spikes, and a mass on a spring."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from insilico.limb import MUSCLES, Limb, LimbSettings

CELLS = dict.fromkeys(MUSCLES, 10)
STILL = dict.fromkeys(MUSCLES, 0)


def run(limb, seconds, beat_s=0.02, **rates):
    """Run a limb at these rates, spikes/s per cell; return its places."""
    places = []
    for k in range(round(seconds / beat_s)):
        spikes = {
            name: 10 * (round(rate * (k + 1) * beat_s) - round(rate * k * beat_s)) for name, rate in rates.items()
        }
        limb.step({**STILL, **spikes}, beat_s)
        places.append(tuple(limb.place))
    return places


@pytest.mark.parametrize("name", MUSCLES)
def test_each_muscle_pulls_its_own_way_and_the_spring_brings_the_paw_back(name):
    limb = Limb(LimbSettings(), CELLS)
    axis, sign = MUSCLES[name]
    run(limb, 1.0, **{name: 30})
    assert limb.place[axis] * sign > 0.05
    assert limb.place[1 - axis] == 0
    run(limb, 3.0)
    assert limb.place == pytest.approx([0, 0], abs=1e-6)


def test_it_is_held_where_the_force_is_what_the_spring_bears():
    made = LimbSettings(activation_s=1.0, threshold_hz=10, force_per_hz=0.02)
    limb = Limb(made, CELLS)
    run(limb, 10.0, extend=50)
    assert limb.place[0] == pytest.approx(0.8, rel=0.02)


def test_antagonists_cancel():
    limb = Limb(LimbSettings(), CELLS)
    run(limb, 1.0, extend=40, retract=40, lift=25, lower=25)
    assert limb.place == pytest.approx([0, 0], abs=1e-12)


def test_cells_that_fire_at_rest_do_not_move_it():
    limb = Limb(LimbSettings(activation_s=0.5), CELLS)
    places = run(limb, 2.0, extend=8, lift=8)
    assert max(abs(part) for place in places for part in place) == 0


def test_it_springs_back_as_a_damped_oscillator_does():
    """From a displacement with no muscle: x(t) of the textbook, within what steps of 1 ms leave."""
    made = LimbSettings(natural_hz=3.0, damping=0.5)
    limb = Limb(made, CELLS)
    limb.place[0] = 1.0
    omega = 2 * math.pi * 3.0
    damped = omega * math.sqrt(1 - 0.25)
    for k in range(1, 60):
        limb.step(STILL, 0.01)
        t = 0.01 * k
        exact = math.exp(-0.5 * omega * t) * (math.cos(damped * t) + 0.5 * omega / damped * math.sin(damped * t))
        assert limb.place[0] == pytest.approx(max(exact, made.furthest[0]), abs=0.03)


@given(st.lists(st.tuples(*[st.integers(0, 200)] * 4), min_size=1, max_size=60), st.floats(0.001, 0.05))
def test_whatever_the_spikes_it_stays_within_its_bounds(spikes, beat_s):
    made = LimbSettings()
    limb = Limb(made, CELLS)
    for counts in spikes:
        limb.step(dict(zip(MUSCLES, counts, strict=True)), beat_s)
        assert made.furthest[0] <= limb.place[0] <= made.furthest[1]
        assert abs(limb.place[1]) <= made.widest


def test_a_beat_that_is_cut_in_two_moves_it_the_same_way():
    whole, halves = Limb(LimbSettings(), CELLS), Limb(LimbSettings(), CELLS)
    for _ in range(20):
        whole.step({**STILL, "extend": 8}, 0.02)
        for _ in range(2):
            halves.step({**STILL, "extend": 4}, 0.01)
    assert whole.place == pytest.approx(halves.place, rel=1e-9)


def test_a_limb_without_lift_and_lower_moves_on_a_line():
    limb = Limb(LimbSettings(), {"extend": 5, "retract": 5})
    limb.step({"extend": 30, "retract": 0}, 0.02)
    assert limb.place[0] > 0
    assert limb.place[1] == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"activation_s": 0.0}, "activation_s is 0.0; give 0.001 to 10"),
        ({"natural_hz": 100.0}, "natural_hz is 100.0; give 0.1 to 40"),
        ({"damping": -1.0}, "damping is -1.0"),
        ({"furthest": (0.5, 1.0)}, "furthest is"),
        ({"force_per_hz": math.nan}, "force_per_hz is nan"),
    ],
)
def test_settings_refuse_nonsense(wrong, said):
    with pytest.raises(InputError, match=f"limb: {said}"):
        LimbSettings(**wrong)
