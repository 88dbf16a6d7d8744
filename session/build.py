"""From names to parts: makes the camera, pipeline, plan and rig that the settings name. Makes no file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from behavior.pose_open import check_pose
from brain.pipeline import BrainPipeline
from brain.rule import parse_rule
from camera.factory import CameraFactory
from camera.scene import Region, SceneSettings
from camera.settings import OFFLINE, CameraKind
from core.errors import InputError
from core.ports import Camera, Clock, Pipeline
from core.schedule import DRY, TrialPlan, draw_schedule
from core.tones import ToneMap
from core.trial import SessionPlan
from hardware.bounds import openings
from hardware.fake import FakeLickSensor, FakeLines, FakeSpeaker, FakeValve
from hardware.rig import Rig
from hardware.settings import OutputKind
from helper import SessionType
from insilico.limb_settings import LimbSceneSettings
from insilico.plant import Plant
from insilico.preparation import Place
from insilico.spec import MouseSpec
from session.build_movement import check_point, make_pose, movement_pipeline, with_room
from session.camera_start import connect_camera
from session.parts import Options, Parts
from session.real_rig import open_rig
from session.rig_outputs import refuse_no_valve
from session.second_open import check_second, open_second
from session.settings import Settings

__all__ = ["Options", "Parts", "build", "draw_plan"]


def default_live(settings: Settings, outputs: OutputKind) -> bool:
    """Return whether a session with this camera and outputs runs on the host's clock unless told otherwise."""
    cameras = [settings.camera] if settings.camera2 is None else [settings.camera, settings.camera2.camera]
    return outputs is OutputKind.real or any(camera.vid_source not in OFFLINE for camera in cameras)


def default_outputs(settings: Settings) -> OutputKind:
    """Return real outputs for a real camera, else fakes: water and light come out only when the frames do too."""
    return OutputKind.fake if settings.camera.vid_source in OFFLINE else OutputKind.real


def gives_water(settings: Settings, options: Options) -> bool:
    """Return whether real water is what the session rewards with."""
    resting = settings.schedule.session_type is SessionType.behavior_recording
    free = resting and settings.trial.free_reward_interval_s > 0
    wet = not options.lines_only and (free or settings.schedule.session_type not in DRY)
    return wet and options.outputs is OutputKind.real


def refuse_missing(settings: Settings, options: Options) -> None:
    """Look for what the session needs, before a lock is taken or a device opened.

    Raises
    ------
    InputError
        For a camera, pose model or output that is not there, or that do not go together.
    MissingError
        For a library of the camera, or of the pose model, that this machine does not have.
    """
    CameraFactory().check(settings.camera)
    if settings.pose is not None:
        check_pose(settings.pose)
    if not options.lines_only:
        check_second(settings, options.live)
    if options.outputs is OutputKind.real and not options.live:
        raise InputError(
            "--outputs real: a real valve and speaker keep the host's time; use --pace real with them, or "
            "--outputs fake"
        )
    if gives_water(settings, options):
        refuse_no_valve(settings)
    if options.outputs is OutputKind.real and settings.camera.vid_source is CameraKind.simulated:
        raise InputError(
            "--outputs real: a simulated mouse hears and drinks inside the computer; use --outputs fake, or --camera "
            "replay to try out a rig"
        )


def build(settings: Settings, options: Options, clock: Clock, go_on: Callable[[str], bool]) -> Parts:
    """Make the parts of a session whose locks are held. What was opened is closed again where a later part fails.

    Parameters
    ----------
    settings, options, clock
    go_on : callable
        Told, ten times a second, what the preparation of a simulated mouse is at, and "" while devices are opened;
        what it returns tells whether to go on.

    Raises
    ------
    InputError
        A part cannot be made.
    CameraError, OutputError
        A device is not to be had.
    Interrupted
        ``go_on`` returned False.
    """
    plan = draw_plan(settings, options)
    with ExitStack() as made:
        plant = _plant(settings, options, clock)
        if plant is not None:
            made.callback(plant.close)
            plant.prepare(go_on)
        camera = CameraFactory().create(
            settings.camera if settings.pose is None else with_room(settings.camera, settings.pose),
            source=settings.camera.vid_root,
            clock=clock,
            pace_real=options.live,
            scene=_scene(settings),
            seed=options.seed,
            plant=plant,
        )
        made.callback(camera.close)
        # Now, so that a camera that is not to be had refuses the session before a file is made.
        connect_camera(camera, lambda: go_on(""))
        pose = make_pose(settings, camera, options.live)
        if pose is not None:
            made.callback(pose.close)
            pose.open(go_on)
            check_point(settings, pose)
        # A preview looks through the first alone.
        second = None if options.lines_only else open_second(settings, options.live, options.seed, clock, go_on)
        if second is not None:
            made.callback(second.close)
        pipeline = None if pose is not None else _brain(settings, camera)
        # Last, so that nothing can fail while a valve is in hand that no session owns.
        rig = _rig(settings, options, plant, go_on)
        made.pop_all()
    if pipeline is None:
        pipeline = movement_pipeline(settings, pose, rig)
    return Parts(camera, pipeline, plan, rig, {} if plant is None else plant.about, pose, second)


def _brain(settings: Settings, camera: Camera) -> Pipeline:
    """Return the pipeline of a neurofeedback session."""
    return BrainPipeline(
        parse_rule(settings.formula),
        settings.rois,
        settings.dff,
        settings.camera.framerate,
        camera.frame_shape,
        camera.frame_dtype,
    )


def draw_plan(settings: Settings, options: Options) -> SessionPlan:
    """Draw what chance decides, and put the session's plan together.

    A further part of a session has the same schedule, without the trials that were had.
    """

    def schedule_of(session_type: SessionType) -> tuple[TrialPlan, ...]:
        kind = replace(settings.schedule, session_type=session_type)
        return draw_schedule(kind, np.random.default_rng(options.seed))[options.skip_trials :]

    return SessionPlan(
        settings.trial,
        settings.tones,
        settings.threshold,
        settings.schedule.session_type,
        schedule_of(settings.schedule.session_type),
        settings.outputs.min_pulse_gap_s,
        max_start_wait_s=0.0 if settings.movement is None else settings.movement.max_start_wait_s,
        end_pulse=settings.movement is not None,
        redraw=schedule_of,
    )


def _scene(settings: Settings) -> SceneSettings | LimbSceneSettings | None:
    """Return a synthetic scene in which any mouse can be rehearsed.

    It has activity under each ROI of the rule, or a paw that rests in the start circle and reaches for the target.
    """
    if settings.camera.vid_source is not CameraKind.synthetic:
        return None
    if settings.movement is not None:
        return _limb(settings)
    regions, radius = [], 4.0
    for name, shape in settings.rois.items():
        x0, y0, x1, y1 = shape.bounds()
        regions.append(Region(name, row=(y0 + y1 - 1) / 2, col=(x0 + x1 - 1) / 2))
        radius = max(radius, float(x1 - x0), float(y1 - y0))
    return SceneSettings(regions=tuple(regions), radius_px=radius)


def _plant(settings: Settings, options: Options, clock: Clock) -> Plant | None:
    """Return the simulated mouse of a simulated camera, not yet prepared. It learns where things are, no more."""
    if settings.camera.vid_source is not CameraKind.simulated:
        return None
    width, height = settings.camera.resolution
    tones = ToneMap(settings.tones).frequencies
    outputs = settings.outputs
    spec = MouseSpec(
        network=settings.simulation.network,
        codegen=settings.simulation.codegen,
        regions=_places(settings),
        tones_hz=(min(tones[0], settings.tones.single_freq), max(tones[-1], settings.tones.single_freq)),
        height=height,
        width=width,
        framerate=settings.camera.framerate,
        bregma=settings.geometry.bregma,
        ppmm=settings.geometry.ppmm,
        seed=options.seed,
        limb=_limb(settings),
    )
    return Plant(spec, openings(outputs), clock, pace_real=options.live)


def _limb(settings: Settings) -> LimbSceneSettings | None:
    """Return what is filmed of a mouse that moves: a paw that rests in the start circle and reaches for the target."""
    movement = settings.movement
    if movement is None:
        return None
    return LimbSceneSettings(movement.start_center, movement.target_center, settings.geometry.ppmm)


def _places(settings: Settings) -> dict[str, Place]:
    """Return where each ROI of the rule lies: AP and ML of its centre, mm from bregma; the left is negative."""
    (row, col), ppmm = settings.geometry.bregma, settings.geometry.ppmm
    places = {}
    for name, shape in settings.rois.items():
        x0, y0, x1, y1 = shape.bounds()
        places[name] = ((row - (y0 + y1 - 1) / 2) / ppmm, ((x0 + x1 - 1) / 2 - col) / ppmm)
    return places


def _rig(settings: Settings, options: Options, plant: Plant | None, go_on: Callable[[str], bool]) -> Rig:
    """Return the outputs: real ones, the simulated mouse's, or fakes that keep the rig's bounds. Raises OutputError."""
    if options.outputs is OutputKind.real:
        # No stage is named: only what a simulated mouse takes is told to a person.
        return open_rig(settings, options.seed, options.session, lines_only=options.lines_only, go_on=lambda: go_on(""))
    if plant is not None:
        return Rig(plant.speaker, plant.spout, FakeLines(), plant.tongue)
    return Rig(FakeSpeaker(), FakeValve(settings.outputs), FakeLines(), FakeLickSensor())
