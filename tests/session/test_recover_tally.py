"""What a killed session lost, skipped and got twice is counted by cause as at its normal end."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from core.clock import VirtualClock
from recording.folder import read_session_json
from recording.schema import EventRow, MissingRow
from session.recover import recover
from session.recover_tally import tally_of
from tests.session.test_frame_truth import SHORT, Losing
from tests.session.test_repeated_frames import Repeating
from tests.support.killed import as_killed
from tests.support.sessions import run, settings_for


@pytest.mark.parametrize(
    "camera",
    [
        pytest.param(Losing, id="losses"),
        pytest.param(lambda camera: Repeating(camera, 7), id="repeats by number"),
        pytest.param(lambda camera: Repeating(camera, 7, number=lambda number: number + 1), id="repeats by time"),
    ],
)
def test_the_causes_are_those_of_a_normal_end(tmp_path, parts_of, camera):
    parts_of(lambda parts: replace(parts, camera=camera(parts.camera)))
    session = run(settings_for(tmp_path, **SHORT, record_images="0")).session
    before = as_killed(session)
    recover(session, VirtualClock(), lambda folder: None)
    after = read_session_json(session)["counts"]["by_cause"]
    assert after == before["counts"]["by_cause"]
    assert any(after.values())


class Frames:
    """The columns that are looked at."""

    def __init__(self, images, dropped):
        self.image, self.dropped = np.array(images), np.array([dropped])

    def __len__(self):
        return len(self.image)


def recorded(images, dropped=0, missing=()):
    meta = {"settings": {"record_images": True}}
    return SimpleNamespace(frames=Frames(images, dropped), missing=missing, meta=meta)


def event(kind, detail):
    return EventRow(0, kind, 0, detail)


ENDED = event("images_ended", "disk_full: cannot write S1/image_stream.hdf5: 3 MB are free there")


@pytest.mark.parametrize(
    ("images", "events", "unwritten", "by"),
    [
        pytest.param((0, 1, 2), (), 0, {}, id="all kept"),
        pytest.param((0, -1, 1, -1), (), 0, {"recorder_late": 2}, id="late"),
        pytest.param((0, -1, 1, -1, -1), (ENDED,), 0, {"disk_full": 2, "recorder_late": 1}, id="a full disk"),
        pytest.param((-1, -1), (ENDED,), 0, {"disk_full": 2}, id="full from the first"),
        pytest.param((0, -1, 1, -1, -1), (), 2, {"not_written": 2, "recorder_late": 1}, id="no power"),
        pytest.param(
            (0, -1), (event("images_ended", "camera2: disk_full: x"),), 0, {"recorder_late": 1}, id="camera2's"
        ),
    ],
)
def test_images_that_were_not_kept(images, events, unwritten, by):
    tally = tally_of(recorded(images), events, 0, unwritten, second=False)
    assert tally.images_dropped == by


def test_what_the_tables_do_not_tell_is_unknown():
    tally = tally_of(recorded((0,), 5, (MissingRow(2, 0, "late"), MissingRow(3, 0, "late"))), (), 0, 0, second=False)
    assert tally.dropped == {"late": 2, "unknown": 3}


def test_skips_and_repeats_of_cameras_that_tell_of_themselves():
    events = (
        event("skip", "3 inference"), event("skip", "90 pose lost"), event("skip", "2 inference"),
        event("drop", "4 transport"), event("drop", "2 repeat"), event("drop", "camera2: 7 repeat"),
    )  # fmt: skip
    tally = tally_of(recorded((0,)), events, 96, 0, second=False)
    assert tally.skipped == {"inference": 5, "pose lost": 90, "recording": 1}
    assert tally.repeated == {"time": 2}
    assert tally_of(recorded((0,)), events, 0, 0, second=True).repeated == {"time": 7}
