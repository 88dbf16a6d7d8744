"""A speaker that is opened again: in steps, only with the card it had; what cannot be ended is told."""

import os

import pytest

from core.errors import OutputError, StillOpening
from core.ports import Interrupted
from hardware.settings import SoundSettings
from hardware.speaker import ProcessSpeaker, another_card
from hardware.speaker_memory import SpeakerMemory, make_speaker_memory
from tests.support.reopening import reopen

USB = {"device": "USB Audio: - (hw:1,0)", "rate_hz": 48_000}
MOVED = {"device": "USB Audio: - (hw:2,0)", "rate_hz": 48_000}
SLOWER = {"device": "USB Audio: - (hw:1,0)", "rate_hz": 44_100}
HDMI = {"device": "vc4-hdmi: MAI PCM (hw:0,0)", "rate_hz": 48_000}


class Cards:
    """Makes links, each of which opens the next of these cards: facts, an error, or ``hangs``."""

    def __init__(self, *cards, stuck=""):
        self.cards, self.stuck, self.open = list(cards), stuck, 0
        self.links = []

    def __call__(self, spec):
        self.links.append(ScriptedLink(self))
        return self.links[-1]


class ScriptedLink:
    pid = 7

    def __init__(self, cards):
        self._cards, self._memory, self.why = cards, None, ""

    def opening(self):
        yield
        card = self._cards.cards.pop(0)
        while card == "hangs":
            yield
        if isinstance(card, Exception):
            raise card
        self._cards.open += 1
        handle = make_speaker_memory()
        self._memory = SpeakerMemory(handle)
        os.close(handle)
        return self._memory, card

    def lost(self):
        return self.why

    def kill(self):
        pass

    def ending(self):
        yield
        if self._memory is None:
            return ""
        self._cards.open -= 1
        self._memory.close()
        self._memory = None
        return self._cards.stuck


def lost_speaker(cards):
    """Return a speaker that had the first card, and lost it."""
    speaker = ProcessSpeaker(SoundSettings(), make_link=cards, now_ns=lambda: 0)
    speaker.start()
    cards.links[0].why = "speaker: it was unplugged"
    with pytest.raises(OutputError, match="unplugged"):
        speaker.reports()
    return speaker


@pytest.mark.parametrize("back", [USB, MOVED, SLOWER], ids=["the same", "another number", "another rate"])
def test_the_same_card_is_taken_up_again_and_its_facts_are_those_of_now(back):
    cards = Cards(USB, back)
    speaker = lost_speaker(cards)
    reopen(speaker)
    assert speaker.facts == back
    speaker.set_tone(1000.0, 1)
    speaker.close()
    assert cards.open == 0


def test_another_card_is_refused_by_name_and_the_one_that_was_lost_taken_when_it_is_back():
    cards = Cards(USB, HDMI, USB)
    speaker = lost_speaker(cards)
    with pytest.raises(OutputError, match=r"now 'vc4-hdmi: MAI PCM \(hw:0,0\)', it was 'USB Audio: - \(hw:1,0\)'"):
        reopen(speaker)
    assert cards.open == 0, "it is let go"
    assert speaker.facts == USB
    with pytest.raises(OutputError, match="now 'vc4"):
        speaker.set_tone(1000.0, 1)
    reopen(speaker)
    assert speaker.facts == USB
    speaker.close()


def test_no_card_was_lost_at_the_first_opening():
    assert another_card({}, HDMI) == ""


def test_why_it_was_in_vain_is_said_while_the_next_attempt_goes_on():
    speaker = lost_speaker(Cards(USB, OutputError("speaker: there is no card"), "hangs"))
    with pytest.raises(OutputError, match="there is no card") as failed:
        speaker.reconnect()
    assert not isinstance(failed.value, StillOpening)
    with pytest.raises(StillOpening, match="there is no card"):
        speaker.reconnect()
    speaker.close()
    with pytest.raises(OutputError, match="closed before"):
        speaker.reconnect()


def test_a_first_attempt_says_that_it_goes_on():
    speaker = lost_speaker(Cards(USB, "hangs"))
    for _ in range(3):
        with pytest.raises(StillOpening, match="speaker: it is being opened again"):
            speaker.reconnect()
    with pytest.raises(OutputError, match="unplugged"):
        speaker.reports()
    speaker.close()


def test_a_start_that_hangs_is_broken_off_when_its_caller_says_so():
    asked = []
    speaker = ProcessSpeaker(SoundSettings(), make_link=Cards("hangs"))
    with pytest.raises(Interrupted):
        speaker.start(lambda: len(asked) < 5 and not asked.append(1))
    assert len(asked) == 5
    speaker.close()


def test_a_process_that_hangs_in_the_kernel_is_told_once():
    cards = Cards(USB, USB, stuck="speaker: its process 7 hangs")
    speaker = lost_speaker(cards)
    reopen(speaker)
    assert [(told.kind, told.detail) for told in speaker.reports()] == [("sound_stuck", "speaker: its process 7 hangs")]
    assert speaker.reports() == ()
    speaker.close()
    assert [told.kind for told in speaker.left_behind()] == ["sound_stuck"]
    assert speaker.left_behind() == ()
