"""Puts the parts of a latency test together: the rig's own, a guardian's lines in memory, or all of it made up.

Owns what it makes until it is closed: the rig's lock, guardian, speaker, ear and camera, closed outputs first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brain.pipeline import BrainPipeline
from brain.rule import parse_rule
from camera.factory import CameraFactory
from camera.settings import OFFLINE
from core.clock import MonotonicClock, VirtualClock
from core.errors import InputError
from core.ports import Camera, Clock, Speaker
from core.values import Frame, Line
from hardware.fake import FakeSpeaker
from hardware.guardian_spec import GuardSpec
from hardware.settings import BoardKind, PinSettings
from roi_manager import Shape
from session.calibration_files import today
from session.calibration_speaker import speaker_gains
from session.camera_start import connect_camera, start_camera
from session.latency_bench import Delay, Laboured, LedCamera, VirtualLines, VirtualSpeaker
from session.latency_parts import Brightness, Ear, EdgeLog, NoEar
from session.latency_test import HIGH_HZ, LOW_HZ, Bench, Guardian, check_lines
from session.locks import rig_locks
from session.rig_outputs import make_guard
from session.settings import Settings

EDGE_NS, SOUND_NS, WORK_NS = 80_000.0, 12_000_000.0, 1_500_000.0
"""Medians of the made-up delays: what guardian, sound card and a loop of 256 x 256 px took on the machine of
docs/performance.md."""
BENCHES = ("rig", "guardian", "virtual")


@dataclass(frozen=True, slots=True)
class LatencyChoice:
    """What is to be measured.

    Attributes
    ----------
    bench : {"rig", "guardian", "virtual"}
        The rig's camera and lines; a real guardian over lines in memory, which a made-up camera sees; all made up, on
        a virtual clock.
    light, answer : Line
    ear : {"none", "card", "microphone"}
    microphone : str
        Part of the input's name.
    seed : int
    """

    bench: str
    light: Line
    answer: Line
    ear: str = "none"
    microphone: str = ""
    seed: int = 0


@contextmanager
def latency_bench(settings: Settings, choice: LatencyChoice, go_on: Callable[[], bool]) -> Iterator[Bench]:
    """Make and start the parts; close them at the end. ``go_on`` is asked ten times a second meanwhile.

    Raises
    ------
    InputError
        A choice that cannot be, a rig that is in a session.
    MissingError
        A camera whose library this machine lacks.
    OutputError, CameraError
        A device that cannot be had.
    Interrupted
        ``go_on`` returned False. With each of them all is closed again.
    """
    check_lines(choice.light, choice.answer)
    with ExitStack() as held:
        yield _virtual(settings, choice, held) if choice.bench == "virtual" else _real(settings, choice, held, go_on)


def _virtual(settings: Settings, choice: LatencyChoice, held: ExitStack) -> Bench:
    """Return a bench on a virtual clock."""
    clock, edges = VirtualClock(), EdgeLog()
    rng = np.random.default_rng(choice.seed)
    lines = VirtualLines(clock, Delay(EDGE_NS, 0.3, rng))
    speaker = VirtualSpeaker(clock, Delay(SOUND_NS, 0.15, rng))
    eye = _Eye(edges, choice.light)
    eye.guardian = lines
    camera = _led_camera(settings, choice, clock, eye)
    held.callback(camera.close)
    pipeline = Laboured(_session_pipeline(settings, camera), clock, Delay(WORK_NS, 0.1, rng))
    camera.start()
    about = _about(settings, choice, "a made-up light", speaker.about)
    return Bench(
        camera, lines, speaker, speaker, Brightness(pipeline, settings.rois), clock, edges, choice.light, choice.answer,
        _interval_ns(settings), about,
    )  # fmt: skip


def _real(settings: Settings, choice: LatencyChoice, held: ExitStack, go_on: Callable[[], bool]) -> Bench:
    """Return a bench of processes."""
    clock, edges = MonotonicClock(), EdgeLog()
    if choice.bench == "rig":
        _check_rig(settings, choice)
        held.enter_context(rig_locks(settings.outputs.rig, settings.mouse)[0])
    pins = settings.pins if choice.bench == "rig" else _in_memory(settings.pins)
    speaker, ear = _sound(settings, choice, held, go_on)
    eye = _Eye(edges, choice.light)
    camera, name = _camera(settings, choice, clock, eye, go_on)
    held.callback(camera.close)
    pipeline = _session_pipeline(settings, camera)
    # What is compiled at the first frame is compiled now.
    pipeline.update(Frame(np.zeros(camera.frame_shape, camera.frame_dtype), 0, 0))
    # Last, since it must hear of somebody from now on; it is closed first.
    guard = make_guard(GuardSpec(pins=pins, outputs=settings.outputs, ledger=None))
    held.callback(guard.close)
    guard.start(go_on)
    eye.guardian = guard
    start_camera(camera, go_on)
    about = _about(settings, choice, name, ear.about)
    brightness = Brightness(pipeline, settings.rois)
    return Bench(
        camera,
        guard,
        speaker,
        ear,
        brightness,
        clock,
        edges,
        choice.light,
        choice.answer,
        _interval_ns(settings),
        about,
    )


class _Eye:
    """Tells a made-up camera how long the light was on.

    Parameters
    ----------
    edges : EdgeLog
    light : Line

    Attributes
    ----------
    guardian : Guardian or None
        Whose line it is, once it is started.
    """

    def __init__(self, edges: EdgeLog, light: Line) -> None:
        self._edges, self._light = edges, light
        self.guardian: Guardian | None = None

    def __call__(self, start_ns: int, end_ns: int) -> int:
        """Return how long the light was on between two times, ns; edges that have not been told count as not made."""
        if self.guardian is not None:
            self._edges.take(self.guardian.reports())
        return self._edges.high_ns(self._light, start_ns, end_ns)


def _camera(
    settings: Settings, choice: LatencyChoice, clock: Clock, eye: _Eye, go_on: Callable[[], bool]
) -> tuple[Camera, str]:
    """Return the camera, open but not started, and what it is."""
    if choice.bench != "rig":
        return _led_camera(settings, choice, clock, eye), "a made-up light"
    camera = _rig_camera(settings, clock, go_on)
    facts = getattr(camera, "facts", {})
    return camera, ", ".join(f"{key} {value}" for key, value in facts.items()) or settings.camera.vid_source.value


def _sound(
    settings: Settings, choice: LatencyChoice, held: ExitStack, go_on: Callable[[], bool]
) -> tuple[Speaker, Ear]:
    """Return the speaker and what hears it, started."""
    if choice.ear == "none":
        return FakeSpeaker(), NoEar()
    from hardware.speaker import ProcessSpeaker
    from session.latency_ears import CardEar, MicrophoneEar

    ear: Ear
    if choice.ear == "microphone":
        # First, so that it hears the card open.
        ear = MicrophoneEar(choice.microphone, LOW_HZ, HIGH_HZ)
        held.callback(ear.close)
        ear.start(go_on)
    speaker = ProcessSpeaker(settings.sound, speaker_gains(settings.config_path, settings.outputs.rig))
    held.callback(speaker.close)
    speaker.start(go_on)
    return speaker, (ear if choice.ear == "microphone" else CardEar(speaker, HIGH_HZ))


def _check_rig(settings: Settings, choice: LatencyChoice) -> None:
    """Raise InputError for what the rig lacks, MissingError for a library of its camera."""
    if settings.camera.vid_source in OFFLINE:
        raise InputError(
            f"--latency: the camera {settings.camera.vid_source.value} sees no light; take the rig's with --camera, or "
            "measure without one: --bench guardian (lines in memory) or --bench virtual"
        )
    CameraFactory().check(settings.camera)
    for option, line in (("--line", choice.light), ("--answer", choice.answer)):
        if not getattr(settings.pins, f"pin_{line.value}"):
            named = ", ".join(each.value for each in Line if getattr(settings.pins, f"pin_{each.value}")) or "none"
            raise InputError(f"{option} {line.value}: pin_{line.value} is 0, not connected; choose one of: {named}")


def _in_memory(pins: PinSettings) -> PinSettings:
    """Return pins of a board in memory, all lines connected."""
    numbers: dict[str, Any] = {f"pin_{line.value}": 2 + at for at, line in enumerate(Line)}
    return replace(pins, output_board=BoardKind.memory, pin_valve=0, pin_sync=0, **numbers)


def _rig_camera(settings: Settings, clock: Clock, go_on: Callable[[], bool]) -> Camera:
    camera = CameraFactory().create(
        settings.camera, source=settings.camera.vid_root, clock=clock, pace_real=True, scene=None, seed=0
    )
    try:
        connect_camera(camera, go_on)
    except BaseException:
        camera.close()
        raise
    return camera


def _led_camera(settings: Settings, choice: LatencyChoice, clock: Clock, eye: _Eye) -> LedCamera:
    """Return a camera that sees the guardian's line of the light."""
    camera = settings.camera
    return LedCamera(eye, camera.resolution, camera.framerate, camera.shutter_speed / 1e6, clock, choice.seed)


def _session_pipeline(settings: Settings, camera: Camera) -> BrainPipeline:
    """Return the pipeline of the mouse's session. Raises InputError for an experiment without one."""
    if settings.kind != "clnf":
        raise InputError(f"--latency: experiment {settings.experiment} has no image to look at; choose a clnf one")
    rois: dict[str, Shape] = dict(settings.rois)
    return BrainPipeline(
        parse_rule(settings.formula), rois, settings.dff, settings.camera.framerate, camera.frame_shape,
        camera.frame_dtype,
    )  # fmt: skip


def _interval_ns(settings: Settings) -> int:
    return round(1e9 / settings.camera.framerate)


def _about(settings: Settings, choice: LatencyChoice, camera: str, ear: str) -> dict[str, Any]:
    """Return what the record says of the bench."""
    return {
        "date": today(MonotonicClock().wall_ns()),
        "rig": settings.outputs.rig,
        "bench": choice.bench,
        "camera": camera,
        "framerate": settings.camera.framerate,
        "exposure_us": settings.camera.shutter_speed,
        "resolution": list(settings.camera.resolution),
        "light": choice.light.value,
        "answer": choice.answer.value,
        "ear": ear,
        "seed": choice.seed,
    }
