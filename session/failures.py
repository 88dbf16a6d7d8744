"""What failed in a session: the words for a person, and the tracebacks of faults of the program for who mends them."""

from __future__ import annotations

import traceback
from pathlib import Path

from core.errors import RigError
from recording.schema import ERROR_TXT


class Failures:
    """Keeps what failed, the first first. Used by the runner's thread.

    Parameters
    ----------
    folder : Path
        The session's folder, which gets error.txt.

    Attributes
    ----------
    text : str
        In one line; empty as long as nothing failed.
    """

    def __init__(self, folder: Path) -> None:
        self.text = ""
        self._file = folder / ERROR_TXT
        self._details: list[str] = []

    def take(self, failure: Exception) -> None:
        """Keep what failed; a failure that is none of ours is a bug, whose traceback is kept too."""
        if isinstance(failure, RigError):
            self.add(str(failure))
            if failure.details:
                self._details.append(failure.details)
        else:
            self._details.append("".join(traceback.format_exception(failure)))
            self.add(f"{type(failure).__name__}: {failure} (details in {self._file})")

    def add(self, error: str) -> None:
        """Keep an error, unless it was told before; the first one is what a person needs to read first."""
        if error and error not in self.text:
            self.text = f"{self.text}; {error}" if self.text else error

    def save(self) -> None:
        """Write error.txt, where there is something to write."""
        if not self._details:
            return
        try:
            self._file.write_text("\n".join(self._details), encoding="utf-8")
        except OSError as failure:
            self.add(f"{ERROR_TXT} could not be written: {failure.strerror}")
