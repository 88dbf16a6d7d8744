"""A log that lost rows since its session ended is not given out as if it were whole."""

import h5py
import numpy as np
import pytest

from core.errors import SourceError
from recording.clopy import ClopyExport, export_clopy, write_clopy_files
from recording.folder import read_session_json, write_session_json
from recording.nwb import SubjectFacts, export_nwb
from recording.reader import open_session
from recording.schema import EventRow, TimingRow
from recording.subject import SubjectSettings
from tests.recording.clopy_sessions import META
from tests.recording.samples import frame_row
from tests.recording.test_csvrows import write_session

ROWS = [frame_row(n, image=n - 1, trial=0, phase="rest", outcome=0, water=0) for n in range(1, 7)]
END = EventRow(ROWS[-1].time_ns, "session_end", 0, "complete")


@pytest.fixture
def folder(tmp_path):
    """A session of six frames that ended in order, with CLoPy's files."""
    home = tmp_path / "M1" / "20231114221320" / "S1"
    home.mkdir(parents=True)
    write_session(home, ROWS, [TimingRow(n, n, n, n, n) for n in range(1, 7)], [END])
    counts = {"frames": 6, "images": 6}
    write_session_json(home, {**META, "kind": "clnf", "outcome": "complete", "counts": counts})
    with h5py.File(home / "image_stream.hdf5", "w") as file:
        file["raw_images"] = np.arange(6 * 4 * 5 * 3, dtype="u2").reshape(6, 4, 5, 3)
    with open_session(home) as session:
        write_clopy_files(session, home)
    return home


def as_nwb(session, out):
    return export_nwb(session, out / "x.nwb", SubjectFacts(SubjectSettings()), allow_incomplete=True)


WAYS = {
    "--nwb": as_nwb,
    "--clopy DIR": export_clopy,
    "--clopy": lambda session, out: write_clopy_files(session, session.folder),
}


def lines(name, change):
    def damage(folder):
        path = folder / name
        path.write_text("".join(change(path.read_text().splitlines(keepends=True))))

    return damage


DAMAGE = {
    "the end": (lines("frames.csv", lambda rows: rows[:4]), r"frames\.csv: has 3 frames of the 6 that session\.json"),
    "the middle": (lines("frames.csv", lambda rows: rows[:3] + rows[4:]), r"frames\.csv: has 5 frames of the 6"),
    "a row twice": (lines("frames.csv", lambda rows: [*rows[:3], *rows[2:]]), r"line 4: frame 2 is not after 2"),
    "rows turned round": (lines("frames.csv", lambda rows: [rows[0], *rows[:0:-1]]), "line 3: frame 5 is not after 6"),
    "all": (lambda folder: (folder / "frames.csv").unlink(), r"frames\.csv is not there; restore it from a copy, or"),
}


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("lost", DAMAGE)
def test_rows_that_are_gone_are_told_and_nothing_is_written(folder, tmp_path, way, lost):
    damage, says = DAMAGE[lost]
    damage(folder)
    before = contents(tmp_path)
    with pytest.raises(SourceError, match=says), open_session(folder) as session:
        WAYS[way](session, tmp_path / "out")
    assert contents(tmp_path) == before


@pytest.mark.parametrize("outcome", ["failed", "running"])
def test_a_session_that_was_not_closed_is_given_out_as_far_as_it_goes(folder, tmp_path, outcome):
    DAMAGE["the end"][0](folder)
    lines("events.csv", lambda rows: rows[:1])(folder)
    write_session_json(folder, read_session_json(folder) | {"outcome": outcome})
    with open_session(folder) as session:
        assert as_nwb(session, tmp_path / "out").frames == 3
        assert export_clopy(session, tmp_path / "out" / "clopy").rows == 3


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lines("events.csv", lambda rows: rows[:1]), r"events\.csv has no session_end, while .* \(complete\)"),
        (lines("timing.csv", lambda rows: rows[:3]), r"timing\.csv has 2 rows for 6 frames"),
    ],
    ids=["events", "timing"],
)
def test_events_and_times_of_the_host_that_are_gone_are_told(folder, tmp_path, damage, says):
    damage(folder)
    with open_session(folder) as session, pytest.raises(SourceError, match=f"{says}.*restore it from a copy"):
        as_nwb(session, tmp_path / "out")
    write_session_json(folder, read_session_json(folder) | {"outcome": "recovered"})
    with open_session(folder) as session:
        assert as_nwb(session, tmp_path / "out").frames == 6


def test_the_log_fits_images_that_are_put_back_later(folder, tmp_path):
    rows = [
        row._replace(image=-1) if row.frame == 3 else row._replace(image=row.image - (row.frame > 3)) for row in ROWS
    ]
    write_session(folder, rows, events=[END])
    write_session_json(folder, read_session_json(folder) | {"counts": {"frames": 6, "images": 5}})
    with open_session(folder) as session:
        write_clopy_files(session, folder)
        whole = (folder / "VideoTimestamp.txt").read_bytes()
    (folder / "image_stream.hdf5").unlink()
    with open_session(folder) as session:
        assert write_clopy_files(session, folder) == ClopyExport(5, 1, 5)
        assert export_clopy(session, tmp_path / "out") == ClopyExport(5, 1, 5)
    assert (folder / "VideoTimestamp.txt").read_bytes() == whole
    assert whole.count(b"\n") == 6
