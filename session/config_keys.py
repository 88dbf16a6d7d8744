"""The keys of config.ini: which settings dataclass each belongs to, how its text is read, and how it is explained.

Nothing is declared here: key names, types, bounds, units and meanings all come from the parts' settings dataclasses.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt
from pydantic import ConfigDict, TypeAdapter, ValidationError

from behavior.pose_settings import PoseSettings
from behavior.settings import MovementSettings
from brain.settings import DffSettings, GeometrySettings, RuleSettings
from camera.second_settings import SecondCameraSettings
from camera.settings import CameraSettings
from core.keys import Key
from core.schedule import ScheduleSettings
from core.threshold import ThresholdSettings
from core.tones import ToneSettings
from core.trial import TrialSettings
from hardware.settings import FaultSettings, LickSettings, OutputSettings, PinSettings, SoundSettings
from insilico.settings import SimulationSettings, split_network
from recording.settings import RecordingSettings
from recording.subject import IMAGING, NAMES, SubjectSettings, check_subject_text
from session.config_file import SAFE_NAME, nearest, shown, write_value

GROUPS: Mapping[str, type[Any]] = MappingProxyType(
    {
        "camera": CameraSettings,
        "second": SecondCameraSettings,
        "simulation": SimulationSettings,
        "geometry": GeometrySettings,
        "rule": RuleSettings,
        "dff": DffSettings,
        "movement": MovementSettings,
        "pose": PoseSettings,
        "tones": ToneSettings,
        "threshold": ThresholdSettings,
        "schedule": ScheduleSettings,
        "trial": TrialSettings,
        "outputs": OutputSettings,
        "pins": PinSettings,
        "sound": SoundSettings,
        "licks": LickSettings,
        "faults": FaultSettings,
        "recording": RecordingSettings,
        "subject": SubjectSettings,
    }
)
"""Attribute of ``Settings`` to the dataclass it holds, in the order of the reference page."""

PATHS = frozenset({"data_root", "vid_root", "dlc_model_path", "pose_log", "network", "sound_gains"})
FILE_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"raw_image_file": (".hdf5", ".h5"), "video_file": (".mkv",), "summary_file": (".csv",)}
)
"""Keys that name a file, and its endings; no other file of a session has these, so that none is overwritten."""
MAX_FILE_NAME = 100
"""Longest file name, characters; chosen because file systems take 255 bytes, and a draft's name is longer."""

# What a kind of experiment has no use for, so that a key which would do nothing is an error, not a trap.
_NOT_FOR = {
    "clnf": ({"movement", "pose"}, frozenset({"video_file", "video_codec"})),
    "clmf": ({"rule", "dff"}, frozenset({"bregma", "roi_size", "reward_threshold", "raw_image_file"}) | IMAGING),
}
KINDS = tuple(_NOT_FOR)
_WORDS = {2: "two", 3: "three", 4: "four"}


@dataclass(frozen=True, slots=True)
class ConfigKey:
    """One key.

    Attributes
    ----------
    name : str
    group : str
        Attribute of ``Settings`` that holds it.
    hint : type
        Its type as declared, bounds included.
    default : object
    unit, text : str
        See ``core.keys.Key``.
    """

    name: str
    group: str
    hint: Any
    default: Any
    unit: str
    text: str

    @property
    def type(self) -> Any:
        """Its type without bounds."""
        return get_args(self.hint)[0]

    def range(self) -> str:
        """Return its bounds in words, such as ``from 0 to 3600``; empty if it has none."""
        inner = get_args(self.type)[0] if self._is_tuple() else self.hint
        limits = {type(bound): next(iter(vars_of(bound))) for bound in getattr(inner, "__metadata__", ())}
        low = f"from {_plain(limits[Ge])}" if Ge in limits else f"above {_plain(limits[Gt])}" if Gt in limits else ""
        high = f"to {_plain(limits[Le])}" if Le in limits else f"below {_plain(limits[Lt])}" if Lt in limits else ""
        return f"{low}{', up ' if Gt in limits and Le in limits else ' '}{high}".strip()

    def choices(self) -> tuple[str, ...]:
        """Return the values of an enum key, else nothing."""
        return tuple(member.value for member in self.type) if self._is_enum() else ()

    def noun(self) -> str:
        """Return what its value is, such as ``a whole number`` or ``two numbers``."""
        if self._is_tuple():
            kinds = get_args(self.type)
            whole = "whole " if get_args(kinds[0])[0] is int else ""
            return f"{_WORDS[len(kinds)]} {whole}numbers"
        if self._is_enum():
            return "one of " + ", ".join(self.choices())
        return {int: "a whole number", float: "a number", bool: "0 or 1", str: "text"}[self.type]

    def cure(self) -> str:
        """Return what to write, such as ``give a number from 0 to 3600 (s)``."""
        unit = f" ({self.unit})" if self.unit else ""
        limits = f" {'each ' if self._is_tuple() else ''}{self.range()}" if self.range() else ""
        example = f", such as {self.write(self.default)}" if self._is_tuple() else ""
        return f"give {self.noun()}{limits}{unit}{example}"

    def read(self, text: str) -> Any:
        """Turn text into a value. Raises ValueError with what is wrong and the cure."""
        if not text and self.default != "":
            raise ValueError(f"no value; {self.cure()}, or delete the line for the default {self.write(self.default)}")
        if self.type is str:
            return self._read_text(text)
        raw = [part.strip() for part in text.split(",")] if self._is_tuple() else text.lower()
        # Python takes 1_0 for 10; in a configuration it is a slip of the keyboard.
        if "_" in text and not self._is_enum():
            raise ValueError(f"not {self.noun()}; {self.cure()}")
        try:
            return _adapter(self.hint).validate_python(raw)
        except ValidationError as error:
            kinds = {problem["type"] for problem in error.errors()}
        if kinds <= {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}:
            raise ValueError(f"out of range; {self.cure()}")
        if "finite_number" in kinds:
            raise ValueError(f"not a finite number; {self.cure()}")
        near = nearest(text, self.choices())
        raise ValueError(f"not {self.noun()}{'' if self._is_enum() else '; ' + self.cure()}{near}")

    def _read_text(self, text: str) -> str:
        write_value(text)
        if self.name in FILE_NAMES:
            _check_file_name(text, FILE_NAMES[self.name])
        if self.name == "network" and text:
            split_network(text)
        if self.name == "rig" and SAFE_NAME.fullmatch(text) is None:
            raise ValueError("not a plain name; use 1 to 64 letters, digits, _ and -")
        if self.name in NAMES:
            check_subject_text(self.name, text)
        return text

    def plain(self, value: Any) -> Any:
        """Return the value as JSON has it: enums by value, tuples as lists."""
        if isinstance(value, Enum):
            return value.value
        return list(value) if isinstance(value, tuple) else value

    def write(self, value: Any) -> str:
        """Return the value as config.ini has it; ``read`` gives it back."""
        if self._is_tuple():
            return ", ".join(_plain(number) for number in value)
        if isinstance(value, bool):
            return str(int(value))
        if isinstance(value, float):
            return _plain(value)
        return str(self.plain(value))

    def _is_tuple(self) -> bool:
        return get_origin(self.type) is tuple

    def _is_enum(self) -> bool:
        return isinstance(self.type, type) and issubclass(self.type, Enum)


def vars_of(bound: Any) -> Iterable[Any]:
    """Return the field values of a bound or of any other annotation that is a dataclass."""
    return [getattr(bound, field.name) for field in dataclasses.fields(bound)]


def _check_file_name(text: str, endings: tuple[str, ...]) -> None:
    """Raise ValueError unless ``text`` is a file's name with one of these endings."""
    cure = f"give one without folders, ending in {' or '.join(endings)}, at most {MAX_FILE_NAME} characters"
    if re.search(r"[/\\]", text) or text.startswith("."):
        raise ValueError(f"not a plain file name; {cure}")
    if not text.lower().endswith(endings):
        raise ValueError(f"a file name of another kind; {cure}")
    if len(text) > MAX_FILE_NAME or len(text.encode()) > 2 * MAX_FILE_NAME:
        raise ValueError(f"too long a file name; {cure}")


def _plain(number: float) -> str:
    """Return a number without a needless ``.0``, and so that reading it gives the same number."""
    return str(int(number)) if math.isfinite(number) and number == int(number) and abs(number) < 1e15 else repr(number)


@cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint, config=ConfigDict(allow_inf_nan=False))


@cache
def all_keys() -> Mapping[str, ConfigKey]:
    """Return every key of every kind of experiment."""
    keys: dict[str, ConfigKey] = {}
    for group, cls in GROUPS.items():
        hints = get_type_hints(cls, include_extras=True)
        for field in dataclasses.fields(cls):
            key = next(note for note in hints[field.name].__metadata__ if isinstance(note, Key))
            if field.name in keys:
                raise TypeError(f"key {field.name} is declared by {group} and by {keys[field.name].group}; rename one")
            keys[field.name] = ConfigKey(field.name, group, hints[field.name], field.default, key.unit, key.text)
    return MappingProxyType(keys)


@cache
def keys_of(kind: str) -> Mapping[str, ConfigKey]:
    """Return the keys of a kind of experiment (``"clnf"`` or ``"clmf"``)."""
    groups, names = _NOT_FOR[kind]
    return MappingProxyType(
        {name: key for name, key in all_keys().items() if key.group not in groups and name not in names}
    )


def unknown_key(name: str, kind: str | None, known: Iterable[str]) -> str:
    """Return what is wrong with a key that no experiment of this kind has."""
    if name in all_keys():
        owner = next(other for other in KINDS if name in keys_of(other))
        return f"a {kind} experiment has no such key (it belongs to {owner}); delete it"
    near = nearest(name, known)
    return f"unknown key {shown(name)}{near or '; see docs/reference/config.md for the keys there are'}"
