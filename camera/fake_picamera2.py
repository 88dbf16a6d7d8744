"""A module that stands for picamera2: its life cycle, its refusals and a sensor behind it, on any clock.

Held to picamera2 0.3.38: names, defaults, order of the life cycle, texts of errors; ``make picamera2`` compares the
two. What would wait for ever in the real one raises WouldHang here. Threads are not modelled: the camera catches up
with the clock whenever it is called, so that a caller who is late finds what a real camera would have left him.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as FutureTimeout
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import numpy as np

from camera.fake_pi_bench import Bench
from camera.fake_pi_requests import CompletedRequest, Job, MappedArray, WouldHang
from camera.fake_pi_sensor import MODES, FakeSensor, paint
from core.values import Image

STRIDE_ALIGN = 64
DELIVERY_NS = 8_000_000
"""From the stamp (first row read out) to the completed request, ns: readout and image processing."""


def make_library(bench: Bench) -> Any:
    """Return what stands for the module picamera2: Picamera2, MappedArray, CancelledError, TimeoutError."""
    return SimpleNamespace(
        Picamera2=type("Picamera2", (Picamera2,), {"bench": bench}),
        MappedArray=MappedArray,
        CancelledError=CancelledError,
        TimeoutError=FutureTimeout,
    )


class Picamera2:
    """One camera. Make it by ``make_library``, which says on which bench it stands."""

    bench: Bench

    def __init__(
        self, camera_num: int = 0, verbose_console: object = None, tuning: Any = None, allocator: object = None
    ) -> None:
        del verbose_console, allocator
        bench = self.bench
        if camera_num >= len(bench.cameras):
            raise RuntimeError(
                f'No camera number {camera_num} found - use "rpicam-hello --list-cameras" to check connected cameras'
            )
        if bench.busy or bench.holder is not None:
            reason = RuntimeError("Failed to acquire camera: Device or resource busy")
            raise RuntimeError("Camera __init__ sequence did not complete.") from reason
        bench.holder = self
        bench.used_tuning = tuning
        bench.calls.append(f"open {camera_num}")
        self.is_open = True
        self.started = False
        self.camera_properties = {"Model": bench.cameras[camera_num]["Model"], "ColorFilterArrangement": 5 * bench.mono}
        self._config: dict[str, Any] | None = None
        self._sensor = FakeSensor(bench.latency_frames, bench.deaf_to, bench.mono)
        self._waiting: dict[str, Any] = {}
        self._jobs: list[Job] = []
        self._completed: list[CompletedRequest] = []
        self._free: list[Image] = []
        self._out = 0
        self._frame = 0
        self._stamp_ns = 0
        self._catching_up = False

    @classmethod
    def load_tuning_file(cls, tuning_file: str, dir: str | None = None) -> dict[str, Any]:  # noqa: A002 - its own name
        """Return the tuning of a sensor, by ``imx219.json`` or ``imx219_mono.json``."""
        del dir
        files = cls.bench.tuning_files()
        if tuning_file not in files:
            raise RuntimeError("Tuning file not found")
        return files[tuning_file]

    @staticmethod
    def find_tuning_algo(tuning: dict[str, Any], name: str) -> Any:
        """Return the parameters of one algorithm."""
        if tuning.get("version", 1) == 1:
            return tuning[name]
        return next(algorithm for algorithm in tuning["algorithms"] if name in algorithm)[name]

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
        """Return the cameras there are."""
        return deepcopy(cls.bench.cameras)

    @property
    def sensor_modes(self) -> list[dict[str, Any]]:
        """The modes of the sensor; asking reconfigures the camera."""
        self._check_stopped()
        self._config = None
        return [dict(mode) for mode in MODES]

    @property
    def camera_controls(self) -> dict[str, tuple[Any, Any, Any]]:
        """Range and default of each control, in the sensor mode that is configured."""
        return dict(self._sensor.limits)

    def create_video_configuration(
        self,
        main: Mapping[str, Any] = {},
        lores: Any = None,
        raw: Any = {},  # noqa: B006
        transform: Any = None,
        colour_space: Any = None,
        buffer_count: int = 6,
        controls: Mapping[str, Any] = {},
        display: str | None = "main",
        encode: str | None = "main",
        queue: bool = True,
        sensor: Any = {},  # noqa: B006
        use_case: str = "video",
    ) -> dict[str, Any]:
        """Return a configuration for video."""
        if not self.is_open:
            raise RuntimeError("Camera not opened")
        unknown = set(main) - {"format", "size", "stride", "preserve_ar"}
        if unknown:
            raise ValueError(f"Bad key {unknown.pop()!r}: valid stream configuration keys are format, size, stride")
        stream: dict[str, Any] = {"format": "XBGR8888", "size": (1280, 720), "preserve_ar": True} | dict(main)
        width, height = stream["size"]
        stream["size"] = (width - width % 2, height - height % 2)
        return {
            "use_case": use_case, "transform": transform, "colour_space": colour_space, "buffer_count": buffer_count,
            "queue": queue, "main": stream, "lores": lores, "raw": raw, "sensor": sensor,
            "controls": {"NoiseReductionMode": 1, "FrameDurationLimits": (33333, 33333)} | dict(controls),
            "display": display, "encode": encode,
        }  # fmt: skip

    def configure(self, camera_config: Any = None) -> None:
        """Take a configuration; only while the camera is stopped. Where it is refused, there is none."""
        self._check_stopped()
        self._config = None
        config = deepcopy(camera_config if camera_config is not None else self.create_video_configuration())
        if config["sensor"] is not None and set(config["sensor"]) - {"bit_depth", "output_size"}:
            raise RuntimeError(f"Unexpected keys {set(config['sensor'])} in sensor configuration")
        if config["main"]["format"] not in ("RGB888", "BGR888"):
            raise NotImplementedError("fake picamera2: main streams of RGB888 or BGR888 only")
        width, height = config["main"]["size"]
        config["main"]["stride"] = -(-width * 3 // STRIDE_ALIGN) * STRIDE_ALIGN
        size = (config["sensor"] or {}).get("output_size", (width, height))
        self._sensor.choose_mode(size)
        self._config = config
        self._waiting = {}
        self._free = [np.zeros(height * config["main"]["stride"], np.uint8) for _ in range(config["buffer_count"])]
        self.set_controls(config["controls"])
        self.bench.calls.append("configure")

    def camera_configuration(self) -> dict[str, Any]:
        """Return the configuration as the camera keeps it."""
        return self._config or {}

    def set_controls(self, controls: Mapping[str, Any]) -> None:
        """Set controls; they take effect ``latency_frames`` later. Values out of range are moved into it, silently."""
        for name in controls:
            if name not in self._sensor.limits:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
        self._waiting.update(controls)
        if self.started:
            self._catch_up()
            self._apply()

    def start(self, config: Any = None, show_preview: Any = False) -> None:
        """Run."""
        del show_preview
        if config is not None:
            self.configure(config)
        if self._config is None:  # the real one takes its preview configuration, which no rig wants
            raise NotImplementedError("fake picamera2: start without a configuration is not modelled")
        if self.started:
            return
        self.bench.calls.append("start")
        self.started = True
        self._sensor.reset()
        self._apply()
        self._stamp_ns = self.bench.clock.now_ns() + self._sensor.interval_ns(self._frame)

    def stop(self) -> None:
        """Stop; requests in hand stay in hand, and are no use any more."""
        if not self.started:
            return
        self.wait_for(lambda: not self._jobs, None)  # it stands in line behind every capture that was asked for
        for request in self._completed:
            request.release()
        self._completed = []
        self.bench.calls.append("stop")
        self.started = False
        if self._out:
            self.bench.calls.append("left over")

    def close(self) -> None:
        """Stop and give the camera back; twice is legal."""
        if not self.is_open:
            return
        self.stop()
        self.is_open = False
        self._config = None
        self._sensor.limits = {}
        self.bench.holder = None
        self.bench.calls.append("close")

    def cancel_all_and_flush(self) -> None:
        """Cancel what waits for a frame."""
        for job in self._jobs:
            job.cancel()
        self._jobs = []

    def capture_request(
        self,
        wait: bool | float | None = None,
        signal_function: Callable[[Job], None] | None = None,
        flush: bool | int | None = None,
    ) -> Any:
        """Return the next completed request, or with ``wait=False`` the job that will have it."""
        if signal_function is not None or flush:
            raise NotImplementedError("fake picamera2: signal_function and flush are not modelled")
        self._catch_up()
        job = Job(self)
        self._jobs.append(job)
        self._serve()
        if wait is False:
            return job
        return job.get_result(None if wait is None or wait is True else wait)

    def wait_for(self, done: Callable[[], bool], timeout: float | None) -> None:
        """Let time go by until ``done()``; what the thread of the real library does meanwhile."""
        clock = self.bench.clock
        self._catch_up()
        give_up_ns = None if timeout is None else clock.now_ns() + round(timeout * 1e9)
        while not done():
            due_ns = self._due_ns()
            if give_up_ns is None and due_ns is None:
                raise WouldHang("fake picamera2: no frame will ever come, and no time limit was given")
            if due_ns is None or (give_up_ns is not None and due_ns > give_up_ns):
                assert give_up_ns is not None
                clock.sleep_until_ns(give_up_ns)
                raise FutureTimeout
            clock.sleep_until_ns(due_ns)
            self._catch_up()

    def recycle(self, memory: Image) -> None:
        """A request came back; the next frame may use its buffer."""
        self._catch_up()
        self._out -= 1
        self._free.append(memory)

    def _check_stopped(self) -> None:
        if self.started:
            raise RuntimeError("Camera must be stopped before configuring")

    def _due_ns(self) -> int | None:
        """Return when the next frame completes, or None if none ever will."""
        if not self.started or self._silent() or not (self._free or self._completed):
            return None
        return self._stamp_ns + DELIVERY_NS

    def _catch_up(self) -> None:
        """Let happen what has happened up to now."""
        if self._catching_up:
            return
        self._catching_up = True
        now_ns = self.bench.clock.now_ns()
        while self.started and not self._silent() and self._stamp_ns + DELIVERY_NS <= now_ns:
            if self._free and self._frame not in self.bench.lost:
                self._complete(self._free.pop(0))
            self._frame += 1
            self._stamp_ns += self._sensor.interval_ns(self._frame)
        self._catching_up = False

    def _silent(self) -> bool:
        return self.bench.silent_from is not None and self._frame >= self.bench.silent_from

    def _complete(self, memory: Image) -> None:
        assert self._config is not None
        paint(memory, self._config["main"], self._frame, self._sensor.controls_of(self._frame))
        jitter_ns = self.bench.jitter_ns[self._frame % len(self.bench.jitter_ns)]
        stamp_ns = self._stamp_ns + jitter_ns + self.bench.stamp_offset_ns
        told = {"SensorTimestamp": stamp_ns, **self._sensor.tells(self._frame)}
        metadata = {name: value for name, value in told.items() if name not in self.bench.untold}
        self._out += 1
        self._completed.append(CompletedRequest(self, memory, deepcopy(self._config), metadata))
        self._serve()
        while len(self._completed) > (1 if self._config["queue"] else 0):
            self._completed.pop(0).release()

    def _serve(self) -> None:
        while self._jobs and self._completed:
            self._jobs.pop(0).take(self._completed.pop(0))

    def _apply(self) -> None:
        self._sensor.set(self._waiting, self._frame)
        self._waiting = {}
