"""Lets ``python brain/...py`` work with any python from any folder: finds the project and its virtual environment.

Standard library only: it runs before anything is known to be installed.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from cli.start import keep_signals_for_next_program

ROOT = Path(__file__).resolve().parent.parent


def enter_environment() -> None:
    """Go on in the project's .venv if this python lacks the project's packages; say what to do if there is none."""
    if importlib.util.find_spec("pydantic") and importlib.util.find_spec("numba"):
        return
    python = ROOT / ".venv" / "bin" / "python"
    if python.exists() and Path(sys.prefix).resolve() != (ROOT / ".venv").resolve():
        keep_signals_for_next_program()
        os.execv(python, [str(python), *sys.argv])  # noqa: S606 - the same program, the project's own interpreter
    sys.exit(f"{Path(sys.argv[0]).name}: Rigloop is not installed for {sys.executable}; run `make setup` in {ROOT}")


def run_experiment(kind: str) -> int:
    """Run the experiment script's session. ``kind`` is the key that says what the experiment computes."""
    enter_environment()
    from cli.main import Parser, add_run_options, dispatch

    parser = Parser(prog=Path(sys.argv[0]).name, description="Run a session; the options are those of `rigloop run`.")
    add_run_options(parser)
    args = parser.parse_args()
    args.kind = kind
    return dispatch("run", args)
