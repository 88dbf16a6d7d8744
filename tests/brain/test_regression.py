"""The running slope against an exact one."""

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from brain.regression import MIN_BLUE_SD_BITS, RunningSlope

VALUES = st.floats(-5, 5, allow_subnormal=False) | st.just(math.nan) | st.sampled_from([0.0, 0.01, 0.02])


@given(st.lists(st.tuples(VALUES, VALUES), max_size=30), st.integers(1, 12))
def test_the_slope_is_that_of_the_frames_remembered(pairs, length):
    slope = RunningSlope()
    for number, pair in enumerate(pairs):
        if number >= length:
            slope.forget()
        slope.remember(*pair)
    kept = [(Fraction(g), Fraction(b)) for g, b in pairs[-length:] if not math.isnan(g + b)]
    # As the code keeps them: units of 2**-80.
    kept = [(Fraction(int(g * 2**80), 2**80), Fraction(int(b * 2**80), 2**80)) for g, b in kept]
    n = len(kept)
    variance = n * sum(b * b for _, b in kept) - sum(b for _, b in kept) ** 2
    constant = variance < n * n * Fraction(1, 4**MIN_BLUE_SD_BITS)
    covariance = n * sum(g * b for g, b in kept) - sum(g for g, _ in kept) * sum(b for _, b in kept)
    assert slope.beta() == (float(covariance / variance) if n and not constant else 0.0)


def test_no_variance_of_blue_no_slope():
    slope = RunningSlope()
    assert slope.beta() == 0.0
    for green in (0.1, 0.2, 0.3):
        slope.remember(green, 0.05)
    assert slope.beta() == 0.0


def slope_of(pairs):
    slope = RunningSlope()
    for green, blue in pairs:
        slope.remember(green, blue)
    return slope.beta()


@given(
    st.lists(st.tuples(st.floats(-5, 5), st.integers(-1000, 1000)), max_size=30),
    st.sampled_from([0.0, 0.3, -0.7, 2.5]),
)
def test_rounding_noise_of_blue_has_no_slope(pairs, blue):
    """Equal images give blue dF/F that differs in the last bits only; the slope of green on those bits is anything."""
    assert slope_of([(green, blue + bits * 2.0**-52) for green, bits in pairs]) == 0.0


def test_the_smallest_change_of_blue_that_has_a_slope():
    least = 2.0**-MIN_BLUE_SD_BITS
    assert slope_of([(3 * least, least), (-3 * least, -least)]) == 3.0
    below = least * (1 - 2.0**-20)
    assert slope_of([(3 * least, below), (-3 * least, -below)]) == 0.0
    assert slope_of([(3 * least, 0.05 + below), (-3 * least, 0.05 - below)]) == 0.0
