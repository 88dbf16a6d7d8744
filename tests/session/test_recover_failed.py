"""A session that told of its own failure, and whose files say otherwise, or are not all there."""

import pytest

from recording.folder import read_session_json, write_session_json
from recording.index_find import Place
from recording.index_read import read_row
from tests.session.killed_sessions import UNEQUAL, recovered, settings_root, summary
from tests.session.two_cameras import settings_for as two_cameras
from tests.support.killed import as_killed


@pytest.mark.parametrize("lacks", ["frames.csv", "every table"])
def test_a_session_that_failed_before_its_first_frame_is_finished(killed, lacks):
    session, settings, before = killed(rows=0)
    write_session_json(session, before | {"outcome": "failed", "error": "the disk was full"})
    for path in session.glob("frames.csv" if lacks == "frames.csv" else "*.csv"):
        path.unlink()
    done = recovered(session)
    assert (done.outcome, done.result.frames) == ("failed", 0)
    assert [row["outcome"] for row in summary(settings)] == ["failed"]
    assert (session / "frames.csv").is_file()
    assert (session / "VideoTimestamp.txt").is_file()
    assert recovered(session).result is None


@pytest.mark.parametrize("lacks", ["summary", "clopy", "mark", "nothing"])
def test_a_session_that_failed_gets_what_it_lacks_and_stays_failed(killed, tmp_path, lacks):
    session, settings, before = killed()
    recovered(session)
    write_session_json(session, before | {"outcome": "failed", "error": "the disk was full"})
    if lacks == "summary":
        (tmp_path / "data" / settings.recording.summary_file).unlink()
    if lacks == "clopy":
        (session / "VideoTimestamp.txt").unlink()
    if lacks == "mark":
        meta = read_session_json(session)
        as_killed(session)
        write_session_json(session, meta)
    done = recovered(session)
    assert (done.result is None) == (lacks == "nothing")
    after = read_session_json(session)
    assert (after["outcome"], after["error"], after["counts"]) == ("failed", "the disk was full", before["counts"])
    assert [row["outcome"] for row in summary(settings)] == ["failed" if lacks in ("summary", "mark") else "recovered"]
    assert recovered(session).result is None


def failed_with_its_recorder(session, before, **counted):
    counts = before["counts"] | counted
    write_session_json(session, before | {"outcome": "failed", "error": "the process died", "counts": counts})


def test_the_counts_of_a_session_whose_recorder_died_are_those_of_its_tables(killed):
    session, settings, before = killed()
    recovered(session)
    counts = before["counts"]
    frames, trials = counts["frames"], counts["trials"]
    failed_with_its_recorder(session, before, frames=frames + 4, trials=trials + 1)
    done = recovered(session)
    after = read_session_json(session)
    assert (after["outcome"], after["error"]) == ("failed", "the process died")
    assert {k: v for k, v in after["counts"].items() if k not in UNEQUAL} == {
        k: v for k, v in counts.items() if k not in UNEQUAL
    }
    assert (after["counts_by_session"]["frames"], after["counts_by_session"]["trials"]) == (frames + 4, trials + 1)
    assert done.mended == (
        f"session.json has the counts of the tables: frames {frames} (was {frames + 4}), trials {trials} "
        f"(was {trials + 1}); its row of {settings.recording.summary_file} stays as it was",
    )
    place = Place("/".join(session.parts[-3:]), stamp="")
    row = read_row(settings_root(settings), place)
    assert (row.trials, row.frames, row.outcome) == (trials, frames, "failed")
    assert recovered(session).result is None


def test_a_second_camera_whose_recorder_died(killed):
    session, _, before = killed(how=two_cameras)
    recovered(session)
    second = before["counts"]["second_camera"]
    more = second | {"frames": second["frames"] + 3}
    failed_with_its_recorder(session, before, second_camera=more)
    meta = read_session_json(session / "camera2")
    write_session_json(session / "camera2", meta | {"outcome": "failed", "counts": more})
    done = recovered(session)
    assert "session.json has the counts of the tables: those of the second camera" in done.mended[0]
    meta = read_session_json(session / "camera2")
    assert (meta["outcome"], meta["counts"], meta["counts_by_session"]) == ("failed", second, more)
    assert read_session_json(session)["counts"]["second_camera"] == second
    assert recovered(session).result is None
