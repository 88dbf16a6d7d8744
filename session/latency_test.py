"""Measures the whole way: a light on a guardian's line, seen by the camera, through the session's loop, to an edge and
to a sound.

The loop is ``session.loop.Loop`` with the trial logic of a session whose every crossing pays at once: a bright frame
crosses the threshold, which raises the answering line and changes the tone. Its valve is a fake, so no water flows.
Makes no thread; the parts are given, started and closed by the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from core.errors import CameraError, InputError
from core.ports import Camera, Clock, EndOfSource, Lines, Speaker
from core.schedule import TrialPlan
from core.threshold import ThresholdSettings
from core.tones import ToneMap, ToneSettings
from core.trial import SessionPlan, TrialSettings
from core.values import Level, Line, Report, as_ns
from hardware.fake import FakeLickSensor, FakeValve
from hardware.rig import Rig
from hardware.settings import OutputSettings
from helper import SessionType
from session.latency_parts import AnswerLines, Brightness, Decisions, Ear, EdgeLog, FlashingCamera
from session.latency_result import LatencyResult, match
from session.loop import Loop

SETTLE_FRAMES = 10
"""Frames before a brightness is measured, and the number it is measured on."""
LEAST_CONTRAST = 6.0
"""The light must change the brightness by this many times its scatter from frame to frame."""
ANSWER_S = 0.02
TAIL_S = 0.5
"""What the last flash set off may take this long to be heard."""
TONES = ToneSettings(n_tones=13, start_freq=1000.0)
LOW_HZ, HIGH_HZ = ToneMap(TONES).frequencies[0], ToneMap(TONES).frequencies[-1]
READ_S = 2.0


class Guardian(Protocol):
    """What is needed of ``hardware.guard.Guard``."""

    @property
    def lines(self) -> Lines:
        """LEDs and TTL lines."""

    def reports(self) -> tuple[Report, ...]:
        """Return the edges since the last look."""

    def alive(self) -> None:
        """Tell it that somebody is there."""


@dataclass(frozen=True, slots=True)
class Bench:
    """The parts, all started.

    Attributes
    ----------
    camera, guardian, speaker, ear, pipeline, clock
    edges : EdgeLog
        Shared with a camera that sees the guardian's lines.
    light, answer : Line
    interval_ns : int
        Between two frames.
    about : dict
        For the record.
    """

    camera: Camera
    guardian: Guardian
    speaker: Speaker
    ear: Ear
    pipeline: Brightness
    clock: Clock
    edges: EdgeLog
    light: Line
    answer: Line
    interval_ns: int
    about: Mapping[str, Any]

    def look(self) -> None:
        """Let the guardian know that somebody is there, and take what it and the ear have to tell."""
        self.guardian.alive()
        self.edges.take(self.guardian.reports())
        self.ear.poll()


def check_lines(light: Line, answer: Line) -> None:
    """Raise InputError where the light cannot be told from the answer."""
    if light is answer:
        raise InputError(f"--line {light.value} --answer {answer.value}: give two lines, one for the light")


def measure(
    bench: Bench,
    frames: int,
    seed: int,
    stop: Callable[[], bool],
    told: Callable[[int], None] | None = None,
) -> LatencyResult:
    """Flash, and measure what comes of it, for so many frames.

    Parameters
    ----------
    bench : Bench
    frames : int
        Those in which brightness is learned are not counted.
    seed : int
        Of the moments of the flashes.
    stop : callable
        Whether somebody wants the end; what was measured until then is returned.
    told : callable, optional
        Given the number of frames so far, once per frame.

    Raises
    ------
    CameraError
        The camera does not see the light, or failed.
    OutputError
        Guardian, speaker or ear are lost.
    """
    dark, lit = _learn(bench, stop)
    flashing = FlashingCamera(
        bench.camera, bench.guardian.lines, bench.light, bench.clock, np.random.default_rng(seed), bench.interval_ns
    )
    sink = Decisions()
    rig = Rig(
        bench.speaker,
        FakeValve(OutputSettings(max_session_water_s=3600.0)),
        AnswerLines(bench.guardian.lines, bench.answer, bench.clock.now_ns),
        FakeLickSensor(),
    )
    loop = Loop(flashing, bench.pipeline, _plan(), rig, sink, bench.clock)
    while loop.status.frames < frames and not stop():
        try:
            loop.turn(READ_S, ())
        except EndOfSource:
            break
        flashing.judged(sink.bright)
        bench.look()
        if told is not None:
            told(loop.status.frames)
    bench.guardian.lines.set(Level(bench.light, False), bench.clock.now_ns())
    _wait(bench, as_ns(TAIL_S))
    flashes = match(
        flashing.asked_ns,
        bench.edges.rises(bench.light),
        sink.paid,
        bench.edges.rises(bench.answer),
        bench.ear.highs_ns(),
    )
    if flashing.lit:
        # A flash that the end cut short is none that went without answer.
        flashes = flashes[:-1]
    return LatencyResult(bench.about, dark, lit, loop.status.frames, loop.status.dropped, flashes)


def _plan() -> SessionPlan:
    """Return a session of one endless trial in which every crossing pays at once."""
    trial = TrialSettings(
        initial_rest_dur=0.0,
        max_trial_dur=3600.0,
        final_rest_dur=1.0,
        reward_delay=0.0,
        reward_dur=0.001,
        success_led_dur=ANSWER_S,
    )
    threshold = ThresholdSettings(reward_threshold=Brightness.THRESHOLD)
    return SessionPlan(trial, TONES, threshold, SessionType.continuous_rewards, (TrialPlan(True, None),))


def _learn(bench: Bench, stop: Callable[[], bool]) -> tuple[float, float]:
    """Return the brightness without and with the light. Raises CameraError where the camera does not see it."""
    seen = []
    for high in (False, True):
        bench.guardian.lines.set(Level(bench.light, high), bench.clock.now_ns())
        values = []
        for _ in range(2 * SETTLE_FRAMES):
            frame = bench.camera.read(READ_S)
            values.append(bench.pipeline.brightness(frame))
            bench.look()
            if stop():
                raise InputError("stopped before the first flash")
        seen.append(values[SETTLE_FRAMES:])
    bench.guardian.lines.set(Level(bench.light, False), bench.clock.now_ns())
    dark, lit = (float(np.mean(values)) for values in seen)
    scatter = max(float(np.std(values)) for values in seen)
    if lit - dark < max(LEAST_CONTRAST * scatter, 0.5):
        raise CameraError(
            f"the camera does not see the light on {bench.light.value} (brightness {dark:.1f} dark, {lit:.1f} lit, "
            f"scatter {scatter:.1f}); point it at the light, darken the room, or choose another line with --line"
        )
    bench.pipeline.learn(dark, lit)
    _wait_dark(bench, (dark + lit) / 2)
    return dark, lit


def _wait_dark(bench: Bench, half: float) -> None:
    """Read until the light has gone from the image. Raises CameraError."""
    for _ in range(6 * SETTLE_FRAMES):
        frame = bench.camera.read(READ_S)
        bench.look()
        if bench.pipeline.brightness(frame) < half:
            return
    raise CameraError(f"the light on {bench.light.value} stays on in the image; look at its wiring")


def _wait(bench: Bench, duration_ns: int) -> None:
    """Wait, alive."""
    end_ns = bench.clock.now_ns() + duration_ns
    while (now_ns := bench.clock.now_ns()) < end_ns:
        bench.look()
        bench.clock.sleep_until_ns(min(end_ns, now_ns + 20_000_000))
    bench.look()
