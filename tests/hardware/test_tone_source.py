"""What the card's callback does with the shared memory, on a clock of the test's."""

import os

import numpy as np
import pytest

from hardware.oscillator import Oscillator
from hardware.speaker_memory import CALLBACK_NS, FRAMES, HEARTBEAT_NS, SpeakerMemory, make_speaker_memory
from hardware.tone_source import ABORT, GO_ON, LIFE_NS, OVERFLOW, UNDERFLOW, ToneSource

RATE, BLOCK = 48_000, 480
BLOCK_NS = 10_000_000
GAP_NS = 60_000_000


class Card:
    """Asks for blocks, ten milliseconds each."""

    def __init__(self, memory, measuring=False):
        self.memory = memory
        self.now = 5_000_000_000
        self.source = ToneSource(memory, Oscillator(RATE, 0.5, 0.005), GAP_NS, lambda: self.now)
        self.ask()
        if not measuring:
            self.source.stamps = None

    def ask(self, blocks=1, flags=0, alive=True):
        parts = []
        for _ in range(blocks):
            self.now += BLOCK_NS
            if alive:
                self.memory.words[HEARTBEAT_NS] = self.now
            data, verdict = self.source(None, BLOCK, None, flags)
            assert verdict == GO_ON
            parts.append(np.frombuffer(data, "<i2"))
        return np.concatenate(parts)


@pytest.fixture
def memory():
    handle = make_speaker_memory()
    made = SpeakerMemory(handle)
    os.close(handle)
    yield made
    made.close()
    made.close()


@pytest.fixture
def card(memory):
    return Card(memory)


def test_silence_until_told_then_the_tone_then_silence(card, memory):
    assert not card.ask(20).any()
    memory.command(1, 1000.0)
    assert np.abs(card.ask(10)).max() == pytest.approx(0.5 * 32767, abs=2)
    memory.command(2, 0.0)
    card.ask()
    assert not card.ask(20).any()


def test_it_tells_what_is_heard_from_which_frame_on(card, memory):
    assert memory.heard().number == 0
    before = memory.words[FRAMES]
    memory.command(7, 1189.207)
    card.ask(3)
    heard = memory.heard()
    assert heard.number == 7
    assert heard.freq_hz == pytest.approx(1189.207, rel=1e-7)
    assert heard.frame == before
    assert heard.time_ns == card.now - 2 * BLOCK_NS
    assert memory.words[FRAMES] == before + 3 * BLOCK
    assert memory.words[CALLBACK_NS] == card.now


def test_a_controller_that_hangs_is_silence_until_it_asks_anew(card, memory):
    memory.command(1, 1000.0)
    assert card.ask(int(LIFE_NS / BLOCK_NS)).any()
    card.ask(int(LIFE_NS / BLOCK_NS) + 2, alive=False)
    assert not card.ask(5, alive=False).any()
    assert memory.counted("hushed")[0] == 1
    assert not card.ask(5).any(), "alive again, but it has not asked for a tone"
    memory.command(2, 1000.0)
    assert card.ask(2).any()


def test_a_controller_that_hangs_in_silence_is_none_of_its_business(card, memory):
    card.ask(300, alive=False)
    assert memory.counted("hushed") == (0, 0)


def test_the_end_is_silence_whatever_the_memory_says(card, memory):
    memory.command(1, 1000.0)
    card.ask(2)
    card.source.ending = True
    card.ask(2)
    memory.command(2, 2000.0)
    assert not card.ask(3).any()
    assert card.source.silent_frames >= 3 * BLOCK


def test_troubles_are_counted_with_their_time(card, memory):
    card.ask(3, flags=UNDERFLOW)
    card.ask(1, flags=OVERFLOW | UNDERFLOW)
    assert memory.counted("underflow") == (4, card.now)
    assert memory.counted("overflow") == (1, card.now)
    assert memory.counted("sound_gap") == (0, 0)
    card.now += GAP_NS
    card.ask()
    assert memory.counted("sound_gap") == (1, card.now)


def test_while_the_rate_is_measured_an_underflow_begins_anew(memory):
    card = Card(memory, measuring=True)
    card.ask(10)
    assert [frames for _, frames in card.source.stamps] == [n * BLOCK for n in range(11)]
    card.ask(1, flags=UNDERFLOW)
    assert card.source.stamps == [(card.now, 11 * BLOCK)]
    assert memory.counted("underflow") == (0, 0)


def test_a_failure_is_kept_and_ends_the_stream_in_silence(card, memory):
    memory.command(1, 30_000.0)
    data, verdict = card.source(None, BLOCK, None, 0)
    assert (data, verdict) == (bytes(2 * BLOCK), ABORT)
    assert isinstance(card.source.error, ValueError)
