"""The real speaker, captured: PortAudio's stream into a PulseAudio sink, recorded from its monitor.

A minute of tones is captured once, and every property of a tone is judged on it; a phase-resetting oscillator goes the
same way and is seen. Then everything that can be lost is lost.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import OutputError
from core.ports import Reconnectable, Reporter, Speaker
from core.tones import ToneMap, ToneSettings
from hardware.oscillator import Oscillator, Voice, as_int16
from hardware.settings import SoundSettings
from hardware.speaker import ProcessSpeaker
from hardware.speaker_link import SpeakerLink
from hardware.speaker_list import list_devices
from tests.support.pulse import RATE, Pulse, Recording, require
from tests.support.stalls import Stalls
from tests.support.tones import Piece, Segment, align, frequency, jump_bound, largest_jump, phase_error_deg

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = SoundSettings()
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


class Programme:
    """A programme that was played and captured.

    Attributes
    ----------
    samples : ndarray, (n,) int16
    heard : list of Heard
    sent_ns : list of int
    reports : list of Report
    spent_ns : list of int
        Time that each set_tone took.
    pieces : list of Piece
        What was captured as it was rendered.
    stalls : list of (int, int)
        When this machine stood still.
    """

    def __init__(self):
        self.heard, self.sent_ns, self.reports, self.spent_ns = [], [], [], []
        self.samples, self.pieces, self.stalls = None, [], ()
        self.begin = self.length = 0

    def play(self, speaker, freq_hz, duration_s):
        """Play a tone and look in every 25 ms, as the loop does every frame."""
        begin = time.monotonic_ns()
        speaker.set_tone(freq_hz, begin)
        self.spent_ns.append(time.monotonic_ns() - begin)
        self.sent_ns.append(begin)
        while time.monotonic_ns() < begin + duration_s * 1e9:
            time.sleep(0.025)
            self.reports += speaker.reports()
        self.heard.append(speaker.heard())

    def keep(self, recording, begin, stalls=()):
        """Take over what was recorded since sample ``begin``, and find in it what was rendered."""
        self.samples, self.stalls = recording.samples()[begin:], stalls
        self.begin = self.heard[0].frame
        rendered = self.expected(self.heard[-1].frame + round(0.2 * RATE))
        # The first tone begins with a sample of 0; which of its samples is the first that is not, it tells itself.
        offset = int(np.flatnonzero(self.samples)[0]) - int(np.flatnonzero(rendered)[0])
        self.length = len(rendered)
        self.pieces = align(self.samples, rendered, offset)

    def expected(self, end):
        """Render all stream frames from the first tone to ``end`` anew, from what the card is said to have got."""
        oscillator = Oscillator(RATE, SETTINGS.loudness, SETTINGS.tone_ramp_s)
        voice, parts = Voice(), []
        ends = [*(one.frame for one in self.heard[1:]), end]
        for one, after in zip(self.heard, ends, strict=True):
            voice, part = oscillator.render(oscillator.retune(voice, one.freq_hz), after - one.frame)
            parts.append(part)
        return as_int16(np.concatenate(parts))

    def segments(self, pieces=None):
        """Return the segments of the capture, from command to command; None for one with a gap in it."""
        begins = [one.frame - self.begin for one in self.heard]
        found = []
        for one, begin, end in zip(self.heard, begins, [*begins[1:], self.length], strict=True):
            inside = [piece for piece in pieces or self.pieces if piece.begin <= begin and end <= piece.end]
            found += [Segment(begin + p.offset, end + p.offset, one.freq_hz) for p in inside] or [None]
        return found

    def steps(self, pieces=None):
        """Return pairs of neighbouring segments, both of a tone, without a gap between."""
        pairs = [(one, two) for one, two in itertools.pairwise(self.segments(pieces)) if one and two]
        return [(one, two) for one, two in pairs if one.freq_hz and two.freq_hz and one.end == two.begin]

    def gaps(self):
        """Return the time of each gap, monotonic ns."""
        ends = [piece.end for piece in self.pieces if piece.end < self.length]
        return [self._when(end + self.begin) for end in ends]

    def _when(self, frame):
        last = [one for one in self.heard if one.frame <= frame][-1]
        return last.time_ns + round((frame - last.frame) / RATE * 1e9)


@pytest.fixture(scope="module")
def pulse(tmp_path_factory):
    require()
    server = Pulse(tmp_path_factory.mktemp("pulse"))
    with pytest.MonkeyPatch.context() as patch:
        for key, value in server.environment.items():
            patch.setenv(key, value)
        yield server
    server.close()


@pytest.fixture(scope="module")
def recording(pulse):
    with contextlib.closing(pulse.record()) as made:
        yield made


@pytest.fixture
def speaker(recording):
    with contextlib.closing(ProcessSpeaker(SETTINGS)) as made:
        made.start()
        yield made


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
        programme.facts = speaker.facts()
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


@pytest.fixture
def tell(capsys):
    """Print a figure where a person who runs the tests sees it."""

    def print_line(text):
        with capsys.disabled():
            sys.stdout.write(f"\nspeaker: {text}\n")

    return print_line


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
    for gap in minute.gaps():
        assert near(gap, minute.stalls), (gap, minute.stalls, minute.reports)
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
    piece = minute.pieces[0]
    end = min(piece.end, 10 * RATE)
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
    begun = [(sent, segment.begin) for sent, segment in zip(minute.sent_ns, minute.segments(), strict=True) if segment]
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


def await_end(pid, timeout_s=10):
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            assert select.select([handle], [], [], timeout_s)[0], f"process {pid} did not end"
        finally:
            os.close(handle)


def await_sound(recording, keep_alive=lambda: None):
    for _ in range(200):
        keep_alive()
        if recording.is_sounding():
            return
        time.sleep(0.025)
    pytest.fail("nothing is heard")


def await_loss(speaker, timeout_s):
    """Ask as the loop does until the loss is told; return its text and after how long."""
    begin = time.monotonic()
    while time.monotonic() - begin < timeout_s:
        try:
            speaker.reports()
        except OutputError as error:
            return str(error), time.monotonic() - begin
        time.sleep(0.02)
    pytest.fail("the loss was not told")
    return None


def test_it_is_what_the_rig_asks_for(speaker):
    assert isinstance(speaker, Speaker)
    assert isinstance(speaker, Reporter)
    assert isinstance(speaker, Reconnectable)


def test_killed_process_is_silence_and_an_error_and_can_be_reopened(speaker, recording):
    speaker.set_tone(2000.0, 0)
    await_sound(recording, speaker.reports)
    os.kill(speaker.pid, signal.SIGKILL)
    await_end(speaker.pid)
    with pytest.raises(OutputError, match=r"process ended \(exit code -9\)"):
        speaker.set_tone(1000.0, 1)
    with pytest.raises(OutputError, match="process ended"):
        speaker.reports()
    assert recording.await_end_of_sound(2) < 1
    speaker.reconnect()
    assert not recording.is_sounding()
    speaker.set_tone(1000.0, 2)
    await_sound(recording, speaker.reports)
    pid = speaker.pid
    speaker.close()
    speaker.close()
    await_end(pid)
    recording.await_end_of_sound(1)


def test_a_process_that_hangs_is_lost_and_ended(speaker, recording):
    speaker.set_tone(2000.0, 0)
    await_sound(recording, speaker.reports)
    os.kill(speaker.pid, signal.SIGSTOP)
    text, after_s = await_loss(speaker, 5)
    assert "asked for nothing" in text
    assert after_s < 2
    await_end(speaker.pid)
    recording.await_end_of_sound(2)


CONTROLLER = """
import sys, time
from hardware.settings import SoundSettings
from hardware.speaker import ProcessSpeaker
if __name__ == "__main__":
    speaker = ProcessSpeaker(SoundSettings())
    speaker.start()
    speaker.set_tone(3000.0, 0)
    print(speaker.pid, flush=True)
    while True:
        time.sleep(0.02)
        speaker.reports()
        if "--relax" in sys.argv: break
    if "--raise" in sys.argv: raise RuntimeError("nobody closed")
"""


@contextlib.contextmanager
def controller(tmp_path, *options):
    """Run a controller that sounds; yields it and the id of its speaker process."""
    script = tmp_path / "controller.py"
    script.write_text(CONTROLLER)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, str(script), *options], env=env, stdout=subprocess.PIPE, text=True) as made:
        try:
            yield made, int(made.stdout.readline())
        finally:
            made.kill()


def test_killed_controller_is_silence_and_the_process_ends(tmp_path, recording):
    with controller(tmp_path) as (process, speaker_pid):
        await_sound(recording)
        process.kill()
        process.wait(10)
        await_end(speaker_pid, 3)
        assert recording.await_end_of_sound(2) < 1


def test_controller_that_hangs_is_silence_and_one_that_comes_back_is_told(tmp_path, recording):
    with controller(tmp_path) as (process, speaker_pid):
        await_sound(recording)
        process.send_signal(signal.SIGSTOP)
        assert 0.5 < recording.await_end_of_sound(4) < 2.5
        process.send_signal(signal.SIGCONT)
        time.sleep(0.3)
        assert not recording.is_sounding(), "a tone comes back when it is asked for, not by itself"
        process.kill()
        await_end(speaker_pid, 3)


def test_controller_that_forgets_to_close_ends_all_the_same(tmp_path, recording):
    with controller(tmp_path, "--relax") as (process, speaker_pid):
        assert process.wait(15) == 0
        await_end(speaker_pid, 3)
    recording.await_end_of_sound(2)


def test_server_killed_in_mid_session_and_back_again(tmp_path, monkeypatch):
    require()
    server = Pulse(tmp_path / "own")
    for key, value in server.environment.items():
        monkeypatch.setenv(key, value)
    with contextlib.ExitStack() as stack:
        stack.callback(server.close)
        first = Recording({**os.environ})
        stack.callback(first.close)
        speaker = ProcessSpeaker(SETTINGS)
        stack.callback(speaker.close)
        speaker.start()
        speaker.set_tone(1000.0, 0)
        await_sound(first, speaker.reports)
        server.kill()
        text, after_s = await_loss(speaker, 5)
        assert after_s < 2
        assert "lost" in text or "asked for nothing" in text
        with pytest.raises(OutputError):
            speaker.reconnect()
        server.start()
        second = Recording({**os.environ})
        stack.callback(second.close)
        speaker.reconnect()
        assert not second.samples().any(), "opened anew it is silent"
        speaker.set_tone(1000.0, 1)
        await_sound(second, speaker.reports)


def test_an_output_that_is_not_there_is_one_line_with_those_that_are(recording):
    speaker = ProcessSpeaker(replace(SETTINGS, sound_device="No Such Card"))
    with pytest.raises(OutputError, match=r"sound_device = No Such Card: .*'rigpulse', 'default'") as error:
        speaker.start()
    assert "\n" not in str(error.value)
    speaker.close()


def test_part_of_a_name_chooses(recording):
    with contextlib.closing(ProcessSpeaker(replace(SETTINGS, sound_device="RIGP"))) as speaker:
        speaker.start()
        assert speaker.facts()["device"] == "rigpulse"


def test_a_card_that_runs_at_another_rate_is_refused(tmp_path, monkeypatch):
    """ALSA's null device takes 48000 samples/s at its word and swallows them as fast as they come."""
    require()
    (tmp_path / "alsa.conf").write_text("pcm.default { type null }\npcm.swallow { type null }\n")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "alsa.conf"))
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    speaker = ProcessSpeaker(SETTINGS)
    with pytest.raises(OutputError, match=r"opened at 48000 samples/s and runs at \d+"):
        speaker.start()
    speaker.close()


def test_no_card_at_all(tmp_path, monkeypatch, capfd):
    require()
    (tmp_path / "alsa.conf").write_text("pcm.default { type hw card 7 }\n")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "alsa.conf"))
    speaker = ProcessSpeaker(SETTINGS)
    with pytest.raises(OutputError, match="no sound output"):
        speaker.start()
    speaker.close()
    assert list_devices() == ()
    assert capfd.readouterr().err == "", "what ALSA prints stays off the screen"


def test_outputs_are_listed_for_the_doctor(recording, capfd):
    found = list_devices()
    assert [one.name for one in found] == ["rigpulse", "default"]
    assert [one.is_default for one in found] == [False, True]
    assert capfd.readouterr().err == ""
