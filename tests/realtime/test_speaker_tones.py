"""The tones of the real speaker, captured: PortAudio's stream into a PulseAudio sink, recorded from its monitor.

A minute of tones is captured once, and every property of a tone is judged on it; a phase-resetting oscillator goes the
same way and is seen.
"""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass, replace

import numpy as np
import pytest

from core.tones import ToneMap, ToneSettings
from hardware.oscillator import Oscillator
from hardware.speaker import ProcessSpeaker
from hardware.speaker_link import SpeakerLink
from hardware.speaker_process import GAP_S
from tests.support.programme import SETTINGS, Programme
from tests.support.pulse import RATE
from tests.support.stalls import Stalls
from tests.support.tones import Piece, align, frequency, jump_bound, largest_jump, phase_error_deg

TONES = ToneMap(ToneSettings()).frequencies
MINUTE_S = 60
TONE_S = 0.25
SILENCE_S = 0.5
LOW_HZ = 3000.0
CLICK_S = 0.075
GATED = (0.0, 1000.0, 0.0)


@dataclass(frozen=True)
class Resetting(Oscillator):
    """The control: begins each tone at phase 0, as a loop that plays one wave file per tone does."""

    def retune(self, voice, freq_hz):
        later = super().retune(voice, freq_hz)
        return later if later is voice else replace(later, phase=0)


@pytest.fixture(scope="module")
def minute(recording):
    """A minute of tones; before and behind it one tone by itself."""
    programme = Programme()
    order = np.random.default_rng(4).permutation(list(TONES) * 14)[: round(MINUTE_S / TONE_S) + 4]
    with contextlib.closing(ProcessSpeaker(SETTINGS)) as speaker, contextlib.closing(Stalls()) as stalls:
        speaker.start()
        begin = len(recording.samples())
        for freq in GATED:
            programme.play(speaker, freq, SILENCE_S)
        for freq in order:
            programme.play(speaker, float(freq), TONE_S)
        for freq in GATED:
            programme.play(speaker, freq, SILENCE_S)
        programme.facts = speaker.facts
    programme.arrival_ns = lambda index: recording.arrival_ns(begin + index)
    programme.keep(recording, begin, stalls.seen())
    return programme


def resetting_link(spec):
    return SpeakerLink(replace(spec, make_oscillator=Resetting))


@pytest.fixture(scope="module")
def control(recording):
    """The same through an oscillator that resets its phase; then many steps of low tones, whose clicks stand out.

    How loud a click is depends on the phase that a tone happens to end at, so there are enough of them that chance
    has no say: each of 60 has two chances in five of being larger than twice what a tone of 3 kHz does by itself.
    """
    programme = Programme()
    low = [freq for freq in TONES if freq < LOW_HZ]
    with contextlib.closing(ProcessSpeaker(SETTINGS, make_link=resetting_link)) as speaker:
        speaker.start()
        begin = len(recording.samples())
        for freq in itertools.islice(itertools.cycle(TONES), 20):
            programme.play(speaker, freq, TONE_S)
        for freq in itertools.islice(itertools.cycle(low), 60):
            programme.play(speaker, freq, CLICK_S)
        programme.play(speaker, 0.0, SILENCE_S)
    programme.keep(recording, begin)
    first = programme.pieces[0]
    programme.whole = [Piece(0, programme.length, first.offset)]
    return programme


def near(time_ns, moments, within_s=0.5):
    """Whether one of these moments, (begin, end) in ns, is near."""
    return any(begin - within_s * 1e9 < time_ns < end + within_s * 1e9 for begin, end in moments)


def test_a_minute_without_a_gap_sample_by_sample(minute, tell):
    """Every sample is what was rendered. Only a machine that stood still, as a witness tells, excuses a gap."""
    assert minute.length > MINUTE_S * RATE
    stood_still = [(end - begin) / 1e6 for begin, end in minute.stalls]
    tell(
        f"{len(minute.gaps())} gaps; this machine stood still {len(stood_still)} times "
        f"for up to {max(stood_still, default=0):.0f} ms"
    )
    # A server that stood still for less empties its own buffer, of which ALSA's plugin tells nobody.
    late_ns = (GAP_S + minute.facts["latency_told_s"]) * 1e9
    unmissable = [(begin, end) for begin, end in minute.stalls if end - begin > late_ns]
    for gap in minute.gaps():
        assert near(gap, minute.stalls), (gap, minute.stalls, minute.reports)
        if near(gap, unmissable):
            assert near(gap, [(report.time_ns, report.time_ns) for report in minute.reports]), "a gap that was not told"
    exact = sum(piece.end - piece.begin for piece in minute.pieces)
    assert exact == minute.length or (minute.gaps() and exact > 0.8 * minute.length)
    if not minute.stalls:
        assert minute.reports == []


def test_the_control_does_not_pass_sample_by_sample(control):
    assert control.gaps()
    assert sum(piece.end - piece.begin for piece in control.pieces) < 0.3 * control.length


def test_a_lost_block_and_one_that_came_twice_are_seen(minute):
    """What a gap would look like, cut into the real capture."""
    piece = max(minute.pieces, key=lambda each: each.end - each.begin)
    end = min(piece.end, piece.begin + 10 * RATE)
    rendered = minute.expected(minute.begin + minute.length)[piece.begin : end]
    whole = minute.samples[piece.begin + piece.offset : end + piece.offset + RATE]
    middle = len(rendered) // 2
    assert len(align(whole, rendered, 0)) == 1
    for spoilt in (
        np.delete(whole, slice(middle, middle + 128)),
        np.insert(whole, middle, whole[middle - 128 : middle]),
    ):
        pieces = align(spoilt, rendered, 0)
        assert [one.offset for one in pieces] == [0, len(spoilt) - len(whole)]
        assert middle - 200 < pieces[0].end < middle + 200


def test_every_tone_has_its_frequency(minute, tell):
    measured = {}
    for segment in filter(None, minute.segments()[3:-3]):
        steady = segment._replace(begin=segment.begin + 240)
        measured.setdefault(segment.freq_hz, []).append(frequency(minute.samples, steady) / segment.freq_hz - 1)
    assert sorted(measured) == pytest.approx(sorted(TONES))
    assert min(measured) == pytest.approx(1000)
    assert max(measured) > 19_000
    worst = max(abs(off) for offs in measured.values() for off in offs)
    tell(f"frequencies within {worst:.1e}")
    assert worst < 1e-3


def test_no_phase_error_at_steps(minute, tell):
    errors = [phase_error_deg(minute.samples, *step) for step in minute.steps()]
    tell(f"phase error at {len(errors)} steps: median {np.median(errors):.4f}, max {max(errors):.4f} deg")
    assert len(errors) > 100
    assert max(errors) <= 1


def test_the_control_has_phase_errors(control, tell):
    errors = [phase_error_deg(control.samples, *step) for step in control.steps(control.whole)]
    tell(f"phase error of the control: median {np.median(errors):.1f}, max {max(errors):.1f} deg")
    assert np.median(errors) > 10
    assert max(errors) > 90


def test_silence_is_zeros_and_the_gate_does_not_click(minute):
    whole = [three for three in (minute.segments()[:3], minute.segments()[-3:]) if all(three)]
    assert whole, "a gap in both"
    before, tone, after = whole[0]
    ramp = round(SETTINGS.tone_ramp_s * RATE)
    assert not minute.samples[before.begin + ramp : before.end].any()
    assert not minute.samples[after.begin + ramp : after.end].any()
    sound = minute.samples[tone.begin - 100 : after.begin + ramp + 100]
    assert np.abs(sound).max() == pytest.approx(SETTINGS.loudness * 32767, rel=0.01)
    assert largest_jump(sound) <= jump_bound(1000.0, SETTINGS.loudness, SETTINGS.tone_ramp_s)
    # Swelling is heard as a click where it is sudden: half of it comes in the middle of the ramp, not at its ends.
    swell = np.abs(minute.samples[tone.begin : tone.begin + ramp].astype(float))
    assert swell[: ramp // 4].max() < 0.2 * SETTINGS.loudness * 32767


def test_the_control_clicks_and_this_would_show(control):
    low = [two for one, two in control.steps(control.whole) if max(one.freq_hz, two.freq_hz) < LOW_HZ]
    jumps = [largest_jump(control.samples[two.begin - 2 : two.begin + 2]) for two in low]
    assert len(jumps) > 50
    assert max(jumps) > 2 * jump_bound(LOW_HZ, SETTINGS.loudness, SETTINGS.tone_ramp_s)


def test_latency_from_command_to_waveform(minute, tell):
    used = [(one.time_ns - sent) / 1e6 for one, sent in zip(minute.heard, minute.sent_ns, strict=True)]
    begun = [
        (sent, segment.begin)
        for sent, segment in zip(minute.sent_ns, minute.segments(), strict=True)
        if segment and not near(sent, minute.stalls)
    ]
    arrivals = [(minute.arrival_ns(begin) - sent) / 1e6 for sent, begin in begun]
    for name, values in {"card asked for it": used, "captured waveform": arrivals}.items():
        middle, most = np.percentile(values, [50, 99])
        tell(f"set_tone to {name}: p50 {middle:.1f}, p99 {most:.1f} ms")
    assert np.median(used) < 30
    assert 0 < np.median(arrivals) < 80
    assert np.percentile(arrivals, 99) < 300


def test_set_tone_costs_microseconds(minute, tell):
    middle, most = np.percentile(np.array(minute.spent_ns) / 1e3, [50, 99])
    tell(f"set_tone takes p50 {middle:.0f}, p99 {most:.0f} us")
    assert middle < 300


def test_facts_of_the_card(minute):
    facts = minute.facts
    assert facts["host_api"] == "ALSA"
    assert facts["device"] == "default"
    assert (facts["rate_asked_hz"], facts["rate_hz"], facts["block"]) == (0, RATE, SETTINGS.sound_block)
    assert facts["rate_measured_hz"] == pytest.approx(RATE, rel=1e-3)
    assert 0 < facts["latency_told_s"] < 0.5
