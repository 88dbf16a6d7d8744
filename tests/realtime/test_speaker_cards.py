"""Which sound card is taken, which is refused, and what is said of those that there are."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from core.errors import OutputError
from core.ports import Described, LeavesBehind, Reconnectable, Reporter, Speaker
from hardware.speaker import ProcessSpeaker
from hardware.speaker_list import list_devices
from tests.support.programme import SETTINGS
from tests.support.pulse import require


def test_it_is_what_the_rig_asks_for(speaker):
    assert isinstance(speaker, Speaker)
    assert isinstance(speaker, Reporter)
    assert isinstance(speaker, Reconnectable)
    assert isinstance(speaker, Described)
    assert isinstance(speaker, LeavesBehind)


def test_an_output_that_is_not_there_is_one_line_with_those_that_are(recording):
    speaker = ProcessSpeaker(replace(SETTINGS, sound_device="No Such Card"))
    with pytest.raises(OutputError, match=r"sound_device = No Such Card: .*'rigpulse', 'default'") as error:
        speaker.start()
    assert "\n" not in str(error.value)
    speaker.close()


def test_part_of_a_name_chooses(recording):
    with contextlib.closing(ProcessSpeaker(replace(SETTINGS, sound_device="RIGP"))) as speaker:
        speaker.start()
        assert speaker.facts["device"] == "rigpulse"


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
