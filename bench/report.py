"""What the benchmarks share: arguments, medians of cases run side by side, tables, bars, a description of the machine.

A benchmark ``bench/bench_NAME.py`` runs as ``python -m bench.bench_NAME [--json] [--quick]``. It prints tables; with
``--json`` its last line is one line of JSON. Its exit status is 1 when a bar is missed (never with ``--quick``).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure and what it has to reach.

    Attributes
    ----------
    name : str
    value, limit : float
        Of the same unit, which the name tells.
    at_least : bool
        Whether ``value`` has to be at least ``limit``; else at most.
    """

    name: str
    value: float
    limit: float
    at_least: bool = True

    @property
    def passed(self) -> bool:
        """Whether the bar is reached; NaN never does."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def argument_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of ``--json`` and ``--quick``, to which a benchmark may add its own."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0] if description else None)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: a look, not a figure to publish")
    return parser


def arguments(description: str | None, argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read ``--json`` and ``--quick``."""
    return argument_parser(description).parse_args(argv)


def machine() -> dict[str, str | int]:
    """Return what a figure must be read with: processor, cores this process may use, system, Python."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "processor": _processor(),
        "cores": cores,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    names = {name.strip().lower(): value.strip() for name, value in fields.items()}
    return names.get("model name") or names.get("model") or platform.machine()


def side_by_side(cases: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Time cases in turn, one call each per round, so that a slow minute of the machine slows all of them.

    Returns
    -------
    dict of str to list of float
        Duration of each call, us.
    """
    durations: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            start = time.perf_counter_ns()
            case()
            durations[name].append((time.perf_counter_ns() - start) / 1e3)
    return durations


def medians(durations: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the median of each case."""
    return {name: statistics.median(values) for name, values in durations.items()}


def percentiles(values: Any) -> dict[str, float]:
    """Return p50, p99, p99.9 and the maximum of numbers."""
    p50, p99, p999 = np.percentile(values, (50, 99, 99.9))
    return {"p50": float(p50), "p99": float(p99), "p99.9": float(p999), "max": float(np.max(values))}


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Lay out a table: the first column to the left, the others to the right, floats with four digits."""
    cells = [list(headers)] + [
        [f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    lines = [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def finish(name: str, options: argparse.Namespace, figures: Mapping[str, Any], bars: Sequence[Bar]) -> int:
    """Print bars, machine and, if asked for, the line of JSON; return the exit status."""
    print()
    rows = [
        (bar.name, bar.value, f"{'>=' if bar.at_least else '<='} {bar.limit:g}", "pass" if bar.passed else "FAIL")
        for bar in bars
    ]
    print(table(("bar", "value", "limit", ""), rows))
    here = machine()
    print("\n" + ", ".join(f"{key} {value}" for key, value in here.items()))
    if options.json:
        verdicts = [{**asdict(bar), "passed": bar.passed} for bar in bars]
        print(
            json.dumps({"bench": name, "quick": options.quick, "machine": here, "figures": figures, "bars": verdicts})
        )
    # A quick look on a busy machine is no verdict, so that CI can run it to see that the bench itself works.
    return 0 if options.quick or all(bar.passed for bar in bars) else 1
