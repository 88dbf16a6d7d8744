"""The lick sensor's process: times, faults, a bus that hangs, kills; on a simulated chip and a simulated line.

The chip and its bus are arguments here, as they are nowhere else; `make guest` runs the same on real kernel devices.
"""

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
from hardware.settings import LickKind, LickSettings, PinSettings
from tests.support.gpio_inputs import PIN, FindInputPins

ROOT = Path(__file__).resolve().parents[2]
CLOCK = MonotonicClock()
MS = 1_000_000
S = 1000 * MS
MPR121 = LickSettings(lick_sensor=LickKind.mpr121)
BEAM = LickSettings(lick_sensor=LickKind.beam, lick_pin=PIN)
UP_S = 3
"""When the process is up for certain, s after it is started; on a machine that is not loaded it takes 0.3 s."""


@pytest.fixture
def readers():
    made = []
    yield made
    for reader in made:
        reader.close()


def start(readers, settings=MPR121, **options):
    reader = LickReader(settings, PinSettings(), **options)
    readers.append(reader)
    reader.start()
    return reader


def licking(begin_ns, count=20, period=120 * MS, length=40 * MS):
    return [(begin_ns + n * period, begin_ns + n * period + length) for n in range(count)]


def collect(reader, until_ns):
    """Read as a loop does, 100 times a second."""
    licks, reports, longest = [], [], 0
    while CLOCK.now_ns() < until_ns:
        CLOCK.sleep_until_ns(CLOCK.now_ns() + 10 * MS)
        begin = CLOCK.now_ns()
        licks += [lick.time_ns for lick in reader.read(begin)]
        reports += reader.reports()
        longest = max(longest, CLOCK.now_ns() - begin)
    return licks, reports, longest


def test_each_lick_comes_once_with_its_own_time(readers):
    touches = licking(CLOCK.now_ns() + UP_S * S)
    reader = start(readers, open_bus=partial(FakeMpr121, touches=touches))
    assert reader.name == "MPR121 at 0x5A on /dev/i2c-1, channel 0"
    licks, reports, _ = collect(reader, touches[-1][1] + 200 * MS)
    assert len(licks) == len(touches)
    late = [lick - begin for lick, (begin, _) in zip(licks, touches, strict=True)]
    assert min(late) >= 0
    # A look each 4 ms: a touch is found 2 ms after it came, in the middle.
    assert statistics.median(late) < 10 * MS
    assert reports == []


def test_a_beam_break(readers):
    touches = licking(CLOCK.now_ns() + UP_S * S)
    plan = [edge for begin, end in touches for edge in ((begin, 0), (end, 1))]
    reader = start(readers, BEAM, find_gpio=FindInputPins(plan=plan))
    licks, _, _ = collect(reader, touches[-1][1] + 200 * MS)
    late = [lick - begin for lick, (begin, _) in zip(licks, touches, strict=True)]
    assert min(late) >= 0
    assert statistics.median(late) < 10 * MS


def test_bounces_are_one_lick(readers):
    begin = CLOCK.now_ns() + UP_S * S
    edges = [(begin, 0), (begin + 5 * MS, 1), (begin + 8 * MS, 0), (begin + 30 * MS, 1), (begin + 200 * MS, 0)]
    reader = start(readers, BEAM, find_gpio=FindInputPins(plan=edges))
    licks, _, _ = collect(reader, begin + 500 * MS)
    assert len(licks) == 2


def test_a_look_never_waits_for_a_bus_that_hangs(readers):
    begin = CLOCK.now_ns() + UP_S * S
    hang = (begin, begin + 1 * S)
    touch = (begin + 2 * S, begin + 2 * S + 50 * MS)
    reader = start(readers, open_bus=partial(FakeMpr121, hangs=[hang], touches=[touch]))
    licks, _, longest = collect(reader, begin + 3 * S)
    assert len(licks) == 1
    assert longest < 500 * MS


def test_a_bus_that_hangs_for_good_is_lost_and_leaves_nobody_behind(readers):
    begin = CLOCK.now_ns() + UP_S * S
    reader = start(readers, open_bus=partial(FakeMpr121, hangs=[(begin, begin + 600 * S)]))
    pid = reader.pid
    with pytest.raises(OutputError, match=r"has said nothing for 3 s; its bus hangs: check SDA and SCL"):
        collect(reader, begin + 20 * S)
    ended = CLOCK.now_ns()
    reader.close()
    assert CLOCK.now_ns() - ended < 10 * S
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_errors_that_pass_are_counted_and_licks_go_on(readers):
    begin = CLOCK.now_ns() + UP_S * S
    fails = [(begin, begin + 300 * MS)]
    touches = [(begin + 800 * MS, begin + 850 * MS)]
    reader = start(readers, open_bus=partial(FakeMpr121, fails=fails, touches=touches))
    licks, reports, _ = collect(reader, begin + 1500 * MS)
    assert len(licks) == 1
    (report,) = reports
    assert report.kind == "i2c_error"
    assert "looks at the MPR121 at 0x5A on /dev/i2c-1, channel 0 failed: Remote I/O error" in report.detail
    assert 3 <= int(report.detail.split()[0]) <= 31


def test_a_chip_that_has_gone_is_lost_with_its_cure_and_comes_back(readers):
    begin = CLOCK.now_ns() + UP_S * S
    back = begin + 4 * S
    touch = (back + 5 * S, back + 5 * S + 50 * MS)
    reader = start(readers, open_bus=partial(FakeMpr121, fails=[(begin, back)], touches=[touch]))
    with pytest.raises(OutputError, match=r"has not answered for 1 s, .* times \(Remote I/O error\); check its wires"):
        collect(reader, back)
    assert reader.read(CLOCK.now_ns()) == ()
    if CLOCK.now_ns() < back - S:
        with pytest.raises(OutputError, match="nothing answers"):
            reader.reconnect()
    CLOCK.sleep_until_ns(back)
    reader.reconnect()
    assert reader.reports() == ()
    licks, _, _ = collect(reader, touch[1] + 200 * MS)
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
    reader.reconnect()
    collect(reader, CLOCK.now_ns() + 300 * MS)


def test_a_process_that_stands_still_is_lost(readers):
    reader = start(readers, open_bus=FakeMpr121)
    os.kill(reader.pid, signal.SIGSTOP)
    with pytest.raises(OutputError, match="has said nothing for 3 s"):
        collect(reader, CLOCK.now_ns() + 20 * S)
    reader.close()


def test_a_controller_that_slept_finds_all_licks(readers):
    touches = licking(CLOCK.now_ns() + UP_S * S, count=20)
    reader = start(readers, open_bus=partial(FakeMpr121, touches=touches))
    CLOCK.sleep_until_ns(touches[-1][1] + 3500 * MS)
    assert reader.reports() == ()
    assert len(reader.read(CLOCK.now_ns())) == len(touches)


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
