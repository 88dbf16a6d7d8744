"""The options of ``rigloop serve``, and of ``run --page``. Imports nothing heavy."""

from __future__ import annotations

import argparse

from cli.options import a_path, add_config, add_data_root
from cli.until_eof import add_until_eof

PORT = 8017
LAST_PORT = 65_535


def a_port(text: str) -> int:
    """Return a port that was given. Raises ArgumentTypeError for what is none."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= LAST_PORT):
        raise argparse.ArgumentTypeError(f"{text[:20]}: is no port; give a whole number from 0 to {LAST_PORT}")
    return int(text)


def add_serve(serve: argparse.ArgumentParser) -> None:
    """Add the options of ``rigloop serve``."""
    serve.add_argument(
        "--host", metavar="ADDRESS", default="127.0.0.1",
        help="where it is served; 0.0.0.0: to the network, for whoever has a token (default: this computer alone)",
    )  # fmt: skip
    serve.add_argument(
        "--port", metavar="N", type=a_port, default=PORT, help="0: one that is free (default: %(default)s)"
    )
    serve.add_argument(
        "--token-file", metavar="FILE", type=a_path,
        help="file with the tokens of operators and viewers, made if it is not there; default: new ones each time",
    )  # fmt: skip
    add_until_eof(serve)
    add_data_root(serve)
    add_config(serve)
