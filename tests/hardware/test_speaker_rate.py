"""The rate that is measured: right to 0.1 % of requests in bursts, and what is said of a card at another rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import OutputError
from hardware.speaker_rate import LONGEST_S, SHORTEST_S, judge_rate, measured_rate, steady_from

BLOCK = 128


def requests(rate, seconds, burst_s=0.01, jitter_s=0.0, seed=0, begin_s=0.0):
    """Return what a card asks for: blocks in bursts, as far as its clock has come."""
    chance = np.random.default_rng(seed)
    stamps, frames = [], 0
    for time_s in np.arange(0, seconds, burst_s):
        late = float(chance.uniform(0, jitter_s)) if jitter_s else 0.0
        while frames < (time_s + burst_s) * rate:
            stamps.append((round((begin_s + time_s + late) * 1e9), frames))
            frames += BLOCK
    return stamps


@given(st.sampled_from([44_100, 48_000, 96_000]), st.floats(-9e-5, 9e-5), st.integers(0, 100))
def test_crystals_pass(rate, off, seed):
    stamps = requests(rate * (1 + off), SHORTEST_S + 0.5, jitter_s=0.004, seed=seed)
    assert judge_rate(stamps, rate, "card") == pytest.approx(rate, rel=1e-3)


@pytest.mark.parametrize("off", [0.0013, -0.0013, 0.003, 0.01])
def test_a_rate_a_little_off_is_refused_after_patience(off):
    assert judge_rate(requests(48_000 * (1 + off), SHORTEST_S + 0.4, jitter_s=0.004), 48_000, "card") is None
    with pytest.raises(OutputError, match=r"'card' was opened at 48000 samples/s and runs at .*off by [+-]"):
        judge_rate(requests(48_000 * (1 + off), LONGEST_S + 0.5, jitter_s=0.004), 48_000, "card")


@pytest.mark.parametrize("real", [44_100, 96_000, 45_000, 10_000_000])
def test_another_rate_is_refused_at_once(real):
    with pytest.raises(OutputError, match="set sample_rate"):
        judge_rate(requests(real, SHORTEST_S + 0.5, burst_s=0.05 if real > 1e6 else 0.01), 48_000, "card")


@pytest.mark.parametrize("seconds", [0, 0.01, 0.3, SHORTEST_S])
def test_too_little_is_no_verdict(seconds):
    assert judge_rate(requests(48_000, seconds), 48_000, "card") is None


@pytest.mark.parametrize("burst_s", [0.0027, 0.01, 0.09, 0.2])
def test_the_cards_own_period_is_no_pause(burst_s):
    stamps = requests(48_000, SHORTEST_S + 0.7, burst_s=burst_s)
    assert judge_rate(stamps, 48_000, "card") == pytest.approx(48_000, rel=1e-3)


def test_pauses_of_a_busy_computer_are_not_taken_for_another_rate():
    """Five times 60 ms without a request: together they look like a card that is 4 % slow."""
    stamps, frames, at = [], 0, 0.0
    for length in (0.7, 0.9, 0.8, 1.1, 0.6, 2.5):
        part = requests(48_000, length, begin_s=at)
        stamps += [(time, frames + asked) for time, asked in part]
        frames += part[-1][1] + BLOCK
        at += length + 0.06
    assert judge_rate(stamps, 48_000, "card") == pytest.approx(48_000, rel=1e-3)
    assert judge_rate(stamps[: len(stamps) // 2], 48_000, "card") is None


def test_samples_that_a_card_ran_out_of_are_not_taken_for_another_rate():
    """Twice 25 ms are lost, too short to be seen as a pause: the first 5 s look 0.6 % slow."""
    stamps, frames, at = [], 0, 0.0
    for length in (1.5, 2.0, 4.5):
        part = requests(48_000, length, jitter_s=0.004, begin_s=at)
        stamps += [(time, frames + asked) for time, asked in part]
        frames += part[-1][1] + BLOCK
        at += length + 0.025
    until = [time for time, _ in stamps]
    early = stamps[: int(np.searchsorted(until, 5e9))]
    assert measured_rate(early)[0] / 48_000 - 1 < -4e-3
    assert judge_rate(early, 48_000, "card") is None
    assert judge_rate(stamps, 48_000, "card") == pytest.approx(48_000, rel=1e-3)


def test_it_begins_after_the_last_pause():
    early = requests(48_000, 1.0)
    late = [(time, frames + 48_000) for time, frames in requests(48_000, 3.0, begin_s=2.5)]
    begin = steady_from(early + late)
    assert (early + late)[begin][0] >= late[0][0] + 0.2e9
    rate, seconds = measured_rate(early + late)
    assert rate == pytest.approx(48_000, rel=1e-3)
    assert 2.5 < seconds < 3
