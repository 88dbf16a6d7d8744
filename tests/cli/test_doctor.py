"""``rigloop doctor``: what it finds, its exit codes, toggled outputs, and a latency test that runs whole."""

import io
import json
import re
import signal

import pytest

from core.errors import OutputError
from core.values import Line
from recording import lock_file
from session import machine
from session.locks import rig_locks
from tests.cli.conftest import QuickGuard
from tests.support.outputs import VirtualGuard

# PyGObject's importer is of an old kind.
pytestmark = pytest.mark.filterwarnings("ignore::ImportWarning")


@pytest.fixture(autouse=True)
def own_locks(monkeypatch, tmp_path):
    folder = tmp_path / "locks"
    folder.mkdir()
    folder.chmod(0o1777)
    monkeypatch.setattr(lock_file, "SHARED_FOLDERS", (folder,))


@pytest.fixture
def no_sound(monkeypatch):
    """Looking for cards takes a second, and is the speaker's to test."""

    def sound():
        raise OutputError("speaker: PyAudio is not installed; run make rig")

    monkeypatch.setattr(machine, "_sound", sound)


@pytest.mark.usefixtures("no_sound")
def test_a_mouse_of_this_computer_lacks_nothing(rigloop, config):
    code, out, err = rigloop("doctor", "--mouse", "DEMO", "--config", config)
    assert (code, err) == (0, "")
    assert "of what mouse DEMO needs, nothing missing" in out
    assert "synthetic: its library is installed" in out


@pytest.mark.usefixtures("no_sound")
def test_a_rig_that_is_not_here_is_missing(rigloop, config):
    words = ("--mouse", "DEMO", "--set", "vid_source=pi", "--json", "--config", config)
    code, out, err = rigloop("doctor", *words)
    assert code == 3
    told = json.loads(out)
    assert told["exit_code"] == 3
    lacking = {each["what"] for each in told["findings"] if each["state"] == "missing" and each["needed"]}
    assert {"camera", "sound", "output lines"} <= lacking
    for each in told["findings"]:
        assert each["cure"] or each["state"] != "missing", each
    assert "MISSING" in err


@pytest.mark.usefixtures("no_sound")
def test_without_a_mouse_nothing_is_needed(rigloop, config):
    assert rigloop("doctor", "--config", config)[0] == 0
    code, _, err = rigloop("doctor", "--camera", "pi", "--config", config)
    assert code == 2
    assert "give --mouse ID" in err


def test_a_latency_test_on_made_up_parts(rigloop, config, tmp_path):
    folder = tmp_path / "out"
    words = ("--latency", "--bench", "virtual", "--frames", "300", "--output", folder, "--seed", "3", "--json")
    code, out, err = rigloop("doctor", *words, "--config", config)
    assert code == 0, err
    told = json.loads(out)
    assert (told["frames"], told["missed"], told["bench"]) == (300, 0, "virtual")
    stored = json.loads((folder / "latency.json").read_text())
    assert {key: value for key, value in stored.items() if key != "times_ns"} == told
    assert (folder / "latency.png").read_bytes()[:4] == b"\x89PNG"
    assert "light to sound" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--latency", "--bench", "virtual", "--line", "light", "--answer", "light"), "give two lines"),
        (("--latency", "--bench", "virtual", "--line", "lamp"), "--line lamp: there are fail_led, success_led"),
        (("--latency", "--bench", "virtual", "--frames", "10"), "give 50 or more"),
        (("--latency",), "the camera synthetic sees no light"),
        (("--latency", "--toggle"), "one of the two"),
        (("--latency", "--bench", "virtual", "--rig", "nowhere"), "no mouse of"),
    ],
)
def test_a_latency_test_that_cannot_be(rigloop, config, words, said):
    code, _, err = rigloop("doctor", *words, "--config", config)
    assert code == 2
    assert said in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(("typed", "drops"), [("yes\n", 1), ("no\n", 0), ("", 0)])
def test_the_valve_is_toggled_only_when_somebody_agrees(rigloop, config, guards, monkeypatch, typed, drops):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    monkeypatch.setattr("session.toggle.SHOW_S", 0.02)
    code, out, err = rigloop("doctor", "--toggle", "--set", "pin_sync=5", "--config", config)
    assert code == 0, err
    [guard] = guards
    assert guard.closed
    assert [line for _, line, _ in guard.levels] == [Line.FAIL_LED, Line.LIGHT, Line.BEHAVIOUR_TTL]
    assert "success_led    not connected" in out
    assert re.search(r"light +pin 21: was high for 0\.02", out)
    assert re.search(r"sync +pin 5: was high for 0\.", out)
    assert f"valve          {'pin 27: was high for 0.050 s' if drops else 'not connected, or left alone'}" in out
    assert len(guard.pulses) == drops
    log = config.parent / "calibration" / "rig1" / "water.csv"
    assert log.exists() == bool(drops), "told or not, a drop that began is written down"


@pytest.mark.parametrize("dead", ["light", "sync"])
def test_a_line_that_tells_no_edge_is_a_failure_with_a_cure(rigloop, config, guards, monkeypatch, dead):
    monkeypatch.setattr("session.toggle.SHOW_S", 0.02)
    monkeypatch.setattr("session.toggle.GRACE_S", 0.05)
    monkeypatch.setattr(QuickGuard, "start", lambda self, go_on: (VirtualGuard.start(self), self.dead.add(dead)))
    words = ("--set", "pin_sync=5", "--set", "sync_interval_s=0.05,0.1", "--set", "pin_valve=0")
    code, out, err = rigloop("doctor", "--toggle", "--yes", *words, "--config", config)
    assert code == 3
    assert err == f"rigloop doctor: no edge of {dead} was told; see above\n"
    [line] = [line for line in out.splitlines() if "NO EDGE" in line]
    assert line.startswith(dead)
    assert "see that nothing else drives that pin" in line
    assert "behaviour_ttl  pin 17: was high" in out, "the others are toggled all the same"


def test_a_rig_in_a_session_is_not_toggled(rigloop, config, guards):
    with rig_locks("rig1", "other")[0]:
        code, _, err = rigloop("doctor", "--toggle", "--yes", "--config", config)
    assert code == 2
    assert "still running" in err
    assert guards == []


@pytest.mark.parametrize(("name", "asked", "show_s"), [("fail_led", "levels", 5.0), ("valve", "pulses", 0.02)])
def test_ctrl_c_tells_no_fault_of_the_line_that_it_cut_short(rigloop, config, guards, monkeypatch, name, asked, show_s):
    monkeypatch.setattr("session.toggle.SHOW_S", show_s)
    monkeypatch.setattr("session.toggle.DROP_S", 0.5)

    def alive(guard):
        if getattr(guard, asked):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(QuickGuard, "alive", alive)
    code, out, err = rigloop("doctor", "--toggle", "--yes", "--config", config)
    assert (code, err) == (130, "")
    assert "NO EDGE" not in out
    assert f"\n{name} " not in f"\n{out}"
    assert guards[0].closed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--rig", "nope"), "--rig: does nothing without --toggle or --latency"),
        (("--frames", "10"), "--frames: does nothing without --latency"),
        (("--toggle", "--frames", "900"), "--frames: does nothing without --latency"),
        (("--output", "x"), "--output: does nothing without --latency"),
        (("--seed", "0"), "--seed: does nothing without --latency"),
        (("--yes",), "--yes: does nothing without --toggle"),
        (("--toggle", "--json"), "--json: --toggle has no such output"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(rigloop, config, guards, words, said):
    code, out, err = rigloop("doctor", *words, "--config", config)
    assert (code, out) == (2, "")
    assert said in err
    assert guards == []


@pytest.mark.parametrize("made", [False, True])
def test_results_that_cannot_be_kept_are_told_before_the_measurement(rigloop, config, monkeypatch, tmp_path, made):
    def refuse(*args, **kinds):
        raise PermissionError(13, "Permission denied")

    def measure(*args):
        raise AssertionError("it measured")

    folder = tmp_path / "out"
    if made:
        folder.mkdir()
    monkeypatch.setattr(f"cli.doctor.Path.{'touch' if made else 'mkdir'}", refuse)
    monkeypatch.setattr("session.latency_test.measure", measure)
    code, _, err = rigloop("doctor", "--latency", "--bench", "virtual", "--output", folder, "--config", config)
    assert code == 3
    assert err == f"rigloop doctor: {folder}: cannot be written (Permission denied); give another place with --output\n"
