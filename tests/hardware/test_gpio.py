"""Lines on a header: what is refused, what a failure says, and that no failure leaves a line high."""

import errno

import pytest

from core.errors import OutputError
from hardware.board import OutputLine
from hardware.fake_gpio import FakeGpio
from hardware.gpio import GpioBoard
from hardware.pin_locks import PinLocks
from hardware.settings import Numbering, PinSettings

PINS = PinSettings(pin_valve=27, pin_fail_led=12, pin_light=21, pin_behaviour_ttl=17)
NOW = lambda: 0  # noqa: E731


class Failing(FakeGpio):
    """Raises what a library raises, at one call."""

    def __init__(self, call, error, channel=21):
        super().__init__(NOW)
        self.call, self.error, self.channel = call, error, channel

    def setmode(self, mode):
        if self.call == "setmode":
            raise self.error
        super().setmode(mode)

    def setup(self, channel, *args, **kwargs):
        if self.call == "setup" and channel == self.channel:
            raise self.error
        super().setup(channel, *args, **kwargs)


class Said(Exception):
    """An error type of a library's own."""


REFUSALS = {
    "busy, kernel": ("setup", OSError(errno.EBUSY, "Device or resource busy"), "pin_light 21: is held by another"),
    "busy, lgpio": ("setup", Said("'GPIO busy'"), "pin_light 21: is held by another program; end that (gpioinfo"),
    "no right, RPi.GPIO": (
        "setup",
        RuntimeError("No access to /dev/mem.  Try running as root!"),
        "this user may not use the GPIO; run: sudo usermod -aG gpio $USER",
    ),
    "no right, kernel": ("setmode", PermissionError(errno.EACCES, "Permission denied"), "GPIO: this user may not use"),
    "no right, lgpio": ("setmode", Said("'can not open gpiochip'"), "GPIO: the GPIO device cannot be opened: either"),
    "no such pin, RPi.GPIO": (
        "setup", ValueError("The channel sent is invalid on a Raspberry Pi"), "light 21: this board has no such pin",
    ),
    "no such pin, Jetson": ("setup", ValueError("Channel 21 is invalid"), "correct the pin, or pin_numbering"),
    "wrong board": (
        "setmode", RuntimeError("Cannot determine SOC peripheral base address"), "GPIO: this library does not know",
    ),
    "another way of counting": ("setmode", ValueError("A different mode has already been set!"), "in another way"),
    "compute module": (
        "setmode",
        RuntimeError("BOARD numbering system not applicable on compute module"),
        "a Compute Module has no header; set pin_numbering = bcm",
    ),
    "what nobody foresaw": ("setup", Said("odd\nthing"), "pin_light 21: odd thing; rigloop doctor shows"),
    "silence": ("setup", Said(), "pin_light 21: Said; rigloop doctor"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "error", "text"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refusal_names_line_and_cure_and_leaves_nothing_high(call, error, text):
    gpio = Failing(call, error)
    with pytest.raises(OutputError) as caught:
        GpioBoard(PINS, gpio)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not any(gpio.levels.values())
    if call == "setup":
        assert all(gpio.gpio_function(pin) == gpio.IN for pin in (27, 12, 21, 17)), "those before it are released"


def test_lines_are_low_before_they_are_outputs():
    """No edge at all: an output that rose and fell at once would be a drop of water."""
    gpio = FakeGpio(NOW)
    GpioBoard(PINS, gpio)
    assert gpio.edges == []
    assert all(gpio.gpio_function(pin) == gpio.OUT for pin in (27, 12, 21, 17))


def test_what_a_killed_program_left_is_taken_over_low_and_told():
    gpio = FakeGpio(NOW, left_high=[27])
    board = GpioBoard(PINS, gpio)
    assert board.taken_over == ("pin_valve 27",)
    [told] = board.reports()
    assert (told.kind, told.detail.split(" was ")[0]) == ("line_taken_over", "pin_valve 27")
    assert board.reports() == (), "it is told once"
    assert not any(gpio.levels.values())


@pytest.mark.parametrize(("function", "name"), [(40, "SERIAL"), (41, "SPI"), (42, "I2C"), (43, "PWM")])
def test_a_pin_in_another_use_is_refused(function, name):
    gpio = FakeGpio(NOW, functions={21: function})
    with pytest.raises(OutputError, match=rf"^pin_light 21: is in use as {name}; give another pin, or switch that off"):
        GpioBoard(PINS, gpio)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("Could not open /dev/mem for pinmux check. If you want pinmux checks, make sure", False),
        ("pinmux checks not implemented for current device.", False),
        ('[WARNING] User requested output for channel "21", but it is set to input in pinmux.', True),
    ],
)
def test_a_warning_is_an_error_unless_it_is_harmless(text, refused):
    import warnings

    class Warns(FakeGpio):
        def setup(self, channel, *args, **kwargs):
            super().setup(channel, *args, **kwargs)
            if channel == 21:
                warnings.warn(text, stacklevel=1)

    gpio = Warns(NOW)
    if refused:
        with pytest.raises(OutputError, match=r"^pin_light 21: .*set to input in pinmux"):
            GpioBoard(PINS, gpio)
        assert gpio.gpio_function(21) == gpio.IN
    else:
        GpioBoard(PINS, gpio).close()


def test_a_line_that_fails_does_not_keep_the_next_from_falling():
    gpio = FakeGpio(NOW)
    board = GpioBoard(PINS, gpio)
    for line in (OutputLine.VALVE, OutputLine.FAIL_LED, OutputLine.LIGHT, OutputLine.BEHAVIOUR_TTL):
        board.write(line, True)
    gpio.fail_at = {27: OSError(errno.EIO, "Input/output error")}
    with pytest.raises(OutputError, match=r"pin_valve 27: .*Input/output error"):
        board.close()
    assert [pin for pin, level in gpio.levels.items() if level] == [], "cleanup made the valve's pin an input"
    board.close()


def test_a_write_that_fails_names_the_line():
    gpio = FakeGpio(NOW)
    board = GpioBoard(PINS, gpio)
    gpio.fail_at = {21: OSError(errno.EIO, "Input/output error")}
    with pytest.raises(OutputError, match=r"^pin_light 21: .*Input/output error"):
        board.write(OutputLine.LIGHT, True)
    board.write(OutputLine.VALVE, True)
    assert gpio.levels[27]


def test_board_numbering_counts_places():
    gpio = FakeGpio(NOW)
    board = GpioBoard(PinSettings(pin_numbering=Numbering.board, pin_valve=13, pin_fail_led=0, pin_light=0,
                                  pin_behaviour_ttl=0), gpio)  # fmt: skip
    board.write(OutputLine.VALVE, True)
    assert gpio.getmode() == gpio.BOARD
    assert gpio.levels == {13: True}


def test_two_boards_never_share_a_pin_however_it_is_counted(tmp_path):
    """RPi.GPIO itself would let both drive it."""
    first = GpioBoard(PINS, FakeGpio(NOW), PinLocks(tmp_path))
    lines = {f"pin_{line.value}": 0 for line in OutputLine}
    same = PinSettings(pin_numbering=Numbering.board, **{**lines, "pin_light": 11, "pin_valve": 13})
    other = PinSettings(**{**lines, "pin_light": 5, "pin_valve": 6})
    gpio = FakeGpio(NOW)
    with pytest.raises(
        OutputError, match=r"^pin_valve 13: another Rigloop drives this pin \(lock .*gpio27\.lock\); end"
    ) as told:
        GpioBoard(same, gpio, PinLocks(tmp_path))
    assert "\n" not in str(told.value)
    assert gpio.getmode() is None, "no line was touched"
    GpioBoard(other, FakeGpio(NOW), PinLocks(tmp_path)).close()
    first.close()
    GpioBoard(same, FakeGpio(NOW), PinLocks(tmp_path)).close()


def test_a_board_that_cannot_be_had_holds_no_pin(tmp_path):
    with pytest.raises(OutputError, match="pin_light 21"):
        GpioBoard(PINS, Failing("setup", Said("odd")), PinLocks(tmp_path))
    GpioBoard(PINS, FakeGpio(NOW), PinLocks(tmp_path)).close()


def test_a_lock_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"^pin_valve 27: its lock .* cannot be opened \(No such file or directory\)"):
        GpioBoard(PINS, FakeGpio(NOW), PinLocks(tmp_path / "nowhere"))
