"""Named mistakes in config.ini and on the command line, and their problem lines."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ConfigError
from session.settings import check_config, load_settings
from tests.session.config_texts import BASE, problems_of

BAD_KEYS = {
    "unknown": ("max_trail_dur = 3", "[mouse:A] max_trail_dur = 3: unknown key max_trail_dur; did you mean max_tria"),
    "of the other kind": ("speed_threshold = 3", "a clnf experiment has no such key (it belongs to clmf)"),
    "not a number": ("max_trial_dur = abc", "max_trial_dur = abc: not a number; give a number above 0, up to 3600 (s)"),
    "zero": ("max_trial_dur = 0", "out of range; give a number above 0, up to 3600 (s)"),
    "too large": ("total_trials = 10001", "out of range; give a whole number from 1 to 10000"),
    "fraction": ("total_trials = 2.5", "not a whole number"),
    "many digits": ("total_trials = " + "9" * 5000, "not a whole number"),
    "NaN": ("framerate = nan", "not a finite number"),
    "infinite": ("reward_threshold = 1e999", "not a finite number"),
    "NaN in a pair": ("bregma = nan, 3", "not a finite number"),
    "no value": ("framerate =", "no value; give a number above 0, up to 1000 (frames/s), or delete the line"),
    "choice": ("vid_source = replya", "not one of pi, genicam, jetson, usb, replay, synthetic, simulated; did you"),
    "switch": ("record_images = perhaps", "not 0 or 1; give 0 or 1"),
    "pair of three": ("resolution = 1, 2, 3", "not two whole numbers; give two whole numbers each from 8 to 16384"),
    "underscore": ("reward_threshold = 1_0", "reward_threshold = 1_0: not a number; give a number above"),
    "underscore, whole": ("total_trials = 1_0", "not a whole number; give a whole number from 1 to 10000"),
    "underscore in a pair": ("resolution = 256, 2_56", "not two whole numbers"),
    "images in a folder": ("raw_image_file = ../x.hdf5", "not a plain file name; give one without folders, ending in"),
    "images in a subfolder": ("raw_image_file = a\\b.h5", "not a plain file name"),
    "images without a name": ("raw_image_file = .hdf5", "not a plain file name"),
    "images over the log": (
        "raw_image_file = frames.csv",
        "a file name of another kind; give one without folders, end",
    ),
    "images over CLoPy's log": (
        "raw_image_file = VideoTimestamp.txt",
        "ending in .hdf5 or .h5, at most 100 characters",
    ),
    "images over the config": ("raw_image_file = config.ini", "a file name of another kind"),
    "images over the figure": ("raw_image_file = session.png", "a file name of another kind"),
    "images over the session": ("raw_image_file = session.json", "a file name of another kind"),
    "images, long": (f"raw_image_file = {'a' * 96}.hdf5", "too long a file name"),
    "images, many bytes": (f"raw_image_file = {chr(0x1F42D) * 60}.h5", "too long a file name"),
    "summary in a folder": (
        "summary_file = a/b.csv",
        "not a plain file name; give one without folders, ending in .csv",
    ),
    "summary of another kind": ("summary_file = summary.txt", "a file name of another kind"),
    "summary, hidden": ("summary_file = .csv", "not a plain file name"),
    "summary, long": (f"summary_file = {'a' * 97}.csv", "too long a file name"),
    "exposure longer than a frame": (
        "vid_source = usb\nframerate = 30",
        "framerate = 30: an exposure of 60000 us does not fit into a frame at framerate = 30 (33333 us); set shutter_s",
    ),
    "white balance of another camera": (
        "vid_source = usb\nawb_mode = cloudy",
        "awb_mode = cloudy: unknown to USB came",
    ),
    "odd size for a Pi camera": (
        "vid_source = pi\nresolution = 255, 256",
        "resolution = 255, 256: the Raspberry Pi cam",
    ),
    "one colour gain": ("vid_source = pi\ncolour_gains = 1.5, 0", "takes both gains or none; give both, or 0, 0 to"),
    "pixel format": ("vid_source = genicam\ncamera_format = YUV8", "camera_format = YUV8: rigloop does not read this"),
    "Jetson's own exposure": ("vid_source = jetson\nshutter_speed = 0", "would choose the exposure itself; give it in"),
    "pipeline": (
        "vid_source = jetson\ncamera_pipeline = v4l2src ! ! jpegdec",
        "there is nothing between two '!'; give",
    ),
    "history of no frame": (
        "dff_history = 0.1\nframerate = 5",
        "dff_history 0.1 s holds 0.5 frames at framerate 5 frames/s, 2 are needed; raise dff_history to 0.4 or more",
    ),
    "history of one frame": (
        "framerate = 0.3",
        "holds 1.8 frames at framerate 0.3 frames/s, 2 are needed; raise dff_h",
    ),
    "history, too slow a camera": ("framerate = 0.001", "2 are needed; raise framerate to 0.334 or more"),
    "history in memory": (
        "dff_history = 600\nframerate = 1000\nroi = x\nroi.x = 0,0,256,256",
        "dff_history 600 s of ROI X (256 x 256 px) at framerate 1000 frames/s (uint8) needs 91.6 GiB of memory, "
        "above 1 GiB; make the ROI smaller, or shorten dff_history to 6.54 s or less",
    ),
    "history of seeds in memory": (
        "dff_history = 200\nroi_operation = M1_L-M1_R\nroi_size = 3, 3\nframerate = 1000",
        "dff_history 200 s of ROIs M1_L (77 x 77 px), M1_R (77 x 77 px) at framerate 1000 frames/s (uint8) needs",
    ),
    "rig": ("rig = a/b", "not a plain name"),
    "ROI text": ("roi.x = 4,4", "roi.x = 4,4: ROI '4,4' cannot be read"),
    "ROI name": ("roi.1 = 1,2,3,4", "not a name of an ROI"),
    "ROI seed": ("roi.x = M1_K", "there is no seed M1_K"),
    "both rules": ("roi = M1_L\nroi_operation = M1_L-M1_R", "given with roi = M1_L; delete one of the two"),
    "formula in roi": ("roi = M1_L-M1_R", "roi = M1_L-M1_R: not one name"),
    "formula": ("roi_operation = M1_L-", "roi_operation = M1_L-: rule 'M1_L-', column 6"),
    "unknown ROI": ("roi_operation = M1_L-BC_Q", "there is no ROI BC_Q; did you mean BC_"),
    "no side": ("roi = M1", "seed M1 is on both sides; write M1_L or M1_R"),
    "a side too much": ("roi = ANT_L", "seed ANT lies on the midline and has no side; write ANT"),
    "outside, px": ("roi = x\nroi.x = 250,1,8,8", "roi.x = 250,1,8,8: ROI X (250,1,8,8) lies outside the frame"),
    "outside, seed": ("bregma = 0, 0", "bregma = 0, 0: ROI M1_L (-51,-20,8,8) lies outside"),
    "threshold at floor": ("tone_floor = 0.05", "tone_floor 0.05 is not below reward_threshold 0.05"),
    "bounds": ("threshold_min = 0.6", "threshold_min 0.6 is above threshold_max 0.5"),
    "adaptive below": ("adaptive_threshold = 1\nreward_threshold = 0.001", "threshold_min 0.005 is above reward"),
    "adaptive above": ("adaptive_threshold = 1\nreward_threshold = 0.6", "reward_threshold 0.6 is above threshold_max"),
    "adaptive floor": (
        "adaptive_threshold = 1\ntone_floor = 0.01",
        "tone_floor = 0.01: tone_floor 0.01 is not below threshold_min 0.005",
    ),
    "last drop": ("final_rest_dur = 0.1", "reward_dur 0.3 is above final_rest_dur 0.1"),
    "pulse": ("reward_dur = 2", "reward_dur 2 is above max_pulse_s 1"),
    "priority above the guardian's": (
        "realtime_priority = 85",
        "realtime_priority = 85: out of range; give a whole number from 0 to 59",
    ),
    "tones above half the sample rate": (
        "sample_rate = 1000",
        "sample_rate = 1000: the highest tone, 19027 Hz (n_tones 18 and start_freq 1000), needs a sample_rate above "
        "38055, and sample_rate 1000 is not; raise sample_rate (up to 192000 Hz), or lower n_tones or start_freq",
    ),
    "tones that no card plays": (
        "start_freq = 40000",
        "start_freq = 40000: the highest tone, 761093 Hz (n_tones 18 and start_freq 40000), needs a sample_rate above "
        "1522185, and sample_rate 0 chooses up to 96000; lower n_tones or start_freq: no card plays 96000 Hz",
    ),
    "single tone above what is chosen": (
        "single_freq = 50000",
        "single_freq = 50000: the highest tone, 50000 Hz (",
    ),
    "no table of gains": ("sound_gains = nowhere.csv", "nowhere.csv: cannot be read"),
    "day's water": (
        "max_day_water_s = 0.1",
        "max_day_water_s = 0.1: reward_dur 0.3 is above max_day_water_s 0.1 (the valve would refuse every reward)",
    ),
    "session's water": ("max_session_water_s = 0.1", "reward_dur 0.3 is above max_session_water_s 0.1"),
    "duty": ("max_duty = 0.02", "max_duty = 0.02: reward_dur 0.3 is above 0.2 s, all that max_duty 0.02 leaves of any"),
    "two lines on one pin": (
        "pin_valve = 17",
        "pin_valve = 17: pin_valve and pin_behaviour_ttl are both 17; give each",
    ),
    "a pin that is ground": (
        "pin_numbering = board\npin_valve = 13\npin_light = 40\npin_fail_led = 32\npin_behaviour_ttl = 9",
        "pin_behaviour_ttl = 9: pin_behaviour_ttl 9 is ground on the header (pin_numbering board); give another pin",
    ),
    "a pin on the MPR121's bus": ("pin_light = 3\nlick_sensor = mpr121", "I2C bus 1 (BCM 3), which the MPR121 is on"),
    "Arduino without a port": ("output_board = arduino", "output_board = arduino: an Arduino needs its port; give ser"),
    "lick without end": ("lick_release = 12", "lick_release = 12: lick_release 12 is not below lick_touch 12: a lick"),
    "beam without a pin": ("lick_sensor = beam", "lick_sensor = beam: a beam-break needs its pin; give lick_pin"),
    "sync the wrong way round": ("sync_interval_s = 2, 1", "sync_interval_s 2, 1 begins with the longer; write 1, 2"),
    "replay of nothing": ("vid_source = replay", "replay needs a recording; give vid_root, or --source"),
}


@pytest.mark.parametrize(("lines", "fragment"), BAD_KEYS.values(), ids=BAD_KEYS)
def test_bad_key_is_one_problem_with_its_line(tmp_path: Path, lines: str, fragment: str) -> None:
    problems = problems_of(tmp_path / "c.ini", BASE.format(mouse=lines))
    assert len(problems) == 1
    assert fragment in problems[0]
    assert f"{tmp_path}/c.ini:{4 + lines.count(chr(10)) + 1}: " in problems[0] or f"{tmp_path}/c.ini:5: " in problems[0]


USE = "[clnf_a]\nroi = M1_L\n[mouse:A]\nexperiment = clnf_a"
BAD_FILES = {
    "unknown experiment": (
        "[clnf_one]\n[mouse:A]\nexperiment = clnf_on",
        "no experiment 'clnf_on'; did you mean clnf_one?",
    ),
    "no experiment named": ("[clnf_a]\n[mouse:A]\nn_tones = 3", "c.ini:2: [mouse:A]: names no experiment; add exp"),
    "no experiment at all": ("[mouse:A]\nexperiment = clnf_a", "the file has none"),
    "unknown mouse": ("[mouse:AB]\n[mouse:C]", "no mouse 'A' (there are AB, C)"),
    "no rule": ("[clnf_a]\n[mouse:A]\nexperiment = clnf_a", "c.ini:1: [clnf_a]: no rule; give roi = NAME"),
    "no seeds": (USE, "no seed M1_L; the file has no [seeds] section"),
    "other seeds only": (USE + "\n[seeds]\nBC = 1, 2", "no seed M1_L; use a name of [seeds] with _L or _R, or a shape"),
    "empty seeds": (USE + "\n[seeds]", "no seed M1_L; the section [seeds] is empty"),
    "bad seed": (USE + "\n[seeds]\nM1 = 1", "M1 = 1: not two numbers"),
    "NaN seed": (USE + "\n[seeds]\nM1 = 1, nan", "out of range"),
    "underscore in a seed": (USE + "\n[seeds]\nM1 = 1_0, 2", "M1 = 1_0, 2: not two numbers"),
    "left seed": (USE + "\n[seeds]\nM1 = 1, -2", "a distance from the midline"),
    "sided seed": (USE + "\n[seeds]\nM1 = 1, 2\nB_L = 1, 2", "without _L or _R"),
    "experiment in experiment": (
        "[clnf_a]\nexperiment = q\nroi = X\nroi.x = 1,1,2,2\n" + USE[20:],
        "with --experiment",
    ),
}


@pytest.mark.parametrize(("text", "fragment"), BAD_FILES.values(), ids=BAD_FILES)
def test_bad_file_is_one_problem(tmp_path: Path, text: str, fragment: str) -> None:
    problems = problems_of(tmp_path / "c.ini", text)
    assert len(problems) == 1
    assert fragment.replace("c.ini", f"{tmp_path}/c.ini") in problems[0]


BAD_OVERRIDES = {
    "value": ({"max_trial_dur": "abc"}, "--set max_trial_dur=abc: not a number"),
    "key": ({"max_trail_dur": "3"}, "--set max_trail_dur=3: unknown key max_trail_dur; did you mean max_trial_dur?"),
    "camera": ({"--camera": "replya"}, "--camera replya: not one of"),
    "data root": ({"--data-root": ""}, "--data-root : no value"),
    "NUL": ({"data_root": "a\0"}, r"--set data_root=a\x00: holds an unprintable character"),
    "not UTF-8": ({"--source": "a\udcff"}, "holds an unprintable character"),
    "underscore": ({"reward_threshold": "1_0"}, "--set reward_threshold=1_0: not a number; give a number above"),
    "images over the log": (
        {"raw_image_file": "frames.csv"},
        "--set raw_image_file=frames.csv: a file name of another",
    ),
    "history": ({"framerate": "0.001"}, "--set framerate=0.001: dff_history 6 s holds 0.006 frames"),
    "twice": ({"--camera": "pi", "vid_source": "usb"}, "--set vid_source=usb: given twice (also as --camera)"),
    "experiment": ({"experiment": "clnf_a"}, "chosen with --experiment"),
    "both rules": ({"roi": "M1_L", "roi_operation": "M1_L"}, "delete one of the two"),
    "unwritable": ({"data_root": 'a" #'}, "cannot hold both"),
}


@pytest.mark.parametrize(("overrides", "fragment"), BAD_OVERRIDES.values(), ids=BAD_OVERRIDES)
def test_bad_override_is_one_problem(tmp_path: Path, overrides: dict[str, str], fragment: str) -> None:
    problems = problems_of(tmp_path / "c.ini", BASE.format(mouse=""), overrides=overrides)
    assert len(problems) == 1
    assert fragment in problems[0]


def test_bad_options(tmp_path: Path) -> None:
    path = tmp_path / "c.ini"
    assert problems_of(path, BASE.format(mouse=""), experiment="clnf_b") == [
        "--experiment clnf_b: there is no experiment 'clnf_b'; did you mean clnf_a?"
    ]
    for mouse in ("../A", "", "a b", "\0"):
        with pytest.raises(ConfigError, match="cannot name a folder"):
            load_settings(path, mouse)


GOOD_KEYS = {
    "images .h5": "raw_image_file = frames.h5",
    "images in capitals": "raw_image_file = IMAGES.HDF5",
    "images, longest": f"raw_image_file = {'a' * 95}.hdf5",
    "summary, longest": f"summary_file = {'a' * 96}.csv",
    "underscore in a name": "rig = my_rig",
    "history of two frames": "dff_history = 0.4\nframerate = 5",
    "history that just fits": "roi = x\nroi.x = 0,0,256,256\ndff_history = 6.54\nframerate = 1000",
    "last drop": "final_rest_dur = 0.3",
    "all of the duty": "max_duty = 0.03",
    "all lines on places of the header": (
        "pin_numbering = board\npin_valve = 13\npin_success_led = 11\npin_fail_led = 32\npin_light = 40\n"
        "pin_behaviour_ttl = 15\npin_brain_ttl = 16\npin_sync = 18"
    ),
    "an Arduino": "output_board = arduino\nserial_port = /dev/ttyACM0\npin_valve = 9\npin_fail_led = 13",
}


@pytest.mark.parametrize("lines", GOOD_KEYS.values(), ids=GOOD_KEYS)
def test_good_key(tmp_path: Path, lines: str) -> None:
    path = tmp_path / "c.ini"
    path.write_text(BASE.format(mouse=lines), encoding="utf-8")
    load_settings(path, "A")
    assert check_config(path) == []


@pytest.mark.parametrize("name", [name for name in BAD_KEYS if name.startswith(("images", "summary", "history"))])
def test_check_finds_what_a_session_would(tmp_path: Path, name: str) -> None:
    lines, fragment = BAD_KEYS[name]
    path = tmp_path / "c.ini"
    path.write_text(BASE.format(mouse=lines), encoding="utf-8")
    for problems in (check_config(path), check_config(path, "A")):
        assert len(problems) == 1
        assert fragment in problems[0]


@given(
    framerate=st.floats(1e-6, 1000),
    history=st.floats(0.1, 600),
    size=st.integers(1, 256),
    unit=st.sampled_from([1, 1e-2, 1e-4]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
def test_the_cure_of_a_history_cures(tmp_path: Path, framerate: float, history: float, size: int, unit: float) -> None:
    """What is accepted holds two frames and fits into memory; what a problem says to write is accepted."""
    values = {"framerate": repr(framerate * unit), "dff_history": repr(history)}
    text = BASE.format(mouse=f"roi = x\nroi.x = 0,0,{size},{size}")
    path = tmp_path / "c.ini"
    path.write_text(text, encoding="utf-8")
    for _ in range(3):
        try:
            made = load_settings(path, "A", overrides=values)
        except ConfigError as error:
            (problem,) = error.problems
            cure = re.search(r"(dff_history|framerate) to ([0-9.]+) ", problem)
            assert cure is not None, problem
            values[cure[1]] = cure[2]
        else:
            break
    frames = made.dff.dff_history * made.camera.framerate
    assert frames > 1.999
    assert size * size * (2 * (1.25 * frames + 3) + 16) <= 1 << 30


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    lines = "framerate = x\nn_tones = 99\nfoo\nnonsense = 1\nreward_dur = 2\nroi.y = 1"
    problems = problems_of(tmp_path / "c.ini", BASE.format(mouse=lines), overrides={"iso": "-1"})
    assert len(problems) == 7


def test_another_mouse_does_not_stop_a_session(tmp_path: Path) -> None:
    path = tmp_path / "c.ini"
    path.write_text(BASE.format(mouse="[mouse:B]\nframerate = x"), encoding="utf-8")
    load_settings(path, "A")
    assert len(check_config(path)) == 2
