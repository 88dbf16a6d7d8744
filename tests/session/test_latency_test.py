"""The latency test finds, on made-up parts, the delays that were made up; and says so when there is nothing to find."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import VirtualClock
from core.errors import CameraError, InputError
from core.values import Line, Report, Signal
from roi_manager import Rect
from session.latency_bench import READOUT_NS, Delay, Laboured, LedCamera, VirtualLines, VirtualSpeaker
from session.latency_parts import GAP, Brightness, EdgeLog, NoEar
from session.latency_result import NONE, STAGES, Decision, Flash, durations_ms, match, percentiles
from session.latency_test import Bench, check_lines, measure

MS = 1_000_000


class Idle:
    names = ("x",)

    def update(self, frame):
        return Signal(0.0, True, "", (0.0,))


def never():
    return False


class Made:
    """A bench of made-up parts, and what was drawn for it."""

    def __init__(self, seed=1, framerate=30.0, exposure_s=0.02, blind=False, deaf=False):
        self.clock = VirtualClock()
        rng = np.random.default_rng(seed)
        self.edge_delay = Delay(0.08 * MS, 0.3, rng)
        self.sound_delay = Delay(12 * MS, 0.1, rng)
        self.work = Delay(1.5 * MS, 0.1, rng)
        self.lines = VirtualLines(self.clock, self.edge_delay)
        self.speaker = VirtualSpeaker(self.clock, self.sound_delay)
        self.edges = EdgeLog()
        self.exposure_ns = round(exposure_s * 1e9)

        def lit_ns(start, end):
            self.edges.take(self.lines.reports())
            return 0 if blind else self.edges.high_ns(Line.LIGHT, start, end)

        self.camera = LedCamera(lit_ns, (32, 24), framerate, exposure_s, self.clock, seed)
        self.camera.start()
        self.bench = Bench(
            self.camera, self.lines, self.speaker, NoEar() if deaf else self.speaker,
            Brightness(Laboured(Idle(), self.clock, self.work), {"R": Rect(4, 4, 8, 8)}), self.clock, self.edges,
            Line.LIGHT, Line.BRAIN_TTL, round(1e9 / framerate), {"bench": "virtual"},
        )  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([15.0, 30.0, 100.0]), st.floats(0.002, 0.009))
def test_the_delays_that_were_made_up_are_found(seed, framerate, exposure_s):
    made = Made(seed, framerate, exposure_s)
    result = measure(made.bench, 300, seed, never)
    assert (result.frames, result.dropped, result.missed) == (300, 0, 0)
    assert len(result.flashes) >= 300 / (2 * GAP + 10)
    whole = [flash for flash in result.flashes if NONE not in flash]
    assert len(whole) >= len(result.flashes) - 1
    interval_ms = 1e3 / framerate
    for flash in whole:
        assert flash.read_ns - flash.capture_ns == READOUT_NS
        assert flash.decision_ns - flash.read_ns in made.work.drawn_ns
        assert flash.edge_ns - flash.decision_ns in made.edge_delay.drawn_ns
        assert flash.sound_ns - flash.decision_ns in made.sound_delay.drawn_ns
    # Half of an exposure must have been lit; the flash falls anywhere in a frame's interval.
    seen = durations_ms(whole, "light_to_capture")
    assert min(seen) >= 1e3 * exposure_s / 2 - 1
    assert max(seen) <= interval_ms + 1e3 * exposure_s / 2 + 1
    assert result.lit - result.dark == pytest.approx(80, abs=2)


def test_the_flash_meets_every_phase_of_the_exposure():
    made = Made()
    result = measure(made.bench, 3000, 5, never)
    seen = np.array(durations_ms(result.flashes, "light_to_capture"))
    assert len(seen) > 200
    interval_ms = 1e3 / 30
    spread = (seen - seen.min()) / interval_ms
    counts = np.histogram(spread, 5, (0, 1))[0] / len(seen)
    assert counts.min() > 0.1
    assert counts.max() < 0.3


def test_a_result_tells_all_stages_and_every_flash():
    result = measure(Made().bench, 200, 1, never)
    told = result.json()
    assert list(told["stages_ms"]) == list(STAGES)
    assert told["flashes"] == len(told["times_ns"])
    for stage in told["stages_ms"].values():
        assert stage["p50"] <= stage["p99"] <= stage["p999"] <= stage["max"]
    assert len(result.text()) == 8


def test_without_an_ear_the_sound_is_left_out():
    result = measure(Made(deaf=True).bench, 100, 1, never)
    assert not any("sound" in stage for stage in result.stages())


def test_a_camera_that_does_not_see_the_light():
    with pytest.raises(CameraError, match=r"does not see the light on light .* --line"):
        measure(Made(blind=True).bench, 100, 1, never)


def test_an_answer_that_never_comes_is_counted():
    made = Made()
    made.lines.pulse = lambda pulse, time_ns: None
    result = measure(made.bench, 200, 1, never)
    assert result.missed == len(result.flashes) > 10
    assert "light_to_edge" not in result.stages()


def test_no_water_flows_and_the_light_is_off_at_the_end():
    made = Made()
    asked = []
    pulse = made.lines.pulse
    made.lines.pulse = lambda given, time_ns: (asked.append(given.line), pulse(given, time_ns))
    measure(made.bench, 200, 1, never)
    assert set(asked) == {Line.BRAIN_TTL}
    assert not made.edges.level_at(Line.LIGHT, made.clock.now_ns())


def test_a_stop_gives_what_was_measured():
    made = Made()
    looks = iter(range(10_000))
    result = measure(made.bench, 3000, 1, lambda: next(looks) > 150)
    assert 50 < result.frames < 200


def test_one_line_cannot_be_light_and_answer():
    with pytest.raises(InputError, match="two lines"):
        check_lines(Line.LIGHT, Line.LIGHT)


def test_match_takes_the_first_of_each_between_two_flashes():
    flashes = match(
        [100, 200, 300], [101, 301], [Decision(110, 111, 112), Decision(113, 114, 115)], [120, 121, 199, 305], [290]
    )
    assert flashes == (
        Flash(101, 110, 111, 112, 120, NONE), Flash(NONE, NONE, NONE, NONE, NONE, 290),
        Flash(301, NONE, NONE, NONE, 305, NONE),
    )  # fmt: skip
    assert durations_ms(flashes, "light_to_edge") == [19e-6, 4e-6]


def test_percentiles_of_few():
    assert percentiles([]) == {"n": 0}
    assert percentiles([2.0]) == {"n": 1, "p50": 2.0, "p99": 2.0, "p999": 2.0, "max": 2.0}


@given(st.lists(st.integers(0, 1000), unique=True, max_size=12).map(sorted), st.integers(0, 1000), st.integers(0, 1000))
def test_time_high_is_that_of_the_levels(times, a, b):
    log = EdgeLog()
    log.take([Report(at, "edge", f"light {(n + 1) % 2}") for n, at in enumerate(times)])
    start, end = min(a, b), max(a, b)
    assert log.high_ns(Line.LIGHT, start, end) == sum(log.level_at(Line.LIGHT, t) for t in range(start, end))
    assert log.rises(Line.LIGHT) == times[::2]


def test_a_late_reader_loses_frames_and_they_are_counted():
    clock = VirtualClock()
    camera = LedCamera(lambda start, end: 0, (16, 16), 100.0, 0.005, clock, 1)
    camera.start()
    first = camera.read(1.0)
    clock.advance(500 * MS)
    late = camera.read(1.0)
    assert late.number - first.number == late.dropped + 1
    assert late.dropped > 30
    assert camera.read(1.0).dropped == 0
