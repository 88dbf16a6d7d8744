"""The speaker of a rig: tells the speaker process, through shared memory, what is to be heard.

Two stores into memory and one look at a socket make a tone: microseconds, whatever the card does. The process, which
``speaker_link.SpeakerLink`` owns, falls silent when it has not heard from here for 1 s, and ends when this one does.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from core.errors import OutputError
from core.outputs import OutputUse, check_tone
from core.values import Report
from hardware.loudness import FLAT, GainTable
from hardware.settings import SoundSettings
from hardware.speaker_link import Link, SpeakerLink
from hardware.speaker_memory import CALLBACK_NS, HEARTBEAT_NS, TROUBLES, Heard, SpeakerMemory
from hardware.speaker_process import STALL_S, SpeakerSpec
from hardware.steps import Reopening, Steps, always, to_the_end

MEANING = {
    "underflow": "the card ran out of samples",
    "overflow": "the card threw samples away",
    "sound_gap": "the card asked late for samples",
    "hushed": "no sign of life from the loop for 1 s",
}


class ProcessSpeaker:
    """Speaker, Reporter, Reconnectable, Described and LeavesBehind. All verbs are called by the runner's thread; none
    but ``start`` (3 s and more: the card's rate is measured), ``reconnect`` (0.1 s) and ``close`` waits.

    Parameters
    ----------
    settings : SoundSettings
    gains : GainTable
        Calibration of loudness.
    make_link : callable
        Makes the process that plays; another one for tests.
    now_ns : callable
        The monotonic clock.
    highest_hz : float
        The highest tone that will be asked for: a card that cannot play it is refused at the start.
    """

    def __init__(
        self,
        settings: SoundSettings,
        gains: GainTable = FLAT,
        make_link: Callable[[SpeakerSpec], Link] = SpeakerLink,
        now_ns: Callable[[], int] = time.monotonic_ns,
        highest_hz: float = 0.0,
    ) -> None:
        self._spec = SpeakerSpec(settings, gains, highest_hz=highest_hz)
        self._make_link = make_link
        self._now_ns = now_ns
        self._use = OutputUse("speaker")
        self._link: Link | None = None
        self._memory: SpeakerMemory | None = None
        self._facts: dict[str, Any] = {}
        self._lost = ""
        self._count = 0
        self._told: dict[str, int] = {}
        self._reopening = Reopening("speaker")
        self._left: list[Report] = []

    def start(self, go_on: Callable[[], bool] = always) -> None:
        """Open the card, silent, and check its rate.

        Parameters
        ----------
        go_on : callable
            Asked ten times a second and more whether to go on.

        Raises
        ------
        OutputError
            Which card, what is wrong, the cure.
        Interrupted
            ``go_on`` returned False. With both nothing is left.
        """
        if self._use.closed or self._link is not None:
            raise OutputError("speaker: started or closed before; make a new one")
        to_the_end(self._opening(), go_on)

    def set_tone(self, freq_hz: float, time_ns: int) -> None:
        """Play ``freq_hz`` from the card's next block on, 0 for silence.

        Raises OutputError for what cannot be played, at this card's rate, and when the card or its process is lost.
        """
        self._use.note(time_ns)
        check_tone(freq_hz)
        memory = self._checked()
        rate = self._facts["rate_hz"]
        if freq_hz >= rate / 2:
            raise OutputError(
                f"speaker: {freq_hz:g} Hz cannot be played at {rate} samples/s; use less than half of it, or a higher "
                "sample_rate"
            )
        self._count += 1
        self.alive()
        memory.command(self._count, freq_hz)

    def reports(self) -> tuple[Report, ...]:
        """Return under- and overflows and gaps since the last look. Raises OutputError when the card is lost."""
        memory = self._checked()
        self.alive()
        reports = list(self.left_behind())
        for trouble in TROUBLES:
            count, time_ns = memory.counted(trouble)
            new = count - self._told.get(trouble, 0)
            if new:
                self._told[trouble] = count
                reports.append(Report(time_ns, trouble, f"{MEANING[trouble]}: {new}, {count} in all"))
        return tuple(sorted(reports))

    def heard(self) -> Heard:
        """Return the command that the card carried out last, and when. Raises OutputError when the card is lost."""
        return self._checked().heard()

    def reconnect(self) -> None:
        """End what is left of the process, open the card anew, silent: a step of it, as Reconnectable says.

        Raises StillOpening, and OutputError also where another card than before would play: that is another loudness.
        """
        if self._use.closed:
            raise OutputError("speaker: closed before; make a new one")
        self._reopening.go_on(self._reopen)

    def left_behind(self) -> tuple[Report, ...]:
        """Return the processes that could not be ended (``sound_stuck``), as LeavesBehind says."""
        left, self._left = tuple(self._left), []
        return left

    @property
    def facts(self) -> Mapping[str, Any]:
        """Return device, rates, block, latency told and scheduling, as found at the last opening; empty before."""
        return dict(self._facts)

    @property
    def pid(self) -> int:
        """Id of the process that plays, 0 without one."""
        return 0 if self._link is None else self._link.pid

    def close(self) -> None:
        """Fall silent and end the process; twice is legal."""
        self._use.closed = True
        self._reopening.cancel()
        if self._memory is not None and not self._lost:
            self._count += 1
            self._memory.command(self._count, 0.0)
        to_the_end(self._release())

    def alive(self) -> None:
        """Tell the process that the loop lives; without it for 1 s it falls silent. Never blocks."""
        if self._memory is not None:
            self._memory.words[HEARTBEAT_NS] = self._now_ns()

    def _checked(self) -> SpeakerMemory:
        """Return the memory of a process that plays. Raises OutputError."""
        if self._lost:
            raise OutputError(self._lost)
        if self._link is None or self._memory is None:
            raise OutputError("speaker: it is not open; call start() first")
        lost = self._link.lost()
        silent_ns = self._now_ns() - self._memory.words[CALLBACK_NS]
        if lost:
            self._lose(lost)
        if silent_ns > STALL_S * 1e9:
            self._lose(
                f"speaker: the sound card '{self._facts['device']}' asked for nothing for {silent_ns / 1e9:.1f} s"
            )
        return self._memory

    def _lose(self, why: str) -> NoReturn:
        """Have it silent for sure, and remember why."""
        self._lost = why
        if self._link is not None:
            self._link.kill()
        raise OutputError(why)

    def _opening(self) -> Steps[None]:
        """Open the card and take it into use. Raises OutputError."""
        self._link = self._make_link(self._spec)
        try:
            memory, facts = yield from self._link.opening()
            if wrong := another_card(self._facts, facts):
                raise OutputError(wrong)
        except OutputError as error:
            self._lost = str(error)
            yield from self._release()
            raise
        except BaseException:
            # Broken off: the link has ended what it could, and has the rest to tell.
            to_the_end(self._release())
            raise
        self._memory, self._facts = memory, facts
        self._lost, self._count, self._told = "", 0, {}
        self.alive()

    def _reopen(self) -> Steps[None]:
        self._lost = self._lost or "speaker: it is being opened again"
        yield from self._release()
        yield from self._opening()

    def _release(self) -> Steps[None]:
        self._memory = None
        if self._link is not None:
            stuck = yield from self._link.ending()
            self._link = None
            if stuck:
                self._left.append(Report(self._now_ns(), "sound_stuck", stuck))


def another_card(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return why a card is not the one that was lost, by the facts of both; empty where it is, or none was lost.

    The number that ALSA gives a card, as in ``USB Audio: - (hw:1,0)``, is another one after it was unplugged.
    """
    names = [re.sub(r"\(hw:\d+,\d+\)", "", facts["device"]) for facts in (before, now) if facts]
    if len(set(names)) == 1:
        return ""
    return (
        f"speaker: the sound card is now '{now['device']}', it was '{before['device']}', whose loudness this session "
        "has: connect that one again, or set sound_device and start a new session"
    )
