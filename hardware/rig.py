"""The rig: all outputs and the lick sensor as one thing that the loop commands and that closes safely."""

from __future__ import annotations

from core.ports import LickSensor, Lines, Speaker, Valve
from core.values import Command, Level, Lick, Line, Pulse, Tone, Water

SESSION_LINES = (Line.LIGHT, Line.BEHAVIOUR_TTL)
"""Lines that are high while a session runs: excitation light, and the behaviour camera's trigger."""


class Rig:
    """Sends each command to its device. Called by the runner's thread alone.

    Parameters
    ----------
    speaker : Speaker
    valve : Valve
    lines : Lines
    licks : LickSensor
    """

    def __init__(self, speaker: Speaker, valve: Valve, lines: Lines, licks: LickSensor) -> None:
        self.speaker = speaker
        self.valve = valve
        self.lines = lines
        self.lick_sensor = licks

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

    def licks(self, until_ns: int) -> tuple[Lick, ...]:
        """Return licks since the last call, up to ``until_ns``."""
        return self.lick_sensor.read(until_ns)

    def close(self) -> list[Exception]:
        """Shut the valve, then silence, then lines low, whatever fails on the way. Returns the failures."""
        failures: list[Exception] = []
        for device in (self.valve, self.speaker, self.lines, self.lick_sensor):
            try:
                device.close()
            except Exception as error:  # noqa: BLE001 - the next device must be closed all the same
                failures.append(error)
        return failures
