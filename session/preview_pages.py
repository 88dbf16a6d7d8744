"""The pages that look at a preview: each frame's signal, a picture 15 times a second, and how each ROI is exposed.

All that a page may ask of a preview is that it ends. Whatever goes wrong with the pages costs the preview nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from brain.exposure import Exposure, judge_exposure
from core.errors import InputError
from core.ports import Clock
from core.values import Frame, Signal, as_seconds
from session.live_controls import STOP_NOW, read_who
from session.live_link import Answer, LiveLink
from session.live_status import live_about, number
from session.live_wire import PHASES
from session.parts import Parts
from session.settings import Settings
from session.stop import StopRequest

RATE_S = 1.0
"""Span over which frames per second are counted."""


class PreviewPages:
    """See the module. Called by the preview's thread.

    Parameters
    ----------
    link : LiveLink or None
        None where no page can look.
    settings : Settings
    clock : Clock
        The host's.
    stop : StopRequest
    warn : callable
        Told once where pages cannot look.
    """

    def __init__(
        self, link: LiveLink | None, settings: Settings, clock: Clock, stop: StopRequest, warn: Callable[[str], None]
    ) -> None:
        self._link = link
        self._settings = settings
        self._clock = clock
        self._stop = stop
        self._warn = warn
        self._newest: Frame | None = None
        self._first_ns = 0
        self._frames = self._lost = self._judged = 0
        self._since_ns = self._since_frames = 0
        self._fps = math.nan

    def open(self, parts: Parts, live: bool) -> None:
        """Let pages look from now on; ``live``: frames are stamped by the host's clock."""
        if self._link is not None:
            try:
                self._link.open(live_about(self._settings, parts, "", "preview", live))
            except Exception as error:  # noqa: BLE001 - the preview goes on without pages
                self._give_up(error)

    def count(self, frame: Frame) -> None:
        """Count a frame that came, whether or not it is judged."""
        if not self._frames:
            self._first_ns = self._since_ns = frame.time_ns
        self._frames += 1
        self._lost += frame.dropped
        self._since_frames += 1
        if (span_s := as_seconds(frame.time_ns - self._since_ns)) >= RATE_S:
            # The first frame began the span.
            self._fps = (self._since_frames - 1) / span_s
            self._since_ns, self._since_frames = frame.time_ns, 1

    def show(self, frame: Frame, signal: Signal, read_ns: int) -> None:
        """Show a frame that was counted, and judged; ``read_ns``: when it came."""
        if self._link is None:
            return
        self._judged += 1
        # Its image is the camera's, and stays as it is until the next one is asked for.
        self._newest = frame
        now_ns = self._clock.now_ns()
        late_us, span_us = (read_ns - frame.time_ns) / 1e3, (now_ns - read_ns) / 1e3
        row = (
            frame.number, frame.time_ns, late_us, span_us, signal.value, math.nan, 0.0, PHASES.index("rest"),
            signal.valid, 0, 0, 0, 0, 0, frame.dropped, signal.parts,
        )  # fmt: skip
        try:
            self._link.put(row, frame.image, now_ns)
        except Exception as error:  # noqa: BLE001 - the preview goes on without pages
            self._give_up(error)

    def look(self) -> None:
        """Take what pages ask for, and tell them what is new."""
        if self._link is not None:
            try:
                self._link.look(self._status, self._ask)
            except Exception as error:  # noqa: BLE001 - the preview goes on without pages
                self._give_up(error)

    def close(self, text: str) -> None:
        """Tell how it ended, and let go."""
        try:
            if self._link is not None:
                self._link.close({"outcome": "preview", "text": text})
                self._link = None
        except Exception as error:  # noqa: BLE001 - the preview's end is its own
            self._give_up(error)

    def _status(self) -> dict[str, Any]:
        frame = self._newest
        return {
            "phase": "preview",
            "time_s": 0.0 if frame is None else as_seconds(frame.time_ns - self._first_ns),
            "frames": self._frames,
            "dropped": self._lost,
            "skipped": self._frames - self._judged,
            "fps": number(self._fps),
            "exposures": [] if frame is None else [each.facts() for each in self._exposures(frame)],
        }

    def _exposures(self, frame: Frame) -> tuple[Exposure, ...]:
        """Judge the newest image."""
        if self._settings.kind == "clmf":
            return ()
        return judge_exposure(frame.image, self._settings.rois, self._settings.dff.dff_mode)

    def _ask(self, message: Mapping[str, Any], answer: Answer) -> None:
        try:
            if message.get("do") != STOP_NOW:
                raise InputError("a preview can be ended, and nothing else; start a session")
            who = read_who(message)
        except InputError as error:
            answer(False, str(error))
            return
        self._stop.request(who)
        answer(True, "the preview ends")

    def _give_up(self, error: Exception) -> None:
        link, self._link = self._link, None
        if link is not None:
            with suppress(Exception):
                link.close({"outcome": "", "text": "the preview goes on, and cannot be looked at any more"})
        self._warn(f"pages cannot look at this preview any more ({error}); it goes on")
