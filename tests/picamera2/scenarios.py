"""What can be done to a Picamera2, right and wrong. Each scenario tells what came of it, in words to be compared."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

WAIT_S = 5.0
VAIN_S = 0.3
"""Time limit, s, of a wait that must be in vain."""
SIZE = (256, 256)
BUFFERS = 4
"""The most that the virtual pipeline has."""
HANGS = "hangs"
SCENARIOS: dict[str, Callable[[Bed], list[str]]] = {}


class Bed(NamedTuple):
    """A library to try them on, and the format of pixels that its camera has."""

    library: Any
    pixels: str

    def camera(self) -> Any:
        """Return a camera that is open."""
        return self.library.Picamera2()

    def wanted(self, camera: Any, **more: Any) -> Any:
        """Return the configuration that our driver asks for."""
        config = {"raw": None, "buffer_count": BUFFERS, "queue": True, "display": None, "encode": None, **more}
        return camera.create_video_configuration(main={"size": SIZE, "format": self.pixels}, **config)

    def configured(self, **more: Any) -> Any:
        """Return a camera that is configured."""
        camera = self.camera()
        camera.configure(self.wanted(camera, **more))
        return camera

    def running(self, **more: Any) -> Any:
        """Return a camera that runs."""
        camera = self.configured(**more)
        camera.start()
        return camera


def scenario(function: Callable[[Bed], list[str]]) -> Callable[[Bed], list[str]]:
    """Enter it into the table."""
    SCENARIOS[function.__name__] = function
    return function


def told(call: Callable[[], Any]) -> str:
    """Return ``ok``, or the error's type and text up to what differs by its camera, and the text of its cause."""
    try:
        call()
    except AssertionError as error:
        return HANGS if type(error).__name__ == "WouldHang" else "AssertionError"
    except Exception as error:
        cause = f" <- {error.__cause__}" if error.__cause__ else ""
        return f"{type(error).__name__}: {error}{cause}"
    return "ok"


def told_in_time(call: Callable[[], Any]) -> tuple[str, threading.Thread]:
    """Return the same, or ``hangs`` where the call has not come back, and the thread in which it is made."""
    words: list[str] = []
    thread = threading.Thread(target=lambda: words.append(told(call)), daemon=True)
    thread.start()
    thread.join(VAIN_S)
    return (words[0] if words else HANGS), thread


@scenario
def capture_before_the_start(bed: Bed) -> list[str]:
    camera = bed.configured()
    job = camera.capture_request(wait=False)
    said = [told(lambda: camera.capture_request(wait=VAIN_S)), told(lambda: job.get_result(timeout=VAIN_S))]
    camera.cancel_all_and_flush()
    said.append(told(lambda: job.get_result(timeout=VAIN_S)))
    camera.close()
    return said


@scenario
def configure_while_it_runs(bed: Bed) -> list[str]:
    camera = bed.running()
    said = [told(lambda: camera.configure(bed.wanted(camera)))]
    camera.stop()
    said.append(told(lambda: camera.configure(bed.wanted(camera))))
    camera.close()
    return said


@scenario
def stop_and_close_and_start_twice(bed: Bed) -> list[str]:
    camera = bed.configured()
    calls = (camera.stop, camera.start, camera.start, camera.stop, camera.stop, camera.close, camera.close)
    return [told(call) for call in calls]


@scenario
def use_after_closing(bed: Bed) -> list[str]:
    camera = bed.running()
    camera.close()
    return [
        told(lambda: bed.wanted(camera)),
        told(lambda: camera.capture_request(wait=VAIN_S)),
        told(lambda: camera.capture_request(wait=False)),
        told(camera.cancel_all_and_flush),
        told(lambda: camera.set_controls({"FrameDurationLimits": (33333, 33333)})),
        str(camera.camera_configuration()),
        str(camera.is_open),
        told(camera.stop),
    ]


@scenario
def unknown_names(bed: Bed) -> list[str]:
    camera = bed.configured()
    bad_sensor = {**bed.wanted(camera), "sensor": {"size": (1, 1)}}
    said = [
        told(lambda: camera.set_controls({"Exposure": 1})),
        told(lambda: camera.create_video_configuration(main={"resolution": (1, 1)})).partition(":")[0],
        told(lambda: camera.configure(bad_sensor)),
        told(lambda: bed.library.Picamera2(7)),
        told(lambda: bed.library.Picamera2.load_tuning_file("no-such-sensor.json")),
    ]
    camera.close()
    return said


@scenario
def a_refused_configuration_leaves_none(bed: Bed) -> list[str]:
    camera = bed.configured()
    bad_sensor = {**bed.wanted(camera), "sensor": {"size": (1, 1)}}
    said = [told(lambda: camera.configure(bad_sensor)), str(camera.camera_configuration())]
    camera.close()
    return said


@scenario
def a_second_opening(bed: Bed) -> list[str]:
    camera = bed.camera()
    said = [told(bed.camera)]
    camera.close()
    again = bed.camera()
    again.close()
    return said


@scenario
def use_after_release(bed: Bed) -> list[str]:
    camera = bed.running()
    request = camera.capture_request(wait=WAIT_S)
    request.acquire()
    request.release()
    said = [told(request.get_metadata)]
    request.release()
    said += [
        told(request.get_metadata),
        told(lambda: request.make_array("main")),
        told(lambda: bed.library.MappedArray(request, "main")),
        told(request.acquire),
        told(request.release),
    ]
    camera.close()
    return said


@scenario
def an_array_after_its_with(bed: Bed) -> list[str]:
    camera = bed.running()
    request = camera.capture_request(wait=WAIT_S)
    with bed.library.MappedArray(request, "main", write=False) as mapped:
        said = [mapped.array.dtype.name]
    said.append(told(lambda: mapped.array.shape).partition(":")[0])
    request.release()
    camera.close()
    return said


@scenario
def requests_that_are_not_released(bed: Bed) -> list[str]:
    """They use up the buffers; a stop stands in line behind what waits for one, until that is cancelled."""
    camera = bed.running()
    hoard = [camera.capture_request(wait=WAIT_S) for _ in range(BUFFERS)]
    job = camera.capture_request(wait=False)
    said = [told(lambda: job.get_result(timeout=VAIN_S))]
    stopping, thread = told_in_time(camera.stop)
    said.append(stopping)
    camera.cancel_all_and_flush()
    thread.join(WAIT_S)
    said += [told(lambda: job.get_result(timeout=0)), told(camera.stop)]
    said += [told(request.release) for request in hoard]
    camera.close()
    return said


@scenario
def a_request_kept_over_the_close(bed: Bed) -> list[str]:
    camera = bed.running()
    request = camera.capture_request(wait=WAIT_S)
    camera.stop()
    said = [told(request.get_metadata)]
    camera.close()
    return [*said, told(request.release)]


@scenario
def odd_sizes(bed: Bed) -> list[str]:
    camera = bed.camera()
    main = {"size": (41, 21), "format": bed.pixels}
    said = [str(camera.create_video_configuration(main=main)["main"]["size"])]
    camera.close()
    return said


@scenario
def what_a_configuration_holds(bed: Bed) -> list[str]:
    camera = bed.configured()
    config = camera.camera_configuration()
    main = config["main"]
    camera.close()
    return [", ".join(sorted(config)), ", ".join(sorted(set(main) - {"framesize"})), str(main["size"])]
