"""Ctrl-C, ``kill`` and a closed terminal, turned into one flag that the runner looks at. Never an exception."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

from core.values import Operator, OperatorKind

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """While this context is open the three signals only raise a flag, so that nothing is interrupted half-way.

    Parameters
    ----------
    for_good : bool
        Ignore the signals when the context closes: for a process that has nothing left to do but to exit, whose exit
        code must be its session's.

    Attributes
    ----------
    reason : str
        Name of the first signal that came, empty before.
    """

    def __init__(self, for_good: bool = False) -> None:
        self._for_good = for_good
        self.reason = ""
        self._asked: tuple[Operator, ...] = ()
        self._before: dict[signal.Signals, object] = {}

    def __bool__(self) -> bool:
        return bool(self.reason)

    def request(self, reason: str) -> None:
        """Ask for the end; the first reason stays."""
        self.reason = self.reason or reason

    def after_trial(self, who: str) -> None:
        """Have the running trial be the last, for a cause that is no signal; the loop's thread asks."""
        self.ask(Operator(OperatorKind.STOP_AFTER_TRIAL, who=who))

    def ask(self, wish: Operator) -> None:
        """Have the trial logic be given this with the next frame, once; the loop's thread asks."""
        self._asked = (*self._asked, wish)

    def waits(self, wish: Operator) -> bool:
        """Return whether this very wish has not been given yet."""
        return any(each is wish for each in self._asked)

    def wish(self) -> tuple[Operator, ...]:
        """Return what the loop is to be given: what was asked and not given yet, and the wish to stop now."""
        return (*self._asked, Operator(OperatorKind.STOP_NOW, who=self.reason)) if self.reason else self._asked

    def given(self, wishes: tuple[Operator, ...]) -> None:
        """Take note that the trial logic was given these wishes; a signal's is given with each frame from then on."""
        # By what they are, not what they say: two drops may be asked for, one while the other is given.
        self._asked = tuple(wish for wish in self._asked if not any(wish is each for each in wishes))

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.request(signal.Signals(number).name)

    def __enter__(self) -> StopRequest:
        for number in SIGNALS:
            # A session under nohup outlives its terminal, as it was asked to.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for number, handler in self._before.items():
            after = signal.SIG_IGN if self._for_good else handler
            signal.signal(number, after)  # type: ignore[arg-type]  # what signal.signal itself returned
        self._before.clear()
