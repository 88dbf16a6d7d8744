"""The commands of a rig over real processes: water that stops, and the latency of the whole way, heard for real."""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from camera.factory import CameraFactory
from core.errors import BusyError
from core.values import Line, Report
from hardware.board import OutputLine
from hardware.memory_board import TRACE_VARIABLE, MemoryTrace
from session import latency_rig
from session.latency_bench import LedCamera
from session.latency_parts import EdgeLog
from session.latency_rig import LatencyChoice, latency_bench
from session.latency_test import measure
from session.locks import rig_locks
from session.settings import load_settings
from tests.support.processes import children_of
from tests.support.pulse import Pulse, pause, require
from tests.support.stalls import awake_ms

ROOT = Path(__file__).resolve().parents[2]
MEMORY = ("--set", "output_board=memory")
RIG = f"commands{os.getpid()}"
"""Its own: a rig's lock is the machine's, on which others may run the same test."""


@pytest.fixture
def config(tmp_path):
    """A config.ini of its own, so that its rig's calibration folder is here."""
    path = tmp_path / "config.ini"
    path.write_text((ROOT / "config.ini").read_text())
    return path


@pytest.fixture
def lines(tmp_path):
    """The lines' memory, which outlives the guardian."""
    trace = MemoryTrace.create(tmp_path / "lines")
    yield trace
    trace.close()


def command(config, *words):
    return [sys.executable, "-m", "cli.main", *words, "--config", str(config), "--set", f"rig={RIG}"]


def start(config, tmp_path, *words, **environment):
    known = {**os.environ, TRACE_VARIABLE: str(tmp_path / "lines"), **environment}
    if not (tmp_path / "lines").exists():
        known.pop(TRACE_VARIABLE)
    return subprocess.Popen(
        command(config, *words), cwd=ROOT, env=known, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def until(condition, seconds=90.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        pause(0.005)
    pytest.fail(f"not within {seconds} s")


def open_s(lines):
    """Return how long the valve was open, s."""
    return sum(edge.time_ns * (-1 if edge.high else 1) for edge in lines.edges(OutputLine.VALVE)) / 1e9


def logged_s(config):
    """Return the water in the rig's own log, s."""
    rows = (config.parent / "calibration" / RIG / "water.csv").read_text().splitlines()[1:]
    return sum(float(row.split(",")[2]) for row in rows)


def guardian_of(process):
    """Return the process id of a command's guardian."""
    children = children_of(process.pid)
    [guardian] = [child for child, words in children.items() if "hardware.guardian" in words.split("\0")]
    return guardian


def test_a_flush_whose_guardian_is_killed_is_written_down(config, tmp_path, lines):
    flush = start(config, tmp_path, "flush", "--seconds", "60", *MEMORY)
    try:
        until(lambda: len(lines.edges(OutputLine.VALVE)) >= 3)
        os.kill(guardian_of(flush), signal.SIGKILL)
        _, err = flush.communicate(timeout=60)
    finally:
        flush.kill()
        flush.communicate()
    assert flush.returncode == 3, err
    assert "of 60 openings" in err
    assert not lines.is_high(OutputLine.VALVE)
    assert open_s(lines) - 0.05 <= logged_s(config) <= open_s(lines) + 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)], ids=["Ctrl-C", "kill -9"])
def test_a_flush_that_is_cut_leaves_the_valve_shut(config, tmp_path, lines, stalls, number, code):
    flush = start(config, tmp_path, "flush", "--seconds", "60", *MEMORY)
    try:
        until(lambda: lines.is_high(OutputLine.VALVE))
        pause(0.3)
        flush.send_signal(number)
        asked_ns = time.monotonic_ns()
        until(lambda: not lines.owned)
        assert not lines.is_high(OutputLine.VALVE)
        last = lines.edges(OutputLine.VALVE)[-1]
        assert not last.high
        took_ms = awake_ms((asked_ns, (last.time_ns - asked_ns) / 1e6), stalls.seen())
        assert took_ms < 500, "a person who pressed Ctrl-C is watching"
        out, err = flush.communicate(timeout=60)
        assert flush.returncode == code, err
        if number == signal.SIGINT:
            assert "then stopped" in out
        assert open_s(lines) - 0.05 <= logged_s(config) <= open_s(lines) + 1
    finally:
        flush.kill()
        flush.communicate()


def test_water_is_written_down_as_it_came_out(config, tmp_path, lines):
    words = ("water", "--mouse", "DEMO", "--seconds", "0.05", "--drops", "3", "--set", f"data_root={tmp_path}/data")
    water = start(config, tmp_path, *words, *MEMORY)
    out, err = water.communicate(timeout=60)
    assert water.returncode == 0, err
    assert "3 openings" in out
    edges = lines.edges(OutputLine.VALVE)
    assert len(edges) == 6
    rows = (tmp_path / "data" / "DEMO" / "water-memory.csv").read_text().splitlines()[1:]
    assert [row.split(",")[1:3] for row in rows] == [["free", "0.050000"]] * 3


def latency(config, tmp_path, *words, **environment):
    """Run a latency test on a real guardian; return its JSON."""
    keys = ("framerate=30", "shutter_speed=15000", "resolution=64,64", "ppmm=6.4", "bregma=34,32")
    sets = [word for key in keys for word in ("--set", key)]
    test = start(
        config, tmp_path, "doctor", "--latency", "--bench", "guardian", "--frames", "240", "--json", *sets, *words,
        **environment,
    )  # fmt: skip
    out, err = test.communicate(timeout=120)
    assert test.returncode == 0, err
    return json.loads(out)


def test_the_latency_of_real_processes(config, tmp_path):
    told = latency(config, tmp_path)
    folder = config.parent / "calibration" / told["rig"]
    stored = json.loads((folder / "latency.json").read_text())
    assert len(stored["times_ns"]) == stored["flashes"] == told["flashes"] >= 10
    assert (folder / "latency.png").read_bytes()[:4] == b"\x89PNG"
    assert told["missed"] <= 1
    stages = told["stages_ms"]
    # Half of an exposure of 15 ms must be lit, and a flash waits for the next frame for 33 ms at most.
    assert 7 <= stages["light_to_capture"]["p50"] <= 45
    assert 0 < stages["read_to_decision"]["p50"] < 10
    assert 0 < stages["decision_to_edge"]["p50"] < 10
    assert stages["light_to_edge"]["p50"] > stages["light_to_capture"]["p50"]


def test_the_latency_of_a_rig_with_a_camera_of_its_own(config, tmp_path, lines, monkeypatch):
    """The rig's own parts: its lock, its pins (in memory), and a camera that sees the light only by looking at it."""
    monkeypatch.setenv(TRACE_VARIABLE, str(tmp_path / "lines"))
    keys = {"vid_source": "usb", "output_board": "memory", "framerate": "60", "shutter_speed": "8000",
            "resolution": "64,64", "ppmm": "6.4", "bregma": "34,32", "pin_brain_ttl": "22", "rig": RIG}  # fmt: skip
    settings = load_settings(config, "DEMO", overrides=keys)

    def lit_ns(start_ns, end_ns):
        log = EdgeLog()
        edges = lines.edges(OutputLine.LIGHT)
        log.take([Report(edge.time_ns, "edge", f"light {int(edge.high)}") for edge in edges])
        return log.high_ns(Line.LIGHT, start_ns, end_ns)

    def own_camera(settings, clock, go_on):
        return LedCamera(lit_ns, (64, 64), 60.0, 0.008, clock, 1)

    monkeypatch.setattr(latency_rig, "_rig_camera", own_camera)
    monkeypatch.setattr(CameraFactory, "missing", lambda self, kind, library: None)
    choice = LatencyChoice("rig", Line.LIGHT, Line.BRAIN_TTL)
    with latency_bench(settings, choice, lambda: True) as bench:
        with pytest.raises(BusyError):
            rig_locks(settings.outputs.rig, "other")[0].__enter__()
        result = measure(bench, 200, 1, lambda: False)
    assert not lines.owned
    assert not lines.is_high(OutputLine.LIGHT)
    assert lines.edges(OutputLine.VALVE) == []
    assert len(result.flashes) >= 8
    assert result.missed <= 1
    answers = [edge.time_ns for edge in lines.edges(OutputLine.BRAIN_TTL) if edge.high]
    told = [flash.edge_ns for flash in result.flashes if flash.edge_ns >= 0]
    assert len(told) >= len(result.flashes) - 1
    # Each is an edge of its own. Told is when the board was called: its own stamp is that or little later, where the
    # machine does not stand still between the two.
    found = [min(answers, key=lambda answer, edge_ns=edge_ns: abs(answer - edge_ns)) for edge_ns in told]
    assert len(set(found)) == len(told)
    assert statistics.median(abs(one - other) for one, other in zip(found, told, strict=True)) < 1_000_000
    assert 0 < result.stages()["decision_to_edge"]["p50"] < 10


def test_the_sound_is_heard_through_a_loopback_and_by_the_card(config, tmp_path):
    require()
    server = Pulse(tmp_path / "pulse")
    # A sink that nobody listens to stands still for seconds.
    listener = server.record()
    try:
        known = {**server.environment, "PULSE_SOURCE": "rig.monitor"}
        heard = {ear: latency(config, tmp_path, "--ear", ear, **known) for ear in ("microphone", "card")}
    finally:
        listener.close()
        server.close()
    for ear, told in heard.items():
        sound = told["stages_ms"]["decision_to_sound"]
        assert sound["n"] >= told["flashes"] - 2, ear
        assert 0 < sound["p50"] < 250, ear
        assert told["stages_ms"]["light_to_sound"]["p50"] > told["stages_ms"]["light_to_capture"]["p50"]


def test_loudness_is_measured_through_a_loopback(config, tmp_path):
    require()
    server = Pulse(tmp_path / "pulse")
    listener = server.record()
    sets = ("--set", "n_tones=3", "--set", "single_freq=1000")
    words = ("calibrate", "speaker", "--microphone", "--seconds", "1.5", *sets)
    try:
        measured = start(config, tmp_path, *words, **server.environment, PULSE_SOURCE="rig.monitor")
        _, err = measured.communicate(timeout=90)
    finally:
        listener.close()
        server.close()
    assert measured.returncode == 0, err
    stored = json.loads((config.parent / "calibration" / RIG / "speaker.json").read_text())
    assert len(stored["freqs_hz"]) == 3
    # A loopback is flat; loudness 0.5 is 6 dB below full scale.
    assert stored["levels_db"] == pytest.approx([-6.02] * 3, abs=1.0)
    assert stored["before_db"] < 1


DRAWS = """
import contextlib
import numba
import scipy.linalg
from camera.gi_import import load_aravis, load_gstreamer
from core.errors import CameraError
for load in (load_gstreamer, load_aravis):
    with contextlib.suppress(CameraError):
        load()
from matplotlib.figure import Figure
Figure().savefig("/dev/null", format="png")
print("drawn")
"""


def test_a_figure_can_be_drawn_after_a_session_with_a_camera_of_gstreamer():
    """matplotlib's font module, loaded after GStreamer and numba, takes the process down with it."""
    done = subprocess.run([sys.executable, "-c", DRAWS], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "drawn\n"), done.stderr[-500:]
