"""What the benchmark of recording makes of its measurements, and that its parts run."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.bench_recording import (
    affordable,
    describe,
    loop_bars,
    loop_table,
    nwb_bars,
    plan,
    read_arguments,
    sizes_per_frame,
)
from bench.nwb_hour import FPS, Export, session_config
from bench.processes import cpu_ns, peak_mb
from bench.recording_blocks import EMPTY, Block, added_us
from bench.recording_sinks import OFF, ON, OURS, RIVALS, Hdf5InLoop, Kept, VideoInLoop
from core.values import Frame
from recording.schema import FrameRow, TimingRow
from session.settings import load_settings

ROW = FrameRow(1, 0, 0, 0, -1, 0.0, (0.0, 0.0), True, "", 0.05, 1000.0, "rest", 0, 0, 0, 0, 0)


def block(span_us, late_us=100.0, kept=None):
    return Block(np.full(200, late_us), np.full(200, span_us), 50.0, 20.0, 0, kept or Kept())


def blocks_of(**spans):
    return {name: [block(span) for span in spans[key]] for name, key in ((EMPTY, "off"), (OFF, "off"), (ON, "on"))}


def test_what_recording_adds_is_the_median_over_rounds_of_pairs_that_lie_together():
    # The second round is slow as a whole, which adds nothing; a round that met a stall is outvoted.
    found = describe(blocks_of(off=[100.0, 900.0, 100.0], on=[130.0, 930.0, 800.0]))
    added = found[ON]["added"]["span p99"]
    assert added["median"] == pytest.approx(30.0)
    assert added["upper quartile"] > 300
    assert found[ON]["added"]["late p99"]["median"] == 0
    assert "added" not in found[OFF]
    assert "added" not in found[EMPTY]


@pytest.mark.parametrize(("on", "passed"), [(149.0, True), (151.0, False)])
def test_the_bar_is_50_us(on, passed):
    span, late, kept = loop_bars(describe(blocks_of(off=[100.0], on=[on])))
    assert span.passed is passed
    assert late.passed
    assert kept.passed


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=9), st.floats(0, 1e3))
def test_the_spread_holds_the_median(gains, level):
    off = [np.full(5, level)] * len(gains)
    spread = added_us([np.full(5, level + gain) for gain in gains], off, 99)
    low, median, high = (spread[key] for key in ("lower quartile", "median", "upper quartile"))
    assert low - 1e-6 <= median <= high + 1e-6


def test_bytes_per_frame():
    some = [block(1.0, kept=Kept(10, 0, {"a": 100, "b": 5})), block(1.0, kept=Kept(30, 0, {"a": 300}))]
    assert sizes_per_frame(some) == {"a": 10.0, "b": 0.125}
    assert sizes_per_frame([block(1.0)]) == {}


def test_the_table_has_a_row_for_each_case():
    lines = loop_table(describe(blocks_of(off=[100.0], on=[130.0]))).splitlines()
    assert [line.split("  ")[0] for line in lines[2:]] == [EMPTY, OFF, ON]


@pytest.mark.parametrize("rate", [15.0, 30.0, 100.0, 300.0])
def test_a_block_is_long_enough_for_a_99th_percentile(rate):
    rounds, seconds = plan(rate, quick=False)
    assert rounds >= 4
    assert rate * seconds >= 200


def test_no_rate_is_tried_that_would_fill_the_disk(monkeypatch, tmp_path):
    monkeypatch.setattr("bench.bench_recording.free_bytes", lambda _: 3_000_000_000)
    assert affordable(tmp_path, 10.0) == [300.0, 600.0]


@pytest.mark.parametrize("words", [("--minutes", "0"), ("--rates", "-1"), ("--only", "disk")])
def test_impossible_choices_are_refused(words, capsys):
    with pytest.raises(SystemExit):
        read_arguments(words)
    assert "error" in capsys.readouterr().err


@pytest.mark.parametrize(("minutes", "trials"), [(0.01, 1), (6.0, 35), (60.0, 359)])
def test_the_hour_is_a_session_that_config_takes(tmp_path, minutes, trials):
    config = tmp_path / "config.ini"
    config.write_text(session_config(minutes), encoding="utf-8")
    settings = load_settings(config, "HOUR")
    assert settings.schedule.total_trials == trials
    assert settings.camera.framerate == FPS


def test_the_memory_of_an_export_may_not_follow_the_images():
    short = Export(6, 5400, 1000, 6, 20, 300, 700)
    assert nwb_bars([short]) == []
    for peak, passed in ((400, True), (600, False)):
        (bar,) = nwb_bars([short, Export(60, 54000, 11000, 60, 200, peak, 7000)])
        assert bar.passed is passed


@pytest.mark.parametrize("sink", [Hdf5InLoop, lambda folder: VideoInLoop(folder, 30.0)], ids=["h5py", "video"])
def test_the_rivals_keep_what_they_are_given(tmp_path, sink):
    made = sink(tmp_path / "block")
    for number in (1, 2):
        image = np.zeros((256, 256, 3), np.uint8)
        made.write(Frame(image, number, number), ROW._replace(frame=number), TimingRow(number, 0, 0, 0, 0), ())
    made.note(())
    assert made.cpu_ns() == 0
    assert made.close().frames == 2
    text, *_ = (path for path in (tmp_path / "block").iterdir() if path.suffix == ".txt")
    assert len(text.read_text().splitlines()) == 2
    assert len(list((tmp_path / "block").iterdir())) == 2


def test_names_of_the_cases_differ():
    names = (EMPTY, *OURS, *RIVALS)
    assert len(set(names)) == len(names)


def test_memory_and_processor_time_of_a_process():
    assert cpu_ns(os.getpid()) > 0
    assert peak_mb(os.getpid()) > 10
    nobody = 2**22 + 1
    assert peak_mb(nobody) == 0
    with pytest.raises(OSError, match="process"):
        cpu_ns(nobody)
