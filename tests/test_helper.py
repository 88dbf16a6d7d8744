"""Small pure helpers."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helper import Position, Seed, SessionType, mm_to_px, seed_to_px, tone_frequencies


@pytest.mark.parametrize(
    ("seed", "side", "expected"),
    [
        (Seed(0.0, 3.0), "L", Position(row=135.0, col=98.0)),
        (Seed(0.0, 3.0), "R", Position(row=135.0, col=158.0)),
        (Seed(2.5, 1.0), "R", Position(row=110.0, col=138.0)),
        (Seed(-2.5, 1.0), "L", Position(row=160.0, col=118.0)),
        (Seed(-1.0, 0.0), "", Position(row=145.0, col=128.0)),
    ],
)
def test_seeds_lie_around_bregma_anterior_up_left_left(seed, side, expected):
    assert seed_to_px(seed, side, Position(row=135, col=128), ppmm=10) == expected


def test_a_seed_off_the_midline_needs_a_side():
    with pytest.raises(ValueError, match="_L or _R"):
        seed_to_px(Seed(0, 1), "", Position(0, 0), 10)
    with pytest.raises(ValueError, match="unknown"):
        seed_to_px(Seed(0, 1), "X", Position(0, 0), 10)


@pytest.mark.parametrize(("mm", "ppmm", "px"), [(0.3, 25.6, 8), (1.0, 10.0, 10), (0.01, 10.0, 1), (0.26, 10.0, 3)])
def test_mm_to_px(mm, ppmm, px):
    assert mm_to_px(mm, ppmm) == px


@given(st.integers(2, 40), st.floats(20, 80_000))
def test_tones_are_quarter_octaves_from_the_first(count, start):
    tones = tone_frequencies(count, start)
    assert len(tones) == count
    assert tones[0] == start
    assert all(high / low == pytest.approx(2**0.25) for low, high in pairwise(tones))


def test_one_tone_is_no_map():
    with pytest.raises(ValueError, match="at least 2"):
        tone_frequencies(1, 1000.0)


def test_clopys_session_types_are_all_there_in_its_order():
    assert [kind.value for kind in SessionType] == [
        "normal_audio_normal_reward",
        "normal_audio_no_reward",
        "normal_audio_random_reward",
        "single_audio_normal_reward",
        "no_audio_normal_reward",
        "no_audio_random_reward",
        "no_audio_no_reward",
        "continuous_rewards",
        "behavior_recording",
    ]
    assert all(kind.name == kind.value for kind in SessionType)
