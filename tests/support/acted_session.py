"""A session that only shows: a thread with a link, which acts what a test wants to be seen on the page."""

from __future__ import annotations

import os
import threading
from itertools import count

import numpy as np

from core.clock import MonotonicClock
from recording.schema import EventRow
from session.live_link import LiveLink
from session.live_wire import PHASES, WIRE

RATE_HZ = 30
WAIT_S = 20.0
SIDE = 64
_numbers = count(1)


def about(mouse: str, what: str) -> dict:
    """What a page is told of it first."""
    return {
        "wire": WIRE, "what": what, "mouse": mouse, "experiment": "clnf_1roi", "kind": "clnf", "rig": f"rig of {mouse}",
        "folder": "", "shape": (SIDE, SIDE, 3), "dtype": "uint8", "names": ("M1_L",), "live": True,
        "framerate": RATE_HZ, "rois": {"M1_L": "8,8,16,16"}, "tones_hz": [1000.0, 19027.3],
        "goal": {"trials": 9, "rest_s": 0, "frames": None},
        "settings": {"dff_history": "6", "dff_mode": "green", "reward_ul": 2.5, "reward_dur": 0.05,
                     "reward_threshold": 0.05},
        "changeable": [],
        "water": {"reward_s": 0.05, "reward_ul": 2.5, "had_s": 0.1, "max_session_s": 60, "max_day_s": 120},
    }  # fmt: skip


class ActedSession:
    """Begins with the context, and ends with it, or with ``end``. ``more``: what else a page is told of it first.

    Attributes
    ----------
    name : str
        Of its link.
    green : float
        Brightness of the ROI, counts; 100 at the start.
    frames : bool
        Whether frames come.
    status : dict
        What is told of it; may be changed.
    """

    def __init__(self, mouse: str, what: str = "session", **more: object) -> None:
        self.name = f"{what}-{os.getpid()}{next(_numbers)}"
        self.green, self.frames = 100.0, True
        self.phase, self.trial = "rest", 0
        self.status = {
            "phase": "rest", "waits": False, "trial": 0, "successes": 0, "fails": 0, "rewards": 0, "drops": 0,
            "threshold": 0.05, "time_s": 0.0, "frames": 0, "dropped": 0, "skipped": 0, "dropped_by": {},
            "skipped_by": {}, "repeated_by": {}, "images_lost_by": {},
        }  # fmt: skip
        if what == "preview":
            self.status = {"phase": "preview", "time_s": 0.0, "frames": 0, "dropped": 0, "skipped": 0, "fps": 29.97}
            exposed = {"roi": "M1_L", "channel": "green", "mean": 250.1, "saturated": 0.31, "limit": 0.02}
            self.status["exposures"] = [{**exposed, "verdict": "saturated"}]
        self._clock = MonotonicClock()
        self._about = about(mouse, what) | more
        self._side: list[EventRow] = []
        self._end: dict | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._act)

    def __enter__(self) -> ActedSession:
        self._thread.start()
        return self

    def __exit__(self, *why: object) -> None:
        self.end("aborted", "outcome     stopped before its end")

    def tell(self, kind: str, detail: str = "", trial: int = 0) -> None:
        """Log something, with the next frame if frames come."""
        self._side.append(EventRow(self._clock.now_ns(), kind, trial, detail))

    def end(self, outcome: str, text: str) -> None:
        """End it, in order; may be called again."""
        self._end = self._end or {"outcome": outcome, "text": text}
        self._over.set()
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()

    def _act(self) -> None:
        link = LiveLink(self._clock, self.name)
        link.open(self._about)
        began_ns = self._clock.now_ns()
        try:
            while not self._over.is_set():
                now_ns = self._clock.now_ns()
                side, self._side = self._side, []
                # Its drops are on the rows of their events, as a session's are.
                drops = [row.time_ns for row in side if row.kind in ("reward", "free_water")]
                link.note(side)
                if self.frames:
                    self._frame(link, drops[0] if drops else now_ns, bool(drops), (now_ns - began_ns) / 1e9)
                link.look(lambda: self.status, lambda message, answer: answer(True, "as you like"))
                self._over.wait(1 / RATE_HZ)
        finally:
            link.close(self._end or {"outcome": "failed", "text": "the test failed"})

    def _frame(self, link: LiveLink, time_ns: int, water: bool, seconds: float) -> None:
        self.status = {**self.status, "frames": self.status["frames"] + 1, "time_s": seconds}
        image = np.full((SIDE, SIDE, 3), 100, np.uint8)
        image[8:24, 8:24, 1] = self.green
        signal = self.green / 100 - 1
        row = (
            self.status["frames"], time_ns, 300.0, 900.0, signal, 0.05, 0.0, PHASES.index(self.phase), 1, 0, 0,
            self.trial, int(water), 0, 0, (signal,),
        )  # fmt: skip
        link.put(row, image, self._clock.now_ns())
