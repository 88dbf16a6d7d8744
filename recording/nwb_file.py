"""An NWB file in memory: what stands in it of the session as a whole, and its devices."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from core.clock import local_datetime
from core.errors import SourceError
from recording.folder import folder_name
from recording.nwb_clock import SessionClock
from recording.nwb_subject import SubjectFacts, subject
from recording.nwb_tables import without_braces
from recording.problems import describe
from recording.recorded import RecordedSession
from recording.schema import CLOPY_CONFIG, SESSION_INI, SESSION_JSON
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
    """Return ``clnf`` or ``clmf``."""
    return "clmf" if session.meta.get("kind") == "clmf" else "clnf"


def mouse_of(session: RecordedSession) -> str:
    """Return the mouse: as the session has it, else the folder that its sessions lie in."""
    name = session.meta.get("mouse")
    return name if isinstance(name, str) and name else session.folder.parent.parent.name or "unknown"


def make_file(session: RecordedSession, clock: SessionClock, facts: SubjectFacts) -> Any:
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
        notes=next(filter(None, (_text(session, name) for name in _configs(session))), None),
        data_collection=_text(session, SESSION_JSON) or None,
        source_script=f"rigloop export --nwb, {software}",
        source_script_file_name="cli/export.py",
        was_generated_by=[["rigloop", _version()], ["rigloop (recorded the session)", _recorded_with(meta)]],
    )
    file.subject = subject(mouse, facts, clock.start)
    devices = meta.get("devices")
    for name, read_back in (devices if isinstance(devices, Mapping) else {}).items():
        file.create_device(name=str(name), description=_told(read_back) or "Nothing was read back of it.")
    return file


def camera_of(file: Any, session: RecordedSession, name: str = "camera") -> Any:
    """Return the camera's device; it is made from the settings where none was read back of it."""
    if name in file.devices:
        return file.devices[name]
    settings = session.meta.get("settings") or {}
    source = settings.get("vid_source") or "unknown"
    return file.create_device(name=name, description=f"Frames came from: {source}.")


def session_id(session: RecordedSession) -> str:
    """Return the date and time that the session's folder is named after."""
    started = session.meta.get("started_wall_ns")
    folder = session.folder.parent.name
    if len(folder) == 14 and folder.isdigit():
        return folder
    return folder_name(started) if isinstance(started, int) else folder


def _identifier(session: RecordedSession, mouse: str) -> str:
    """Return what no other session has, the same each time: mouse, rig, and the ns of its start."""
    settings = session.meta.get("settings") or {}
    return f"{mouse} {settings.get('rig') or 'rig'} {session.meta.get('started_wall_ns')}"


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
    started = meta.get("started_wall_ns")
    if isinstance(started, int):
        parts.append(f"began {local_datetime(started):%Y-%m-%d %H:%M:%S}")
    return "; ".join(part for part in parts if part) + "."


def _recorded_with(meta: Mapping[str, Any]) -> str:
    software = meta.get("software")
    if not isinstance(software, Mapping):
        return str(meta.get("format") or "unknown")
    return f"{software.get('rigloop')} {software.get('git') or ''}".strip()


def _configs(session: RecordedSession) -> tuple[str, ...]:
    """Return the names that the copy of the config may have: ours, CLoPy's, that of CLoPy's movement sessions."""
    return SESSION_INI, CLOPY_CONFIG, f"{session.meta.get('session')}_config.ini"


def _text(session: RecordedSession, name: str) -> str:
    """Return a text file of the session's folder, empty where there is none. Raises SourceError."""
    path = session.folder / name
    if not path.is_file():
        return ""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SourceError(describe("read", path, error)) from error


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
