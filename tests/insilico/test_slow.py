"""The slow fluctuations of regions: their correlations, spectrum and independence of the step."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import InputError
from insilico.slow import SlowDrive, SlowSettings, correlations

PLACES = [(0.6, -1.9), (0.6, 1.9), (-0.6, -2.5), (-0.6, 2.5), (-3.8, -2.5), (-3.8, 2.5), (3.5, 0.0)]
DEFAULT = SlowSettings()


def test_left_and_right_neighbours_and_the_far_end():
    matrix = correlations(DEFAULT, PLACES)
    assert np.diag(matrix) == pytest.approx(1)
    assert matrix[0, 1] == matrix[2, 3] == pytest.approx(DEFAULT.mirror)
    near, far = matrix[0, 2], matrix[0, 4]
    assert 0.55 < near < 0.75
    assert DEFAULT.shared < far < near
    assert matrix[0, 3] < near
    assert (matrix == matrix.T).all()


@example(places=[(0.0, 0.0), (0.0, 0.0625), (0.0, -1.0)], mirror=0.0, shared=0.0, reach=1.0)  # one on the midline
@given(
    places=st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=1, max_size=12),
    mirror=st.floats(0, 0.99),
    shared=st.floats(0, 0.99),
    reach=st.floats(0.1, 20),
)
def test_it_is_a_correlation_matrix_wherever_the_regions_lie(places, mirror, shared, reach):
    matrix = correlations(SlowSettings(mirror=mirror, shared=shared, reach_mm=reach), places)
    assert np.linalg.eigvalsh(matrix).min() > -1e-9
    assert np.abs(matrix).max() <= 1 + 1e-9


@pytest.mark.parametrize("dt_s", [0.01, 0.0667, 0.5])
def test_the_drive_has_them_and_its_time_constant_at_any_step(dt_s):
    drive = SlowDrive(DEFAULT, PLACES, np.random.default_rng(2))
    values = []
    for _ in range(round(3000 / dt_s) if dt_s > 0.05 else 100_000):
        drive.step(dt_s)
        values.append(drive.value)
    values = np.array(values)
    assert values.std(axis=0) == pytest.approx(1, abs=0.1)
    assert np.abs(np.corrcoef(values.T) - correlations(DEFAULT, PLACES)).max() < 0.12
    lag = max(1, round(DEFAULT.tau_s / dt_s))
    kept = (values[lag:] * values[:-lag]).mean() / (values**2).mean()
    assert kept == pytest.approx(np.exp(-lag * dt_s / DEFAULT.tau_s), abs=0.08)


def test_two_regions_at_one_place_are_one():
    drive = SlowDrive(DEFAULT, [(1.0, 1.0), (1.0, 1.0)], np.random.default_rng(1))
    drive.step(0.1)
    assert drive.value[0] == pytest.approx(drive.value[1])


@pytest.mark.parametrize("wrong", [{"tau_s": 0}, {"mirror": 1}, {"shared": -0.1}, {"reach_mm": float("nan")}])
def test_settings_refuse_nonsense(wrong):
    with pytest.raises(InputError, match=f"slow fluctuations: {next(iter(wrong))} is"):
        SlowSettings(**wrong)
