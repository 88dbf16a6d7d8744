"""Looks a computer over: what a rig needs, what is there, and how what is missing is had. Opens only what is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from behavior.pose_open import check_pose
from behavior.pose_settings import PoseBackend
from camera.settings import OFFLINE, CameraKind
from core.errors import RigError
from hardware.health import clock_source, clock_warnings, governors, power_warnings, throttled_bits, zones
from hardware.ledger import check_ledger
from hardware.realtime import MEMLOCK, RTPRIO, rights_cure
from recording.folder import free_bytes
from recording.settings import RESERVE_BYTES
from session.doctor_board import check_board, check_persist
from session.findings import Finding, State, found, missing, warning
from session.locks import rig_locks
from session.machine import Machine
from session.needs import Check, Needs
from session.settings import Settings
from session.water_day import water_ledgers

BASE = ("numpy", "numba", "h5py", "opencv-python-headless", "av", "matplotlib", "pydantic")
"""Distributions that every session needs."""
FURTHER = {
    "brian2": "simulated mice (make setup)",
    "PyAudio": "the speaker (make rig)",
    "smbus2": "the MPR121 (make rig)",
    "deeplabcut-live": "poses of DeepLabCut models (make pose)",
}
LEAST_LOCKED_BYTES = 256 << 20
"""Memory that guardian and loop lock at most."""
LITTLE_DISK = 10 * RESERVE_BYTES


def examine(machine: Machine, settings: Settings | None) -> list[Finding]:
    """Return all findings. A check that fails is a finding of its own, not the end of the others."""
    with ExitStack() as held:
        busy = "" if settings is None else _take(settings, held)
        needs = Needs(settings, rig_free=not busy)
        findings = [warning("rig", f"{busy}; its camera and lick sensor were not opened")] if busy else []
        for check in CHECKS:
            try:
                findings += check(machine, needs)
            except Exception as error:  # noqa: BLE001 - a doctor tells of what it stumbles over, and goes on
                name = check.__name__.removeprefix("check_").replace("_", " ")
                findings.append(warning(name, f"could not be looked at: {type(error).__name__}: {error}"))
    return findings


def _take(settings: Settings, held: ExitStack) -> str:
    """Take the rig's lock for the time of the look; return why it cannot be had."""
    try:
        held.enter_context(rig_locks(settings.outputs.rig, settings.mouse)[0])
    except RigError as error:
        return str(error).partition(";")[0]
    return ""


def check_camera(machine: Machine, needs: Needs) -> Iterator[Finding]:
    """Each kind of camera: its library; and the mouse's own, opened."""
    for kind in CameraKind:
        try:
            yield _camera_of(kind, machine, needs)
        except Exception as error:  # noqa: BLE001 - a library that breaks when it is looked for hides no other camera
            text = f"{kind.value}: could not be looked at: {type(error).__name__}: {error}"
            yield Finding("camera", State.missing, text, "install its library again", kind is needs.camera)
    if devices := sorted(path.name for path in machine.root.glob("dev/video*")):
        yield found("video devices", ", ".join(f"/dev/{name}" for name in devices))


def _camera_of(kind: CameraKind, machine: Machine, needs: Needs) -> Finding:
    """Look for one kind of camera; the mouse's own is opened."""
    needed = kind is needs.camera
    if lacking := machine.lacking(kind, needs.genicam_library):
        return missing("camera", lacking.removeprefix("vid_source = "), needed)
    if needed and needs.rig_free and kind not in OFFLINE and needs.settings is not None:
        try:
            return found("camera", f"{kind.value}: {machine.camera(needs.settings)}")
        except RigError as error:
            return missing("camera", f"{kind.value}: {error}", needed)
    return found("camera", f"{kind.value}: its library is installed")


def check_sound(machine: Machine, needs: Needs) -> Iterator[Finding]:
    """The sound outputs, and the one that is configured."""
    try:
        names = list(machine.sound())
    except RigError as error:
        yield missing("sound", str(error), needs.outputs)
        return
    wanted = "" if needs.settings is None else needs.settings.sound.sound_device
    if not names:
        yield missing("sound", "there is no sound output; connect a card, or set its dtoverlay", needs.outputs)
    elif wanted and not any(wanted.lower() in name.lower() for name in names):
        text = f"sound_device = {wanted}: none has this in its name; use part of one of: {', '.join(names)}"
        yield missing("sound", text, needs.outputs)
    else:
        yield found("sound", ", ".join(names))


def check_i2c(machine: Machine, needs: Needs) -> Iterator[Finding]:
    """The I2C buses, and the MPR121 where licks are felt with one."""
    if buses := sorted(path.name for path in machine.root.glob("dev/i2c-*")):
        yield found("I2C", ", ".join(f"/dev/{name}" for name in buses))
    else:
        yield missing("I2C", "there is no /dev/i2c-*; sudo raspi-config, Interface Options, I2C", needs.lick_chip)
    if needs.lick_chip and needs.rig_free and needs.settings is not None:
        try:
            yield found("lick sensor", machine.lick_chip(needs.settings.licks))
        except RigError as error:
            yield missing("lick sensor", str(error), needed=True)


def check_poses(machine: Machine, needs: Needs) -> Iterator[Finding]:
    """What finds the body parts of a movement experiment: its library, its model or log."""
    del machine
    pose = None if needs.settings is None else needs.settings.pose
    if pose is None:
        return
    try:
        check_pose(pose)
    except RigError as error:
        yield missing("pose", str(error), needed=True)
        return
    of = {PoseBackend.dlc: pose.dlc_model_path, PoseBackend.markers: pose.markers, PoseBackend.replay: pose.pose_log}
    yield found("pose", f"{pose.pose_backend.value}: {of[pose.pose_backend]}")


def check_second_camera(machine: Machine, needs: Needs) -> Iterator[Finding]:
    """The library of the camera that is recorded beside the session's own."""
    second = None if needs.settings is None else needs.settings.camera2
    if second is None:
        return
    kind = second.camera.vid_source
    if lacking := machine.lacking(kind, second.camera.genicam_library):
        yield missing("second camera", lacking.removeprefix("vid_source = "), needed=True)
    else:
        yield found("second camera", f"{kind.value} ({second.section}): its library is installed; it was not opened")


def check_rights(machine: Machine, needs: Needs) -> Iterator[Finding]:
    """Real-time priority and locked memory: without them a session runs, but is late under load."""
    del needs
    most = machine.realtime_priority()
    if most < 90:
        cure = rights_cure(RTPRIO, machine.user)
        yield warning("real time", f"SCHED_FIFO is allowed up to priority {most}, 90 is used; {cure}")
    else:
        yield found("real time", f"SCHED_FIFO up to {most}")
    locked = machine.locked_bytes()
    if 0 <= locked < LEAST_LOCKED_BYTES:
        cure = rights_cure(MEMLOCK, machine.user)
        yield warning("locked memory", f"{locked / 2**20:.0f} MiB may be locked; {cure}")
    else:
        yield found("locked memory", "allowed")


def check_health(machine: Machine, needs: Needs) -> Iterator[Finding]:
    """Power, heat, and what makes the computer late."""
    del needs
    for line in power_warnings(machine.root):
        yield warning("power and heat", line)
    bits = throttled_bits(machine.root)
    if bits == 0:
        yield found("power and heat", "neither throttled nor short of power since it was switched on")
    if hot := max(zones(machine.root), key=lambda zone: zone.celsius, default=None):
        yield found("temperature", f"{hot.celsius:.0f} C ({hot.name})")
    for line in clock_warnings(machine.root):
        yield warning("clock", line)
    names = ", ".join(governors(machine.root)) or "none"
    yield found("clock", f"source {clock_source(machine.root) or 'unknown'}, governor {names}")


def check_disk(machine: Machine, needs: Needs) -> Iterator[Finding]:
    """Room for recordings."""
    del machine
    root = Path.cwd() if needs.settings is None else Path(needs.settings.recording.data_root).expanduser().absolute()
    place = next(path for path in (root, *root.parents) if path.exists())
    free = free_bytes(place)
    if free < RESERVE_BYTES:
        text = f"{free / 1e9:.1f} GB are free at {place}, less than a session keeps for its log; free space"
        yield missing("disk", text, needs.settings is not None)
    elif free < LITTLE_DISK:
        yield warning("disk", f"{free / 1e9:.1f} GB are free at {place}; free space, or move data_root to another disk")
    else:
        yield found("disk", f"{free / 1e9:.0f} GB are free at {place}")


def check_water(machine: Machine, needs: Needs) -> Iterator[Finding]:
    """The ledgers of the mouse's water: without them no valve opens."""
    del machine
    if needs.settings is None or not needs.outputs:
        return
    paths = [path for path in water_ledgers(needs.settings) if path is not None]
    try:
        for path in paths:
            check_ledger(path)
    except RigError as error:
        yield missing("water of the day", str(error).removeprefix("water of the day: "), needed=True)
        return
    yield found("water of the day", " and ".join(map(str, paths)))


def check_packages(machine: Machine, needs: Needs) -> Iterator[Finding]:
    """Python packages."""
    del needs
    for name in BASE:
        if not machine.version(name) and not (name.startswith("opencv") and machine.has("cv2")):
            yield missing("Python", f"{name} is not installed; run: make setup", needed=True)
    there = [f"{name} {machine.version(name)}" for name in (*BASE, *FURTHER) if machine.version(name)]
    yield found("Python", ", ".join(there))
    for name, use in FURTHER.items():
        if not machine.version(name):
            yield missing("Python", f"{name} is not installed; for {use}", needed=False)


CHECKS: tuple[Check, ...] = (
    check_board, check_persist, check_camera, check_second_camera, check_poses, check_sound, check_i2c, check_rights,
    check_health, check_disk, check_water, check_packages,
)  # fmt: skip
