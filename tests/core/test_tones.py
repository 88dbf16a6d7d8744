"""The tone map, decision 3."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tones import ToneMap, ToneSettings

finite = st.floats(-10, 10, allow_nan=False)
thresholds = st.floats(1e-3, 5)


@pytest.mark.parametrize(
    ("value", "threshold", "index"),
    [
        pytest.param(-1.0, 0.085, 0, id="below the floor"),
        pytest.param(0.0, 0.085, 0, id="at the floor"),
        pytest.param(0.0049, 0.085, 0, id="first bin"),
        pytest.param(0.0051, 0.085, 1, id="second bin"),
        pytest.param(0.0849, 0.085, 16, id="last bin"),
        pytest.param(0.085, 0.085, 17, id="at the threshold"),
        pytest.param(9.0, 0.085, 17, id="far above"),
    ],
)
def test_tone_of_value(value, threshold, index):
    assert ToneMap(ToneSettings(n_tones=18)).index(value, threshold) == index


def test_frequencies_are_quarter_octaves():
    tones = ToneMap(ToneSettings(n_tones=18, start_freq=1000.0)).frequencies
    assert len(tones) == 18
    assert tones[0] == 1000.0
    assert tones[4] == 2000.0
    assert tones[17] == pytest.approx(1000 * 2 ** (17 / 4))


@given(a=finite, b=finite, threshold=thresholds, n=st.integers(2, 40))
def test_tone_never_falls_as_the_signal_rises(a, b, threshold, n):
    tone_map = ToneMap(ToneSettings(n_tones=n))
    low, high = sorted((a, b))
    assert tone_map.index(low, threshold) <= tone_map.index(high, threshold)


@given(value=finite, threshold=thresholds, n=st.integers(2, 40))
def test_top_tone_means_threshold_reached_and_nothing_else(value, threshold, n):
    assert (ToneMap(ToneSettings(n_tones=n)).index(value, threshold) == n - 1) == (value >= threshold)


@given(threshold=thresholds, n=st.integers(2, 40), floor=st.floats(-1, 0))
def test_just_below_the_threshold_the_top_tone_does_not_play(threshold, n, floor):
    below = math.nextafter(threshold, -math.inf)
    assert ToneMap(ToneSettings(n_tones=n, tone_floor=floor)).index(below, threshold) < n - 1


@given(threshold=thresholds, n=st.integers(2, 40), floor=st.floats(-1, 0))
def test_clopy_fault_01_every_tone_can_be_played_at_any_threshold(threshold, n, floor):
    tone_map = ToneMap(ToneSettings(n_tones=n, tone_floor=floor))
    width = (threshold - floor) / (n - 1)
    middles = [floor + (i + 0.5) * width for i in range(n - 1)]
    assert [tone_map.index(v, threshold) for v in [*middles, threshold]] == list(range(n))


def test_clopy_fault_01_the_map_means_the_same_after_the_threshold_moved():
    tone_map = ToneMap(ToneSettings(n_tones=18, start_freq=1000.0))
    assert [tone_map.frequency(0.0, threshold) for threshold in (0.05, 0.052, 0.048)] == [1000.0] * 3


@pytest.mark.parametrize(("value", "threshold"), [(math.nan, 0.1), (0.1, 0.0), (0.1, -0.5)])
def test_what_has_no_tone_is_an_error(value, threshold):
    with pytest.raises(ValueError, match="tone"):
        ToneMap(ToneSettings()).index(value, threshold)
