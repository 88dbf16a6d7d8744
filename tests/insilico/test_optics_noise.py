"""The photon transfer law, and that noise is nothing but noise."""

import numpy as np
import pytest

from tests.insilico.cortices import PLAIN, SILENT, frames, make

ROUNDING = 1 / 12
"""Variance of rounding to whole counts."""


def noise_of(stack, channel):
    """Return deviations from the mean over time, (frames, height, width)."""
    counts = stack[..., channel].astype(np.float64)
    return counts - counts.mean()


@pytest.mark.parametrize("channel", [0, 1, 2])
@pytest.mark.parametrize("electrons", [5.0, 40.0])
def test_variance_rises_with_brightness_as_photons_demand(channel, electrons):
    name = ["blue_counts", "green_counts", "red_counts"][channel]
    for counts in (30.0, 90.0, 170.0):
        optics = make((64, 64), **PLAIN, electrons_per_count=electrons, read_noise_e=0.0, **{name: counts})
        noise = noise_of(frames(optics, 40), channel)
        assert noise.var() == pytest.approx(counts / electrons + ROUNDING, rel=0.03)


def test_photon_noise_follows_activity_and_blood():
    optics = make((64, 64), **PLAIN, electrons_per_count=2.0, read_noise_e=0.0, green_counts=100.0)
    dim = noise_of(frames(optics, 40, blood=1.5), 1)
    assert dim.var() == pytest.approx(100 * (1 - 0.45) / 2, rel=0.03)


def test_read_noise_is_added_whatever_the_brightness():
    for counts in (30.0, 170.0):
        optics = make((64, 64), **PLAIN, electrons_per_count=1e6, read_noise_e=2e6, green_counts=counts)
        assert noise_of(frames(optics, 40), 1).var() == pytest.approx(4 + ROUNDING, rel=0.03)


def test_without_noise_frames_are_equal():
    first, second = frames(make(**SILENT), 2)
    assert (first == second).all()


def test_the_mean_is_kept():
    optics = make((64, 64), **PLAIN, electrons_per_count=5.0)
    mean = frames(optics, 60).mean(axis=(0, 1, 2))
    assert mean == pytest.approx([100, 120, 10], abs=0.05)


@pytest.fixture(scope="module")
def dark_room():
    """600 frames of an even field, (600, 48, 64, 3); deviations from the mean in units of their standard deviation."""
    stack = frames(make((48, 64), **PLAIN, electrons_per_count=5.0), 600)
    centred = stack - stack.mean(axis=(0, 1, 2))
    return centred / centred.std(axis=(0, 1, 2))


def correlation(a, b):
    """Return the correlation in units of what chance gives."""
    return float((a * b).mean() * np.sqrt(a.size))


def test_frames_are_not_correlated(dark_room):
    for lag in (1, 2, 5):
        assert abs(correlation(dark_room[:-lag], dark_room[lag:])) < 5
    # A copy that is shifted would be as bad.
    for shift in (1, 2, 3):
        assert abs(correlation(dark_room[1:, :, shift:], dark_room[:-1, :, :-shift])) < 5
        assert abs(correlation(dark_room[1:, shift:], dark_room[:-1, :-shift])) < 5


def test_pixels_lines_and_channels_are_not_correlated(dark_room):
    assert abs(correlation(dark_room[:, :, 1:], dark_room[:, :, :-1])) < 5
    assert abs(correlation(dark_room[:, 1:], dark_room[:, :-1])) < 5
    assert abs(correlation(dark_room[..., 0], dark_room[..., 1])) < 5
    assert abs(correlation(dark_room[..., 1], dark_room[..., 2])) < 5


def test_there_is_no_fixed_pattern(dark_room):
    """The mean of 600 frames is as even as chance allows, in pixels, lines and columns."""
    pattern = dark_room.mean(axis=0) * np.sqrt(600)
    assert pattern.var() == pytest.approx(1, abs=0.08)
    assert (pattern.mean(axis=0) * np.sqrt(48)).var() == pytest.approx(1, abs=0.5)
    assert (pattern.mean(axis=1) * np.sqrt(64)).var() == pytest.approx(1, abs=0.5)


def test_the_mean_of_an_roi_is_as_quiet_as_its_pixels_allow(dark_room):
    """What a session looks at: 8 x 8 px. Its noise falls with the root of the pixels, and is not a few loud frames."""
    means = dark_room.reshape(600, 6, 8, 8, 8, 3).mean(axis=(2, 4)) * 8
    assert means.var() == pytest.approx(1, rel=0.03)
    assert np.abs(means).max() < 5.5


def test_a_seed_gives_the_same_bytes_and_another_seed_others():
    dff = np.linspace(-1, 2, 20)
    first, again, other = (frames(make(seed=seed), 3, dff, 0.01) for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    assert (first != other).mean() > 0.5
    same_place = frames(make(seed=1), 3, dff, 0.01)
    assert (same_place[0] != same_place[1]).mean() > 0.3
