"""The lines that say what is being made ready, and what a simulated mouse is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cli.screen import say
from session.prepare import PrepareWatch


class MouseLines(PrepareWatch):
    """Says each stage once, then what lives in the network; on stderr."""

    def __init__(self) -> None:
        self._stage = ""

    def preparing(self, stage: str) -> None:
        """Say a new stage."""
        if stage and stage != self._stage:
            self._stage = stage
            say(f"{stage} ...", error=True)

    def prepared(self, about: Mapping[str, Any]) -> None:
        """Say what it is, which code generation runs it, and why."""
        say(
            f"simulated mouse {about['name']}: {about['cells']} cells, {about['rate_hz']:g} spikes/s at rest, steps of "
            f"{about['dt_us'] / 1000:g} ms, Brian2 {about['brian2']}, {about['target']} ({about['why']})",
            error=True,
        )
        if about["rate_hz"] == 0:
            say("simulated mouse: its imaged cells do not fire; dF/F will be noise", error=True)
