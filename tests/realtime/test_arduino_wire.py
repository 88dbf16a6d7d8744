"""Between driver and firmware: noise, lost bytes, a pulled cable, ports that are no Arduino's."""

import os
import pty
import random
import tty

import pytest

from core.errors import OutputError
from hardware import arduino_protocol as protocol
from hardware.arduino_board import ArduinoBoard, Timing
from hardware.board import OutputLine
from hardware.serial_line import SerialLine
from tests.support.simavr import CLOCK, Proxy, Simulator, need_tools
from tests.support.uno import BITS, LED, MS, PATIENT, VALVE, beat, pins

need_tools()

pytestmark = pytest.mark.usefixtures("prompt")

LOST = r"unplugged|takes no more bytes|not answer"
VALVE_BIT = BITS[VALVE]
NOISY = Timing(boot_s=20, answer_s=0.03, tries=60, lost_s=5.0)


class Noise:
    """Flips, drops and inserts bytes, a share of them, both ways; seeded."""

    def __init__(self, share, seed):
        self.share = share
        self.random = random.Random(seed)
        self.harmed = 0

    def __call__(self, data, to_board):
        out = bytearray()
        for byte in data:
            if self.random.random() >= self.share:
                out.append(byte)
                continue
            self.harmed += 1
            kind = self.random.randrange(3)
            if kind == 0:
                out.append(byte ^ 1 << self.random.randrange(8))
            elif kind == 1:
                out += bytes([byte, self.random.randrange(256)])
        return bytes(out)


def test_every_pulse_comes_once_and_whole_over_a_noisy_line(uno, tmp_path):
    """One byte of 50 is harmed: a third of all lines. What is asked again is not done again."""
    noise = Noise(0.0, 1)
    proxy = Proxy(uno.path, tmp_path, noise)
    arduino = ArduinoBoard(pins(proxy.path), NOISY)
    noise.share = 0.02
    count = 60
    for _ in range(count):
        arduino.write(OutputLine.VALVE, True, 8 * MS)
        beat(arduino, 0.012)
        arduino.write(OutputLine.VALVE, False)
    noise.share = 0.0
    arduino.close()
    proxy.close()
    lengths = uno.pulses_us(VALVE_BIT)
    assert noise.harmed > 50
    assert len(lengths) == count
    assert all(length <= 8_100 for length in lengths), lengths


def test_it_can_be_greeted_over_a_noisy_line(uno, tmp_path):
    noise = Noise(0.01, 2)
    proxy = Proxy(uno.path, tmp_path, noise)
    arduino = ArduinoBoard(pins(proxy.path), NOISY)
    arduino.write(OutputLine.FAIL_LED, True)
    assert uno.is_high(BITS[LED])
    noise.share = 0.0
    arduino.close()
    proxy.close()


def forged(rng):
    """Return a command to open the valve that is nearly right."""
    line = bytearray(protocol.encode(protocol.set_line(rng.randrange(1, 256), 0, True, 50_000)))
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(1, len(line) - 1)
        line[at] = rng.choice(b"0123456789ABCDEFSVHCLQ*".replace(line[at : at + 1], b""))
    if protocol.LineParser(protocol.HOST).feed(bytes(line)):
        return b""
    return bytes(line)


def test_garbage_opens_nothing(uno):
    """100 kB of noise and of commands with a wrong byte, on a board that is ready to open its valve."""
    rng = random.Random(3)
    arduino = ArduinoBoard(pins(uno.path), PATIENT)
    for number in range(1, 201):
        arduino._line.write(rng.randbytes(200))
        arduino._line.write(b"".join(forged(rng) for _ in range(15)))
        # A heartbeat at the end of each half kilobyte, and its answer: the board hears and keeps up.
        assert arduino._ask(protocol.Message(number, "H")).letter == "K"
    assert uno.edges(VALVE_BIT) == []
    assert uno.edges(BITS[LED]) == []
    # The control: the same board opens for a line that is whole.
    arduino.write(OutputLine.VALVE, True, 2 * MS)
    assert uno.await_level(VALVE_BIT, False)
    assert len(uno.pulses_us(VALVE_BIT)) == 1
    arduino.close()


def test_an_answer_that_is_lost_does_not_make_a_second_pulse(uno, tmp_path):
    """Answers are cut until the pulse is long over; the command is sent again all the while."""
    state = {"deaf": False}
    proxy = Proxy(uno.path, tmp_path, lambda data, to_board: b"" if state["deaf"] and not to_board else data)
    arduino = ArduinoBoard(pins(proxy.path), Timing(boot_s=10, answer_s=0.02, tries=10, lost_s=5.0))
    state["deaf"] = True
    with pytest.raises(OutputError, match=r"did not answer a command within 0.2 s \(valve: check the cable\)"):
        arduino.write(OutputLine.VALVE, True, 30 * MS)
    arduino.close()
    proxy.close()
    lengths = uno.pulses_us(VALVE_BIT)
    assert len(lengths) == 1
    assert lengths[0] <= 30_100


@pytest.mark.parametrize("by", ["alive", "write"])
def test_a_cable_that_is_pulled(uno, by):
    arduino = ArduinoBoard(pins(uno.path), PATIENT)
    arduino.write(OutputLine.FAIL_LED, True)
    uno.stop()
    act = {"alive": lambda: beat(arduino, 5), "write": lambda: arduino.write(OutputLine.VALVE, True, 50 * MS)}[by]
    with pytest.raises(OutputError, match=LOST):
        act()
    with pytest.raises(OutputError, match=LOST):
        arduino.alive()
    arduino.close()
    arduino.close()


def test_a_board_that_falls_silent_is_lost(uno, tmp_path):
    state = {"deaf": False}
    proxy = Proxy(uno.path, tmp_path, lambda data, to_board: b"" if state["deaf"] else data)
    arduino = ArduinoBoard(pins(proxy.path), Timing(boot_s=10, answer_s=0.5, tries=4, lost_s=0.3))
    arduino.write(OutputLine.VALVE, True)
    state["deaf"] = True
    begin = CLOCK.now_ns()
    with pytest.raises(OutputError, match=r"has not answered for [0-3](\.\d+)? s; check the cable"):
        beat(arduino, 10)
    assert CLOCK.now_ns() - begin < 3_000 * MS
    arduino.close()
    assert uno.await_level(VALVE_BIT, False)
    proxy.close()


def test_a_port_that_another_program_has(uno):
    arduino = ArduinoBoard(pins(uno.path), PATIENT)
    with pytest.raises(OutputError, match="another program has it open; close that"):
        ArduinoBoard(pins(uno.path), PATIENT)
    arduino.write(OutputLine.FAIL_LED, True)
    assert uno.is_high(BITS[LED]), "the one that has it goes on"
    arduino.close()


def test_pins_that_this_board_has_not(uno):
    with pytest.raises(OutputError, match=r"pin_light 27: an Uno has pins 2 to 19; correct pin_light"):
        ArduinoBoard(pins(uno.path, pin_light=27), PATIENT)
    # Long enough for the terminal to be seen closed: opening it resets the board then.
    CLOCK.sleep_until_ns(CLOCK.now_ns() + 50 * MS)
    with pytest.raises(OutputError, match="light: refused, the board has no such pin, or two lines are on it"):
        ArduinoBoard(pins(uno.path, pin_light=VALVE), PATIENT)
    CLOCK.sleep_until_ns(CLOCK.now_ns() + 50 * MS)
    ArduinoBoard(pins(uno.path), PATIENT).close()


@pytest.fixture
def terminal():
    """A serial port at which a test answers; ``(path, file)``."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    yield os.ttyname(theirs), ours
    os.close(ours)
    os.close(theirs)


def test_a_port_where_nobody_answers(terminal):
    with pytest.raises(OutputError, match=r"no board with Rigloop's firmware answers; upload hardware/arduino/rigloop"):
        ArduinoBoard(pins(terminal[0]), Timing(boot_s=0.2))


def test_a_firmware_of_another_version(terminal):
    path, answer = terminal

    class Waits(Timing):
        """Answers when the driver has opened, and so emptied, the port."""

        @property
        def boot_s(self):
            line = protocol.encode(protocol.Message(0, "V", "0901U81388006403E800"), protocol.BOARD)
            os.write(answer, line)
            return 5.0

        @boot_s.setter
        def boot_s(self, value):
            pass

    with pytest.raises(OutputError, match="its firmware speaks protocol 9, this Rigloop 1; upload"):
        ArduinoBoard(pins(path), Waits())


def test_ports_that_are_none(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(OutputError, match=r"ttyACM9: there is no such serial port; .*\(serial_port\)"):
        ArduinoBoard(pins(tmp_path / "ttyACM9"))
    with pytest.raises(OutputError, match=r"file: not a serial port; give the Arduino's"):
        ArduinoBoard(pins(file))


def test_a_serial_line_that_nobody_reads_is_not_waited_for(terminal):
    line = SerialLine(terminal[0], protocol.BAUD)
    begin = CLOCK.now_ns()
    with pytest.raises(OutputError, match="takes no more bytes; check the cable"):
        line.write(b"x" * 400_000)
    assert CLOCK.now_ns() - begin < 5_000 * MS
    line.close()
    line.close()
    with pytest.raises(OutputError, match="used after it was closed"):
        line.write(b"x")


def test_the_simulator_ends_with_its_test(built, tmp_path):
    with Simulator(built, tmp_path) as simulator:
        pass
    assert simulator.process.returncode == 0
