"""What every camera must do, whatever is behind it. A new camera is one more line in CASES."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from camera.driver import Grabbed
from camera.fake_driver import Act, Fail, Give, ScriptedDriver, Silence
from camera.grabber import Grabber
from camera.pace import Paced
from camera.replay import open_replay
from camera.scene import Region, SceneSettings
from camera.settings import CameraKind, CameraSettings
from camera.synthetic import SyntheticCamera
from camera.synthetic_limb import ReachSettings, SyntheticLimbCamera
from core.clock import VirtualClock
from core.errors import CameraError
from core.ports import Camera, EndOfSource
from core.values import Frame
from insilico.limb_settings import LimbSceneSettings
from tests.camera import recordings as rec
from tests.conformance import camera_checks as check
from tests.support.fake_cameras import fake_pi, fake_sentech, fake_usb
from tests.support.mice import LIMB_SPEC, SPEC, make_plant

N = 12
FPS = 15.0
SHAPE = (rec.HEIGHT, rec.WIDTH, 3)
LIMB_SHAPE = (90, 120, 3)

Make = Callable[[Path], Camera]


@dataclass(frozen=True)
class Case:
    """One implementation.

    Attributes
    ----------
    make : callable
        Makes a camera of ``shape`` that is not yet started; twice on one folder gives two cameras of the same seed.
    n_frames : int
        Frames that come.
    dtype : str
    ends : bool
        Whether it ends after ``n_frames``, as a recording does. A hardware camera does not: after these it is lost.
    shape : (int, int, int)
    """

    make: Make
    n_frames: int = N
    dtype: str = "uint8"
    ends: bool = True
    shape: tuple[int, int, int] = SHAPE


def synthetic(_tmp: Path) -> Camera:
    scene = SceneSettings(regions=(Region("BC_L", 10.0, 8.0), Region("BC_R", 10.0, 23.0)), radius_px=3.0, n_frames=N)
    return SyntheticCamera(scene, rec.HEIGHT, rec.WIDTH, FPS, seed=7)


def synthetic_limb(_tmp: Path) -> Camera:
    scene = LimbSceneSettings((60.0, 62.0), (40.0, 50.0))
    return SyntheticLimbCamera(scene, *LIMB_SHAPE[:2], FPS, seed=7, reaches=ReachSettings(n_frames=N, slot_s=0.4))


def replay_hdf5(tmp: Path) -> Camera:
    return open_replay(str(rec.write_hdf5(tmp / "image_stream.hdf5", rec.pictures(N), chunks=(5, 24, 32, 3))), FPS)


def replay_uint16(tmp: Path) -> Camera:
    return open_replay(str(rec.write_hdf5(tmp / "image_stream.hdf5", rec.pictures(N, dtype="uint16"))), FPS)


def replay_clopy(tmp: Path) -> Camera:
    rec.write_hdf5(tmp / "S1" / "image_stream.hdf5", rec.pictures(N), compression="lzf", chunks=(1, 24, 32, 3))
    rec.write_clopy_log(tmp / "S1", [k * 66_667 + k % 3 for k in range(N)])
    return open_replay(str(tmp), FPS)


def replay_session(tmp: Path) -> Camera:
    """Return a session in which frames 4 and 5 were lost and the image of frame 9 was not kept."""
    rows = rec.session_rows(N + 3)
    rows = [row for row in rows if row[0] not in (4, 5)]
    images = iter(range(N))
    kept = [
        (number, time_ns, sensor_ns, 2 if number == 6 else 0, -1 if number == 9 else next(images))
        for number, time_ns, sensor_ns, _, _ in rows
    ]
    return open_replay(str(rec.write_session(tmp / "S1", rec.pictures(N), kept)), FPS)


def replay_video(tmp: Path) -> Camera:
    return open_replay(str(rec.write_video(tmp / "film.mp4", rec.pictures(N))), FPS)


def replay_folder(tmp: Path) -> Camera:
    return open_replay(str(rec.write_images(tmp / "images", rec.pictures(N))), FPS)


def simulated(_tmp: Path) -> Camera:
    return make_plant(replace(SPEC, height=rec.HEIGHT, width=rec.WIDTH, framerate=FPS, n_frames=N))


def simulated_limb(_tmp: Path) -> Camera:
    return make_plant(replace(LIMB_SPEC, framerate=FPS, n_frames=N))


def grabbed(dtype: str) -> Make:
    """Return a grabber of a camera that loses two frames before frame 6, repeats frame 8, and is lost in the end."""

    def make(_tmp: Path) -> Camera:
        script: list[Act] = []
        for k, image in enumerate(rec.pictures(N, dtype=dtype)):
            frame = Grabbed(image, (k + 1) * 66_666_667 + k % 3, k + 1, *((2, "transport") if k == 5 else ()))
            script += [Silence()] * (k == 3) + [Give(frame)] * (2 if k == 7 else 1)
        settings = replace(
            CameraSettings(), vid_source=CameraKind.genicam, resolution=(rec.WIDTH, rec.HEIGHT), camera_buffer=N
        )
        return Grabber(ScriptedDriver([*script, Fail()]), settings, VirtualClock(), dtype)

    return make


def paced(make: Make) -> Make:
    return lambda tmp: Paced(make(tmp), VirtualClock(), ring_frames=4)


CASES = {
    "synthetic": Case(synthetic),
    "synthetic-limb": Case(synthetic_limb, shape=LIMB_SHAPE),
    "replay-hdf5": Case(replay_hdf5),
    "replay-uint16": Case(replay_uint16, dtype="uint16"),
    "replay-clopy": Case(replay_clopy),
    "replay-session": Case(replay_session),
    "replay-video": Case(replay_video),
    "replay-folder": Case(replay_folder),
    "simulated": Case(simulated),
    "simulated-limb": Case(simulated_limb, shape=LIMB_SHAPE),
    "paced-synthetic": Case(paced(synthetic)),
    "paced-session": Case(paced(replay_session)),
    "paced-video": Case(paced(replay_video)),
    "grabber": Case(grabbed("uint8"), ends=False),
    "grabber-uint16": Case(grabbed("uint16"), dtype="uint16", ends=False),
    "pi-fake": Case(lambda _tmp: fake_pi(rec.WIDTH, rec.HEIGHT, N), ends=False),
    "usb-fake": Case(lambda _tmp: fake_usb(rec.WIDTH, rec.HEIGHT, N), ends=False),
    "stapi-fake": Case(lambda _tmp: fake_sentech(rec.WIDTH, rec.HEIGHT, N), ends=False),
    "stapi-fake-uint16": Case(
        lambda _tmp: fake_sentech(rec.WIDTH, rec.HEIGHT, N, "uint16"), dtype="uint16", ends=False
    ),
}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture
def camera(case: Case, tmp_path: Path) -> Iterator[Camera]:
    made = case.make(tmp_path)
    yield made
    made.close()


def read_all(case: Case, camera: Camera) -> list[Frame]:
    """Return every frame of a camera that ends, and of others those that come; one more is asked of the former."""
    frames = check.read_frames(camera, case.n_frames + case.ends)
    assert len(frames) == case.n_frames
    return frames


def test_is_a_camera(camera: Camera) -> None:
    assert isinstance(camera, Camera)


def test_numbers_rise_and_gaps_are_counted_as_dropped(case: Case, camera: Camera) -> None:
    check.check_numbers(read_all(case, camera))


def test_what_was_lost_has_a_cause(case: Case, camera: Camera) -> None:
    check.check_losses(read_all(case, camera))


def test_times_strictly_increase(case: Case, camera: Camera) -> None:
    check.check_times(read_all(case, camera))


def test_numbers_and_times_are_plain_integers(case: Case, camera: Camera) -> None:
    check.check_plain_integers(read_all(case, camera))


def test_shape_and_dtype_are_as_promised_before_start(case: Case, camera: Camera) -> None:
    promised = (camera.frame_shape, camera.frame_dtype)
    assert promised == (case.shape, case.dtype)
    check.check_images(read_all(case, camera), promised)


def test_expected_frames_is_what_comes(case: Case, camera: Camera) -> None:
    assert camera.expected_frames == (case.n_frames if case.ends else None)
    read_all(case, camera)


def test_end_stays_the_end(case: Case, camera: Camera) -> None:
    read_all(case, camera)
    for _ in range(3):
        with pytest.raises(EndOfSource if case.ends else CameraError):
            camera.read(check.TIMEOUT_S)


def test_image_stays_until_the_next_read(case: Case, camera: Camera) -> None:
    check.check_image_stays_until_next_read(camera, case.n_frames)


def test_read_before_start_fails(camera: Camera) -> None:
    check.check_read_before_start_fails(camera)


def test_start_twice_fails(camera: Camera) -> None:
    check.check_start_twice_fails(camera)


def test_after_close_nothing_is_read_or_started_and_closing_twice_is_legal(camera: Camera) -> None:
    camera.start()
    check.check_closes(camera)


def test_close_right_after_the_start_is_legal_twice(camera: Camera) -> None:
    check.check_closes_unread(camera)


def test_close_without_start_is_legal(camera: Camera) -> None:
    check.check_closes_unstarted(camera)


def test_two_cameras_of_one_seed_give_identical_frames(case: Case, tmp_path: Path) -> None:
    runs = []
    for _ in range(2):
        made = case.make(tmp_path)
        runs.append(read_all(case, made))
        made.close()
    for one, other in zip(*runs, strict=True):
        assert one[1:] == other[1:]
        assert np.array_equal(one.image, other.image)
