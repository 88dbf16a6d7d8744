"""Runs a session: gets all that it needs, or nothing, makes its folder, and hands both to ``session.running``.

Owns the locks, and the parts until the session takes them.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from core.errors import InputError
from core.ports import Clock
from recording.folder import create_session_folder, discard_session_folder, folder_name
from recording.parts import create_part, ledger_name, next_part
from recording.summary import check_summary
from session.build import gives_water, refuse_missing
from session.disk_room import check_room
from session.finish import note_start
from session.live_link import LiveLink
from session.locks import mouse_lock, rig_locks
from session.parts import Options
from session.prepare import InterruptedEarly, prepare
from session.result import SessionResult
from session.rig_outputs import refuse_used_up
from session.running import RunningSession
from session.settings import Settings
from session.stop import StopRequest
from session.watch import SessionWatch


def run_session(
    settings: Settings, options: Options, clock: Clock, stop: StopRequest, watch: SessionWatch,
    link: LiveLink | None = None,
) -> SessionResult:  # fmt: skip
    """Run one session from the first frame to its summary; pages may look at it through ``link``, if one is given.

    Returns the result also of a session that failed: its ``outcome`` and ``error`` say so.

    Raises
    ------
    InputError
        A source, lock, water or disk space that is not to be had; ExposureError for ROIs that are saturated or dark.
    CameraError, OutputError, MissingError
        A device, or a library for one, is not to be had.
    RecordingError
        The session's first files cannot be written.
    InterruptedEarly
        A stop was asked for before the session began.

    With each of them no session is left in ``data_root``; a lock's file may be.
    """
    data_root = Path(settings.recording.data_root)
    refuse_missing(settings, options)
    if problem := check_summary(data_root / settings.recording.summary_file, settings.kind):
        raise InputError(problem)
    with ExitStack() as held:
        # Before a device is opened: another session may be using it.
        for lock in rig_locks(settings.outputs.rig, settings.mouse) if options.on_rig else ():
            held.enter_context(lock)
        started_ns = clock.wall_ns()
        if gives_water(settings, options):
            refuse_used_up(settings, started_ns)
        name = folder_name(started_ns) if options.resumes is None else ledger_name(next_part(options.resumes))
        options = replace(options, session=name)
        parts = prepare(settings, options, clock, stop, watch)
        with ExitStack() as unused:
            if parts.pose is not None:
                unused.callback(parts.pose.close)
            unused.callback(parts.camera.close)
            if parts.second is not None:
                unused.callback(parts.second.close)
            unused.callback(parts.rig.close)
            need = parts.image_bytes(settings) + parts.second_bytes(settings)
            little_room = check_room(settings.recording, need)
            if stop:
                raise InterruptedEarly(stop.reason)
            held.enter_context(mouse_lock(data_root, settings.mouse))
            if options.resumes is None:
                folder = create_session_folder(data_root, settings.mouse, started_ns)
            else:
                folder = create_part(options.resumes)
            unused.callback(discard_session_folder, folder)
            note_start(folder, settings, options, started_ns, parts)
            session = RunningSession(settings, options, parts, folder, clock, stop, little_room, link)
            # From here on the session closes them, each in its place in the order.
            unused.pop_all()
        return session.run(watch)
