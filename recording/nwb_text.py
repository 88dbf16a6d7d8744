"""Texts of a session as HDF5 can hold them, and a note of those that it cannot."""

from __future__ import annotations

import os
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import SourceError
from recording.byte_order_mark import decoded
from recording.problems import describe
from recording.recorded import RecordedSession
from recording.schema import EVENTS_CSV, FRAMES_CSV, INPUTS_CSV, MISSING_CSV, SESSION_JSON
from recording.tables import FrameTable

REPLACEMENT = "\ufffd"
"""Stands where a character cannot be decoded, or held: HDF5 ends a text at NUL, and UTF-8 has no lone surrogate."""
_UNHOLDABLE = re.compile("[\x00\ud800-\udfff]")
_MAPPINGS = ("settings", "devices", "software")


def storable(text: str) -> str:
    """Return a text that HDF5 can hold."""
    return _UNHOLDABLE.sub(REPLACEMENT, text)


class OddTexts:
    """Cleans the texts of a session, and remembers which of its files had other ones.

    Attributes
    ----------
    files : dict of str to None
        Their names, in the order in which they were met.
    """

    def __init__(self) -> None:
        self.files: dict[str, None] = {}

    def clean(self, value: Any, name: str) -> Any:
        """Return a text, or JSON value with its texts, as HDF5 can hold it; ``name`` is the file it came from."""
        if isinstance(value, dict):
            return {self.clean(key, name): self.clean(each, name) for key, each in value.items()}
        if isinstance(value, list):
            return [self.clean(each, name) for each in value]
        if not isinstance(value, str):
            return value
        cleaned = storable(value)
        if cleaned != value:
            self.files[name] = None
        return cleaned

    def read(self, path: Path) -> str:
        """Return a text file, empty where there is none. Raises SourceError."""
        if not path.is_file():
            return ""
        try:
            text = storable(decoded(path.read_bytes()))
        except OSError as error:
            raise SourceError(describe("read", path, error)) from error
        if REPLACEMENT in text:
            self.files[path.name] = None
        return text

    def session(self, session: RecordedSession) -> RecordedSession:
        """Return a session with the same rows and clean texts, in a folder by its whole path; close it.

        What should be an object in session.json, and is none, is left out.
        """
        meta = self.clean(session.meta, SESSION_JSON)
        for key in _MAPPINGS:
            if not isinstance(meta.get(key, {}), dict):
                meta = {name: value for name, value in meta.items() if name != key}
        return RecordedSession(
            Path(os.path.abspath(session.folder)),
            meta,
            tuple(self.clean(name, FRAMES_CSV) for name in session.part_names),
            self._frames(session.frames),
            session.timing,
            tuple(self._row(row, EVENTS_CSV) for row in session.events),
            session.image_path,
            None if session.inputs is None else tuple(self._row(row, INPUTS_CSV) for row in session.inputs),
            None if session.missing is None else tuple(self._row(row, MISSING_CSV) for row in session.missing),
        )

    def _frames(self, frames: FrameTable) -> FrameTable:
        texts: dict[str, Any] = {}
        for field in fields(frames):
            column = getattr(frames, field.name)
            if column.dtype == np.object_ and any(storable(text) != text for text in set(column)):
                texts[field.name] = np.array([self.clean(text, FRAMES_CSV) for text in column], np.object_)
        return replace(frames, **texts)

    def _row(self, row: Any, name: str) -> Any:
        return type(row)(*[self.clean(cell, name) for cell in row])
