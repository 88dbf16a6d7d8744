"""CLoPy's session folders as its own readers take them. Imports numpy, h5py and the standard library alone.

Written from the description of the formats, not from the code that writes them: every cell is held to its letter, and
dF/F is computed again from the images, frame by frame, with baselines as means of whole histories.
"""

import configparser
import csv
import json
import re
from datetime import datetime

import h5py
import numpy as np

INTEGER, SIGNED, TIME = r"0|[1-9]\d*", r"-1|0|1", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}"
FLOAT = r"-?\d+\.\d+(e[+-]?\d+)?|-?\d+e[+-]?\d+|nan|-?inf"
LAST = {"freq": INTEGER, "rew_threshold": FLOAT, "reward": SIGNED, "trial": INTEGER, "audio": "0|1", "lick": INTEGER}
MOVEMENT = {"frame": INTEGER, "time": TIME, "cj_speed": FLOAT, "freq": INTEGER, "reward": SIGNED, "trial": INTEGER,
            "audio": "0|1", "lick": INTEGER}  # fmt: skip


def read_neurofeedback(folder):
    """Return the columns of a log, as texts, and the section of the config that it was run with."""
    header, columns = _table(folder / "VideoTimestamp.txt")
    assert header[:2] == ["frame", "time"]
    assert header[-6:] == list(LAST)
    values = header[2:-6]
    assert len(values) == 1 or len(values) >= 3
    rois = [re.fullmatch(r"(\w+)dff", name)[1] for name in (values if len(values) == 1 else values[:-1])]
    if len(rois) > 1:
        assert set(re.findall(r"[A-Za-z]\w*", values[-1])) == {f"{name}dff" for name in rois}
    letters = {"frame": INTEGER, "time": TIME, **dict.fromkeys(values, FLOAT), **LAST}
    _check_letters(columns, letters)
    _check_trials(columns)
    return columns, rois, read_config(folder / "config.ini")


def read_movement(folder, stem):
    header, columns = _table(folder / f"{stem}.txt")
    n = len(MOVEMENT)
    assert header[:n] == list(MOVEMENT)
    parts = [re.fullmatch(r"(.+)_x", name)[1] for name in header[n::3]]
    assert header[n:] == [f"{part}_{what}" for part in parts for what in ("x", "y", "likelihood")]
    _check_letters(columns, {**MOVEMENT, **dict.fromkeys(header[n:], FLOAT)})
    _check_trials(columns)
    return columns, parts, read_config(folder / f"{stem}_config.ini")


def _table(path):
    data = path.read_bytes()
    assert data.endswith(b"\n")
    assert b"\r" not in data
    header, *rows = csv.reader(data.decode("utf-8").splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    assert all(len(row) == len(header) for row in rows)
    return header, {name: [row[k] for row in rows] for k, name in enumerate(header)}


def _check_letters(columns, letters):
    assert list(columns) == list(letters)
    for name, letter in letters.items():
        wrong = [cell for cell in columns[name] if not re.fullmatch(letter, cell)]
        assert not wrong, f"{name}: {wrong[:3]}"
    assert columns["frame"] == [str(k + 1) for k in range(len(columns["frame"]))]
    for text in columns["time"]:
        datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f")


def _check_trials(columns):
    """Reward on a trial's last row alone; in rest no tone and no audio."""
    trial, reward = ([int(cell) for cell in columns[name]] for name in ("trial", "reward"))
    after = [*trial[1:], 0]
    for k, outcome in enumerate(reward):
        assert outcome == 0 or (trial[k] > 0 and after[k] != trial[k]), f"row {k + 1}"
        if trial[k] == 0:
            assert (columns["freq"][k], columns["audio"][k]) == ("0", "0"), f"row {k + 1}"
    numbers = [a for a, b in zip(trial, [0, *trial], strict=False) if a and a != b]
    assert numbers == sorted(numbers)


def read_config(path):
    parser = configparser.ConfigParser()
    parser.read_string(path.read_text("utf-8"))
    assert parser.sections()[0] == "configsection"
    section = dict(parser[parser["configsection"]["config"]])
    width, height = section["resolution"].split(", ")
    section["resolution"] = int(width), int(height)
    if "bregma" in section:
        row, col = section["bregma"].split(", ")
        section["bregma"] = float(row), float(col)
        section["roi_size"] = [float(text) for text in section["roi_size"].split(",")]
        section["seeds_mm"] = json.loads(section["seeds_mm"])
    return section


def roi_rows_and_columns(config, name):
    """Where an ROI lies: its seed from bregma, its size in whole px around that."""
    seed, side = re.fullmatch(r"(.+)_([LR])", name).groups()
    ppmm = float(config["ppmm"])
    (row, col), place = config["bregma"], config["seeds_mm"][seed]
    width, height = (round(mm * ppmm) for mm in config["roi_size"])
    x = int(np.floor(col + (-1 if side == "L" else 1) * ppmm * place["ML"] - width / 2))
    y = int(np.floor(row - ppmm * place["AP"] - height / 2))
    return slice(y, y + height), slice(x, x + width)


def recompute_dff(folder, config, name, images="image_stream.hdf5"):
    """Return the ROI's dF/F of each image, green minus blue, NaN where the history before it is not full."""
    history = round(float(config["dff_history"]) * float(config["framerate"]))
    rows, columns = roi_rows_and_columns(config, name)
    with h5py.File(folder / images, "r") as file:
        dataset = file["raw_images"]
        assert dataset.ndim == 4
        assert dataset.shape[1:] == (config["resolution"][1], config["resolution"][0], 3)
        pixels = dataset[:, rows, columns, :2].astype(np.float64)
    values = np.full(len(pixels), np.nan)
    for k in range(history, len(pixels)):
        base = pixels[k - history : k].mean(axis=0)
        change = (pixels[k] - base) / base
        values[k] = (change[..., 1] - change[..., 0]).mean()
    return values
