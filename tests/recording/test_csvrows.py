"""Text of the tables: every value comes back, whatever it is, and a torn line is not a value."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SourceError
from recording import schema
from recording.csvrows import count_recorded, frame_line, header_line, read_table, side_lines, timing_line
from recording.mend import TABLES
from recording.reader import open_session
from recording.schema import EventRow, FrameRow, TimingRow
from tests.recording.samples import event_row, frame_row, same, timing_row

INT = st.integers(-(2**63), 2**63 - 1)
FLOAT = st.floats()
ANY_TEXT = st.text(max_size=20)
PLAIN = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=20)
EVENTS = st.builds(EventRow, INT, PLAIN, INT, PLAIN)
TIMINGS = st.builds(TimingRow, INT, INT, INT, INT, INT)


def frame_rows(n_parts):
    parts = st.tuples(*[FLOAT] * n_parts)
    return st.builds(
        FrameRow, INT, INT, INT, INT, INT, FLOAT, parts, st.booleans(), PLAIN, FLOAT, FLOAT, PLAIN, INT, INT, INT, INT,
        INT,
    )  # fmt: skip


def write_session(folder, rows=(), timings=(), events=(), names=("A", "B"), prefix="dff_"):
    tables = {
        schema.FRAMES_CSV: (schema.frame_columns(names, prefix), [frame_line(row, len(names)) for row in rows]),
        schema.TIMING_CSV: (schema.TIMING_COLUMNS, [timing_line(row) for row in timings]),
        schema.EVENTS_CSV: (schema.EVENT_COLUMNS, [side_lines(row) for row in events]),
    }
    for name, (columns, lines) in tables.items():
        (folder / name).write_text(header_line(columns) + "".join(lines), encoding="utf-8", newline="")
    return folder


@given(st.integers(0, 3).flatmap(lambda k: st.tuples(st.just(k), st.lists(frame_rows(k), max_size=4))))
def test_frames_come_back_bit_for_bit(tmp_path_factory, drawn):
    n_parts, rows = drawn
    names = tuple(f"R{i}, x" for i in range(n_parts))
    session = open_session(write_session(tmp_path_factory.mktemp("s"), rows, names=names))
    assert session.part_names == names
    assert session.frames.parts.shape == (len(rows), n_parts)
    assert same(tuple(tuple(row) for row in session.frames.rows()), tuple(tuple(row) for row in rows))


@given(st.lists(TIMINGS, max_size=4), st.lists(EVENTS, max_size=4))
def test_timing_and_events_come_back(tmp_path_factory, timings, events):
    session = open_session(write_session(tmp_path_factory.mktemp("s"), (), timings, events))
    assert list(session.timing.rows()) == timings
    assert session.events == tuple(events)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**40], ids=["above", "below", "far above"])
@pytest.mark.parametrize("table", [schema.FRAMES_CSV, schema.TIMING_CSV, schema.EVENTS_CSV])
def test_a_whole_number_that_is_too_large_is_named(tmp_path, table, value):
    folder = write_session(tmp_path, [frame_row(1)], [timing_row(1)], [event_row(1)])
    header, row = (folder / table).read_text().splitlines()
    for column in ("time_ns", "read_ns"):
        if column in header.split(","):
            cells = row.split(",")
            cells[header.split(",").index(column)] = str(value)
            (folder / table).write_text(f"{header}\n{row}\n{','.join(cells)}\n")
            with pytest.raises(SourceError, match=rf"{table} line 3, column {column}: {value} is too large; restore"):
                open_session(folder)


@given(ANY_TEXT)
def test_any_text_stays_on_one_line(text):
    line = side_lines(EventRow(1, text, 2, text))
    assert line.count("\n") == 1
    assert line.endswith("\n")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", line)
    line.encode("utf-8")


@given(st.data())
def test_a_file_cut_anywhere_gives_the_lines_before_the_cut(tmp_path_factory, data):
    rows = [frame_row(n, image=n - 1) for n in range(1, 5)]
    folder = write_session(tmp_path_factory.mktemp("s"), rows, [timing_row(1)], [event_row(1)], ("BC_L", "BC_R"))
    path = folder / schema.FRAMES_CSV
    whole = path.read_bytes()
    header = whole.index(b"\n") + 1
    cut = data.draw(st.integers(header, len(whole)))
    path.write_bytes(whole[:cut])
    survivors = whole[:cut].count(b"\n") - 1
    assert list(open_session(folder).frames.rows()) == rows[:survivors]
    assert count_recorded(path) == (survivors, survivors)


@pytest.mark.parametrize("prefix", schema.PART_PREFIXES)
def test_the_header_is_the_schema(tmp_path, prefix):
    names = ("BC_L", "dff_x", "pose_x")
    write_session(tmp_path, names=names, prefix=prefix)
    header, rows = read_table(tmp_path / schema.FRAMES_CSV)
    assert header == schema.frame_columns(names, prefix)
    assert header[6:9] == tuple(prefix + name for name in names)
    assert rows == []
    assert open_session(tmp_path).part_names == names


def test_floats_booleans_and_nan_as_written():
    row = frame_row(3, signal=float("nan"), parts=(0.1 + 0.2,), valid=True, threshold=1e-300, freq_hz=0.0)
    assert frame_line(row, 1).split(",")[5:11] == ["nan", "0.30000000000000004", "1", "", "1e-300", "0.0"]


@pytest.mark.parametrize(
    ("outcome", "cure"),
    [("running", "restore it from a copy, or try `rigloop recover`"), ("complete", "restore it from a copy")],
)
@pytest.mark.parametrize("left", ["", "frame,ti"])
@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_a_header_is_no_reason_to_delete_the_session(tmp_path, name, left, outcome, cure):
    write_session(tmp_path, [frame_row(1), frame_row(2)], [timing_row(1)], [event_row(1)])
    (tmp_path / schema.SESSION_JSON).write_text(f'{{"outcome": "{outcome}"}}')
    (tmp_path / name).write_text(left)
    with pytest.raises(SourceError) as told:
        open_session(tmp_path)
    assert str(told.value) == f"{tmp_path / name} has no header; {cure}"


@pytest.mark.parametrize("name", TABLES)
def test_garbage_is_named_and_not_printed(tmp_path, name):
    write_session(tmp_path, [frame_row(1)], [timing_row(1)], [event_row(1)])
    (tmp_path / name).write_bytes(bytes(range(14, 32)) + b"\x1b[2J\xff\xfe" + b"x" * 5000 + b"\n")
    with pytest.raises(SourceError, match=re.escape(str(tmp_path / name))) as told:
        open_session(tmp_path)
    text = str(told.value)
    assert text.isascii()
    assert text.isprintable()
    assert "restore it from a copy" in text
    assert "x" * 81 not in text


def test_a_garbage_cell_is_cut(tmp_path):
    write_session(tmp_path, [frame_row(1)], [timing_row(1)])
    with (tmp_path / schema.TIMING_CSV).open("ab") as file:
        file.write(b"1,2,3,4," + b"\x1b\xff" * 3000 + b"\n")
    with pytest.raises(SourceError, match="column command_ns") as told:
        open_session(tmp_path)
    text = str(told.value).removeprefix(str(tmp_path))
    assert text.isascii()
    assert text.isprintable()
    assert len(text) < 200


def test_rows_with_other_parts_than_the_header_are_refused():
    with pytest.raises(ValueError, match="2 parts"):
        frame_line(frame_row(1), 1)


@pytest.mark.parametrize(
    ("name", "damage", "text"),
    [
        (schema.FRAMES_CSV, lambda text: "", "no header"),
        (schema.FRAMES_CSV, lambda text: text.replace("signal", "speed", 1), "read it with the version that wrote it"),
        (schema.FRAMES_CSV, lambda text: text + "1,2,3\n", "line 4 has 3 columns"),
        (schema.FRAMES_CSV, lambda text: text.replace("0.075", "x", 1), "column threshold"),
        (schema.FRAMES_CSV, lambda text: text + '"\n', "is damaged"),
        (schema.TIMING_CSV, lambda text: text.replace("read_ns", "when"), "expected frame, read_ns"),
        (schema.EVENTS_CSV, lambda text: text.replace("5066666667", "then"), "column time_ns"),
        (schema.SESSION_JSON, lambda text: "[1]", "not an object"),
        (schema.SESSION_JSON, lambda text: "{", "is damaged"),
    ],
)
def test_damage_is_named_with_its_cure(tmp_path, name, damage, text):
    write_session(tmp_path, [frame_row(1), frame_row(2)], [timing_row(1)], [event_row(1)])
    path = tmp_path / name
    path.write_text(damage(path.read_text(encoding="utf-8") if path.exists() else ""), encoding="utf-8")
    with pytest.raises(SourceError, match=re.escape(text)):
        open_session(tmp_path)
    assert isinstance(count_recorded(tmp_path / schema.FRAMES_CSV), tuple)
