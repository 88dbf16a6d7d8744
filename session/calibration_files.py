"""A rig's calibrations on disk: a JSON file per part in ``calibration/RIG`` beside config.ini, replaced in one step."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from core.clock import local_datetime
from core.errors import InputError, RecordingError
from recording.folder import replace_file

Made = TypeVar("Made")
FOLDER = "calibration"


def calibration_folder(config_path: Path, rig: str) -> Path:
    """Return the folder of a rig's calibrations; it need not exist."""
    return Path(config_path).expanduser().absolute().parent / FOLDER / rig


def store(path: Path, value: Any) -> None:
    """Write a calibration, a frozen dataclass; a reader finds the old file or the new one. Raises RecordingError."""
    text = json.dumps(dataclasses.asdict(value), indent=2, allow_nan=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(
            f"{path.parent}: cannot be made ({error.strerror}); make the folder of config.ini writable"
        ) from error
    replace_file(path, text)


def load(path: Path, kind: type[Made]) -> Made:
    """Return a calibration. Raises FileNotFoundError where there is none, else InputError with the cure."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not a text"
        raise InputError(f"{path}: cannot be read ({why}); calibrate again, or restore it from a copy") from error
    try:
        made: Made = TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise InputError(
            f"{path}: is damaged ({f'{where}: ' if where else ''}{first['msg']}); calibrate again, or restore it from "
            "a copy"
        ) from error
    return made


def today(wall_ns: int) -> str:
    """Return the local ISO time that a calibration is stored with."""
    return local_datetime(wall_ns).isoformat(timespec="seconds")
