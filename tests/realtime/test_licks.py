"""The lick sensor's process: times, faults, a bus that hangs, kills; on a simulated chip and a simulated line.

The chip and its bus are arguments here, as they are nowhere else; `make guest` runs the same on real kernel devices.
"""

import contextlib
import os
import select
import signal
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from core.clock import MonotonicClock
from core.errors import OutputError
from hardware.fake_mpr121 import FakeMpr121
from hardware.lick import LickReader
from hardware.lick_process import PRIORITY
from hardware.settings import LickKind, LickSettings, PinSettings
from tests.support.gpio_inputs import PIN, FindInputPins
from tests.support.reopening import cores_of, pinned, reopen
from tests.support.shared_spans import SharedSpans
from tests.support.stalls import Stalls

ROOT = Path(__file__).resolve().parents[2]
CLOCK = MonotonicClock()
MS = 1_000_000
S = 1000 * MS
MPR121 = LickSettings(lick_sensor=LickKind.mpr121)
BEAM = LickSettings(lick_sensor=LickKind.beam, lick_pin=PIN)
SOON = 100 * MS
LONG = 400 * MS
"""A touch that is found although this machine stands still for a while."""
STALL_NS = 15 * MS


@pytest.fixture
def readers():
    made = []
    yield made
    for reader in made:
        reader.close()


@pytest.fixture
def stalls():
    """A witness of this machine's standing still for longer than a touch can be missed in."""
    with contextlib.closing(Stalls(STALL_NS / 1e9, PRIORITY)) as watch:
        yield watch


def start(readers, settings=MPR121, **options):
    reader = LickReader(settings, PinSettings(), **options)
    readers.append(reader)
    reader.start()
    return reader


def licking(count=15, period=100 * MS, length=40 * MS):
    begin = CLOCK.now_ns() + SOON
    return [(begin + n * period, begin + n * period + length) for n in range(count)]


def collect(reader, until_ns):
    """Read as a loop does, 100 times a second."""
    licks, reports, spans = [], [], []
    while CLOCK.now_ns() < until_ns:
        CLOCK.sleep_until_ns(CLOCK.now_ns() + 10 * MS)
        begin = CLOCK.now_ns()
        licks += [lick.time_ns for lick in reader.read(begin)]
        reports += reader.reports()
        spans.append(CLOCK.now_ns() - begin)
    return licks, reports, sorted(spans)


def check_times(licks, touches, stalls):
    """Each touch is one lick, found in it, unless this machine stood still near it, as a witness tells.

    Looks that were due while nothing ran are all made behind it: such a touch may be none, or found late.
    """
    late = []
    for begin, end in touches:
        if any(stall[0] < end + STALL_NS and begin - STALL_NS < stall[1] for stall in stalls):
            continue
        found = [lick for lick in licks if begin <= lick <= end + STALL_NS]
        assert len(found) == 1, (begin, end, licks, stalls)
        late.append(found[0] - begin)
    assert len(licks) <= len(touches), "no lick without a touch"
    assert len(late) > len(touches) // 3, f"this machine stood still nearly all the time: {stalls}"
    # A look each 4 ms: a touch is found 2 ms after it came, in the middle.
    assert statistics.median(late) < 20 * MS


def test_each_lick_comes_once_with_its_own_time(readers, stalls):
    spans = SharedSpans()
    reader = start(readers, open_bus=partial(FakeMpr121, touches=spans))
    assert reader.name == "MPR121 at 0x5A on /dev/i2c-1, channel 0"
    touches = spans.give(licking())
    licks, reports, _ = collect(reader, touches[-1][1] + SOON)
    check_times(licks, touches, stalls.seen())
    assert reports == []


def test_a_beam_break(readers, stalls):
    spans = SharedSpans()
    reader = start(readers, BEAM, find_gpio=FindInputPins(spans=spans))
    assert reader.name == "beam-break on pin 4, low when broken"
    touches = spans.give(licking())
    licks, reports, _ = collect(reader, touches[-1][1] + SOON)
    check_times(licks, touches, stalls.seen())
    assert reports == []


def test_bounces_are_one_lick(readers):
    spans = SharedSpans()
    settings = LickSettings(lick_sensor=LickKind.beam, lick_pin=PIN, lick_debounce_s=0.3)
    reader = start(readers, settings, find_gpio=FindInputPins(spans=spans))
    begin = CLOCK.now_ns() + SOON
    spans.give([(begin + at * MS, begin + (at + 40) * MS) for at in (0, 80, 160, 900, 980)])
    licks, _, _ = collect(reader, begin + 1200 * MS)
    assert len(licks) == 2


def test_a_look_never_waits_for_a_bus_that_hangs(readers):
    hangs, touches = SharedSpans(), SharedSpans()
    reader = start(readers, open_bus=partial(FakeMpr121, hangs=hangs, touches=touches))
    begin = CLOCK.now_ns() + SOON
    hangs.give([(begin, begin + 1 * S)])
    touches.give([(begin + 1500 * MS, begin + 1500 * MS + LONG)])
    licks, _, took = collect(reader, begin + 2100 * MS)
    assert len(licks) == 1
    assert statistics.median(took) < 10 * MS
    assert took[-1] < 500 * MS, "a look that waited would last as long as the bus hangs, 1 s"


def test_a_bus_that_hangs_for_good_is_lost_and_leaves_nobody_behind(readers):
    hangs = SharedSpans()
    reader = start(readers, open_bus=partial(FakeMpr121, hangs=hangs))
    begin = CLOCK.now_ns()
    hangs.give([(begin, begin + 600 * S)])
    pid = reader.pid
    with pytest.raises(OutputError, match=r"has said nothing for 3 s; its bus hangs: check SDA and SCL"):
        collect(reader, begin + 20 * S)
    ended = CLOCK.now_ns()
    reader.close()
    assert CLOCK.now_ns() - ended < 10 * S
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_errors_that_pass_are_counted_and_licks_go_on(readers):
    fails, touches = SharedSpans(), SharedSpans()
    reader = start(readers, open_bus=partial(FakeMpr121, fails=fails, touches=touches))
    begin = CLOCK.now_ns() + SOON
    fails.give([(begin, begin + 300 * MS)])
    touches.give([(begin + 600 * MS, begin + 600 * MS + LONG)])
    licks, reports, _ = collect(reader, begin + 1200 * MS)
    assert len(licks) == 1
    (report,) = reports
    assert report.kind == "i2c_error"
    assert "looks at the MPR121 at 0x5A on /dev/i2c-1, channel 0 failed: Remote I/O error" in report.detail
    assert 1 <= int(report.detail.split()[0]) <= 31


def test_a_chip_that_has_gone_is_lost_with_its_cure_and_comes_back(readers):
    fails, touches = SharedSpans(), SharedSpans()
    reader = start(readers, open_bus=partial(FakeMpr121, fails=fails, touches=touches))
    begin = CLOCK.now_ns()
    fails.give([(begin, begin + 600 * S)])
    with pytest.raises(OutputError, match=r"has not answered for 1 s, .* times \(Remote I/O error\); check its wires"):
        collect(reader, begin + 20 * S)
    assert reader.read(CLOCK.now_ns()) == ()
    with pytest.raises(OutputError, match="nothing answers"):
        reopen(reader)
    fails.give([(begin, begin)])
    reopen(reader)
    assert reader.reports() == ()
    (touch,) = touches.give([(CLOCK.now_ns() + SOON, CLOCK.now_ns() + SOON + LONG)])
    licks, _, _ = collect(reader, touch[1] + SOON)
    assert len(licks) == 1


@pytest.mark.parametrize(
    ("settings", "options", "words"),
    [
        (MPR121, {"open_bus": partial(FakeMpr121, address=0x5B)}, "nothing answers as MPR121 at 0x5A"),
        (MPR121, {"open_bus": partial(FakeMpr121, other_chip=True)}, "is no MPR121"),
        (LickSettings(lick_sensor=LickKind.mpr121, lick_i2c_bus=251), {}, "there is no I2C bus /dev/i2c-251"),
        (BEAM, {"find_gpio": FindInputPins(busy=True)}, "lick_pin 4: is held by another program"),
        (BEAM, {"find_gpio": FindInputPins(level=0)}, "is broken now"),
    ],
)
def test_what_cannot_be_used_is_said_before_the_session_and_leaves_nothing(readers, settings, options, words):
    reader = LickReader(settings, PinSettings(), **options)
    with pytest.raises(OutputError, match=words) as caught:
        reader.start()
    assert "\n" not in str(caught.value)
    assert reader.pid == 0
    reader.close()


def test_a_process_that_is_killed_is_lost(readers):
    reader = start(readers, open_bus=FakeMpr121)
    pid = reader.pid
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(OutputError, match=f"its process {pid} has ended"):
        collect(reader, CLOCK.now_ns() + 5 * S)
    reopen(reader)
    collect(reader, CLOCK.now_ns() + 300 * MS)


def test_a_process_that_stands_still_is_lost(readers):
    reader = start(readers, open_bus=FakeMpr121)
    os.kill(reader.pid, signal.SIGSTOP)
    with pytest.raises(OutputError, match="has said nothing for 3 s"):
        collect(reader, CLOCK.now_ns() + 20 * S)
    reader.close()


def test_a_controller_that_slept_finds_all_licks(readers, stalls):
    spans = SharedSpans()
    reader = start(readers, open_bus=partial(FakeMpr121, touches=spans))
    touches = spans.give(licking(count=8, period=300 * MS, length=200 * MS))
    CLOCK.sleep_until_ns(touches[-1][1] + 3500 * MS)
    assert reader.reports() == ()
    check_times([lick.time_ns for lick in reader.read(CLOCK.now_ns())], touches, stalls.seen())


def test_a_process_that_is_started_by_a_pinned_loop_has_every_core(readers):
    reader = start(readers, open_bus=FakeMpr121)
    os.kill(reader.pid, signal.SIGKILL)
    with pinned() as cores:
        reopen(reader)
    assert cores_of(reader.pid) == {cores}


CONTROLLER = """
import os, sys
from functools import partial
from core.clock import MonotonicClock
from hardware.fake_mpr121 import FakeMpr121
from hardware.lick import LickReader
from hardware.settings import LickKind, LickSettings, PinSettings

if __name__ == "__main__":
    reader = LickReader(LickSettings(lick_sensor=LickKind.mpr121), PinSettings(), open_bus=FakeMpr121)
    reader.start()
    relative = 0
    if sys.argv[1] == "fork":
        relative = os.fork()
    if sys.argv[1] != "fork" or relative:
        print(reader.pid, relative, flush=True)
    MonotonicClock().sleep_until_ns(2**62)
"""


@pytest.mark.parametrize("how", ["alone", "fork"])
def test_it_ends_when_its_controller_is_killed_also_where_a_relative_holds_the_socket(tmp_path, how):
    script = tmp_path / "controller.py"
    script.write_text(CONTROLLER, encoding="utf-8")
    command = [sys.executable, str(script), how]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as controller:
        pid, relative = (int(word) for word in controller.stdout.readline().split())
        handle = os.pidfd_open(pid)
        try:
            controller.kill()
            ended = select.select([handle], [], [], 10)[0]
        finally:
            os.close(handle)
            if relative:
                os.kill(relative, signal.SIGKILL)
        assert ended, "the lick process outlived its controller"


def test_ctrl_c_does_not_reach_it(readers):
    reader = start(readers, open_bus=FakeMpr121)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(reader.pid, number)
    collect(reader, CLOCK.now_ns() + 500 * MS)
    assert os.getpgid(reader.pid) != os.getpgrp()


def test_a_closed_sensor_is_quiet_and_close_is_quick(readers):
    reader = start(readers, open_bus=FakeMpr121)
    begin = time.monotonic()
    reader.close()
    reader.close()
    assert time.monotonic() - begin < 5
    assert reader.reports() == ()
    with pytest.raises(OutputError, match="it is closed"):
        reader.start()
