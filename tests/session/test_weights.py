"""Weights of a mouse: kept, compared, told when they are low."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError, RecordingError
from session.weights import Weight, append_weight, check_grams, read_weights, report_weight

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


def test_a_row_that_was_cut_short_swallows_no_other(tmp_path: Path) -> None:
    append_weight(tmp_path, Weight("a", 25))
    with (tmp_path / "weights.csv").open("a") as file:
        file.write("b,24.5")
    append_weight(tmp_path, Weight("c", 24, 'said "fine", ate'))
    assert [each.grams for each in read_weights(tmp_path)] == [25, 24.5, 24]
    assert read_weights(tmp_path)[-1].note == 'said "fine", ate'


@pytest.mark.parametrize("row", ["x", "t,heavy,", "t,-3,", "t,nan,", "t,inf,"])
def test_a_row_that_is_none_is_told_with_its_line(tmp_path: Path, row: str) -> None:
    (tmp_path / "weights.csv").write_text(f"time,grams,note\na,25,\n{row}\n")
    with pytest.raises(InputError, match=r"weights.csv:3: .* is no weighing"):
        read_weights(tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="cannot be written"):
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
