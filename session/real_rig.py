"""Opens the real outputs and sensors that the settings name: guardian, speaker, lick sensor."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from core.ports import LickSensor
from core.tones import ToneMap
from hardware.absent import NoLickSensor, NoSpeaker
from hardware.rig import Rig
from hardware.settings import LickKind
from session.calibration_speaker import speaker_gains
from session.settings import Settings
from session.water_day import water_ledgers

if TYPE_CHECKING:
    from hardware.speaker import ProcessSpeaker


def open_rig(
    settings: Settings, seed: int, session: str, *, lines_only: bool = False, go_on: Callable[[], bool] = lambda: True
) -> Rig:
    """Return the rig, all lines low and silent; the caller closes it.

    Parameters
    ----------
    settings : Settings
    seed : int
        Of the intervals between sync pulses.
    session : str
        Its folder's name, for the ledger.
    lines_only : bool
        Leave sound card and lick sensor closed: a preview needs the light alone.
    go_on : callable
        Asked ten times a second and more whether to go on: a device that hangs may take a minute.

    Raises
    ------
    OutputError
        A board, sound card or lick sensor is not to be had.
    Interrupted
        ``go_on`` returned False. With both, what was opened before is closed again.
    """
    # Processes and libraries that a session on a recording has no use for.
    from hardware.guard import Guard
    from hardware.guardian_spec import GuardSpec

    ledger, copy = water_ledgers(settings)
    spec = GuardSpec(
        pins=settings.pins,
        outputs=settings.outputs,
        ledger=ledger,
        copy=copy,
        seed=seed,
        session=session,
    )
    with ExitStack() as made:
        speaker: ProcessSpeaker | None = None
        licks: LickSensor = NoLickSensor()
        about: dict[str, object] = {}
        if not lines_only:
            speaker = _speaker(settings, made, go_on)
            licks = _lick_sensor(settings, made, go_on)
            about = {"sound": dict(speaker.facts), "licks": settings.licks.lick_sensor.value}
        # Last: sound takes seconds to open, and a guardian that hears nothing of the runner takes its lines low.
        guard = Guard(spec)
        made.callback(guard.close)
        guard.start(go_on)
        made.pop_all()
    about["board"] = {"kind": settings.pins.output_board.value, "refused": guard.refused}
    return Rig(speaker or NoSpeaker(), guard.valve, guard.lines, licks, guard, about, guard.refused)


def _speaker(settings: Settings, made: ExitStack, go_on: Callable[[], bool]) -> ProcessSpeaker:
    """Return the speaker, silent."""
    from hardware.loudness import read_table
    from hardware.speaker import ProcessSpeaker

    table = settings.sound.sound_gains
    gains = read_table(Path(table)) if table else speaker_gains(settings.config_path, settings.outputs.rig)
    highest_hz = max(*ToneMap(settings.tones).frequencies, settings.tones.single_freq)
    speaker = ProcessSpeaker(settings.sound, gains, highest_hz=highest_hz)
    made.callback(speaker.close)
    speaker.start(go_on)
    return speaker


def _lick_sensor(settings: Settings, made: ExitStack, go_on: Callable[[], bool]) -> LickSensor:
    """Return the lick sensor, started."""
    if settings.licks.lick_sensor is LickKind.none:
        return NoLickSensor()
    from hardware.lick import LickReader

    reader = LickReader(settings.licks, settings.pins)
    made.callback(reader.close)
    reader.start(go_on)
    return reader
