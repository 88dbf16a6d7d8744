"""Weights of a mouse: kept, compared, told when they are low."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError, RecordingError
from session.weights import Weight, append_weight, check_baseline, check_grams, read_weights, report_weight

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


@given(st.lists(st.tuples(st.floats(5, 2000), TEXT), max_size=5))
def test_what_is_weighed_is_read_back(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, str]]) -> None:
    folder = tmp_path_factory.mktemp("mouse") / "M1"
    for n, (grams, note) in enumerate(rows):
        append_weight(folder, Weight(f"t{n}", grams, note))
    back = read_weights(folder)
    assert [each.time for each in back] == [f"t{n}" for n in range(len(rows))]
    for each, (grams, note) in zip(back, rows, strict=True):
        assert each.grams == pytest.approx(grams, rel=1e-5)
        assert each.note == " ".join(note.split())


@pytest.mark.parametrize("half", [b"b", b"b,2", b"b,24.6", b'b,24.6,"said ""fi', b"b,24.6,caf\xc3"])
def test_a_row_that_was_cut_short_is_none_and_swallows_no_other(tmp_path: Path, half: bytes) -> None:
    append_weight(tmp_path, Weight("a", 25))
    with (tmp_path / "weights.csv").open("ab") as file:
        file.write(half)
    assert [each.grams for each in read_weights(tmp_path)] == [25]
    append_weight(tmp_path, Weight("c", 24, 'said "fine", ate'))
    assert [each.grams for each in read_weights(tmp_path)] == [25, 24]
    assert read_weights(tmp_path)[-1].note == 'said "fine", ate'


def test_a_last_row_that_lacks_its_end_of_line_only_counts(tmp_path: Path) -> None:
    (tmp_path / "weights.csv").write_text("time,grams,note\na,25,\nb,24.6,ate")
    append_weight(tmp_path, Weight("c", 24))
    assert [each[:2] for each in read_weights(tmp_path)] == [("a", 25), ("b", 24.6), ("c", 24)]


def test_a_header_that_was_cut_short_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / "weights.csv").write_text("time,gr")
    append_weight(tmp_path, Weight("a", 25))
    assert (tmp_path / "weights.csv").read_text() == "time,grams,note\na,25,\n"


@pytest.mark.parametrize("before", ["", "time,grams,note\na,25,\n"])
def test_a_full_disk_leaves_no_half_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str) -> None:
    path = tmp_path / "weights.csv"
    if before:
        path.write_text(before)
    really = os.write
    monkeypatch.setattr("session.weights.os.write", lambda file, row: really(file, row[:4]))
    with pytest.raises(RecordingError, match=r"cannot write .*No space left on device; free space on that disk"):
        append_weight(tmp_path, Weight("b", 24))
    assert (path.read_text() if before else path.exists()) == (before or False)


@pytest.mark.parametrize("row", ["x", "t,heavy,", "t,-3,", "t,nan,", "t,inf,", "t,2,", "t,2500,"])
def test_a_row_that_is_none_is_told_with_its_line(tmp_path: Path, row: str) -> None:
    (tmp_path / "weights.csv").write_text(f"time,grams,note\na,25,\n{row}\n")
    with pytest.raises(InputError, match=r"weights.csv:3: .* is no weighing"):
        read_weights(tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match=r"cannot write .*set data_root to a folder"):
        append_weight(tmp_path / "file" / "M1", Weight("a", 25))


BEFORE = (Weight("monday", 25.0), Weight("tuesday", 24.0))


@pytest.mark.parametrize(
    ("before", "grams", "baseline", "said", "warned"),
    [
        ((), 25, 0, ("first weighing", "100.0 % of 25 g (its first"), False),
        (BEFORE, 23.5, 0, ("-0.50 g since tuesday (24 g)", "94.0 % of 25 g (its first"), False),
        (BEFORE, 21.2, 0, ("-2.80 g", "84.8 % of 25 g"), True),
        (BEFORE, 21.25, 0, ("-2.75 g", "85.0 % of 25 g"), False),
        (BEFORE, 23.5, 28, ("-0.50 g", "83.9 % of 28 g (baseline_weight_g)"), True),
    ],
)
def test_what_a_weight_means(
    before: tuple[Weight, ...], grams: float, baseline: float, said: tuple[str, str], warned: bool
) -> None:
    report = report_weight(before, Weight("now", grams), baseline)
    for line, words in zip(report.text(), said, strict=True):
        assert words in line
    assert bool(report.warning()) == warned


@pytest.mark.parametrize("grams", [0.0, -25.0, 4.9, 25_000.0, float("nan"), float("inf")])
def test_slips(grams: float) -> None:
    with pytest.raises(InputError, match="give grams"):
        check_grams(grams)


@pytest.mark.parametrize("grams", [0.5, 4.9, 2001.0])
def test_a_baseline_that_no_mouse_has(grams: float) -> None:
    with pytest.raises(InputError, match=r"baseline_weight_g .* give 5 to 2000 g, or 0"):
        check_baseline(grams)
    check_baseline(0.0)
    check_baseline(5.0)
