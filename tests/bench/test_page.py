"""What the benchmark of the page makes of its measurements, and that its parts work."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.bench_page import (
    CASES,
    CLOSED,
    NO_LINK,
    RIVAL,
    SEEN,
    added_table,
    bars_of,
    describe,
    plan,
    ratio_text,
    read_arguments,
    spans_table,
    updates_table,
)
from bench.page_blocks import Block, in_random_order
from bench.page_clients import between
from bench.page_sinks import InLoop, about_session
from core.values import Frame
from dashboard.feed import COLUMNS
from recording.schema import FrameRow, TimingRow

ROW = FrameRow(1, 0, 0, 0, -1, 0.0, (0.0, 0.0), True, "", 0.05, 1000.0, "rest", 0, 0, 0, 0, 0)


def block(late_us=100.0, turn_us=300.0, rate=15.0):
    values = [np.full(200, value) for value in (late_us, 2 * late_us, turn_us)]
    return Block(*values, 400.0, 0.06, 0, (rate,), (70.0,))


def found(**others):
    some = {name: [block()] * 3 for name in CASES}
    return describe({**some, **{CASES_BY_WORD[word]: blocks for word, blocks in others.items()}})


CASES_BY_WORD = {"three": "three browsers", "deaf": "one reads, one never", "rival": RIVAL, "closed": CLOSED}


def test_equal_blocks_add_nothing_and_pass():
    same = found()
    assert all(bar.passed for bar in bars_of(same, 100.0))
    assert "added" not in same[CLOSED]
    assert {gain["median"] for gain in same[NO_LINK]["added"].values()} == {0.0}


@pytest.mark.parametrize(
    ("late_us", "rate", "failed"),
    [(149.0, 15.0, 0), (151.0, 15.0, 1), (201.0, 15.0, 2), (100.0, 13.9, 1)],
    ids=["within", "a later command", "both later", "too few updates"],
)
def test_bars(late_us, rate, failed):
    bars = bars_of(found(three=[block(late_us, rate=rate)] * 3), 100.0)
    assert sum(not bar.passed for bar in bars) == failed


def test_one_slow_browser_in_one_block_is_told():
    case = found(deaf=[block(), block(rate=9.0), block()])
    assert case["one reads, one never"]["slowest"] == 9.0
    assert "9.0" in updates_table(case)


def test_tables_have_a_row_for_each_case_and_the_rival_its_ratio():
    case = found(three=[block(turn_us=310.0)] * 3, rival=[block(turn_us=1300.0)] * 3)
    names = {line.split("  ")[0] for line in spans_table(case).splitlines()}
    assert set(CASES) <= names
    assert CLOSED not in {line.split("  ")[0] for line in added_table(case).splitlines()}
    assert "100.0 times" in ratio_text(case)


@given(st.lists(st.integers(0, 10**9), max_size=50))
def test_no_gap_is_longer_than_the_time_and_none_shorter_than_its_share(times):
    told = between(sorted(times), 0, 10**9)
    assert told["rate"] == len(times)
    assert 1000 / (len(times) + 1) - 1e-6 <= told["gap"] <= 1000


def test_each_round_has_every_case_once_in_an_order_of_the_seed():
    class Bench:
        def block(self, case, seconds):
            order.append((case, seconds))
            return block()

    orders = []
    for seed in (1, 1, 2):
        order = []
        blocks = in_random_order(Bench(), CASES, 2.0, 3, seed)
        assert {len(some) for some in blocks.values()} == {3}
        orders.append(order)
        size = len(CASES)
        assert all(len({case for case, _ in order[k : k + size]}) == size for k in (0, size, 2 * size))
    assert orders[0] == orders[1] != orders[2]


def test_the_rival_makes_fifteen_pictures_a_second_and_records_all():
    class Recorder:
        def write(self, frame, row, timing, side):
            rows.append(row)

    rows, made = [], []
    rival = InLoop(Recorder(), 100.0)
    rival._pictures.camera = lambda image: made.append(image)
    for number in range(1, 101):
        now_ns = number * 10_000_000
        frame = Frame(np.zeros((256, 256, 3), np.uint8), number, now_ns)
        rival.write(frame, ROW._replace(frame=number), TimingRow(number, now_ns, now_ns, now_ns, now_ns), ())
    assert len(rows) == 100
    assert 14 <= len(made) <= 17


def test_what_a_page_is_told_is_what_it_needs():
    assert {"what", "mouse", "experiment", "rig", "names", "shape", "dtype", "settings"} <= set(about_session(30.0))
    assert len(set(COLUMNS)) == len(COLUMNS)


@pytest.mark.parametrize("words", [("--rates", "5"), ("--rates", "1000"), ("--rounds", "0")])
def test_impossible_choices_are_refused(words, capsys):
    with pytest.raises(SystemExit):
        read_arguments(words)
    assert "error" in capsys.readouterr().err


@pytest.mark.parametrize("rate", [30.0, 100.0])
def test_blocks_are_long_enough_for_a_99th_percentile(rate):
    rounds, seconds = plan(rate, quick=False)
    assert rounds >= 4
    assert rate * seconds >= 200
    assert set(SEEN) < set(CASES)
