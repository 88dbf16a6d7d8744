"""The pages that look at a session, as its loop sees them: a recorder that shows what it is given, and wishes.

Whatever goes wrong with them is said, and costs the session nothing but its pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from core.errors import InputError
from core.trial import SessionPlan
from core.values import Frame, Operator, OperatorKind
from recording.schema import EventRow, FrameRow, SideRow, TimingRow
from session.live_controls import STOP_NOW, read_control
from session.live_link import Answer, LiveLink
from session.live_status import live_status
from session.loop import FrameSink
from session.status import Status
from session.stop import StopRequest

WAITING = 16
"""Wishes that may wait for a frame: where none comes for a while, all of them are given with the next one."""


def _never(duration_s: float, drops: int) -> str:
    """Refuse no drop beforehand, of a valve that cannot be asked."""
    del duration_s, drops
    return ""


class Pages:
    """See the module. Called by the loop's thread.

    Parameters
    ----------
    link : LiveLink or None
        None where no page can look at the session.
    recorder : FrameSink
        What records; it is given everything first.
    plan : SessionPlan
    stop : StopRequest
        Where wishes are handed on.
    refusal : callable
        ``refusal(duration_s, drops)``: why the valve would refuse the last of so many drops now; empty: it would not.
    """

    def __init__(
        self, link: LiveLink | None, recorder: FrameSink, plan: SessionPlan, stop: StopRequest,
        refusal: Callable[[float, int], str] = _never,
    ) -> None:  # fmt: skip
        self._link = link
        self._recorder = recorder
        self._plan = plan
        self._stop = stop
        self._refusal = refusal
        self._status: Status | None = None
        self._warn: Callable[[str], None] = _silent
        self._waiting: list[tuple[Operator, Answer]] = []

    def open(self, about: Mapping[str, Any], status: Status, warn: Callable[[str], None]) -> None:
        """Let pages look from now on; say so where they cannot."""
        self._status, self._warn = status, warn
        if self._link is not None:
            try:
                self._link.open(about)
            except Exception as error:  # noqa: BLE001 - the session goes on without pages
                self._give_up(error)

    def write(self, frame: Frame, row: FrameRow, timing: TimingRow, side: Sequence[SideRow]) -> None:
        """Record one frame, then show it. Raises RecordingError."""
        self._recorder.write(frame, row, timing, side)
        if self._link is not None:
            try:
                self._link.show(row, timing, frame, side)
            except Exception as error:  # noqa: BLE001 - the session goes on without pages
                self._give_up(error)

    def note(self, side: Sequence[SideRow]) -> None:
        """Record what belongs to no frame, then show it. Raises RecordingError."""
        self._recorder.note(side)
        if self._link is not None:
            try:
                self._link.note(side)
            except Exception as error:  # noqa: BLE001 - the session goes on without pages
                self._give_up(error)

    def look(self) -> None:
        """Take what pages ask for, and tell them what is new; between two frames, or while one is waited for."""
        if self._link is None or self._status is None:
            return
        status = self._status
        try:
            self._answer_given(status)
            self._link.look(lambda: live_status(status), self._ask)
        except Exception as error:  # noqa: BLE001 - the session goes on without pages
            self._give_up(error)

    def close(self, outcome: str, text: str) -> None:
        """Tell what the session came to, and let go."""
        try:
            if self._status is not None:
                self._answer_given(self._status)
            for _, answer in self._waiting:
                answer(False, "the session ended before it was given")
            self._waiting.clear()
            if self._link is not None:
                self._link.close({"outcome": outcome, "text": text})
                self._link = None
        except Exception as error:  # noqa: BLE001 - the session's end is recorded without pages
            self._give_up(error)

    def _ask(self, message: Mapping[str, Any], answer: Answer) -> None:
        """Hand a wish on, or say why not."""
        if self._status is None:
            return
        try:
            wish = read_control(message, self._plan, self._status.state)
            if wish.kind is not OperatorKind.STOP_NOW and len(self._waiting) >= WAITING:
                raise InputError(f"{message['do']}: {WAITING} wishes wait for a frame already; see why none comes")
        except InputError as error:
            answer(False, str(error))
            return
        if wish.kind is OperatorKind.FREE_WATER and (why := self._no_water()):
            # Given to the trial logic, it would end the session, as a reward does that the valve refuses.
            self.note([self._refused(f"no water for {wish.who}: {why}", self._status)])
            answer(False, why)
            return
        if message["do"] == STOP_NOW:
            # As a signal does, so that it is heard while no frame comes.
            self._stop.request(wish.who)
            answer(True, "the session ends")
            return
        self._stop.ask(wish)
        self._waiting.append((wish, answer))

    def _no_water(self) -> str:
        """Return why no drop is to be had after those that are asked for already, empty where one is."""
        waiting = sum(wish.kind is OperatorKind.FREE_WATER for wish, _ in self._waiting)
        return self._refusal(self._plan.settings.reward_dur, waiting + 1)

    def _refused(self, text: str, status: Status) -> EventRow:
        return EventRow(max(status.now_ns, 0), "warning", status.state.verdict.trial, text)

    def _answer_given(self, status: Status) -> None:
        """Answer for what has been given by now."""
        for wish, answer in [each for each in self._waiting if not self._stop.waits(each[0])]:
            self._waiting.remove((wish, answer))
            answer(True, f"given with frame {status.number}")

    def _give_up(self, error: Exception) -> None:
        link, self._link = self._link, None
        if link is not None:
            with suppress(Exception):
                link.close({"outcome": "", "text": "the session goes on, and cannot be looked at any more"})
        self._warn(f"pages cannot look at this session any more ({error}); it goes on")


def _silent(text: str) -> None:
    """Warn nobody, before anybody watches."""
    del text
