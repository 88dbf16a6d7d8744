"""A library that this machine lacks: exit code 3 with the cure, nothing made; 2 is for what was asked wrongly."""

import sys

import pytest

from camera import factory, gi_import
from core.errors import RigError
from hardware.boards import load_gpio
from hardware.microphone import Microphone
from hardware.settings import BoardKind
from hardware.smbus import open_smbus
from hardware.speaker_card import import_pyaudio
from session.config_edit import add_mouse
from tests.cli.words import run_words

MODULES = ("picamera2", "stapipy", "gi", "pyaudio", "smbus2")
REAL = ("--camera", "synthetic", "--outputs", "real", "--set", "output_board=memory")
MOUSE = "LACKING"
"""A mouse, and a rig, that no session of this machine has: their locks are the whole machine's."""


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine that has none of these, nor have the processes that are started on it."""
    folder = tmp_path / "shadows"
    folder.mkdir()
    for name in MODULES:
        (folder / f"{name}.py").write_text("raise ImportError('not on this machine')\n")
        for module in [loaded for loaded in sys.modules if loaded.partition(".")[0] == name]:
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(gi_import, "DEBIAN", tmp_path / "nowhere")
    monkeypatch.setattr(factory, "find_spec", lambda name: None)


@pytest.mark.parametrize(
    ("words", "said", "cure"),
    [
        pytest.param(("--camera", "pi"), "picamera2", "apt-get install", id="picamera2"),
        pytest.param(("--camera", "genicam"), "Python's gi", "gir1.2-aravis", id="Aravis"),
        pytest.param(("--camera", "jetson"), "Python's gi", "gir1.2-gst", id="GStreamer"),
        pytest.param(("--camera", "genicam", "--set", "genicam_library=stapi"), "stapipy", "SentechSDK", id="stapipy"),
        pytest.param(("--camera", "simulated"), "Brian2", "make setup", id="Brian2"),
        pytest.param(REAL, "PyAudio", "make rig", id="PyAudio"),
    ],
)
@pytest.mark.usefixtures("bare")
def test_a_session_is_refused_with_3(rigloop, config, tmp_path, words, said, cure):
    add_mouse(config, MOUSE, "DEMO")
    code, out, err = rigloop(*run_words(config, tmp_path, *words, "--mouse", MOUSE, "--set", f"rig={MOUSE}"))
    assert (code, out) == (3, "")
    assert len(err.strip().splitlines()) == 1
    assert said in err
    assert cure in err
    assert not (tmp_path / "data").exists()


@pytest.mark.usefixtures("bare")
def test_so_is_a_preview(rigloop, config, tmp_path):
    picture = tmp_path / "a.png"
    code, out, err = rigloop("preview", "--mouse", "DEMO", "--config", config, "--camera", "pi", "--output", picture)
    assert (code, out) == (3, "")
    assert len(err.strip().splitlines()) == 1
    assert "picamera2" in err
    assert not picture.exists()


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        pytest.param(lambda: open_smbus(1), "smbus2", id="smbus2"),
        pytest.param(import_pyaudio, "PyAudio", id="PyAudio"),
        *[
            pytest.param(lambda kind=kind: load_gpio(kind, has=lambda name: False), "not installed", id=kind.value)
            for kind in (BoardKind.rpi_gpio, BoardKind.rpi_lgpio, BoardKind.jetson_gpio)
        ],
        pytest.param(lambda: Microphone("").start(), "PyAudio", id="microphone"),
    ],
)
@pytest.mark.usefixtures("bare")
def test_what_a_part_of_the_rig_needs_is_refused_with_3(needs, said):
    with pytest.raises(RigError, match=said) as refused:
        needs()
    assert refused.value.exit_code == 3
    assert "make rig" in str(refused.value)


@pytest.mark.parametrize(
    "words",
    [
        ("--set", "vid_source=film"),
        ("--camera", "usb", "--set", "camera_id=first"),
        ("--camera", "replay", "--source", "nowhere"),
        ("--set", "lick_sensor=mpr121", "--set", "lick_i2c_address=5"),
    ],
    ids=" ".join,
)
def test_what_was_asked_wrongly_is_refused_with_2(rigloop, config, tmp_path, words):
    code, out, err = rigloop(*run_words(config, tmp_path, *words))
    assert (code, out) == (2, ""), err
    assert not (tmp_path / "data").exists()
