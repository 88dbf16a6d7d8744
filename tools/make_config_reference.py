#!/usr/bin/env python3
"""Write docs/reference/config.md from the settings dataclasses. Run it from the repository after changing a key."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from helper import SessionType  # noqa: E402
from session.config_keys import ConfigKey, all_keys, keys_of  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "config.md"

TITLES = {
    "camera": "Camera",
    "second": "Second camera",
    "simulation": "Simulated mouse",
    "geometry": "Cortex in the image",
    "rule": "Signal: which ROIs",
    "dff": "Signal: dF/F",
    "movement": "Movement (clmf experiments only)",
    "pose": "Pose estimation (clmf experiments only)",
    "tones": "Tones",
    "threshold": "Threshold",
    "schedule": "Trials: how many, of what kind",
    "trial": "Trials: durations",
    "outputs": "Rig and water",
    "pins": "Output lines",
    "sound": "Speaker",
    "licks": "Lick sensor",
    "faults": "Lost devices, and real time",
    "recording": "Recording",
    "subject": "Mouse, people and imaging: for files that are shared",
}

HEAD = """\
# config.ini

<!-- Made by tools/make_config_reference.py from the settings dataclasses: change those, then run it. -->

One file, `config.ini`, says what a session is. This page lists every key; the shipped `config.ini` shows them in use.

## Form

- `[section]`, then `key = value`, one to a line, at the left edge. Names of sections and keys may be in either case.
- `;` or `#` begins a comment, at the start of a line or after a blank. A value in double quotes may hold a blank with
  `;` or `#`: `data_root = "/data/rig #1"`.
- UTF-8. A key or section given twice, an unknown key, a wrong unit or an impossible value is an error; all errors of a
  file are listed at once, in its order, each with file, line, section, key, value and cure; those of the command line
  come last. What only follows from another error is not listed.
- Numbers have no `_` in them. Switches are `0` or `1` (also `no`/`yes`, `off`/`on`, `false`/`true`). Pairs are
  separated by a comma.
- Paths in the file are relative to the file's folder; on the command line, to the current folder. `~` is your home.

## Sections

| section | holds |
|---|---|
| `[clnf...]` | a neurofeedback experiment, such as `[clnf_1roi]`: letters, digits, `_`, `-` after `clnf` |
| `[clmf...]` | a movement experiment, such as `[clmf_speed]` |
| `[mouse:ID]` | a mouse: `experiment = NAME`, and any key of that experiment that differs for this mouse |
| `[seeds]` | cortical regions, `NAME = AP, ML` in mm from bregma, once for all experiments |

A mouse's ID is the name of its folder: 1 to 64 letters, digits, `_` and `-`. What holds for a session is, from the
weakest to the strongest: the default, the experiment's section, the mouse's section, the command line
(`--set key=value`, `--camera`, `--source`, `--data-root`). Of some pairs one is given: `roi` or `roi_operation`,
`speed_threshold` or `speed_threshold_px_per_frame`, `still_speed` or `still_speed_px_per_frame`. A mouse that gives one
of a pair has it in place of either of the two in its experiment.

## ROIs

A rule names ROIs: `roi = M1_L`, or `roi_operation = BC_L-BC_R` (`+ - * / ( )`, numbers and names). A name is

- one of your own, placed by a key `roi.NAME` in the experiment's or the mouse's section;
- else a seed with its side, `M1_L` or `M1_R`; a seed with ML 0 (`ANT`, `LAMBDA`) has no side. The ROI is a rectangle of
  `roi_size` mm centred on the seed.

| `roi.NAME =` | ROI (px; x = column, y = row, from the upper left corner) |
|---|---|
| `x,y,w,h` | rectangle: first column, first row, width, height; whole numbers |
| `circle x,y,r` | disc: centre, radius |
| `polygon x,y x,y x,y ...` | at least three corners |
| `M1_L` | as if the seed had been named in the rule |

An ROI lies wholly inside the frame. AP is positive to the front; ML is 0 or more, the side is in the ROI's name; left
is at smaller columns.

## Keys
"""

SESSION_TYPES = """\
`session_type` is one of

{names}

`normal_audio`: the tone follows the signal; `single_audio`: one constant tone during the trial; `no_audio`: silence.
`normal_reward`: a crossing earns water; `random_reward`: water at random times of the trial, whatever the signal;
`no_reward`: a crossing ends the trial as a success without water. `continuous_rewards`: every crossing within a trial
earns water, but not while a drop is pending, and the trial lasts its full length. `behavior_recording`: neither tone,
trial nor water for `spont_sess_duration` minutes.
"""

TAIL = """
## What goes together

- `tone_floor` is below `reward_threshold` (in clmf experiments `speed_threshold`), `threshold_min` at most
  `threshold_max`; with `adaptive_threshold = 1` the threshold lies between these two, and `tone_floor` below both.
- `reward_dur` is at most `max_pulse_s` and at most `final_rest_dur`. With `reward_ul` above 0 it is computed from the
  rig's [calibrated valve](../how-to/calibrate.md#the-valve), whose weighed openings must hold that volume.
- `dff_history` times `framerate` is at least 2 frames, and the history of the rule's ROIs takes at most 1 GiB of
  memory: a quarter more than pixels x 2 channels x frames, a byte each, or 2 for a recording of 16 bits.
- A frame takes at most 64 MiB of memory: with 8 bits, `resolution` is at most 4729 x 4729 px or as many px.
- `raw_image_file` is a file name without folders that ends in `.hdf5` or `.h5`, `video_file` one that ends in `.mkv`,
  `summary_file` one that ends in `.csv`; each has at most 100 characters.
- `video_codec = h264` keeps 8 bits per channel: frames of 16 bits need `ffv1`.
- `vid_source = replay` needs `vid_root`, and `resolution` is that of the recording. `--source` needs
  the camera `replay`; a `vid_root` in the file may stand unused.
- In clnf experiments one of `roi` and `roi_operation` is given.
- In clmf experiments `speed_threshold_px_per_frame` becomes mm/s by `framerate` and `ppmm`: 20 px/frame at 30 frames/s
  and 8 px/mm are 75 mm/s. So does `still_speed_px_per_frame`. `adaptive_step`, `threshold_min` and `threshold_max` are
  in mm/s there; their defaults are made for dF/F, so give them with `adaptive_threshold = 1`.
- `reward_by = target`: the signal is minus the distance to `target_center`, the threshold minus `target_radius_mm`.
  `speed_threshold` and `tone_floor` decide nothing; the tones begin `target_far_mm` away, or where the start circle's
  centre is, which must lie outside the target circle; `adaptive_threshold` is 0.
- `trial_start = start_roi` needs `start_center`, `reward_by = target` needs `target_center` inside the frame.
- `pose_backend = dlc` needs `dlc_model_path`, and sees at least 32 px on the shorter side after `dlc_cropping` and
  `dlc_resize`; `dlc_precision = fp16` needs a GPU. `markers` needs hues that no two of them share. `replay` needs
  `pose_log`. `control_point` is one of the body parts that the pose has: that is seen when it is opened.
"""


def default_text(key: ConfigKey) -> str:
    """Return the default as config.ini has it."""
    text = key.write(key.default)
    return f"`{text}`" if text else "none"


def row(key: ConfigKey) -> str:
    """Return a key's row."""
    values = ", ".join(f"`{choice}`" for choice in key.choices()) if key.name != "session_type" else "see below"
    kind = values or key.noun()
    meaning = key.text.replace("; see the reference.", ".").replace("|", "\\|")
    return f"| `{key.name}` | {kind} | {key.range() or '-'} | {key.unit or '-'} | {default_text(key)} | {meaning} |"


def render() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for group, title in TITLES.items():
        keys = [key for key in all_keys().values() if key.group == group]
        parts.append(
            f"\n### {title}\n\n| key | value | range | unit | default | meaning |\n|---|---|---|---|---|---|\n"
        )
        parts += [row(key) + "\n" for key in keys]
        only = [key.name for key in keys if key.name not in keys_of("clmf")]
        if only and group not in ("rule", "dff"):
            parts.append(f"\nOnly in clnf experiments: {', '.join(f'`{name}`' for name in only)}.\n")
        only = [key.name for key in keys if key.name not in keys_of("clnf")]
        if only and group not in ("movement", "pose"):
            parts.append(f"\nOnly in clmf experiments: {', '.join(f'`{name}`' for name in only)}.\n")
        if group == "schedule":
            parts.append("\n" + session_types())
    return "".join([*parts, TAIL])


def session_types() -> str:
    """Return the list of session types."""
    names = "\n".join(f"- `{kind.value}`" for kind in SessionType)
    return SESSION_TYPES.format(names=names)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE}\n")
