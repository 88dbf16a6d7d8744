"""``rigloop import-config``: a CLoPy config.ini as ours, with a list of what was mapped, converted and dropped."""

from __future__ import annotations

import argparse

from cli.screen import say
from core.errors import InputError


def run(args: argparse.Namespace) -> int:
    """Print the list on stderr; write the new config to ``--output`` or to stdout."""
    from session.import_clopy import import_clopy

    imported = import_clopy(args.old)
    for line in imported.lines:
        say(f"{line.action:<10} [{line.section}] {line.key}: {line.text}", error=True)
    if args.output is None:
        say(imported.ini_text.rstrip("\n"))
        return 0
    try:
        with args.output.open("x", encoding="utf-8") as new:
            new.write(imported.ini_text)
    except FileExistsError:
        raise InputError(f"--output {args.output}: exists; name a new file") from None
    except OSError as error:
        raise InputError(f"--output {args.output}: {error.strerror}; name a file in a folder you may write") from None
    say(f"wrote {args.output}; add a mouse to it, then: rigloop check --config {args.output}", error=True)
    return 0
