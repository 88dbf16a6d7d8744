"""The rig: all outputs and the lick sensor as one thing that the loop commands and that closes safely."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol, runtime_checkable

from core.errors import DeviceLost, OutputError
from core.ports import Bounded, Described, LeavesBehind, LickSensor, Lines, Reconnectable, Reporter, Speaker, Valve
from core.values import Command, Level, Lick, Line, Pulse, Report, Tone, Water

SESSION_LINES = (Line.LIGHT, Line.BEHAVIOUR_TTL, Line.BRAIN_TTL)
"""Lines that are high while a session runs: excitation light, and the triggers of both cameras."""
LOOP = "loop"
FALLEN = frozenset({"lines_low", "hushed"})
"""Reports of outputs that fell because the loop gave no sign of life: what it believes of them is no longer so."""


@runtime_checkable
class Watched(Protocol):
    """An output that falls silent by itself when it hears nothing of the runner."""

    def alive(self) -> None:
        """The runner lives. Never blocks."""


class Keeper(Protocol):
    """Who owns valve and lines, where that is a process of its own. Called by the runner's thread."""

    def alive(self) -> None:
        """The runner lives; called at least every 0.25 s, else the keeper shuts the valve. Never blocks."""

    def reports(self) -> tuple[Report, ...]:
        """Return what the lines did since the last look. Raises OutputError when the keeper is lost."""

    def reconnect(self) -> None:
        """Start the keeper anew, all lines low, a step of it, as ``core.ports.Reconnectable``. Raises OutputError."""

    def drop_waiting(self) -> None:
        """Drop the drops that wait for their time. Raises OutputError."""

    def close(self) -> None:
        """Valve shut, lines low, process ended."""


class Rig:
    """Sends each command to its device. Called by the runner's thread alone.

    Parameters
    ----------
    speaker : Speaker
    valve : Valve
    lines : Lines
    licks : LickSensor
    keeper : Keeper or None
        Owner of valve and lines; None where they need none.
    about : dict
        What the session's record says of the devices: their names, rates, settings as read back.
    warnings : tuple of str
        What a person should know before the session.

    Attributes
    ----------
    lost : dict of str to str
        Devices that were lost, ``"sound"``, ``"board"`` or ``"licks"``, and what they said; ``"loop"`` where outputs
        fell since the loop had stalled.
    last_words : tuple of Report
        What the keeper of the lines told while it was closed, and the processes that could not be ended.
    """

    def __init__(
        self,
        speaker: Speaker,
        valve: Valve,
        lines: Lines,
        licks: LickSensor,
        keeper: Keeper | None = None,
        about: Mapping[str, object] | None = None,
        warnings: tuple[str, ...] = (),
    ) -> None:
        self.speaker = speaker
        self.valve = valve
        self.lines = lines
        self.lick_sensor = licks
        self.about = dict(about or {})
        self.warnings = warnings
        self.lost: dict[str, str] = {}
        self._fallen = ""
        self._kept: list[Report] = []
        self.last_words: tuple[Report, ...] = ()
        self._keeper = keeper
        named = {"sound": speaker, "board": keeper, "licks": licks}
        self._watched_by = [device.alive for device in (keeper, speaker) if isinstance(device, Watched)]
        self._reporters = {name: device for name, device in named.items() if isinstance(device, Reporter)}

    def start(self, time_ns: int) -> None:
        """Light on and the behaviour camera triggered. Raises OutputError."""
        for line in SESSION_LINES:
            self.lines.set(Level(line, True), time_ns)

    def apply(self, command: Command, time_ns: int) -> None:
        """Carry out one command; a mark is for the log alone. Raises OutputError."""
        if isinstance(command, Tone):
            self.speaker.set_tone(command.freq_hz, time_ns)
        elif isinstance(command, Water):
            self.valve.pulse(command.duration_s, time_ns)
        elif isinstance(command, Pulse):
            self.lines.pulse(command, time_ns)
        elif isinstance(command, Level):
            self.lines.set(command, time_ns)

    def refusal(self, duration_s: float, drops: int) -> str:
        """Return why the valve would refuse the last of so many drops now; empty where it would not, or cannot tell."""
        return self.valve.refusal(duration_s, drops) if isinstance(self.valve, Bounded) else ""

    def licks(self, until_ns: int) -> tuple[Lick, ...]:
        """Return licks since the last call, up to ``until_ns``; none from a sensor that is lost."""
        if not self._reporters:
            return self.lick_sensor.read(until_ns)
        if "licks" in self.lost:
            return ()
        try:
            return self.lick_sensor.read(until_ns)
        except OutputError as error:
            if "licks" not in self._reporters:
                raise
            self.lost["licks"] = str(error)
            return ()

    def reports(self) -> list[Report]:
        """Return what the devices tell of themselves since the last call; those that are lost are put into ``lost``."""
        fresh = self._fresh()
        # Judged one look later: the last thing that is told of a keeper that died may be that its lines fell.
        if self._fallen and not self.lost:
            self.lost[LOOP] = f"the loop stalled, and outputs fell: {self._fallen}"
        self._fallen = next((told.detail for told in fresh if told.kind in FALLEN), "")
        kept, self._kept = self._kept, []
        return kept + fresh

    def _fresh(self) -> list[Report]:
        """Ask every device that is not lost."""
        reports: list[Report] = []
        for name, device in self._reporters.items():
            if name not in self.lost:
                try:
                    reports.extend(device.reports())
                except OutputError as error:
                    self.lost[name] = str(error)
        return reports

    def alive(self) -> None:
        """Tell those who watch over outputs that the runner lives; at least every 0.25 s."""
        for tell in self._watched_by:
            tell()

    def settle(self) -> None:
        """Take it as known that outputs fell, while the session was put together or a device was opened again."""
        self.alive()
        self._kept += self._fresh()
        self._fallen = ""
        self.lost.pop(LOOP, None)

    def check_lost(self) -> None:
        """Raise DeviceLost if a device is lost."""
        if self.lost:
            raise DeviceLost(self.lost)

    def can_reconnect(self, name: str) -> bool:
        """Whether a lost device can be opened again."""
        return name == LOOP or isinstance(self._reporters.get(name), Reconnectable)

    def reconnect(self, name: str) -> None:
        """Open a lost device again, low and silent, a step of it. Raises StillOpening, OutputError."""
        device = self._reporters.get(name)
        if name == LOOP:
            self.lost.pop(name, None)
        if isinstance(device, Reconnectable):
            device.reconnect()
            self.lost.pop(name, None)

    def facts(self, name: str) -> Mapping[str, object]:
        """Return what was read back of a device when it was opened last; empty where it tells nothing of itself."""
        device = self._reporters.get(name)
        return device.facts if isinstance(device, Described) else {}

    def hush(self, time_ns: int) -> None:
        """No more water, silence, light off, triggers low, at once: a device is lost.

        A drop that runs ends by itself; those that wait do not come. Whatever fails here is looked into by others.
        """
        commands: list[Command] = [Tone(0.0), *(Level(line, False) for line in SESSION_LINES)]
        steps: list[Callable[[], object]] = [partial(self.apply, command, time_ns) for command in commands]
        if self._keeper is not None:
            steps.insert(0, self._keeper.drop_waiting)
        for step in steps:
            try:
                step()
            except OutputError:
                # This device is the lost one, or the next; its outputs have fallen with it, and reports() tells.
                continue

    def close(self) -> list[Exception]:
        """Shut the valve, then silence, then lines low, whatever fails on the way. Returns the failures."""
        failures: list[Exception] = []
        steps: list[Callable[[], object]] = [self.valve.close, self.speaker.close, self.lines.close]
        if self._keeper is not None:
            # The edges that closing made are told while their keeper still lives.
            steps += [self._keep_last_words, self._keeper.close]
        for step in (*steps, self.lick_sensor.close):
            try:
                step()
            except Exception as error:  # noqa: BLE001 - the next device must be closed all the same
                failures.append(error)
        for device in self._reporters.values():
            if isinstance(device, LeavesBehind):
                self.last_words += device.left_behind()
        return failures

    def _keep_last_words(self) -> None:
        if self._keeper is not None and "board" not in self.lost:
            self.last_words = self._keeper.reports()
