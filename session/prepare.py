"""Makes the parts of a session or preview, telling a person what takes long, until somebody asks for the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.ports import Clock, Interrupted
from session.build import Options, Parts, build
from session.settings import Settings
from session.stop import StopRequest


class InterruptedEarly(Exception):
    """A stop was asked for before the session had begun; nothing was made."""


class PrepareWatch:
    """What a person's screen is told of a simulated mouse; this one shows nothing. Called by the runner's thread."""

    def preparing(self, stage: str) -> None:
        """The mouse is being made; called ten times a second, from its first stage to its last."""

    def prepared(self, about: Mapping[str, Any]) -> None:
        """The mouse is there; ``about`` is what the session's record says of it."""


def prepare(settings: Settings, options: Options, clock: Clock, stop: StopRequest, watch: PrepareWatch) -> Parts:
    """Make the parts of a session whose locks are held; the caller closes them.

    Raises
    ------
    InputError
        A part cannot be made.
    CameraError, OutputError
        A device is not to be had.
    InterruptedEarly
        A stop was asked for meanwhile.
    """

    def go_on(stage: str) -> bool:
        if stage:
            watch.preparing(stage)
        return not stop

    try:
        parts = build(settings, options, clock, go_on)
    except Interrupted:
        raise InterruptedEarly(stop.reason) from None
    if parts.about:
        watch.prepared(parts.about)
    return parts
