"""The sound outputs of this computer, for ``rigloop doctor``.

PortAudio looks around in a process of its own, which ends with the list: some ALSA configurations make it abort, and
its drivers print to the screen.
"""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.connection import Connection

from core.errors import OutputError
from hardware.speaker_card import SoundCard, SoundOutput, quiet_stderr
from recording.child import signals_held_back

LIST_S = 30.0
END_S = 2.0


def list_devices() -> tuple[SoundOutput, ...]:
    """Return the outputs there are, none on a computer without; takes a second.

    Raises OutputError when PyAudio is not installed, or PortAudio does not answer.
    """
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_tell_devices, args=(theirs,), name="rigloop-sound-list", daemon=True)
    with mine:
        with theirs, signals_held_back():
            process.start()
        try:
            found = mine.recv() if mine.poll(LIST_S) else None
        except EOFError:
            found = None
        process.join(END_S)
        code = process.exitcode
        process.kill()
        process.join(END_S)
    if isinstance(found, str):
        raise OutputError(found)
    if found is None:
        raise OutputError(
            f"speaker: looking for sound outputs failed (exit code {code}); see that aplay -L works, and that an "
            "asoundrc has a pcm.default"
        )
    return tuple(SoundOutput(**one) for one in found)


def _tell_devices(link: Connection) -> None:
    """Run in the process: send the outputs, or the text of what is wrong; never returns."""
    with quiet_stderr():
        try:
            link.send([output.as_dict() for output in SoundCard().outputs()])
        except OutputError as error:
            link.send(str(error))
        finally:
            os._exit(0)
