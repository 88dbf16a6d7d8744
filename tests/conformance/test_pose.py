"""What every pose estimator must do, whatever finds the body parts. A new one is one more line in CASES."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from behavior.fake_pose import FakeOptions, fake_spec
from behavior.markers import MarkerPose
from behavior.pose_client import ProcessPose
from behavior.pose_settings import PoseBackend, PoseSettings
from behavior.replay_pose import ReplayPose
from core.errors import PoseError
from core.ports import Described, Interrupted, PoseEstimator
from core.values import Frame, Image, Pose
from tests.behavior.films import GREEN, RED, WHITE, disc, fur, recorded

SHAPE = (48, 64, 3)
N = 8
NAMES = ("fl_l", "fl_r")
PATIENCE_S = 20.0


def markers(dtype: str) -> PoseEstimator:
    settings = PoseSettings(pose_backend=PoseBackend.markers, markers="fl_l green, fl_r red")
    return MarkerPose(settings, SHAPE, dtype)


def replay(dtype: str) -> PoseEstimator:
    columns = [name + axis for name in NAMES for axis in ("_x", "_y", "_likelihood")]
    rows = [[10.0 + k, 20.0, 0.5, 30.0, 20.0 + k, 1.0] for k in range(N)]
    rows[3][:3] = [np.nan, np.nan, 0.0]
    return ReplayPose("S1", SHAPE, dtype, lambda path: recorded(columns, [*range(1, N), N + 100], rows))


def process(dtype: str) -> PoseEstimator:
    return ProcessPose(fake_spec(SHAPE, FakeOptions(NAMES)), dtype, PATIENCE_S)


CASES = {
    f"{make.__name__}-{dtype}": (make, dtype) for make in (markers, replay, process) for dtype in ("uint8", "uint16")
}
Make = Callable[[], PoseEstimator]


def discs(dtype: str) -> list[Image]:
    images = []
    for k in range(N):
        image = disc(fur(*SHAPE[:2]), 12 + 3 * k, 15 + k, 4, GREEN)
        disc(image, 40 - 2 * k, 35, 5, RED)
        images.append(widened(disc(image, 50, 8 + k, 3, WHITE), dtype))
    return images


def widened(image: Image, dtype: str) -> Image:
    return image if dtype == "uint8" else image.astype(np.uint16) * 257


def noise(dtype: str) -> list[Image]:
    most = np.iinfo(dtype).max
    return list(np.random.default_rng(3).integers(0, most, (N, *SHAPE), dtype, endpoint=True))


def black(dtype: str) -> list[Image]:
    return [np.zeros(SHAPE, dtype)] * N


def saturated(dtype: str) -> list[Image]:
    return [np.full(SHAPE, np.iinfo(dtype).max, dtype)] * N


FILMS = (discs, noise, black, saturated)


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest) -> tuple[Callable[[str], PoseEstimator], str]:
    return request.param


@pytest.fixture
def dtype(case: tuple[object, str]) -> str:
    return case[1]


@pytest.fixture
def make(case: tuple[Callable[[str], PoseEstimator], str]) -> Iterator[Make]:
    made: list[PoseEstimator] = []

    def new() -> PoseEstimator:
        made.append(case[0](case[1]))
        return made[-1]

    yield new
    for each in made:
        each.close()


@pytest.fixture
def estimator(make: Make) -> PoseEstimator:
    """One that is open."""
    made = make()
    made.open(lambda stage: True)
    return made


def nobody() -> None:
    """Whom a test keeps company."""


def poses(estimator: PoseEstimator, images: list[Image]) -> list[Pose]:
    return [estimator.estimate(Frame(image, k + 1, k), nobody) for k, image in enumerate(images)]


def shown(each: list[Pose]) -> list[bytes]:
    return [pose.points.tobytes() for pose in each]


def test_names_are_known_once_it_is_open_and_stay(estimator: PoseEstimator, dtype: str) -> None:
    assert isinstance(estimator, PoseEstimator)
    assert estimator.names == NAMES
    poses(estimator, discs(dtype))
    assert estimator.names == NAMES


def test_it_tells_what_it_is(make: Make) -> None:
    made = make()
    assert isinstance(made, Described)
    assert made.facts == {}
    made.open(lambda stage: True)
    assert made.facts["bodyparts"] == list(NAMES)
    assert made.facts["backend"]


@pytest.mark.parametrize("film", FILMS, ids=lambda film: film.__name__)
def test_every_frame_gives_a_pose_that_is_whole(
    estimator: PoseEstimator, dtype: str, film: Callable[[str], list[Image]]
) -> None:
    for pose in poses(estimator, film(dtype)):
        points = pose.points
        assert points.shape == (len(NAMES), 3)
        assert points.dtype == np.float64
        likelihood = points[:, 2]
        assert ((likelihood >= 0) & (likelihood <= 1)).all()
        assert (np.isnan(points[:, :2]).all(axis=1) == (likelihood == 0)).all()
        assert np.isfinite(points[likelihood > 0]).all()


def test_body_parts_are_found(estimator: PoseEstimator, dtype: str) -> None:
    found = np.array([pose.points[:, 2] > 0 for pose in poses(estimator, discs(dtype))])
    assert found.any(axis=0).all()


def test_the_same_frames_give_the_same_poses(make: Make, dtype: str) -> None:
    both = []
    for film in (discs(dtype) + noise(dtype),) * 2:
        made = make()
        made.open(lambda stage: True)
        both.append(shown(poses(made, film)))
    assert both[0] == both[1]


def test_the_image_is_neither_written_nor_kept(make: Make, dtype: str) -> None:
    """The camera may use the memory again after its next ``read``."""
    reference = make()
    reference.open(lambda stage: True)
    expected = shown(poses(reference, discs(dtype)))
    made = make()
    made.open(lambda stage: True)
    memory = np.empty(SHAPE, dtype)
    seen = memory.view()
    seen.flags.writeable = False
    given = []
    for k, image in enumerate(discs(dtype)):
        memory[...] = image
        given.append(made.estimate(Frame(seen, k + 1, k), nobody))
        assert np.array_equal(memory, image)
        memory[...] = np.iinfo(dtype).max - memory
    assert shown(given) == expected


def test_the_pose_is_the_callers(make: Make, dtype: str) -> None:
    one, other = make(), make()
    kept, written = [], []
    for made in (one, other):
        made.open(lambda stage: True)
    for k, image in enumerate(discs(dtype)):
        frame = Frame(image, k + 1, k)
        kept.append(one.estimate(frame, nobody))
        pose = other.estimate(frame, nobody)
        written.append(Pose(pose.points.copy()))
        pose.points[...] = -1.0
    assert shown(kept) == shown(written)


def test_an_image_of_another_shape_is_named_and_the_next_is_looked_at(estimator: PoseEstimator, dtype: str) -> None:
    good = discs(dtype)[0]
    for bad in (good[:-1], good[:, :, 0], good.astype(np.float32)):
        with pytest.raises(PoseError, match="frame 77 is "):
            estimator.estimate(Frame(bad, 77, 0), nobody)
    assert np.isfinite(estimator.estimate(Frame(good, 1, 0), nobody).points).any()


def test_an_image_that_is_a_part_of_another(estimator: PoseEstimator, dtype: str) -> None:
    """Cameras give such; its rows do not follow each other in memory."""
    image = discs(dtype)[0]
    padded = np.zeros((SHAPE[0] + 6, SHAPE[1] + 10, 3), dtype)
    padded[2:-4, 3:-7] = image
    (whole,) = poses(estimator, [image])
    (part,) = poses(estimator, [padded[2:-4, 3:-7]])
    assert shown([whole]) == shown([part])


def test_before_it_is_open_and_after_its_end_there_is_no_pose(make: Make, dtype: str) -> None:
    made = make()
    image = discs(dtype)[0]
    with pytest.raises(PoseError, match="call open"):
        made.estimate(Frame(image, 1, 0), nobody)
    made.open(lambda stage: True)
    made.close()
    made.close()
    with pytest.raises(PoseError, match="closed; make a new one"):
        made.estimate(Frame(image, 1, 0), nobody)
    with pytest.raises(PoseError, match="closed before; make a new one"):
        made.open(lambda stage: True)


def test_an_opening_that_is_not_wanted_any_more(make: Make, dtype: str) -> None:
    made = make()
    with pytest.raises(Interrupted):
        made.open(lambda stage: False)
    with pytest.raises(PoseError):
        made.estimate(Frame(discs(dtype)[0], 1, 0), nobody)
    made.close()


def test_an_opening_says_what_it_is_at(make: Make) -> None:
    stages: list[str] = []
    make().open(lambda stage: stages.append(stage) is None)
    assert stages
    assert all(stages)
