"""Which output is meant, which rate it is opened with, and what is said where there is none."""

import sys

import pytest

from core.errors import OutputError
from hardware.speaker_card import RATES, SoundOutput, choose, import_pyaudio, negotiate


def output(index, name, is_default=False):
    return SoundOutput(index, name, "ALSA", 2, 48_000.0, 0.01, is_default)


OUTPUTS = (output(0, "bcm2835 Headphones: - (hw:0,0)"), output(3, "USB Audio: - (hw:1,0)"), output(5, "USB", True))


@pytest.mark.parametrize(
    ("part", "index"), [("", 5), ("headphones", 0), ("USB Audio", 3), ("usb", 5), ("hw:1,0", 3), ("- (hw", 0)]
)
def test_part_of_a_name(part, index):
    assert choose(OUTPUTS, part).index == index


def test_without_a_default_the_first_is_taken():
    assert choose(OUTPUTS[:2], "").index == 0


def test_none_of_this_name_lists_those_there_are():
    with pytest.raises(OutputError, match=r"sound_device = HiFi: .*'bcm2835 Headphones.*', 'USB Audio.*', 'USB'"):
        choose(OUTPUTS, "HiFi")


def test_none_at_all():
    with pytest.raises(OutputError, match="no sound output; connect a card"):
        choose((), "")


@pytest.mark.parametrize(
    ("wanted", "takes", "rate"),
    [(0, RATES, 48_000), (0, (44_100, 96_000), 44_100), (0, (96_000,), 96_000), (22_050, (22_050, 48_000), 22_050)],
)
def test_rates(wanted, takes, rate):
    assert negotiate(wanted, lambda rate: rate in takes, "card") == rate


@pytest.mark.parametrize(("wanted", "said"), [(0, "none of 48000, 44100, 96000"), (8000, "sample_rate = 8000: 'card'")])
def test_no_rate(wanted, said):
    with pytest.raises(OutputError, match=said):
        negotiate(wanted, lambda rate: False, "card")


def test_without_pyaudio_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyaudio", None)
    with pytest.raises(OutputError, match=r"PyAudio is not installed; .*portaudio19-dev.*\[rig\]"):
        import_pyaudio()


@pytest.mark.parametrize(
    ("highest", "rate"), [(0.0, 48_000), (19_000.0, 48_000), (23_000.0, 48_000), (30_000.0, 96_000)]
)
def test_a_rate_is_above_twice_the_highest_tone(highest, rate):
    assert negotiate(0, lambda _: True, "card", highest) == rate


def test_a_tone_that_no_rate_of_the_card_can_play_is_refused_before_the_session():
    with pytest.raises(OutputError, match="highest tone is 30000 Hz.*lower n_tones"):
        negotiate(0, lambda rate: rate < 96_000, "card", 30_000.0)
    with pytest.raises(OutputError, match="sample_rate = 44100: the highest tone is 30000 Hz"):
        negotiate(44_100, lambda _: True, "card", 30_000.0)
