"""What happens at which step: frames, tones, water, licks, and the indicator's beats."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insilico.licks import Licker, LickSettings
from insilico.spec import Go
from insilico.stepper import BEAT_S, Stepper
from insilico.ticks import Ticks

DT_S = 1e-3
NONE = Go(None, ())


class Film:
    """Remembers its steps."""

    def __init__(self):
        self.steps, self.shots, self.settled = [], 0, 0

    def step(self, spikes, dt_s, *, resting=False):
        self.steps.append((dt_s, resting))

    def settle(self):
        self.settled += 1

    def shoot(self):
        self.shots += 1


class Mouse:
    """Runs a stepper over a network that is none; ``told`` says what comes back at each frame, by its number."""

    def __init__(self, told, frames, framerate=15.0, settle_s=0.0, licks=None):
        self.tick, self.log, self.shots, self.over = -round(settle_s / DT_S), [], [], False
        tissue = SimpleNamespace(
            settle_s=settle_s,
            hear=lambda freq: self.log.append((self.tick, "hear", freq)),
            drink=lambda flows: self.log.append((self.tick, "drink", flows)),
            network=SimpleNamespace(stop=lambda: setattr(self, "over", True)),
        )
        spikes = SimpleNamespace(look=lambda: None, take=lambda: None)
        self.film = Film()
        licker = licks or Licker(LickSettings(spontaneous_per_min=0), np.random.default_rng(1))

        def meet(shot):
            self.shots.append((self.tick, shot))
            return told.get(len(self.shots) - 1, NONE) if len(self.shots) < frames else None

        stepper = Stepper(tissue, self.film, spikes, licker, Ticks(DT_S, framerate), meet)
        step = stepper.make_step()
        while not self.over:
            step()
            self.tick += 1
        self.ended = stepper.ended


@pytest.mark.parametrize("framerate", [7.3, 15.0, 29.97, 100.0])
def test_frames_fall_on_the_nearest_step_for_ever(framerate):
    mouse = Mouse({}, 200, framerate)
    expected = [(Fraction(k) / Fraction(framerate) * 1000 + Fraction(1, 2)).__floor__() for k in range(200)]
    assert [tick for tick, _ in mouse.shots] == expected
    assert [shot.time_ns for _, shot in mouse.shots] == [tick * 10**6 for tick in expected]
    assert mouse.film.shots == 200
    assert mouse.film.settled == 1
    assert mouse.ended


def test_a_tone_is_heard_at_the_very_step_of_its_frame_and_only_when_it_changes():
    mouse = Mouse({1: Go(2000.0, ()), 3: Go(0.0, ())}, 6)
    assert mouse.log == [(67, "hear", 2000.0), (200, "hear", 0.0)]


def test_water_begins_and_ends_at_its_own_steps():
    frame = 67 * 10**6
    mouse = Mouse({1: Go(None, ((frame, frame + 300_000_000),))}, 10)
    assert mouse.log == [(67, "drink", True), (367, "drink", False)]


@pytest.mark.parametrize(
    ("openings", "expected"),
    [
        # Back to back: the spout closes and opens in one step.
        ([(100, 200), (200, 300)], [(100, True), (200, False), (200, True), (300, False)]),
        ([(150, 350), (400, 500)], [(150, True), (350, False), (400, True), (500, False)]),
        # Shorter than a step: one step long, so that no drop is lost.
        ([(100.2, 100.4)], [(100, True), (101, False)]),
        # Asked for in the past of the frame that brings it: at once.
        ([(10, 90)], [(67, True), (90, False)]),
    ],
    ids=["back to back", "waiting", "short", "late"],
)
def test_openings_as_they_are_asked_for(openings, expected):
    given = tuple((round(start * 1e6), round(end * 1e6)) for start, end in openings)
    mouse = Mouse({1: Go(None, given)}, 12)
    assert [(tick, flows) for tick, _, flows in mouse.log] == expected


@given(
    starts=st.lists(st.integers(0, 2_000_000_000), max_size=8),
    lengths=st.lists(st.integers(2_000_000, 400_000_000), min_size=8, max_size=8),
    gap=st.sampled_from([0, 50_000_000]),
)
def test_whatever_is_asked_water_ends_and_its_time_is_kept_to_a_step(starts, lengths, gap):
    openings, end = [], 0
    for start, length in zip(sorted(starts), lengths, strict=False):
        begin = max(start, end + gap if openings else 0)
        end = begin + length
        openings.append((begin, end))
    mouse = Mouse({0: Go(None, tuple(openings))}, 100)
    assert [flows for _, _, flows in mouse.log] == [True, False] * len(openings)
    for (start, end), (opened, _, _), (closed, _, _) in zip(openings, mouse.log[::2], mouse.log[1::2], strict=True):
        assert abs(opened - start / 1e6) <= 1
        assert closed > opened
        assert abs(closed - end / 1e6) <= 1.5


def test_licks_come_with_the_first_frame_after_them():
    licker = Licker(LickSettings(spontaneous_per_min=0), np.random.default_rng(3))
    mouse = Mouse({1: Go(None, ((67_000_000, 367_000_000),))}, 60, licks=licker)
    before, seen = -1, 0
    for _, shot in mouse.shots:
        assert all(before < lick <= shot.time_ns for lick in shot.licks_ns)
        before = shot.time_ns
        seen += len(shot.licks_ns)
    assert seen >= 6


def test_beats_cover_all_time_and_the_last_of_settling_is_resting():
    mouse = Mouse({}, 4, settle_s=2.0)
    total = sum(dt for dt, _ in mouse.film.steps)
    assert total == pytest.approx(2.0 + mouse.shots[-1][0] * DT_S)
    assert max(dt for dt, _ in mouse.film.steps) <= BEAT_S + 1e-12
    assert sum(dt for dt, resting in mouse.film.steps if resting) == pytest.approx(1.2)
    assert mouse.shots[0][0] == 0
