"""The section whose camera is recorded beside the session's own: found, checked, and written back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from camera.setting_checks import setting_problems
from camera.settings import OFFLINE, CameraKind, CameraSettings
from session.compose import check_entries, read_value
from session.config_checks import Draft
from session.config_entries import ConfigFile, Problem, Section
from session.config_file import may_be_lost, nearest, shown
from session.config_frames import Probe, check_frames
from session.config_keys import ConfigKey, keys_of
from session.config_rois import SeedTable

KEY = "second_camera"
PREFIX = "second_camera."
_NAMES = frozenset(each.name for each in fields(CameraSettings))


@dataclass(frozen=True, slots=True)
class SecondSection:
    """What a session takes from the section that ``second_camera`` names: its camera, and nothing else.

    Attributes
    ----------
    section : str
        Its title, as it is spelled in the file.
    kind : {"clnf", "clmf"}
        What kind of experiment it is, and thereby how its images are stored.
    camera : CameraSettings
    """

    section: str
    kind: str
    camera: CameraSettings

    def flat(self) -> dict[str, object]:
        """Return ``second_camera.NAME`` with its value as JSON has it, for each key of the camera."""
        keys = _camera_keys(self.kind)
        return {PREFIX + name: key.plain(getattr(self.camera, name)) for name, key in keys.items()}

    def entries(self) -> dict[str, str]:
        """Return the section's keys as config.ini has them, without those that are empty."""
        keys = _camera_keys(self.kind)
        written = {name: key.write(getattr(self.camera, name)) for name, key in keys.items()}
        return {name: value for name, value in written.items() if value}


def find_second(
    file: ConfigFile, first: Draft, table: SeedTable, probe: Probe | None
) -> tuple[SecondSection | None, list[Problem]]:
    """Return what ``second_camera`` names, None where that is nothing or wrong, and the problems.

    A mouse's keys and the command line's are those of the session's own camera: none holds for the second.
    """
    name = first.values[KEY]
    if not name or not first.known(KEY):
        return None, []
    own = _find(file, first, name)
    if own is None:
        return None, [] if may_be_lost(file, name.lower()) else [first.problem((KEY,), _unknown(file, first, name))]
    if own is first.section:
        text = "is this experiment itself; name the section of another camera, or leave it empty"
        return None, [first.problem((KEY,), text)]
    kind = own.title[:4].lower()
    draft = _read(own, kind, table)
    if draft.known("vid_source") and draft.values["vid_source"] is CameraKind.simulated:
        text = f"the camera of [{own.title}] is simulated, a mouse that answers to its own session only; "
        draft.problems.append(first.problem((KEY,), text + "name a section whose vid_source is another"))
    else:
        draft.problems += check_frames(draft, probe)
        draft.problems += _check_settings(draft)
        draft.problems += _check_apart(first, draft)
    if draft.problems:
        return None, draft.problems
    return SecondSection(own.title, kind, CameraSettings(**draft.values)), []


def named_as_second(file: ConfigFile) -> set[str]:
    """Return the names, in lower case, of the sections from which others take a second camera."""
    given = (section.entries.get(KEY) for section in file.sections.values())
    return {entry.value.lower() for entry in given if entry is not None}


def _camera_keys(kind: str) -> dict[str, ConfigKey]:
    return {name: key for name, key in keys_of(kind).items() if name in _NAMES}


def _find(file: ConfigFile, first: Draft, name: str) -> Section | None:
    """Return the section; that of the experiment itself as the very object that its draft has."""
    return first.section if name.lower() == first.section.title.lower() else file.experiments.get(name.lower())


def _unknown(file: ConfigFile, first: Draft, name: str) -> str:
    others = [each.title for each in file.experiments.values() if each is not first.section]
    there = f"; name one of {', '.join(others[:20])}" if others else "; add the section of that camera"
    return f"there is no experiment {shown(name)!r}{nearest(name, others) or there}"


def _read(own: Section, kind: str, table: SeedTable) -> Draft:
    """Return the camera's keys, with the problems that any key of the section has by itself."""
    bad, problems = check_entries(own.entries, kind, table)
    keys = _camera_keys(kind)
    draft = Draft(own, keys, {name: own.entries[name] for name in keys if name in own.entries}, bad=bad)
    draft.problems += problems
    for name, key in keys.items():
        readable = name in draft.entries and name not in bad
        draft.values[name] = read_value(key, draft.entries[name]) if readable else key.default
    return draft


def _check_settings(draft: Draft) -> Iterator[Problem]:
    """Yield the problems of settings that no camera of its kind can keep."""
    if draft.known(*_NAMES):
        for keys, text in setting_problems(CameraSettings(**draft.values)):
            yield draft.problem(keys, text)


def _check_apart(first: Draft, second: Draft) -> Iterator[Problem]:
    """Yield the problem of two cameras of a kind that may be one and the same."""
    names = ("vid_source", "camera_id", "camera_pipeline")
    if not (first.known(*names) and second.known(*names)):
        return
    kind = first.values["vid_source"]
    if kind in OFFLINE or second.values["vid_source"] is not kind:
        return
    key = "camera_id"
    if kind is CameraKind.jetson and (first.values["camera_pipeline"] or second.values["camera_pipeline"]):
        key = "camera_pipeline"
    one, other = first.values[key].strip(), second.values[key].strip()
    if one and other and one != other:
        return
    same = f"both have {key} = {shown(one)}" if one == other else f"only one of the two has a {key}"
    if not one and not other:
        same = f"neither has a {key}"
    title = second.section.title
    text = f"it and the session's own are {kind.value} cameras, and {same}, so that they may be one camera; "
    cure = f"give [{first.section.title}] and [{title}] a {key} each"
    yield first.problem((KEY,), text + cure)
