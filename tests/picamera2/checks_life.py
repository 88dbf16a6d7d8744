"""The life of the real Picamera2, in the order that our driver leads it, and that it leaves nothing behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import picamera2

from core.clock import MonotonicClock
from tests.picamera2.left import held
from tests.picamera2.seam import SIZE, Camera, to_bgr

CLOCK = MonotonicClock()
NV12_SHAPE = (SIZE[1] * 3 // 2, SIZE[0])
WAIT_S = 5.0
BARS = [(255, 255, 255), (0, 255, 255), (255, 255, 0), (0, 255, 0), (255, 0, 255), (0, 0, 255), (255, 0, 0), (0, 0, 0)]
"""White, yellow, cyan, green, magenta, red, blue, black, in B, G, R."""


def configured(**wanted: Any) -> Camera:
    """Return a camera that is configured as our driver does, in the one format that the virtual pipeline has."""
    camera = Camera()
    main = {"size": SIZE, "format": "NV12"}
    config = {"raw": None, "buffer_count": 6, "queue": True, "display": None, "encode": None, "sensor": {}, **wanted}
    camera.configure(camera.create_video_configuration(main=main, **config))
    return camera


def cycle(camera: Camera) -> int:
    """Take one request through all that it is good for; return its stamp, ns."""
    request = camera.capture_request(wait=WAIT_S)
    stamp_ns = request.get_metadata()["SensorTimestamp"]
    with picamera2.MappedArray(request, "main", write=False) as mapped:
        assert mapped.array.shape == NV12_SHAPE, mapped.array.shape
        assert np.array_equal(mapped.array, request.make_array("main"))
    request.release()
    assert request.request is None
    return int(stamp_ns)


def check_from_configuring_to_closing() -> None:
    camera = configured()
    main = camera.camera_configuration()["main"]
    assert (main["size"], main["format"]) == (SIZE, "NV12"), main
    camera.start()
    assert camera.started
    stamps_ns = [cycle(camera) for _ in range(20)]
    assert stamps_ns == sorted(set(stamps_ns)), stamps_ns
    assert 0 <= CLOCK.now_ns() - stamps_ns[-1] < 5e9, "its stamps are not of CLOCK_MONOTONIC"
    camera.stop()
    assert not camera.started
    camera.close()
    assert not camera.is_open


def check_the_picture_is_that_of_the_virtual_camera() -> None:
    """So that the pixels are known to be the camera's, and the test's own conversion to be right."""
    camera = configured()
    camera.start()
    request = camera.capture_request(wait=WAIT_S)
    image = to_bgr(request.make_array("main"))
    request.release()
    camera.close()
    seen = {tuple(int(round(value / 255) * 255) for value in pixel) for pixel in image[SIZE[1] // 2].tolist()}
    assert seen >= set(BARS), seen


def check_nothing_is_left_of_a_hundred_requests() -> None:
    camera = configured()
    camera.start()
    for _ in range(10):
        cycle(camera)
    before = held()
    for _ in range(100):
        cycle(camera)
    after = held()
    camera.close()
    after.check_no_more_than(before)


def check_a_job_gets_its_request_later() -> None:
    camera = configured()
    job = camera.capture_request(wait=False)
    camera.start()
    request = job.get_result(timeout=WAIT_S)
    assert request.ref_count == 1
    request.release()
    camera.close()


def check_it_starts_again_after_a_stop() -> None:
    camera = configured()
    for _ in range(5):
        camera.start()
        cycle(camera)
        camera.stop()
    camera.close()


def check_nothing_is_left_of_thirty_openings() -> None:
    counts = []
    for _ in range(30):
        camera = configured()
        camera.start()
        cycle(camera)
        camera.close()
        del camera
        counts.append(held())
    assert counts[5] == counts[-1], f"{counts[5]} became {counts[-1]}"
