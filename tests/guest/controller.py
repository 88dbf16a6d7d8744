"""A controller to be killed: starts a guard on a Raspberry Pi's lines, opens the valve, and says so.

``python -m tests.guest.controller alone|fork``; with ``fork`` a child of it holds everything that it has open.
"""

from __future__ import annotations

import os
import sys

from core.clock import MonotonicClock
from hardware.guard import Guard
from hardware.guardian_spec import GuardSpec
from hardware.settings import BoardKind, OutputSettings, PinSettings

CLOCK = MonotonicClock()
PINS = PinSettings(output_board=BoardKind.rpi_lgpio)
SPEC = GuardSpec(pins=PINS, outputs=OutputSettings(max_pulse_s=5, max_session_water_s=3600, max_duty=1.0))
LONG_S = 5.0


def main(how: str) -> None:
    """Run until killed, for 60 s at most; the valve is opened for as long as it may be."""
    guard = Guard(SPEC)
    guard.start()
    if how == "fork" and os.fork() == 0:
        CLOCK.sleep_until_ns(CLOCK.now_ns() + 60 * 10**9)
        os._exit(0)
    print(*guard.pids, flush=True)
    guard.valve.pulse(LONG_S, CLOCK.now_ns())
    for _ in range(1200):
        guard.alive()
        # On a loaded host the guest may stand still for longer than the guardian waits for a sign of life.
        if any(report.kind == "water_cut" for report in guard.reports()):
            guard.valve.pulse(LONG_S, CLOCK.now_ns())
        CLOCK.sleep_until_ns(CLOCK.now_ns() + 50_000_000)


if __name__ == "__main__":
    main(sys.argv[1])
