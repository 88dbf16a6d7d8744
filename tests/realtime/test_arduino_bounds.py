"""What the Arduino's firmware does by itself: its own bounds, a host that dies or is silent, a firmware that hangs."""

import contextlib
import os
import signal
import statistics
import subprocess
import sys

import pytest

from core.errors import OutputError
from hardware import arduino_protocol as protocol
from hardware.arduino_board import ArduinoBoard, Timing
from hardware.board import OutputLine
from tests.support.simavr import CLOCK, CLOCK_HZ, ROOT, Simulator, need_tools
from tests.support.uno import BITS, LED, MS, PATIENT, VALVE, beat, beat_until, pins

need_tools()

pytestmark = pytest.mark.usefixtures("prompt")


def hold_open(uno):
    """Keep the valve open by all means until the board closes it; return board, length (us) and why it was closed."""
    arduino = ArduinoBoard(pins(uno.path), PATIENT)
    arduino.write(OutputLine.FAIL_LED, True)
    arduino.write(OutputLine.VALVE, True)
    while uno.is_high(BITS[VALVE]):
        beat(arduino, 0.2)
        with contextlib.suppress(OutputError):
            arduino.write(OutputLine.VALVE, True, 60_000 * MS)
    beat(arduino, 0.2)
    return arduino, uno.pulses_us(BITS[VALVE])[-1], [report.detail for report in arduino.reports()]


def test_no_valve_is_open_for_longer_than_the_firmware_allows(uno):
    """Without a bound of the host's, set high again and again, and with a living host: 5 s from the rise."""
    # Where this process had to wait for more than 0.1 s, the board took it for dead, as it should: once more.
    for _ in range(5):
        arduino, length, why = hold_open(uno)
        if why != ["valve silence"]:
            break
        arduino.close()
        CLOCK.sleep_until_ns(CLOCK.now_ns() + 50 * MS)
    assert why == ["valve bound"]
    assert 5_000_000 <= length <= 5_001_000
    assert uno.is_high(BITS[LED]), "only a valve has that bound"
    with pytest.raises(OutputError, match="valve: refused, the board had closed the line by itself; it must be set"):
        arduino.write(OutputLine.VALVE, True, 50 * MS)
    before = len(uno.pulses_us(BITS[VALVE]))
    arduino.write(OutputLine.VALVE, False)
    arduino.write(OutputLine.VALVE, True, 5 * MS)
    assert uno.await_level(BITS[VALVE], False)
    assert len(uno.pulses_us(BITS[VALVE])) == before + 1
    arduino.close()


DRIVER = """
import sys
from core.clock import MonotonicClock
from hardware.arduino_board import ArduinoBoard, Timing
from hardware.board import OutputLine
from hardware.settings import BoardKind, PinSettings
clock = MonotonicClock()
pins = PinSettings(output_board=BoardKind.arduino, serial_port=sys.argv[1], pin_valve=9, pin_fail_led=8, pin_light=0,
                   pin_behaviour_ttl=0)
arduino = ArduinoBoard(pins, Timing(boot_s=10, answer_s=0.5, tries=4, lost_s=10.0))
arduino.write(OutputLine.FAIL_LED, True)
arduino.write(OutputLine.VALVE, True)
print("open", flush=True)
while True:
    arduino.alive()
    clock.sleep_until_ns(clock.now_ns() + 5_000_000)
"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP])
def test_a_driver_that_dies_with_the_valve_open(uno, sent):
    """The firmware's watchdog: the valve within 0.1 s, the rest within 1 s."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    closed, dark = [], []
    for _ in range(12):
        command = [sys.executable, "-c", DRIVER, str(uno.path)]
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as driver:
            try:
                assert driver.stdout.readline() == b"open\n"
                CLOCK.sleep_until_ns(CLOCK.now_ns() + 150 * MS)
                if not uno.is_high(BITS[VALVE]):
                    # The machine kept the driver waiting for more than 0.1 s: it was closed rightly, and shows nothing.
                    continue
                driver.send_signal(sent)
                at = uno.mark()
                for bit, times in ((BITS[VALVE], closed), (BITS[LED], dark)):
                    assert uno.await_level(bit, False)
                    times.append((uno.edges(bit)[-1][0].cycle - at) / CLOCK_HZ)
            finally:
                driver.kill()
        if len(closed) == 4:
            break
    assert len(closed) == 4, "a heartbeat keeps it open"
    # Since the last heartbeat, which was 5 ms before or is still on its way; on the chip's clock.
    assert all(time < 0.12 for time in closed), closed
    assert all(time < 1.02 for time in dark), dark
    assert statistics.median(closed) > 0.05, closed
    assert statistics.median(dark) > 0.9, dark


def test_a_driver_that_was_silent_is_told_so(uno):
    arduino = ArduinoBoard(pins(uno.path), PATIENT)
    arduino.write(OutputLine.VALVE, True)
    assert uno.await_level(BITS[VALVE], False)
    heard = []
    beat_until(arduino, lambda: heard.extend(arduino.reports()) or heard)
    assert [report.detail for report in heard] == ["valve silence"]
    arduino.write(OutputLine.VALVE, False)
    arduino.write(OutputLine.FAIL_LED, True)
    assert uno.await_level(BITS[LED], False)
    with pytest.raises(OutputError, match="the board has restarted, or had not heard of this computer for too long"):
        beat(arduino, 5)
    with pytest.raises(OutputError, match="the board has restarted"):
        arduino.write(OutputLine.VALVE, True)
    arduino.close()
    again = ArduinoBoard(pins(uno.path), PATIENT)
    again.write(OutputLine.FAIL_LED, True)
    assert uno.is_high(BITS[LED])
    again.close()


@pytest.mark.parametrize("letter", ["X", "Y", "Z"], ids=["clock", "interrupts on", "interrupts off"])
def test_a_firmware_that_hangs_with_the_valve_open(built, tmp_path, letter):
    """Its hardware watchdog resets it within 0.13 s; the driver sees it and a new one works."""
    with Simulator(built, tmp_path, firmware="hanging") as uno:
        arduino = ArduinoBoard(pins(uno.path), Timing(boot_s=10, answer_s=0.1, tries=2, lost_s=0.3))
        arduino.write(OutputLine.VALVE, True)
        arduino._line.write(protocol.encode(protocol.Message(200, letter)))
        end = CLOCK.now_ns() + 5_000 * MS
        while uno.is_high(BITS[VALVE]):
            # A host that goes on talking does not feed the watchdog.
            arduino._line.write(protocol.encode(protocol.Message(201, "H")))
            CLOCK.sleep_until_ns(CLOCK.now_ns() + 10 * MS)
            assert CLOCK.now_ns() < end, "the watchdog never came"
        assert uno.pulses_us(BITS[VALVE])[0] < 300_000
        assert uno.await_resets(2), "the terminal's opening, and the watchdog"
        with pytest.raises(OutputError, match="restarted"):
            beat(arduino, 5)
        arduino.close()
        again = ArduinoBoard(pins(uno.path), PATIENT)
        again.write(OutputLine.VALVE, True, 5 * MS)
        assert uno.await_level(BITS[VALVE], False)
        assert len(uno.pulses_us(BITS[VALVE])) == 2
        again.close()
