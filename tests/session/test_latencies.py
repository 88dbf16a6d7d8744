"""Percentiles of a session's latencies, beside values that can be told without computing."""

import pytest

from session.timing import Latencies

NONE = {"p50": 0.0, "p99": 0.0, "p999": 0.0, "max": 0.0}


@pytest.mark.parametrize(
    ("ns", "told"),
    [
        ([], NONE),
        ([1234], {"p50": 1.2, "p99": 1.2, "p999": 1.2, "max": 1.2}),
        ([us * 1000 for us in range(1001)], {"p50": 500.0, "p99": 990.0, "p999": 999.0, "max": 1000.0}),
        ([us * 1000 for us in range(1000, -1, -1)], {"p50": 500.0, "p99": 990.0, "p999": 999.0, "max": 1000.0}),
        # Between two latencies the percentile lies on the line that joins them.
        ([0, 1_000_000], {"p50": 500.0, "p99": 990.0, "p999": 999.0, "max": 1000.0}),
        ([100_000] * 998 + [9_000_000] * 3, {"p50": 100.0, "p99": 100.0, "p999": 9000.0, "max": 9000.0}),
    ],
    ids=["none", "one", "rising", "falling", "two", "a few late ones"],
)
def test_percentiles_are_told_in_us(ns, told):
    latencies = Latencies()
    for each in ns:
        latencies.add(each)
    assert latencies.percentiles_us() == told
    assert latencies.ns().tolist() == ns
