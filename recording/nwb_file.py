"""An NWB file in memory: what stands in it of the session as a whole, and its devices."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from recording.folder import STAMP
from recording.nwb_clock import SessionClock, began
from recording.nwb_pack import object_name
from recording.nwb_subject import SubjectFacts, subject
from recording.nwb_tables import without_braces
from recording.nwb_text import OddTexts, storable
from recording.parts import part_suffix
from recording.recorded import RecordedSession
from recording.schema import CLOPY_CONFIG, SECOND_FOLDER, SESSION_INI, SESSION_JSON, SPEED
from recording.subject import experimenters

_WHAT = {
    "clnf": (
        "Closed-loop neurofeedback: the dF/F of cortical regions, imaged with one photon, is heard as a tone, and "
        "earns water past a threshold.",
        ("neurofeedback", "widefield imaging", "calcium imaging", "cortex"),
    ),
    "clmf": (
        "Closed-loop movement feedback: the movement of a body part, filmed and tracked while the session runs, is "
        "heard as a tone, and earns water past a threshold.",
        ("movement feedback", "pose estimation", "behavior video", "forelimb"),
    ),
}
_KEYWORDS = ("closed loop", "mouse", "head-fixed", "auditory feedback", "reward")


def kind_of(session: RecordedSession) -> str:
    """Return ``clnf`` or ``clmf``: as the session has it, else by what was computed of its frames."""
    movement = SPEED in session.part_names if "kind" not in session.meta else session.meta["kind"] == "clmf"
    return "clmf" if movement else "clnf"


def mouse_of(session: RecordedSession) -> str:
    """Return the mouse: as the session has it, else the folder that its sessions lie in."""
    name = session.meta.get("mouse")
    folder = session.folder.absolute().parent.parent.name
    return storable(name if isinstance(name, str) and name else folder or "unknown")


def make_file(session: RecordedSession, clock: SessionClock, facts: SubjectFacts, odd: OddTexts) -> Any:
    """Return the NWBFile with the session's description, subject and devices, and no data yet. Raises InputError."""
    from pynwb import NWBFile

    meta = session.meta
    kind = kind_of(session)
    mouse = mouse_of(session)
    known = facts.settings
    what, words = _WHAT[kind]
    software = f"rigloop {_version()}"
    file = NWBFile(
        session_description=_description(session, mouse),
        identifier=_identifier(session, mouse),
        session_start_time=clock.start,
        session_id=session_id(session),
        experiment_description=what,
        experimenter=experimenters(known.experimenter) or None,
        lab=known.lab or None,
        institution=known.institution or None,
        keywords=[*_KEYWORDS, *words],
        notes=next(filter(None, (odd.read(session.folder / name) for name in _configs(session))), None),
        data_collection=odd.read(session.folder / SESSION_JSON) or None,
        source_script=f"rigloop export --nwb, {software}",
        source_script_file_name="cli/export.py",
        was_generated_by=[["rigloop", _version()], ["rigloop (recorded the session)", _recorded_with(meta)]],
    )
    file.subject = subject(mouse, facts, clock.start)
    devices = meta.get("devices")
    for name, read_back in (devices if isinstance(devices, Mapping) else {}).items():
        file.create_device(name=object_name(str(name)), description=_told(read_back) or "Nothing was read back of it.")
    return file


def camera_of(file: Any, session: RecordedSession, name: str = "camera") -> Any:
    """Return the camera's device; it is made from the settings where none was read back of it."""
    if name in file.devices:
        return file.devices[name]
    settings = session.meta.get("settings") or {}
    source = settings.get("vid_source") or "unknown"
    return file.create_device(name=name, description=f"Frames came from: {source}.")


def session_id(session: RecordedSession) -> str:
    """Return the date and time that the session is named after, as the ledger of water has it: with the part after S1.

    CLoPy names a folder after them, or the files of a movement session.
    """
    folder = session.folder
    names = (str(session.meta.get("session", ""))[-14:], folder.parent.name, folder.name, folder.parent.parent.name)
    stamp = next((name for name in names if STAMP.fullmatch(name)), None)
    begun = began(session)
    if stamp is None:
        stamp = folder.parent.name if begun is None else f"{begun:%Y%m%d%H%M%S}"
    return stamp + _part(session)


def _part(session: RecordedSession) -> str:
    """Return what is added to the name of a session for a part after S1, and for a second camera by itself."""
    folder = session.folder
    second = folder.name == SECOND_FOLDER
    outer = folder.parent if second else folder
    return part_suffix(outer) + (f"-{SECOND_FOLDER}" if second else "")


def _identifier(session: RecordedSession, mouse: str) -> str:
    """Return what no other session has, the same each time: mouse, rig, the ns of its start, and the part after S1."""
    settings = session.meta.get("settings") or {}
    rig = settings.get("rig") or session.meta.get("rig") or "rig"
    return f"{mouse} {rig} {session.meta.get('started_wall_ns')}{_part(session).replace('-', ' ')}"


def _description(session: RecordedSession, mouse: str) -> str:
    meta = session.meta
    counts = meta.get("counts")
    settings = meta.get("settings") or {}
    rule = meta.get("formula") or settings.get("roi_operation") or settings.get("roi") or settings.get("control_point")
    parts = [f"Mouse {mouse}", str(meta.get("experiment") or ""), f"signal {rule}" if rule else ""]
    parts += [f"{settings['session_type']}" if settings.get("session_type") else ""]
    parts += [f"outcome {meta['outcome']}" if meta.get("outcome") else ""]
    if isinstance(counts, Mapping):
        parts.append(f"{counts.get('successes')} successes in {counts.get('trials')} trials")
    if (begun := began(session)) is not None:
        parts.append(f"began {begun:%Y-%m-%d %H:%M:%S}")
    return "; ".join(part for part in parts if part) + "."


def _recorded_with(meta: Mapping[str, Any]) -> str:
    software = meta.get("software")
    if not isinstance(software, Mapping):
        return str(meta.get("format") or "unknown")
    return f"{software.get('rigloop')} {software.get('git') or ''}".strip()


def _configs(session: RecordedSession) -> tuple[str, ...]:
    """Return the names that the copy of the config may have: ours, CLoPy's, that of CLoPy's movement sessions."""
    return SESSION_INI, CLOPY_CONFIG, f"{session.meta.get('session')}_config.ini"


def _told(facts: Any) -> str:
    """Return what was read back of a device as text."""
    if isinstance(facts, Mapping):
        return "; ".join(f"{key}: {_told(value)}" for key, value in facts.items())
    if isinstance(facts, (list, tuple)):
        return ", ".join(_told(value) for value in facts)
    return without_braces(str(facts))


def _version() -> str:
    try:
        return version("rigloop")
    except PackageNotFoundError:
        return "unknown"
