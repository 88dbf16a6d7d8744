"""The spike counter against Brian2's own monitor."""

import numpy as np
import pytest

from insilico.every import at_each_step, every
from insilico.spikes import ROOM, SpikeCounter


def firing(b2, n, rate_hz, name):
    return b2.NeuronGroup(n, "p : 1", threshold=f"rand() < {rate_hz} * 1e-3", reset="", name=name)


@pytest.mark.parametrize("take_every", [1, 7, 10 * ROOM])
def test_it_counts_what_a_monitor_counts(brian, take_every):
    """Also when the log runs out of room before it is asked, since each cell may fire at each step."""
    b2 = brian
    b2.defaultclock.dt = 1 * b2.ms
    one, other = firing(b2, 30, 900, "one"), firing(b2, 5, 100, "other")
    parts = [one[10:20], other[:], one[5:12], one]
    counter = SpikeCounter(parts)
    monitors = [b2.SpikeMonitor(one, name="m_one"), b2.SpikeMonitor(other, name="m_other")]
    total, step = np.zeros(sum(len(part) for part in parts), int), 0

    def look():
        nonlocal total, step
        counter.look()
        step += 1
        if step % take_every == 0:
            total += counter.take()

    network = b2.Network(one, other, *monitors, at_each_step(b2.defaultclock, look, "look", order=-5))
    network.run(400 * b2.ms)
    total += counter.take()
    # The spikes of a step are seen at the beginning of the next, which the last one does not have.
    n_one, n_other = (np.bincount(m.i[m.t < 398.5 * b2.ms], minlength=len(m.source)) for m in monitors)
    expected = np.concatenate([n_one[10:20], n_other, n_one[5:12], n_one])
    assert (total == expected).all()
    assert expected.sum() > 1000


def test_a_group_in_a_row_is_counted_like_any_other(brian):
    group = firing(brian, 10, 500, "cells")
    row, mixed = SpikeCounter([group[2:5], group[5:7]]), SpikeCounter([group[5:7], group[2:5]])

    def look():
        row.look()
        mixed.look()

    brian.Network(group, at_each_step(brian.defaultclock, look, "look", order=-5)).run(50 * brian.ms)
    a, b = row.take(), mixed.take()
    assert a.sum() > 0
    assert a.tolist() == [*b[2:], *b[:2]]


def test_every_so_many_steps(brian):
    brian.defaultclock.dt = 1 * brian.ms
    calls = []
    network = brian.Network(every(brian.defaultclock, 0.0104, calls.append, "clockwork"))
    network.run(95 * brian.ms)
    assert calls == [pytest.approx(0.010)] * 10
