"""The line that a person watches: what was lost is told with its causes, and what did not happen takes no room."""

import io
from pathlib import Path

import pytest
from tqdm import tqdm

from cli.progress import ProgressBar, _update
from core.trial import begin
from session.frame_tally import FrameTally
from session.status import Status
from session.watch import Goal
from tests.support.trials import make_plan

PLAIN = "rest, 0 successes, 0 drops, 0 lost, 30 frames in 2 s"
MUCH = (
    "rest, 0 successes, 0 drops, 3 lost (2 transport, 1 late), 2 images lost (recorder_late), "
    "4 skipped (inference), 3 repeated (2 time, 1 number), 30 frames in 2 s"
)
SECOND = (
    "rest, 0 successes, 0 drops, 0 lost, camera2 3 lost (2 late, 1 transport) and 1 images lost (disk_full) and "
    "2 repeated (time), 30 frames in 2 s"
)


def status(**more):
    return Status(begin(make_plan()), frames=30, first_ns=0, now_ns=2_000_000_000, **more)


def after_losses():
    return status(
        dropped=3,
        skipped=4,
        tally=FrameTally({"late": 1, "transport": 2}, {"inference": 4}, {"number": 1, "time": 2}),
        images_dropped_by=lambda: {"recorder_late": 2, "disk_full": 0},
    )


def second_lost():
    tally = FrameTally({"transport": 1, "late": 2}, repeated={"time": 2}, images_dropped={"disk_full": 1})
    return status(second=lambda: tally)


@pytest.mark.parametrize(
    ("now", "line"),
    [(status(), PLAIN), (after_losses(), MUCH), (second_lost(), SECOND)],
    ids=["nothing lost", "much lost", "second camera"],
)
def test_the_line(now, line):
    with tqdm(total=4, file=io.StringIO(), bar_format="{postfix}") as bar:
        _update(bar, now, Goal(4, 0.0, None), "rest")
        assert bar.postfix == line


def test_what_is_no_terminal_takes_the_whole_line(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    bar = ProgressBar("DEMO")
    bar.started(Path("S1"), after_losses(), Goal(4, 0.0, None))
    bar.ended()
    assert MUCH in capsys.readouterr().err
