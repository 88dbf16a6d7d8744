"""``rigloop``: the commands and their options. Imports nothing heavy, so that ``--help`` answers at once."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli import data_options, page_options, rig_options
from cli.options import CAMERAS, a_path, add_config, add_data_root, add_set
from cli.screen import say
from cli.start import leave_on_signals, signals_as_usual
from cli.until_eof import add_until_eof

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction["Parser"]


class Parser(argparse.ArgumentParser):
    """argparse, with errors as one line and exit code 2, told by the command whose they are."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; what a command does not know is its own error, not left to ``rigloop``."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            given = getattr(found, "session", None) or getattr(found, "source", None)
            if given is not None and all(os.path.exists(word) for word in unknown):
                self.error(f"give one session; {len(unknown) + 1} were given (a * that matches several?)")
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown

    def error(self, message: str) -> None:  # type: ignore[override]  # argparse says NoReturn; exit() does not return
        """Print one line and end."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def make_parser(prog: str = "rigloop") -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = Parser(prog=prog, description="Closed-loop training of head-fixed mice.", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    add_run_options(commands.add_parser("run", help="run a session", allow_abbrev=False))
    _add_preview_options(
        commands.add_parser("preview", help="look through the camera without a session", allow_abbrev=False)
    )

    check = commands.add_parser("check", help="check config.ini: every section, or one mouse", allow_abbrev=False)
    check.add_argument("--mouse", metavar="ID")
    add_config(check)

    new = commands.add_parser("new-mouse", help="add a mouse to config.ini, copied from another", allow_abbrev=False)
    new.add_argument("id", metavar="ID")
    new.add_argument("--from", dest="other", metavar="OTHER", required=True, help="mouse whose section is copied")
    add_config(new)

    old = commands.add_parser("import-config", help="convert a CLoPy config.ini", allow_abbrev=False)
    old.add_argument("old", metavar="OLD.ini", type=Path)
    old.add_argument(
        "--output", metavar="NEW.ini", type=Path, help="write here instead of to the screen; must not exist"
    )

    _add_threshold_options(
        commands.add_parser("threshold", help="find a mouse's threshold in a resting session", allow_abbrev=False)
    )

    _add_rig_commands(commands)

    for name, what, options in (
        ("sessions", "list recorded sessions and draw learning curves", data_options.add_sessions),
        ("replay", "run a recorded session through the loop again, and compare", data_options.add_replay),
        ("recover", "finish the folder of a session that was killed", data_options.add_recover),
        ("export", "give a session out in another format", data_options.add_export),
        ("serve", "serve the page beside the rig: watch, place ROIs, run and intervene", page_options.add_serve),
    ):
        options(commands.add_parser(name, help=what, allow_abbrev=False))
    return parser


def _add_rig_commands(commands: Commands) -> None:
    """Add what looks after rigs and mice between sessions; their options stand in ``cli.rig_options``."""
    for name, what, options in (
        ("doctor", "look what this machine has, what is missing, and its cure", rig_options.add_doctor),
        ("calibrate", "measure a rig's valve, speaker or camera", rig_options.add_calibrate),
        ("water", "give a mouse free water, counted to its day", rig_options.add_water),
        ("flush", "open a rig's valve for a while, to fill or clean the tube", rig_options.add_flush),
        ("weigh", "write down a mouse's weight", rig_options.add_weigh),
    ):
        options(commands.add_parser(name, help=what, allow_abbrev=False))


def add_run_options(run: argparse.ArgumentParser) -> None:
    """Add the options of ``rigloop run``, which the experiment scripts share."""
    _add_mouse_options(run)
    run.add_argument("--outputs", choices=("real", "fake"), help="default: real with a real camera, else fake")
    add_data_root(run)
    run.add_argument("--pace", choices=("max", "real"), help="default: real with a real camera, else max")
    run.add_argument(
        "--accept-exposure",
        action="store_true",
        help="run although an ROI is saturated or dark; it is noted as an event",
    )
    run.add_argument(
        "--resume",
        action="store_true",
        help="go on with the trials that the mouse's last session of today did not come to, as its second part",
    )
    run.add_argument(
        "--page", metavar="PORT", type=page_options.a_port, nargs="?", const=page_options.PORT,
        help="serve the page beside the rig while the session runs (default: port %(const)s)",
    )  # fmt: skip
    run.add_argument("--who", metavar="NAME", help="who starts it, for session.json")
    run.add_argument("--json", action="store_true", help="end with one line of JSON on stdout")
    add_config(run)


def _add_preview_options(preview: argparse.ArgumentParser) -> None:
    _add_mouse_options(preview)
    preview.add_argument("--pace", choices=("max", "real"), default="real", help="default: real")
    drawn = preview.add_mutually_exclusive_group()
    drawn.add_argument("--output", metavar="PNG", type=Path, help="default: preview-ID.png in data_root")
    drawn.add_argument(
        "--no-picture", action="store_true", help="write no PNG; the page (`rigloop serve`) shows the preview"
    )
    preview.add_argument("--seconds", metavar="S", type=float, help="end after so much of the frames' time")
    add_until_eof(preview)
    add_config(preview)


def _add_mouse_options(parser: argparse.ArgumentParser) -> None:
    """Add what says which mouse, which frames and which keys, of a session or of a look without one."""
    parser.add_argument("--mouse", metavar="ID", required=True, help="the mouse, a [mouse:ID] section of config.ini")
    parser.add_argument("--experiment", metavar="SECTION", help="this experiment instead of the mouse's own")
    parser.add_argument("--camera", choices=CAMERAS, help="take frames from here instead of vid_source")
    parser.add_argument("--source", metavar="PATH", help="recording to replay, instead of vid_root")
    add_set(parser)
    parser.add_argument(
        "--seed", type=int, metavar="N", help="of all that chance decides; drawn (by run: and recorded) if not given"
    )


def _add_threshold_options(threshold: argparse.ArgumentParser) -> None:
    threshold.add_argument("--session", metavar="S", type=a_path, required=True, help="folder of the resting session")
    wanted = threshold.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--rate", metavar="R", type=float, help="crossings per minute that it should give")
    wanted.add_argument("--success", metavar="P", type=float, help="share of trials that should succeed, 0 to 1")
    threshold.add_argument("--mouse", metavar="ID", help="whose threshold it is, if the session does not say")
    threshold.add_argument("--save", action="store_true", help="write it to the mouse's section of config.ini")
    add_config(threshold)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    args = make_parser().parse_args(argv)
    return dispatch(args.command, args)


def dispatch(command: str, args: argparse.Namespace) -> int:
    """Call ``cli.<command>.run(args)``; turn what went wrong into lines on stderr and an exit code."""
    try:
        from core.errors import RigError
        from core.ports import Interrupted

        module = importlib.import_module("cli." + command.replace("-", "_"))
        if command not in ("run", "preview"):  # which take the signals over without a gap
            signals_as_usual()
        try:
            return int(module.run(args))
        except RigError as error:
            for line in str(error).splitlines():
                say(f"rigloop {command}: {line}", error=True)
            return error.exit_code
        except Interrupted:
            say(f"rigloop {command}: stopped before the devices were had; nothing was done", error=True)
            return 130
    except KeyboardInterrupt:
        say(f"rigloop {command}: interrupted", error=True)
        return 130


if __name__ == "__main__":
    leave_on_signals()
    sys.exit(main())
