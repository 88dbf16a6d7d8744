"""From spikes to a frame: resting fluorescence, and what blood and microscope are given."""

from types import SimpleNamespace

import numpy as np
import pytest

from insilico.film import Film, chance_from
from insilico.indicator import IndicatorSettings
from insilico.optics import OpticsSettings
from insilico.placing import place_cells
from tests.support.mice import SPEC

RATE_HZ, BEAT_S = 5.0, 0.02


@pytest.fixture
def film():
    chance = chance_from(1)
    cells = place_cells([(0.5, -1.5), (0.5, 1.5)], [300, 300], 0.4, SPEC, chance.place)
    tissue = SimpleNamespace(indicator=IndicatorSettings(), optics=OpticsSettings(contrast=0.1))
    made = Film(tissue, cells, SPEC, chance, np.zeros((SPEC.height, SPEC.width, 3), np.uint8))
    made.heard = []
    step = made._blood.step
    made._blood = SimpleNamespace(
        step=lambda dt_s, activity: made.heard.append((dt_s, activity)) or step(dt_s, activity)
    )
    return made


def live(film, seconds, factor=1.0, resting=False, rng=None):
    rng = rng or np.random.default_rng(2)
    for _ in range(round(seconds / BEAT_S)):
        film.step(rng.poisson(factor * RATE_HZ * BEAT_S, 600), BEAT_S, resting=resting)


def test_at_its_resting_rate_a_cortex_has_no_dff_and_blood_nothing_to_answer_to(film):
    live(film, 5)
    live(film, 6, resting=True)
    film.settle()
    assert film.rest_rate_hz() == pytest.approx(RATE_HZ, rel=0.03)
    live(film, 1)
    film.shoot()
    [(dt_s, activity)] = film.heard
    assert dt_s == pytest.approx(1.0)
    assert abs(activity) < 0.003


def test_blood_answers_to_the_dff_of_cortex_not_of_its_cells(film):
    """At twice the rate cells change by rate times area, over what they had: cortex by a tenth of that."""
    live(film, 5)
    live(film, 6, resting=True)
    film.settle()
    live(film, 8, factor=2.0)
    film.shoot()
    resting = RATE_HZ * IndicatorSettings().area_s
    assert film.heard[-1][1] == pytest.approx(0.1 * resting / (1 + resting), rel=0.05)


def test_a_mouse_that_does_not_settle_has_no_resting_rate(film):
    film.settle()
    assert np.isnan(film.rest_rate_hz())
