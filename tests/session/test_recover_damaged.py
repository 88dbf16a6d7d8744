"""A killed session that lost rows, images or files: what is mended, and what is asked for with nothing changed."""

import re

import pytest

from core.errors import InputError
from recording.folder import read_session_json, write_session_json
from recording.hdf5_mark import has_mark
from recording.reader import open_session
from session import recover_files
from tests.session.killed_sessions import SIDE, everything, recovered, refused, settings_root
from tests.support.killed import as_killed


def test_half_lines_are_cut_off(killed):
    session, *_ = killed()
    whole = (session / "frames.csv").read_bytes()
    for name in ("frames.csv", *SIDE):
        with (session / name).open("a") as file:
            file.write("12,34")
    done = recovered(session)
    assert len(done.mended) == 6
    assert done.mended[1] == "frames.csv: a last line that was cut short is gone (5 bytes)"
    assert (session / "frames.csv").read_bytes() == whole


def test_rows_ahead_of_the_images_have_none(killed):
    """Only a power failure leaves them so."""
    session, _, before = killed()
    text = (session / "frames.csv").read_text().splitlines(keepends=True)
    as_killed(session, rows=20)
    (session / "frames.csv").write_text("".join(text))
    done = recovered(session)
    counts = read_session_json(session)["counts"]
    assert (counts["images"], counts["images_dropped"]) == (20, before["counts"]["frames"] - 20)
    with open_session(session) as recording:
        assert recording.frames.image.tolist() == [*range(20), *[-1] * counts["images_dropped"]]
    assert "rows whose image did not reach the disk" in done.mended[1]


def test_more_images_than_a_power_failure_takes_are_asked_for(killed, monkeypatch):
    session, settings, _ = killed()
    text = (session / "frames.csv").read_text()
    as_killed(session, rows=20)
    (session / "frames.csv").write_text(text)
    rows = text.count("\n") - 21
    monkeypatch.setattr(recover_files, "POWER_S", 0.5)
    refused(session, settings, f".*hdf5: 20 images are whole, and {rows} more are named by rows of frames.csv, .*")
    assert recovered(session, without_images=True).result.images == 20


def test_a_file_of_which_no_image_is_whole_is_asked_for(killed, monkeypatch):
    """Such as a video whose first bytes are damaged."""
    session, settings, before = killed()
    monkeypatch.setattr(recover_files, "POWER_S", 0.5)
    monkeypatch.setattr(recover_files, "_count", lambda path: (0, False))
    refused(session, settings, f".*: 0 images are whole, and {before['counts']['frames']} more are named by rows .*")


def test_images_whose_rows_are_gone_are_told(killed):
    session, _, before = killed()
    path = session / "frames.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:31]))
    lost = before["counts"]["images"] - 30
    told = f"image_stream.hdf5: its last {lost} images are named by no row; their rows were lost"
    assert told in recovered(session).mended


def cut(path, keep):
    path.write_bytes(path.read_bytes()[:keep])


def spoil(path, line):
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = b"spoilt\n"
    path.write_bytes(b"".join(lines))


def turn(session, change):
    path = session / "frames.csv"
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


DAMAGES = {
    "session.json": lambda session: cut(session / "session.json", 50),
    "session.ini": lambda session: cut(session / "session.ini", 300),
    "session.ini without its last line": lambda session: cut(session / "session.ini", -20),
    "session.ini of zeros": lambda session: (session / "session.ini").write_bytes(b"\0" * 900),
    "session.ini lost": lambda session: (session / "session.ini").unlink(),
    "image_stream.hdf5": lambda session: cut(session / "image_stream.hdf5", 60),
    "frames.csv": lambda session: spoil(session / "frames.csv", 3),
    "frames.csv with a row twice": lambda session: turn(session, lambda rows: [*rows[:3], *rows[2:]]),
    "frames.csv with rows turned round": lambda session: turn(session, lambda rows: [rows[0], *rows[:0:-1]]),
    "frames.csv without its middle": lambda session: turn(session, lambda rows: rows[:3] + rows[9:]),
    "timing.csv": lambda session: spoil(session / "timing.csv", 3),
    "events.csv": lambda session: spoil(session / "events.csv", 1),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_damaged_beyond_reading_is_named_and_nothing_changed(killed, name):
    session, settings, _ = killed()
    DAMAGES[name](session)
    before = everything(settings_root(settings))
    with pytest.raises(InputError, match=re.escape(name.split()[0])) as told:
        recovered(session)
    assert "\n" not in str(told.value)
    assert "restore it" in str(told.value) or name.endswith("hdf5")
    assert everything(settings_root(settings)) == before


NEEDED = {"mouse", "experiment", "outcome", "started_wall_ns", "settings"}


@pytest.mark.parametrize("value", [None, True, [], -1, "", "\x1b[2J" * 100])
@pytest.mark.parametrize("key", sorted(NEEDED))
def test_what_session_json_needs_to_tell_is_told_in_one_line(killed, key, value):
    session, settings, _ = killed()
    write_session_json(session, read_session_json(session) | {key: value})
    before = everything(settings_root(settings))
    with pytest.raises(InputError) as told:
        recovered(session)
    assert str(told.value).isprintable()
    assert everything(settings_root(settings)) == before


def test_session_json_may_lack_all_else(killed):
    session, *_ = killed()
    meta = read_session_json(session)
    for key in NEEDED:
        write_session_json(session, {k: v for k, v in meta.items() if k != key})
        with pytest.raises(InputError, match=key):
            recovered(session)
    write_session_json(session, {k: v for k, v in meta.items() if k in NEEDED})
    assert recovered(session).result.frames > 0


def test_without_its_session_ini_no_config_is_asked_for(killed):
    session, settings, _ = killed()
    (session / "session.ini").unlink()
    before = everything(settings_root(settings))
    with pytest.raises(InputError) as told:
        recovered(session)
    assert str(told.value) == f"{session} has no session.ini; restore it from a copy"
    assert everything(settings_root(settings)) == before


@pytest.mark.parametrize("left", [None, b"", b"frame,time"], ids=["gone", "empty", "half a header"])
@pytest.mark.parametrize("rest", ["image_stream.hdf5", "timing.csv", "events.csv"])
def test_a_session_whose_frames_are_lost_is_refused(killed, left, rest):
    session, settings, _ = killed()
    path = session / "frames.csv"
    path.unlink()
    if left is not None:
        path.write_bytes(left)
    for name in ("image_stream.hdf5", *SIDE):
        if name != rest:
            (session / name).unlink()
    state = "is not there" if left is None else "has no row"
    refused(session, settings, rf"{path} {state} while {rest} has \d+ (rows|images); restore it from a copy")


@pytest.mark.parametrize("content", [bytes(4000), b"\xff\xfe garbage"])
@pytest.mark.parametrize("name", ["frames.csv", *SIDE])
def test_a_table_of_garbage_is_not_begun_anew(killed, name, content):
    session, settings, _ = killed()
    (session / name).write_bytes(content)
    away = "" if name == "frames.csv" else ", or move it away to go on without it"
    refused(session, settings, f"{session / name} holds something else than a table; restore it from a copy{away}")


@pytest.mark.parametrize("name", SIDE)
def test_a_table_that_is_empty_or_gone_is_told_of(killed, name):
    session, _, before = killed()
    (session / name).write_bytes(b"")
    done = recovered(session)
    assert f"{name} had no header, and so no row; now it has one" in done.mended
    assert done.result.frames == before["counts"]["frames"]
    open_session(session).close()


@pytest.mark.parametrize("name", SIDE)
def test_a_table_that_is_gone_stays_gone_and_is_told_of(killed, name):
    session, _, before = killed()
    (session / name).unlink()
    done = recovered(session)
    assert f"{name} is not there: what it told is missing in the counts" in done.mended
    assert not (session / name).exists()
    assert done.result.frames == before["counts"]["frames"]
    meta = read_session_json(session)
    write_session_json(session, meta | {"outcome": "running", "schema": 1})
    assert bool(recovered(session).mended) == (name in SIDE[:2]), "schema 1 has neither inputs nor missing numbers"


def test_images_that_were_moved_are_asked_for(killed, tmp_path):
    session, settings, before = killed()
    path, elsewhere = session / "image_stream.hdf5", tmp_path / "elsewhere.hdf5"
    path.rename(elsewhere)
    said = (
        f"{path} is not there, and {before['counts']['frames']} rows of frames.csv name its images; put it back, or a "
        "link to where it lies now; where it is lost for good, add --without-images"
    )
    refused(session, settings, said)
    path.symlink_to(elsewhere)
    done = recovered(session)
    assert done.result.images == done.result.frames == before["counts"]["frames"]
    assert path.is_symlink()
    assert not has_mark(elsewhere)


def test_images_that_are_lost_for_good_are_named_by_no_row(killed):
    session, _, before = killed()
    (session / "image_stream.hdf5").unlink()
    result = recovered(session, without_images=True).result
    assert (result.images, result.images_dropped) == (0, before["counts"]["frames"])
    with open_session(session) as recording:
        assert (recording.frames.image == -1).all()
