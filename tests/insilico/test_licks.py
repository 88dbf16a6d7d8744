"""When the simulated mouse licks."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.values import as_ns
from insilico.licks import Licker, LickSettings

ONLY_WATER = LickSettings(spontaneous_per_min=0)


def licker(seed=1, settings=ONLY_WATER):
    return Licker(settings, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(5))
def test_a_bout_follows_water(seed):
    mouse = licker(seed)
    assert mouse.take(as_ns(60)) == ()
    mouse.water(as_ns(60))
    licks = np.array(mouse.take(as_ns(70))) / 1e9 - 60
    assert 6 <= len(licks) <= 14
    assert 0.1 <= licks[0] <= 0.3
    assert 1 / np.diff(licks).mean() == pytest.approx(7, rel=0.15)


def test_sometimes_it_licks_without_water():
    mouse = licker(settings=LickSettings(spontaneous_per_min=2))
    licks = np.array(mouse.take(as_ns(3600))) / 1e9
    bouts = 1 + (np.diff(licks) > 0.5).sum()
    assert 80 < bouts < 150
    assert len(licks) / bouts == pytest.approx(2.5, abs=0.5)


def test_a_mouse_without_bouts_of_its_own_never_licks():
    assert licker().take(10**15) == ()


@given(looks=st.lists(st.floats(0, 2), min_size=1, max_size=30), water=st.sets(st.integers(0, 29)))
def test_licks_come_once_in_order_and_one_tongue_has_its_limits(looks, water):
    mouse, now, licks = licker(settings=LickSettings(spontaneous_per_min=60)), 0, []
    for k, since in enumerate(looks):
        before, now = now, now + as_ns(since)
        taken = mouse.take(now)
        assert all(lick <= now for lick in taken)
        assert not licks or not taken or taken[0] > before or k == 0
        licks.extend(taken)
        if k in water:
            mouse.water(now)
    assert all(late - early >= as_ns(0.5 / 7) for early, late in pairwise(licks))


def test_equal_seeds_lick_alike_and_others_do_not():
    def licks(seed):
        mouse = licker(seed, LickSettings())
        mouse.water(as_ns(5))
        return mouse.take(as_ns(600))

    assert licks(1) == licks(1)
    assert licks(1) != licks(2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate_hz": 0}, {"rate_hz": 50}, {"jitter": 0.9}, {"latency_s": (0.5, 0.1)}, {"bout_licks": (0, 3)},
        {"spontaneous_per_min": -1}, {"spontaneous_licks": (4, 1)}, {"rate_hz": float("nan")},
    ],
)  # fmt: skip
def test_settings_refuse_nonsense(wrong):
    with pytest.raises(InputError, match=f"licking: {next(iter(wrong))} is"):
        LickSettings(**wrong)
