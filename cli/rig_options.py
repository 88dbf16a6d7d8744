"""Options of the commands that look after rigs and mice between sessions. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

from cli.options import CAMERAS, add_config, add_data_root, add_set
from cli.until_eof import add_until_eof


def add_doctor(doctor: argparse.ArgumentParser) -> None:
    """Add the options of ``rigloop doctor``."""
    doctor.add_argument("--mouse", metavar="ID", help="whose section says what must be there; default: nothing must")
    doctor.add_argument("--rig", metavar="NAME", help="of --toggle and --latency; default: the only one of config.ini")
    doctor.add_argument("--json", action="store_true", help="end with one line of JSON on stdout")
    doctor.add_argument("--toggle", action="store_true", help="switch each connected output on and off")
    doctor.add_argument("--yes", action="store_true", help="--toggle opens the valve, too, without asking")
    doctor.add_argument("--latency", action="store_true", help="measure from a light to an edge and a sound")
    doctor.add_argument("--frames", metavar="N", type=int, help="of --latency; default: 900")
    doctor.add_argument("--bench", choices=("rig", "guardian", "virtual"),
                        help="parts of --latency: the rig's (default); a camera that sees a guardian's lines in "
                        "memory; or all of it made up, at once")  # fmt: skip
    doctor.add_argument(
        "--line", metavar="LINE", help="of --latency: line of the light that the camera sees; default: light"
    )
    doctor.add_argument("--answer", metavar="LINE", help="of --latency: line that answers it; default: success_led")
    doctor.add_argument("--ear", choices=("none", "card", "microphone"),
                        help="how --latency hears the sound: when the card took it, or a microphone")  # fmt: skip
    doctor.add_argument(
        "--microphone", metavar="NAME", help="of --latency: part of the input's name; default: the first"
    )
    doctor.add_argument("--camera", choices=CAMERAS, help="take frames from here instead of vid_source")
    doctor.add_argument("--seed", type=int, metavar="N", help="of the moments of the light of --latency; default: 0")
    doctor.add_argument("--output", metavar="DIR", type=Path, help="where --latency writes; default: calibration/RIG")
    add_set(doctor)
    add_config(doctor)


def add_calibrate(calibrate: argparse.ArgumentParser) -> None:
    """Add the options of ``rigloop calibrate``: a part each."""
    parts = calibrate.add_subparsers(dest="part", metavar="PART", required=True)
    valve = parts.add_parser("valve", help="weigh series of drops: ul per ms", allow_abbrev=False)
    _add_rig(valve)
    valve.add_argument("--durations-ms", metavar="MS,MS", default="30,60,100,150,200", help="default: %(default)s")
    valve.add_argument("--pulses", metavar="N", type=int, default=100, help="drops of each series; default: 100")
    valve.add_argument("--weights", metavar="CSV", type=Path,
                       help="series that were weighed already (duration_ms,pulses,grams); opens no valve")  # fmt: skip
    speaker = parts.add_parser("speaker", help="make all tones equally loud", allow_abbrev=False)
    _add_rig(speaker)
    levels = speaker.add_mutually_exclusive_group()
    levels.add_argument("--levels", metavar="CSV", type=Path,
                        help="levels that were measured already (freq_hz,level_db); plays nothing")  # fmt: skip
    levels.add_argument("--microphone", metavar="NAME", nargs="?", const="",
                        help="measure with this input (part of its name) instead of asking")  # fmt: skip
    speaker.add_argument("--seconds", metavar="S", type=float, default=5.0, help="of each tone; default: 5")
    camera = parts.add_parser("camera", help="px per mm, and bregma", allow_abbrev=False)
    camera.add_argument("--mouse", metavar="ID", required=True)
    length = camera.add_mutually_exclusive_group()
    length.add_argument("--points", metavar="X,Y", nargs=2, help="two points of the image, px; with --mm")
    length.add_argument("--px", metavar="N", type=float, help="a length in the image, px; with --mm")
    camera.add_argument("--mm", metavar="D", type=float, help="how long that is, mm")
    camera.add_argument("--bregma", metavar="ROW,COL", help="where bregma lies, px")
    camera.add_argument("--save", action="store_true", help="write it to the mouse's section of config.ini")
    add_config(camera)


def add_water(water: argparse.ArgumentParser) -> None:
    """Add the options of ``rigloop water``."""
    water.add_argument("--mouse", metavar="ID", required=True)
    much = water.add_mutually_exclusive_group(required=True)
    much.add_argument("--seconds", metavar="S", type=float, help="opening time of each drop")
    much.add_argument("--ul", metavar="U", type=float, help="volume of each drop, by the rig's calibrated valve")
    water.add_argument("--drops", metavar="N", type=int, default=1, help="default: 1")
    add_data_root(water)
    add_set(water)
    add_config(water)


def add_flush(flush: argparse.ArgumentParser) -> None:
    """Add the options of ``rigloop flush``."""
    _add_rig(flush)
    flush.add_argument("--seconds", metavar="S", type=float, required=True, help="how long the valve is open")
    add_until_eof(flush)


def add_weigh(weigh: argparse.ArgumentParser) -> None:
    """Add the options of ``rigloop weigh``."""
    weigh.add_argument("grams", metavar="GRAMS", type=float)
    weigh.add_argument("--mouse", metavar="ID", required=True)
    weigh.add_argument("--note", metavar="TEXT", default="", help="kept beside the weight")
    add_data_root(weigh)
    add_set(weigh)
    add_config(weigh)


def _add_rig(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rig", metavar="NAME", help="the rig; default: the only one of config.ini")
    parser.add_argument("--mouse", metavar="ID", help="take the rig's keys from this mouse's section")
    add_set(parser)
    add_config(parser)
