"""How a recording that cannot be replayed is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from camera.replay import open_replay, probe_source
from core.errors import InputError, SourceError

FPS = 15.0
Make = Callable[[Path], Path]
"""Makes a recording in a folder; returns the path that is given to Rigloop."""


def assert_one_clear_line(path: Path, message: str) -> None:
    """A look at the recording and its replay say the same, in a line with its path."""
    with pytest.raises(SourceError, match=message) as caught:
        probe_source(path, FPS)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    assert isinstance(caught.value, InputError)
    with pytest.raises(SourceError, match=message):
        open_replay(str(path), FPS)
