"""Real sessions as NWB files, by the command: every kind passes the archive's checks, and memory does not grow."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from core.clock import VirtualClock
from recording import csvrows, schema
from recording.folder import read_session_json, write_session_json
from recording.reader import open_session
from session.runner import run_session
from session.settings import load_settings
from session.stop import StopRequest
from session.watch import SessionWatch
from tests.support.nwb_files import check, grave, inspect
from tests.support.sessions import OFFLINE, run, settings_for

ROOT = Path(__file__).resolve().parents[2]
KEYS = """
species = Mus musculus
sex = M
date_of_birth = 2023-06-01
experimenter = Doe, Jane
lab = Laboratory
institution = Institute
indicator = GCaMP6s
excitation_nm = 470
emission_nm = 525
reflectance_nm = 447
"""
TWO_CAMERAS = """\
[clmf_first]
resolution = 320, 160
framerate = 30
ppmm = 8
pose_backend = markers
markers = fl_l green, fl_r red
session_type = behavior_recording
spont_sess_duration = 0.1
free_reward_interval_s = 2
reward_dur = 0.1
second_camera = clnf_second
[clnf_second]
roi = M1_L
roi.M1_L = 20,20,8,8
resolution = 64, 48
framerate = 15
[mouse:M1]
experiment = clmf_first
[seeds]
M1 = 0.6, 1.8
"""
MICE = {
    "one ROI": ("DEMO", {}),
    "two ROIs": ("DEMO2", {}),
    "simulated": ("SIM1", {"codegen": "numpy", "total_trials": "2"}),
}
MOVEMENT = {"total_trials": "2", "max_trial_dur": "10", "initial_rest_dur": "2", "success_rest_dur": "1",
            "fail_rest_dur": "1", "speed_threshold": "40"}  # fmt: skip


def export(*words):
    command = [sys.executable, "-m", "cli.main", "export", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


def config_with_keys(path, mouse, text=None):
    """Write a config.ini whose mouse has all that an archive wants, as somebody may add it after the session."""
    text = (ROOT / "config.ini").read_text(encoding="utf-8") if text is None else text
    head, title, rest = text.partition(f"[mouse:{mouse}]")
    line, end, rest = rest.partition("\n")
    path.write_text(head + title + line + end + KEYS.lstrip() + rest, encoding="utf-8")
    return path


def passes(session, mouse, tmp_path, *words, images=True):
    config = config_with_keys(tmp_path / "with_keys.ini", mouse)
    done = export(session, "--nwb", tmp_path / "out", "--config", config, *words)
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.rpartition(" to ")[2].strip())
    check(session, path, images=images)
    assert grave(inspect(path)) == []
    return path


@pytest.mark.parametrize("kind", MICE)
def test_neurofeedback(tmp_path, kind):
    mouse, keys = MICE[kind]
    result = run(settings_for(tmp_path, mouse, **keys))
    assert result.error == ""
    path = passes(result.session, mouse, tmp_path)
    assert path.name.endswith("_ophys.nwb")
    linked = export(result.session, "--nwb", tmp_path / "linked.nwb", "--images", "link", "--allow-incomplete")
    assert linked.returncode == 0, linked.stderr
    check(result.session, tmp_path / "linked.nwb")


def test_movement(tmp_path):
    settings = load_settings(ROOT / "config.ini", "PAW", overrides={**MOVEMENT, "--data-root": str(tmp_path / "data")})
    result = run_session(settings, OFFLINE, VirtualClock(), StopRequest(), SessionWatch())
    assert result.rewards > 0
    assert passes(result.session, "PAW", tmp_path).name.endswith("_behavior+image.nwb")


def test_two_cameras_without_trials(tmp_path):
    config = tmp_path / "config.ini"
    config.write_text(TWO_CAMERAS)
    result = run(load_settings(config, "M1", overrides={"--data-root": str(tmp_path / "data")}))
    config_with_keys(config, "M1", TWO_CAMERAS)
    done = export(result.session, "--nwb", tmp_path / "x.nwb", "--config", config)
    assert done.returncode == 0, done.stderr
    check(result.session, tmp_path / "x.nwb")
    assert grave(inspect(tmp_path / "x.nwb")) == []
    with open_session(result.session / "camera2") as second:
        images = second.images()[:]
    linked = export(result.session, "--nwb", tmp_path / "y.nwb", "--config", config, "--images", "link")
    assert linked.returncode == 0, linked.stderr
    with h5py.File(tmp_path / "y.nwb") as file:
        assert np.array_equal(file["acquisition/SecondCamera/data"][:], images)
    with h5py.File(tmp_path / "x.nwb") as file:
        assert np.array_equal(file["acquisition/SecondCamera/data"][:], images)
        assert np.array_equal(file["acquisition/second_camera_frames/time_ns"][:], second.frames.time_ns)
        assert "intervals" not in file
        assert len(file["events/rewards/id"]) == result.water


def test_missing_data_are_told(tmp_path):
    result = run(settings_for(tmp_path, "DEMO", total_trials="1"))
    done = export(result.session, "--nwb", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.startswith("rigloop export: mouse DEMO: species, sex, date_of_birth, indicator, excitation_nm,")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    done = export(result.session, "--nwb", tmp_path / "x.nwb", "--allow-incomplete", "--images", "none")
    assert done.returncode == 0, done.stderr
    # Archives refuse it for just that.
    checks = {each[1] for each in grave(inspect(tmp_path / "x.nwb"))}
    assert checks == {"check_subject_age", "check_subject_sex", "check_subject_species_exists"}


def test_a_killed_session(tmp_path):
    """As the kill leaves it: no end, a torn last line, an image file that its writer never closed."""
    result = run(settings_for(tmp_path, "DEMO"))
    folder = result.session
    meta = read_session_json(folder)
    write_session_json(
        folder, {key: meta[key] for key in meta if key not in ("counts", "error")} | {"outcome": "running"}
    )
    for name in ("frames.csv", "timing.csv", "events.csv"):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: len(data) * 2 // 3])
    unclose(folder / "image_stream.hdf5")
    passes(folder, "DEMO", tmp_path)
    done = export(folder, "--nwb", tmp_path / "x.nwb", "--images", "link", "--allow-incomplete")
    assert done.returncode == 2
    assert "never closed" in done.stderr
    assert not (tmp_path / "x.nwb").exists()


def unclose(path):
    """Mark an HDF5 file as being written by SWMR, as a killed writer leaves it."""
    code = f"import h5py, os; f = h5py.File({str(path)!r}, 'r+', libver='latest', locking=False); "
    subprocess.run([sys.executable, "-c", code + "f.swmr_mode = True; f.flush(); os._exit(0)"], check=True)


@pytest.fixture(scope="module")
def long_session(tmp_path_factory):
    """Sessions of some length, of images of noise."""

    def make(frames):
        home = tmp_path_factory.mktemp("long") / "M1" / "20260301120000" / "S1"
        home.mkdir(parents=True)
        meta = {"schema": 2, "mouse": "M1", "kind": "clnf", "started_wall_ns": 1_772_362_800_000_000_000}
        write_session_json(home, {**meta, "settings": {"roi.A": "1,1,4,4"}, "outcome": "complete"})
        row = schema.FrameRow(1, 0, 0, 0, 0, 0.1, (0.1,), True, "", 0.05, 1000.0, "rest", 0, 0, 0, 0, 0)
        with (home / "frames.csv").open("w") as file:
            file.write(csvrows.header_line(schema.frame_columns(("A",))))
            for n in range(frames):
                file.write(csvrows.frame_line(row._replace(frame=n + 1, time_ns=n * 66_666_667 + n % 2, image=n), 1))
        block = np.random.default_rng(1).integers(100, 140, (100, 256, 256, 3), dtype=np.uint8)
        with h5py.File(home / "image_stream.hdf5", "w") as file:
            images = file.create_dataset("raw_images", (frames, 256, 256, 3), "u1", chunks=(1, 256, 256, 3))
            for at in range(0, frames, 100):
                images[at : at + 100] = block
        return home

    return make


def test_memory_does_not_grow_with_the_images(long_session, tmp_path):
    peaks = []
    for frames in (300, 1500):
        code = (
            "import resource, sys; from cli.main import main; code = main(sys.argv[1:]); "
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss); sys.exit(code)"
        )
        words = ("export", long_session(frames), "--nwb", tmp_path / f"{frames}.nwb", "--allow-incomplete")
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=True
        )
        peaks.append(int(done.stdout.split()[-1]) / 1024)
    # The images alone are 236 MB more.
    assert peaks[1] - peaks[0] < 60, peaks


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_nothing(long_session, tmp_path, number):
    words = ("export", long_session(1500), "--nwb", tmp_path / "out", "--allow-incomplete")
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", *map(str, words)], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    end = time.monotonic() + 120
    # A tenth of its images are in it.
    while sum(path.stat().st_size for path in tmp_path.rglob(".*.tmp.nwb")) < 20_000_000:
        assert process.poll() is None
        assert time.monotonic() < end, "nothing was begun"
        time.sleep(0.02)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "interrupted" in said
    assert list(tmp_path.iterdir()) == []
