"""``rigloop calibrate camera``: px per mm from two points or a length, and where bregma lies."""

from __future__ import annotations

import argparse

from cli.ask import numbers_of
from cli.screen import say
from core.errors import InputError


def run(args: argparse.Namespace) -> int:
    """Compute, check with the mouse's settings, print, save when asked. Returns the exit code."""
    from session.config_edit import set_mouse_key
    from session.settings import load_settings

    values = _values(args)
    settings = load_settings(args.config, args.mouse, overrides={"reward_ul": "0", **values})
    for key, value in values.items():
        say(f"{key} = {value}")
        if args.save:
            set_mouse_key(args.config, settings.mouse, key, value)
            say(f"{args.config}: [mouse:{settings.mouse}] {key} = {value}")
    if not args.save:
        say("not saved; --save writes it to the mouse's section")
    return 0


def _values(args: argparse.Namespace) -> dict[str, str]:
    """Return the keys that were measured, as config.ini has them. Raises InputError."""
    from session.calibration_camera import px_per_mm, scale_error, scale_of_length

    values = {}
    if (args.points is None and args.px is None) != (args.mm is None):
        raise InputError("give a length twice: in px (--points X,Y X,Y or --px N) and in mm (--mm D)")
    if args.points is not None:
        (x0, y0), (x1, y1) = (numbers_of(text, "--points", 2) for text in args.points)
        scale = px_per_mm((x0, y0), (x1, y1), args.mm)
        values["ppmm"] = repr(scale)
        say(f"{scale:g} px/mm, to {100 * scale_error(scale * args.mm):.1f} % if each point is read to 1 px")
    elif args.px is not None:
        values["ppmm"] = repr(scale_of_length(args.px, args.mm))
    if args.bregma is not None:
        row, col = numbers_of(args.bregma, "--bregma", 2)
        values["bregma"] = f"{row:g}, {col:g}"
    if not values:
        raise InputError("nothing to do; give --points or --px with --mm, or --bregma ROW,COL")
    return values
