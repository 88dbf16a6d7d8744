"""The drawn mouse: body parts are where the geometry says, at every size."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from insilico.limb_scene import LimbScene
from insilico.limb_settings import LimbGeometry, LimbSceneSettings, Paws
from tests.insilico.limbs import marker_at

SIZES = {
    "small": (LimbSceneSettings((60.0, 62.0), (90.0, 55.0), 3.5), 90, 120),
    "160x120": (LimbSceneSettings((75.0, 78.0), (75.0, 50.0), 3.5), 120, 160),
    "320x160": (LimbSceneSettings((170.0, 105.0), (140.0, 95.0), 3.5), 160, 320),
    "640x320": (LimbSceneSettings((330.0, 215.0), (300.0, 200.0), 3.5), 320, 640),
    "near": (LimbSceneSettings((250.0, 220.0), (150.0, 220.0), 30.0), 320, 640),
}


@pytest.fixture(params=SIZES.values(), ids=SIZES.keys())
def scene(request):
    made, height, width = request.param
    return LimbScene(made, height, width, np.random.default_rng(3))


@pytest.mark.parametrize("part", [0.0, 0.4, 1.0])
def test_markers_are_drawn_at_the_points(scene, part):
    geometry = scene.geometry
    left = geometry.along(part * geometry.reach_mm, 0.05 * geometry.reach_mm)
    paws = Paws(left, (-0.1 * left[0], -0.1 * left[1]))
    frame = scene.render(paws, np.random.default_rng(1))
    for hue, point in zip(geometry.settings.hues, geometry.points(paws), strict=False):
        assert math.dist(marker_at(frame, hue), point) < 0.4


def test_start_and_target_are_the_resting_place_and_the_end_of_a_reach(scene):
    geometry = scene.geometry
    assert geometry.points(Paws())[0] == pytest.approx(geometry.settings.start_center)
    there = geometry.points(Paws(geometry.along(geometry.reach_mm, 0.0)))[0]
    assert there == pytest.approx(geometry.settings.target_center)


def test_all_parts_are_in_the_frame_and_apart(scene):
    points = scene.geometry.points(Paws())
    assert (points >= 0).all()
    assert (points < (scene.geometry.width, scene.geometry.height)).all()
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert math.dist(points[one], points[other]) > 4 * scene.geometry.scale


def test_a_frame_depends_on_paws_and_generators_alone(scene):
    made, (height, width) = scene.geometry.settings, (scene.geometry.height, scene.geometry.width)
    other = LimbScene(made, height, width, np.random.default_rng(3))
    other.render(Paws((1.0, -2.0)), np.random.default_rng(9))
    out = np.empty((height, width, 3), np.uint8)
    frame = scene.render(Paws((0.5, 0.0)), np.random.default_rng(7), out)
    assert frame is out
    assert np.array_equal(frame, other.render(Paws((0.5, 0.0)), np.random.default_rng(7)))


def test_noise_is_as_asked_for_and_fresh_in_each_frame():
    scene = LimbScene(
        LimbSceneSettings((170.0, 105.0), (140.0, 95.0), noise_sd=3.0), 160, 320, np.random.default_rng(3)
    )
    rng = np.random.default_rng(4)
    film = np.stack([scene.render(Paws(), rng) for _ in range(40)]).astype(float)
    middle = film.mean(0)
    inner = (middle > 20) & (middle < 235)
    assert math.sqrt(film.var(0, ddof=1)[inner].mean()) == pytest.approx(math.sqrt(9 + 1 / 12), rel=0.03)


def test_a_bare_paw_has_no_marker_and_moves_all_the_same():
    bare = LimbSceneSettings((170.0, 105.0), (140.0, 95.0), hues=(None, None))
    scene = LimbScene(bare, 160, 320, np.random.default_rng(3))
    frame = scene.render(Paws(), np.random.default_rng(1))
    with pytest.warns(RuntimeWarning):
        assert np.isnan(marker_at(frame, 60.0)).all()
    assert (frame != scene.render(Paws((-3.0, -2.0)), np.random.default_rng(1))).any(axis=2).sum() > 200


@given(
    start=st.tuples(st.floats(0, 319), st.floats(0, 159)),
    target=st.tuples(st.floats(0, 319), st.floats(0, 159)),
    ppmm=st.floats(1, 60),
    along=st.floats(-3, 3),
    across=st.floats(-3, 3),
)
def test_whatever_the_place_a_paw_stays_in_the_frame_and_a_reach_ends_at_its_target(start, target, ppmm, along, across):
    if math.dist(start, target) < 2:
        return
    geometry = LimbGeometry(LimbSceneSettings(start, target, ppmm), 160, 320)
    point = geometry.points(Paws(geometry.along(along * geometry.reach_mm, across * geometry.reach_mm)))[0]
    assert (point >= -1e-6).all()
    assert (point <= np.array([319, 159]) + 1e-6).all()
    there = geometry.points(Paws(geometry.along(geometry.reach_mm, 0.0)))[0]
    assert there == pytest.approx(target, abs=1e-6)
    assert np.hypot(*geometry.across) == pytest.approx(1)
    assert geometry.across[1] <= 1e-9


def test_the_mouse_looks_towards_the_target():
    faces = [
        LimbGeometry(LimbSceneSettings((170.0, 105.0), target, 3.5), 160, 320).face
        for target in ((140.0, 95.0), (200.0, 95.0), (170.0, 70.0))
    ]
    assert faces == [-1, 1, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ppmm": 0.0}, "ppmm is 0"),
        ({"noise_sd": -1.0}, "noise_sd is -1"),
        ({"hues": (200.0, None)}, r"hue 200.0 of a marker"),
        ({"target_center": (128.0, 128.0)}, "one place"),
    ],
)
def test_impossible_settings_are_refused(change, message):
    with pytest.raises(InputError, match=f"the mouse's picture: .*{message}"):
        LimbSceneSettings(**change)


@pytest.mark.parametrize(
    ("start", "size", "message"),
    [
        ((60.0, 60.0), (80, 120), "120x80 px is too small for it; raise resolution to 120x90"),
        ((160.0, 60.0), (90, 120), "start_center 160, 60 lies outside the 120x90 px frame"),
    ],
)
def test_frames_that_cannot_hold_it_are_refused(start, size, message):
    with pytest.raises(InputError, match=message):
        LimbGeometry(LimbSceneSettings(start, (50.0, 50.0)), *size)
