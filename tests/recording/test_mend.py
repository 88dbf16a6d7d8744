"""The ends of tables that a kill or a power failure left."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording import at_work
from recording.at_work import writer_of
from recording.csvrows import frame_line, header_line, read_table
from recording.mend import begin_tables, cut_half_line, forget_images, is_begun, lacking
from recording.parts import create_part, ledger_name, part_number, parts_in, sessions_of
from recording.reader import open_session
from recording.schema import DFF_PREFIX, FRAMES_CSV, frame_columns
from tests.recording.samples import NAMES, frame_row

HEADER = header_line(frame_columns(NAMES))


def table(*images):
    rows = [frame_row(n, image=image, reason='a "b", c') for n, image in enumerate(images, start=1)]
    return HEADER + "".join(frame_line(row, len(NAMES)) for row in rows)


@given(left=st.integers(0, 2000))
def test_a_table_cut_anywhere_reads_as_before(tmp_path_factory, left):
    path = tmp_path_factory.mktemp("cut") / FRAMES_CSV
    text = table(0, 1, -1, 2).encode()[: len(HEADER) + left]
    path.write_bytes(text)
    before = read_table(path)
    assert cut_half_line(path) == len(text) - text.rfind(b"\n") - 1
    assert read_table(path) == before
    assert path.read_bytes().endswith(b"\n")
    assert cut_half_line(path) == 0


def test_a_half_line_may_be_longer_than_a_block(tmp_path):
    path = tmp_path / FRAMES_CSV
    path.write_bytes(b"a\n" + b"x" * 200_000)
    assert cut_half_line(path) == 200_000
    assert path.read_bytes() == b"a\n"


@pytest.mark.parametrize(
    ("images", "there", "kept"),
    [
        ((0, 1, 2), 3, (0, 1, 2)),
        ((0, 1, 2), 2, (0, 1, -1)),
        ((0, -1, 1, 2), 1, (0, -1, -1, -1)),
        ((), 0, ()),
    ],
)
def test_rows_without_their_image_say_so_and_keep_the_rest(tmp_path, images, there, kept):
    path = tmp_path / FRAMES_CSV
    path.write_text(table(*images))
    assert forget_images(path, there) == sum(a != b for a, b in zip(images, kept, strict=True))
    assert path.read_text() == table(*kept)


def test_tables_that_were_not_begun_get_their_headers(tmp_path):
    (tmp_path / FRAMES_CSV).write_text(HEADER[:20])
    assert not is_begun(tmp_path / FRAMES_CSV)
    begin_tables(tmp_path, lacking(tmp_path), NAMES, DFF_PREFIX)
    with open_session(tmp_path) as session:
        assert (len(session.frames), len(session.timing), session.events, session.inputs) == (0, 0, (), ())
        assert session.part_names == NAMES


@pytest.mark.parametrize(
    ("file", "flags", "writes"),
    [
        ("S1/frames.csv", "0102001", True),
        ("S1/camera2/frames.csv", "0102002", True),
        ("S1/frames.csv", "0100000", False),
        ("S10/frames.csv", "0102001", False),
    ],
    ids=["open for writing", "below", "for reading", "beside"],
)
def test_the_process_that_writes_is_found(tmp_path, monkeypatch, file, flags, writes):
    process = tmp_path / "proc" / "4242"
    (process / "fd").mkdir(parents=True)
    (process / "fdinfo").mkdir()
    (tmp_path / "proc" / "self").mkdir()
    (process / "fd" / "7").symlink_to(tmp_path / file)
    (process / "fdinfo" / "7").write_text(f"pos:\t0\nflags:\t{flags}\nmnt_id:\t1\n")
    monkeypatch.setattr(at_work, "_PROC", tmp_path / "proc")
    assert writer_of(tmp_path / "S1") == (4242 if writes else 0)


def test_a_writer_is_found_though_another_of_its_files_was_closed_meanwhile(tmp_path, monkeypatch):
    process = tmp_path / "proc" / "4242"
    (process / "fd").mkdir(parents=True)
    (process / "fdinfo").mkdir()
    (process / "fd" / "3").symlink_to(tmp_path / "S1" / "events.csv")
    (process / "fd" / "7").symlink_to(tmp_path / "S1" / "frames.csv")
    (process / "fdinfo" / "7").write_text("pos:\t0\nflags:\t0102001\n")
    listed = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: sorted(listed(path)))
    monkeypatch.setattr(at_work, "_PROC", tmp_path / "proc")
    assert writer_of(tmp_path / "S1") == 4242


def test_this_process_is_not_another(tmp_path):
    with (tmp_path / "frames.csv").open("w"):
        assert writer_of(tmp_path) != os.getpid()


def test_parts_of_a_session(tmp_path):
    outer = tmp_path / "M1" / "20261129101500"
    for name in ("S1", "S2", "S10", "S11", "S0", "Sx", "camera2"):
        (outer / name).mkdir(parents=True)
        if name != "S11":
            (outer / name / "session.json").write_text("{}")
    (tmp_path / "M1" / "notes").mkdir()
    (tmp_path / "M1" / "20261129101501").mkdir()
    assert [part.name for part in parts_in(outer)] == ["S1", "S2", "S10"]
    assert sessions_of(tmp_path / "M1") == [outer]
    assert create_part(outer / "S2").name == "S3"
    assert part_number(outer / "camera2") == 0
    assert ledger_name(outer / "S1") == "20261129101500"
    assert ledger_name(outer / "S2") == "20261129101500-S2"
