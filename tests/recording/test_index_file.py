"""The index's file: only ever a copy of the folders, whatever happens to either."""

import errno
import os
import random
import sqlite3
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from recording import index as index_module
from recording import index_file
from recording.index import INDEX_FILE, read_index, update_index
from tests.support.recorded_folders import DATE, FRAMES, frames_text, only, put_clopy, put_session
from tests.support.recorded_folders import root as root


@pytest.fixture
def read_again(monkeypatch):
    """The paths of the sessions that are read, not looked up."""
    seen = []
    real = index_module.read_row

    def noted(root, place):
        seen.append(place.path)
        return real(root, place)

    monkeypatch.setattr(index_module, "read_row", noted)
    return seen


def test_sessions_that_are_known_are_not_read_again(root, read_again):
    for mouse in ("M1", "M2"):
        put_session(root, mouse, DATE)
    first = read_index(root)
    assert len(read_again) == 2
    before = (root / INDEX_FILE).stat()
    read_again.clear()
    assert read_index(root) == first
    assert read_again == []
    after = (root / INDEX_FILE).stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert read_index(root, rebuild=True) == first
    assert sorted(read_again) == [f"M1/{DATE}/S1", f"M2/{DATE}/S1"]


def test_a_change_is_seen_whatever_its_date_and_size(root):
    folder = put_session(root, "M1", DATE, outcome="stopped_")
    assert only(root).outcome == "stopped_"
    path = folder / "session.json"
    it = path.stat()
    path.write_text(path.read_text().replace("stopped_", "complete"))
    os.utime(path, ns=(it.st_atime_ns, it.st_mtime_ns))
    assert path.stat().st_size == it.st_size
    assert only(root).outcome == "complete"


def test_one_mouse_leaves_the_others_in_the_index(root, read_again):
    for mouse in ("M1", "M2"):
        put_session(root, mouse, DATE)
    assert [row.mouse for row in read_index(root, "M2").rows] == ["M2"]
    assert [row.mouse for row in read_index(root, "M1").rows] == ["M1"]
    read_again.clear()
    assert len(read_index(root).rows) == 2
    assert read_again == []
    assert read_index(root, "M3").rows == ()


@pytest.mark.parametrize("mouse", ["", ".", "..", "M1/20261120093015", ".git"])
def test_what_cannot_be_a_mouse_is_refused(root, mouse):
    with pytest.raises(InputError, match="cannot name a folder"):
        read_index(root, mouse)


@pytest.mark.parametrize("mouse", [None, "M1"])
def test_a_root_that_is_not_there_is_refused(tmp_path, mouse):
    with pytest.raises(InputError, match=r"check the path, or give another with --data-root"):
        read_index(tmp_path / "nowhere", mouse)


def test_the_end_of_a_session_puts_it_into_the_index(root, read_again):
    put_session(root, "M1", "20261119093015")
    read_index(root)
    folder = put_session(root, "M1", DATE)
    read_again.clear()
    assert update_index(root, folder) == ""
    assert read_again == [f"M1/{DATE}/S1"]
    read_again.clear()
    assert len(read_index(root).rows) == 2
    assert read_again == []


def test_the_end_of_a_session_never_fails_for_the_index(root, tmp_path):
    folder = put_session(root, "M1", DATE)
    assert "no session" in update_index(root, root / "M1")
    assert "subpath" in update_index(root, tmp_path)
    (root / INDEX_FILE).write_bytes(b"x" * 5000)
    assert "rigloop sessions builds it anew" in update_index(root, folder)


def make_foreign(path):
    with closing(sqlite3.connect(path)) as base:
        base.execute("CREATE TABLE sessions (x)")
        base.commit()


def make_old(path):
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA user_version = 1")
        base.commit()


def make_wrong(path):
    with closing(sqlite3.connect(path)) as base:
        base.execute("UPDATE sessions SET trials = 99")
        base.commit()


UNUSABLE = {
    "random bytes": (lambda path: path.write_bytes(random.Random(1).randbytes(9000)), "cannot be read"),
    "empty": (lambda path: path.write_bytes(b""), "another program's"),
    "cut short": (lambda path: path.write_bytes(path.read_bytes()[:5000]), "cannot be read"),
    "a text": (lambda path: path.write_text("sessions of rig 1\n" * 99), "cannot be read"),
    "another program's": (lambda path: (path.unlink(), make_foreign(path)), "another program's"),
    "another version's": (make_old, "another version"),
    "with a row that was changed": (make_wrong, "is damaged"),
    "a pipe": (lambda path: (path.unlink(), os.mkfifo(path)), "is no plain file"),
}


@pytest.mark.parametrize("how", UNUSABLE)
def test_an_index_that_is_none_is_built_anew_and_that_is_said(root, how):
    put_session(root, "M1", DATE)
    rows = read_index(root).rows
    break_it, said = UNUSABLE[how]
    break_it(root / INDEX_FILE)
    found = read_index(root)
    assert found.rows == rows
    [note] = found.notes
    assert said in note
    assert "built anew from the folders" in note
    assert read_index(root) == index_module.SessionIndex(rows)


def test_any_damaged_byte_gives_the_same_rows(root):
    for day in range(10, 28):
        put_session(root, "M1", f"202611{day}093015", rig=f"rig{day}")
    rows = read_index(root).rows
    sound = (root / INDEX_FILE).read_bytes()
    chance = random.Random(2)
    for _ in range(60):
        damaged = bytearray(sound)
        for _ in range(chance.choice((1, 1, 40))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        (root / INDEX_FILE).write_bytes(damaged)
        assert read_index(root).rows == rows


def test_a_root_that_cannot_be_written_works_without(root, monkeypatch):
    put_session(root, "M1", DATE)

    def refuse(**words):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(index_file.tempfile, "mkstemp", refuse)
    for _ in range(2):
        found = read_index(root)
        assert [row.trials for row in found.rows] == [12]
        [note] = found.notes
        assert "done without" in note
        assert "mounted read-only" in note
    assert not (root / INDEX_FILE).exists()


def test_a_folder_in_the_place_of_the_index_is_left_alone(root):
    put_session(root, "M1", DATE)
    (root / INDEX_FILE).mkdir()
    found = read_index(root)
    assert len(found.rows) == 1
    assert len(found.notes) == 2
    assert [path.name for path in root.iterdir() if path.name.startswith(".")] == [INDEX_FILE]


def test_drafts_that_a_kill_left_are_swept_after_an_hour(root):
    put_session(root, "M1", DATE)
    old, new = root / f"{INDEX_FILE}.draft-old", root / f"{INDEX_FILE}.draft-new"
    for draft in (old, new):
        draft.touch()
    os.utime(old, (0, 0))
    read_index(root)
    assert (old.exists(), new.exists()) == (False, True)


def test_many_at_once_see_the_same(root):
    for day in range(10, 28):
        put_session(root, f"M{day % 3}", f"202611{day}093015")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: read_index(root, rebuild=n % 2 == 0), range(32)))
    assert {(len(index.rows), index.notes) for index in found} == {(18, ())}
    assert len({index.rows for index in found}) == 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "change", "grow", "remove", "damage", "clopy", "look", "look at one", "spoil"]),
        st.sampled_from(["M1", "M2"]),
        st.integers(1, 3),
    ),
    max_size=14,
)


@settings(max_examples=25)
@given(steps=STEPS)
def test_bringing_it_up_to_date_is_the_same_as_building_it_anew(steps):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for number, (step, mouse, day) in enumerate(steps):
            take_step(root, step, mouse, f"2026112{day}093015", number)
        up_to_date = read_index(root).rows
        assert up_to_date == read_index(root).rows
        assert up_to_date == read_index(root, rebuild=True).rows
        (root / INDEX_FILE).unlink(missing_ok=True)
        assert up_to_date == read_index(root).rows


def take_step(root, step, mouse, date, number):
    there = root / mouse / date / "S1"
    if step in ("put", "change"):
        put_session(root, mouse, date, counts={"trials": 1000 + number}, outcome=("complete", "running")[number % 2])
    elif step == "grow" and (there / "frames.csv").exists():
        (there / "frames.csv").write_text(frames_text([*FRAMES, FRAMES[1]._replace(frame=number + 5)]))
    elif step == "remove" and there.exists():
        there.rename(root / f"away{number}")
    elif step == "damage" and there.exists():
        (there / "session.json").write_text("{" * number)
    elif step == "clopy" and not (root / f"C{number}").exists():
        put_clopy(root, f"C{number}")
    elif step == "look":
        read_index(root)
    elif step == "look at one":
        read_index(root, mouse)
    elif step == "spoil":
        (root / INDEX_FILE).write_bytes(bytes([number]) * 5000)


@settings(max_examples=5)
@given(order=st.permutations(range(6)))
def test_the_order_in_which_sessions_come_does_not_matter(order):
    def put(root, which):
        put_session(root, f"M{which % 2}", f"2026112{which}093015", rig=f"rig{which}")

    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        for which in range(6):
            put(one, which)
        for which in order:
            put(other, which)
            read_index(Path(other))
        assert read_index(Path(one)).rows == read_index(Path(other)).rows
