"""A session in a process of its own, with a witness: a file that says which frames its recorder was handed, and when.

    python -m tests.realtime.witness LOG LOCKS MISHAPS run --mouse DEMO ...

A line is written to LOG as each ``Recorder.write`` returns, by a system call of its own, so it outlives whatever is
killed: number, host time (ns) and checksum of the image. LOCKS is the folder for the rig's lock. MISHAPS are words, by
commas: ``late`` lets the loop stall now and then, so that the camera loses frames; ``pose`` puts a pose model in a
process of its own; ``rig`` a speaker that makes no sound beside a rig's other parts.
"""

from __future__ import annotations

import os
import sys
import zlib
from pathlib import Path

from core.clock import MonotonicClock
from recording.recorder import Recorder

LATE_EVERY = 20
LATE_NS = 400_000_000


def watch_recorder(log: Path, late: bool) -> None:
    """Have each frame that is handed over written down."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    clock = MonotonicClock()
    start, write = Recorder.start, Recorder.write

    def start_told(self):
        start(self)
        os.write(handle, b"recorder %d\n" % self.writer_pid)

    def write_told(self, frame, row, timing, side):
        write(self, frame, row, timing, side)
        now_ns = clock.now_ns()
        os.write(handle, b"frame %d %d %d\n" % (frame.number, now_ns, zlib.crc32(frame.image)))
        if late and self.rows % LATE_EVERY == 0:
            clock.sleep_until_ns(now_ns + LATE_NS)

    Recorder.start, Recorder.write = start_told, write_told


def put_pose_process() -> None:
    """Put a pose model that needs no library where the settings' own would be, in a process of its own."""
    from behavior.fake_pose import FakeOptions, fake_spec
    from behavior.pose_client import ProcessPose
    from session import build_movement

    def make(settings, shape, dtype, priority):
        return ProcessPose(fake_spec(shape, FakeOptions()), dtype, settings.pose_timeout_s)

    build_movement.make_estimator = make


def put_quiet_speaker() -> None:
    """Put a speaker without a card into a rig."""
    from hardware.fake import FakeSpeaker
    from session import real_rig

    class Quiet(FakeSpeaker):
        facts = {"card": "none"}  # noqa: RUF012 - what a ProcessSpeaker has

    real_rig._speaker = lambda settings, made, go_on: Quiet()


def main() -> None:
    """Run a session as ``rigloop`` would."""
    log, locks, mishaps, *words = sys.argv[1:]
    from recording import lock_file

    lock_file.SHARED_FOLDERS = (Path(locks),)
    watch_recorder(Path(log), "late" in mishaps.split(","))
    if "pose" in mishaps.split(","):
        put_pose_process()
    if "rig" in mishaps.split(","):
        put_quiet_speaker()
    from cli.main import main as rigloop

    sys.argv = ["rigloop", *words]
    sys.exit(rigloop())


if __name__ == "__main__":
    main()
