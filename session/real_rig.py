"""Opens the real outputs and sensors that the settings name: guardian, speaker, lick sensor."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from core.ports import LickSensor
from hardware.rig import Rig
from hardware.settings import LickKind
from session.settings import Settings
from session.water_day import water_path


def open_rig(settings: Settings, seed: int) -> Rig:
    """Return the rig, all lines low and silent; the caller closes it.

    Parameters
    ----------
    settings : Settings
    seed : int
        Of the intervals between sync pulses.

    Raises
    ------
    OutputError
        A board, sound card or lick sensor is not to be had; what was opened before it is closed again.
    """
    # Processes and libraries that a session on a recording has no use for.
    from hardware.guard import Guard
    from hardware.guardian_spec import GuardSpec
    from hardware.speaker import ProcessSpeaker

    with ExitStack() as made:
        guard = Guard(
            GuardSpec(
                pins=settings.pins,
                outputs=settings.outputs,
                ledger=water_path(Path(settings.recording.data_root), settings.mouse),
                seed=seed,
            )
        )
        made.callback(guard.close)
        guard.start()
        speaker = ProcessSpeaker(settings.sound, settings.loudness)
        made.callback(speaker.close)
        speaker.start()
        licks = _lick_sensor(settings, made)
        made.pop_all()
    about = {"sound": speaker.facts(), "licks": settings.licks.lick_sensor.value, "board": guard.facts()}
    return Rig(speaker, guard.valve, guard.lines, licks, guard, about)


def _lick_sensor(settings: Settings, made: ExitStack) -> LickSensor:
    """Return the lick sensor, started."""
    if settings.licks.lick_sensor is LickKind.none:
        from hardware.no_licks import NoLickSensor

        return NoLickSensor()
    from hardware.lick import LickReader

    reader = LickReader(settings.licks, settings.pins)
    made.callback(reader.close)
    reader.start()
    return reader
