"""The options of the commands that work on recorded sessions. Imports nothing heavy."""

from __future__ import annotations

import argparse

from cli.options import CONFIG, a_path, add_config, add_data_root, add_set


def add_export(export: argparse.ArgumentParser) -> None:
    """Add the options of ``rigloop export``."""
    _add_session(export)
    into = export.add_mutually_exclusive_group(required=True)
    into.add_argument(
        "--clopy",
        metavar="DIR",
        type=a_path,
        nargs="?",
        const=None,
        default=False,
        help="as a CLoPy session folder, which must not exist or be empty; without DIR, into the session's own folder",
    )
    into.add_argument(
        "--nwb",
        metavar="FILE",
        type=a_path,
        help="as an NWB file, which must not exist; a folder: under the name that DANDI gives it",
    )
    export.add_argument(
        "--images",
        choices=("link", "compress", "none"),
        help="with --nwb: images in the file, linked to where they are, or left out (default: compress)",
    )
    export.add_argument("--allow-incomplete", action="store_true", help="with --nwb: although the subject's data lack")
    export.add_argument("--progress", action="store_true", help="say how far it is, although no terminal shows it")
    default = str(CONFIG).replace("%", "%%")
    export.add_argument("--config", metavar="FILE", type=a_path, help=f"with --nwb: of the mouse; default: {default}")


def add_recover(recover: argparse.ArgumentParser) -> None:
    """Add the options of ``rigloop recover``."""
    _add_session(recover)
    recover.add_argument(
        "--without-images", action="store_true", help="the file of images is lost for good: no row names an image of it"
    )
    recover.add_argument("--json", action="store_true", help="end with one line of JSON on stdout")


def add_replay(replay: argparse.ArgumentParser) -> None:
    """Add the options of ``rigloop replay``."""
    _add_session(replay)
    add_set(replay)
    replay.add_argument("--output", metavar="PNG", type=a_path, help="with --set: the figure; default: in this folder")
    replay.add_argument("--json", action="store_true", help="end with one line of JSON on stdout")


def add_sessions(sessions: argparse.ArgumentParser) -> None:
    """Add the options of ``rigloop sessions``."""
    sessions.add_argument("--mouse", metavar="ID", help="this mouse only")
    sessions.add_argument("--rebuild", action="store_true", help="forget the index and read every session anew")
    sessions.add_argument("--figure", metavar="PNG", type=a_path, help="draw the learning curves here")
    as_text = sessions.add_mutually_exclusive_group()
    as_text.add_argument("--csv", action="store_true", help="a line per session instead of the table")
    as_text.add_argument("--json", action="store_true", help="a line of JSON per session instead of the table")
    add_data_root(sessions)
    add_config(sessions)


def _add_session(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", type=a_path, help="folder of a session")
