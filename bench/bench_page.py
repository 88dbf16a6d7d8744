"""What the page costs a session: the lateness and processor time of its loop, and what browsers get to see.

One session's loop, recorded, over one source of 256x256x3 uint8 frames, runs in blocks in random order: nobody can look
at it; it can be looked at and nobody does (the page is closed); the page is served and no browser is there; one
browser; three; one that reads beside one that never does. Beside them the rival: the same pictures, made fifteen times
a second in the loop's own thread, as a window of OpenCV has it. The page and the browsers are processes of their own on
the same machine, which a rig's browsers need not be.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.brain_session import draw
from bench.page_alone import meet_in
from bench.page_blocks import Bench, Block, Case, in_random_order
from bench.recording_blocks import added_us
from bench.report import Bar, argument_parser, finish, percentiles, table

CLOSED, NO_LINK, RIVAL = "page closed", "no link", "pictures in the loop"
CASES = {
    NO_LINK: Case(link=False),
    CLOSED: Case(),
    "served, no browser": Case(server=True),
    "one browser": Case(server=True, readers=1),
    "three browsers": Case(server=True, readers=3),
    "one reads, one never": Case(server=True, readers=1, deaf=1),
    RIVAL: Case(link=False, in_loop=True),
}
SEEN = [name for name, case in CASES.items() if case.readers]
RATES = (30.0, 100.0)
BAR_RATE = 100.0
BAR_US = 100.0
BAR_UPDATES = 14.0
BLOCK_S = 10.0
"""Not longer: a browser that takes nothing is let go after ``dashboard.clients.STUCK_S``."""
SPANS = {"late": "late_us", "command": "command_us", "turn": "turn_us"}
"""What is measured of each frame, and its name in a block."""


def plan(rate: float, quick: bool) -> tuple[int, float]:
    """Return rounds, and the duration of a block, s."""
    if quick:
        return 1, 1.0
    return 10 if rate == BAR_RATE else 6, BLOCK_S


def describe(blocks: Mapping[str, Sequence[Block]]) -> dict[str, Any]:
    """Return what the blocks of one rate came to, case by case."""
    found: dict[str, Any] = {}
    for name, some in blocks.items():
        rates = [rate for block in some for rate in block.rates]
        found[name] = {
            **{
                what: percentiles(np.concatenate([getattr(block, key) for block in some]))
                for what, key in SPANS.items()
            },
            "cpu": statistics.median(block.cpu_us for block in some),
            "server": statistics.median(block.server_share for block in some),
            "lost": sum(block.lost for block in some),
            "frames": sum(len(block.late_us) for block in some),
            "slowest": min(rates, default=None),
            "median rate": statistics.median(rates) if rates else None,
            "longest gap": max((gap for block in some for gap in block.gaps_ms), default=None),
        }
        if name != CLOSED:
            found[name]["added"] = {
                f"{what} p{percent}": added_us(
                    [getattr(block, key) for block in some], [getattr(block, key) for block in blocks[CLOSED]], percent
                )
                for what, key in SPANS.items()
                for percent in (50, 99)
            }
    return found


def _pooled(blocks: Sequence[Block], key: str) -> npt.NDArray[np.float64]:
    return np.concatenate([getattr(block, key) for block in blocks])


def spans_table(found: Mapping[str, Any]) -> str:
    """Lay out what the frames of each case took, and the processor time."""
    columns = [(what, p) for what in ("late", "command") for p in ("p50", "p99", "p99.9", "max")]
    columns += [("turn", "p50"), ("turn", "p99")]
    rows = [
        (name, *(_short(case[what][p]) for what, p in columns), _short(case["cpu"]), f"{case['server']:.0%}",
         case["lost"])
        for name, case in found.items()
    ]  # fmt: skip
    return table(("", *(f"{what} {p}" for what, p in columns), "CPU", "page", "lost"), rows)


def added_table(found: Mapping[str, Any]) -> str:
    """Lay out what each case adds to a session with the page closed, with its spread over the rounds."""
    columns = ("median", "lower quartile", "upper quartile")
    rows = [
        (name, what, *(_short(gain[column]) for column in columns))
        for name, case in found.items()
        for what, gain in case.get("added", {}).items()
        if what.endswith("p99") or what == "turn p50"
    ]
    return table(("", "at", *columns), rows)


def updates_table(found: Mapping[str, Any]) -> str:
    """Lay out what browsers got to see."""
    rows = [
        (name, *(_short(found[name][column]) for column in ("median rate", "slowest", "longest gap")))
        for name in SEEN
        if name in found
    ]
    return table(("updates/s", "median", "slowest of all", "longest gap, ms"), rows)


def bars_of(found: Mapping[str, Any], rate: float) -> list[Bar]:
    """Return the bars: what a page adds to lateness and to the last command, and the updates that browsers get."""
    pages = [name for name, case in CASES.items() if case.server]
    bars = [
        Bar(f"{name}: added to {what} at p99, {rate:g} frames/s, us", found[name]["added"][f"{what} p99"]["median"],
            BAR_US, False)
        for name in pages for what in ("late", "command")
    ]  # fmt: skip
    return [*bars, *(Bar(f"{name}: updates/s of the slowest", found[name]["slowest"], BAR_UPDATES) for name in SEEN)]


def ratio_text(found: Mapping[str, Any]) -> str:
    """Return how the rival compares with three browsers, and with the page closed."""
    rival, ours = found[RIVAL]["added"], found["three browsers"]["added"]
    us, them = (each["turn p99"]["median"] for each in (ours, rival))
    return (
        f"a frame's turn at p99: three browsers add {_short(us)} us, pictures in the loop's thread {_short(them)} us"
        + (f", {them / us:.1f} times as much" if us > 0 else "")
    )


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}"


def read_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argument_parser(__doc__)
    parser.add_argument("--rates", type=float, nargs="+", help="frames/s of the loop (default: 30 100)")
    parser.add_argument("--rounds", type=int, help="blocks of each case")
    parser.add_argument("--seed", type=int, default=1, help="of the order of the blocks (default: %(default)s)")
    parser.add_argument("--scratch", type=Path, help="folder to record in")
    options = parser.parse_args(argv)
    options.rates = sorted(options.rates or ([BAR_RATE] if options.quick else RATES))
    if not all(15 <= rate <= 300 for rate in options.rates):
        parser.error("--rates: give 15 to 300")
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds: give 1 or more")
    return options


def rate_part(options: argparse.Namespace, rate: float, scratch: Path) -> tuple[dict[str, Any], list[Bar]]:
    """Run the blocks at one rate, print what they came to; return figures and bars."""
    rounds, seconds = plan(rate, options.quick)
    rounds = options.rounds or rounds
    print(f"{rate:g} frames/s, {rounds} rounds of {len(CASES)} blocks of {seconds:g} s ...", file=sys.stderr)
    bench = Bench(draw(rate), rate, scratch)
    try:
        found = describe(in_random_order(bench, CASES, seconds, rounds, options.seed))
    finally:
        bench.close()
    print(f"\n{rate:g} frames/s; us; page: share of a core\n{spans_table(found)}")
    for line in bench.refused:
        print(line)
    print(f"\nadded to a session with the page closed, us\n{added_table(found)}")
    print(f"\n{updates_table(found)}\n\n{ratio_text(found)}")
    return found, bars_of(found, rate)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; return 1 if a bar is missed."""
    options = read_arguments(argv)
    figures: dict[str, Any] = {}
    bars: list[Bar] = []
    scratch = Path(tempfile.mkdtemp(prefix="bench_page_", dir=options.scratch))
    meet_in(scratch)
    try:
        for rate in options.rates:
            figures[f"{rate:g}"], some = rate_part(options, rate, scratch)
            bars += some
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return finish("page", options, figures, bars)


if __name__ == "__main__":
    sys.exit(main())
