"""A body before the camera, in this process: what moves it, what is drawn, and that chance is the seed's."""

import math
from dataclasses import replace

import numpy as np
import pytest

from insilico.assemble import build_network, make_stepper
from insilico.film import chance_from
from insilico.limb_film import LimbFilm
from insilico.mouse import run
from insilico.spec import Go
from insilico.ticks import Ticks
from tests.insilico.limbs import marker_at
from tests.support.mice import LIMB_SPEC

NONE = Go(None, ())


def live(brian, told, frames, spec=LIMB_SPEC):
    """Run a body; ``told`` says what it is given after each frame. Return its images and true points."""
    brian.seed(spec.seed)
    chance = chance_from(spec.seed)
    living, names = build_network(spec, chance)
    image = np.zeros((spec.height, spec.width, 3), np.uint8)
    images, points = [], []

    def meet(_shot):
        images.append(image.copy())
        points.append(stepper.film.points())
        return told.get(len(images) - 1, NONE) if len(images) < frames else None

    stepper = make_stepper(living, spec, chance, Ticks(float(living.groups[0].clock.dt), spec.framerate), image, meet)
    assert isinstance(stepper.film, LimbFilm)
    run(living, stepper, names)
    return np.array(images), np.array(points), stepper.film


def test_a_tone_makes_it_reach_and_silence_lets_it_go_back(brian):
    images, points, film = live(brian, {9: Go(1000.0, ()), 39: Go(0.0, ())}, 75)
    start, target = np.array(LIMB_SPEC.limb.start_center), np.array(LIMB_SPEC.limb.target_center)
    way = (target - start) / math.dist(start, target) ** 2
    along = (points[:, 0] - start) @ way
    assert np.abs(along[:10]).max() < 0.2
    assert along[30:40].min() > 0.6
    assert np.abs(along[70:]).max() < 0.2
    for image, point in zip(images[::6], points[::6], strict=True):
        assert math.dist(marker_at(image, 60.0), point[0]) < 0.5
    assert 1 < film.rest_rate_hz() < 6


def test_water_reaches_it(brian):
    _, points, _ = live(brian, {9: Go(None, ((300_000_000, 900_000_000),))}, 40)
    assert points[20:26, 0, 1].min() < points[:10, 0, 1].mean() - 1
    assert points[:, 2].std(axis=0) == pytest.approx([0, 0])


def test_one_seed_is_one_session_and_another_another(brian):
    told = {5: Go(1000.0, ())}
    one, again = (live(brian, told, 20)[0] for _ in range(2))
    other = live(brian, told, 20, replace(LIMB_SPEC, seed=8))[0]
    assert (one == again).all()
    assert (one != other).any()


def test_the_limb_moves_alike_at_any_frame_rate_within_a_frame(brian):
    """Beats are cut by frames, spikes are not."""
    slow = live(brian, {0: Go(1000.0, ())}, 15, replace(LIMB_SPEC, framerate=20.0))[1]
    fast = live(brian, {0: Go(1000.0, ())}, 75, replace(LIMB_SPEC, framerate=100.0))[1]
    assert np.abs(slow[1:, 0] - fast[5:75:5, 0]).max() < 2
