"""The cure in a message is one that whoever reads it can take."""

import errno
import os
from pathlib import Path

import pytest

from core.errors import RecordingError
from recording.clopy import export_clopy
from recording.folder import replace_bytes
from recording.problems import describe
from tests.recording.clopy_sessions import make_session
from tests.recording.samples import frame_row


def test_the_place_of_an_export_has_nothing_to_do_with_data_root():
    for number in errno.errorcode:
        error = OSError(number, os.strerror(number))
        line = describe("write", Path("/nowhere/x.png"), error, chosen=True)
        assert line.startswith(f"cannot write /nowhere/x.png: {os.strerror(number)}; ")
        assert "data_root" not in line
        assert "session" not in line


def test_where_a_session_is_recorded_it_is_the_cure():
    assert "set data_root" in describe("write", Path("x"), OSError(errno.EROFS, ""))


def test_a_figure_and_an_export_into_nowhere(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RecordingError, match="make the folder first, or choose another place"):
        replace_bytes(tmp_path / "nowhere" / "x.png", b"", sync=False, chosen=True)
    with make_session(tmp_path, [frame_row(1)]) as session:
        for out in (tmp_path / "file" / "x", Path("/proc/x")):
            with pytest.raises(RecordingError, match=r"cannot make a folder in .*(give another name|another place)"):
                export_clopy(session, out)
