"""Output lines of a Jetson Orin Nano: GpioBoard on the real Jetson.GPIO, which finds the simulated chips by label."""

from __future__ import annotations

from core.clock import MonotonicClock
from core.errors import OutputError
from hardware.board import OutputLine
from hardware.boards import make_board
from hardware.debounce import Touch
from hardware.feeler import BeamFeeler
from hardware.find_gpio import find_gpio
from hardware.settings import BoardKind, Numbering, PinSettings
from tests.guest.expect import raises, wait_until
from tests.guest.sim import SimLine

PINS = PinSettings(
    output_board=BoardKind.jetson_gpio,
    pin_numbering=Numbering.board,
    pin_valve=7,
    pin_fail_led=0,
    pin_light=0,
    pin_behaviour_ttl=0,
)
"""Place 7 of the header is line 144 of the first chip (Jetson.GPIO 2.1, gpio_pin_data.py)."""


def check_a_line_follows_what_is_written_and_is_low_after_close() -> None:
    line = SimLine(144, "jetson")
    for _ in range(2):
        board = make_board(PINS)
        assert not line.high
        board.write(OutputLine.VALVE, True)
        assert line.high
        board.write(OutputLine.VALVE, False)
        assert not line.high
        board.write(OutputLine.VALVE, True)
        board.close()
        assert not line.high
        board.close()


def check_a_busy_line_is_named() -> None:
    import gpiod

    chip = next(path for path in _chips() if _label(path) == "tegra234-gpio")
    with (
        gpiod.request_lines(chip, consumer="another", config={144: gpiod.LineSettings()}),
        raises(OutputError, "pin_valve 7"),
    ):
        make_board(PINS)
    make_board(PINS).close()


def _chips() -> list[str]:
    return [f"/dev/gpiochip{number}" for number in range(3)]


def _label(path: str) -> str:
    import gpiod

    with gpiod.Chip(path) as chip:
        return chip.get_info().label


def _await_edges(feeler: BeamFeeler, found: list[Touch], n: int) -> None:
    def all_are_found() -> bool:
        found.extend(feeler.look())
        return len(found) >= n

    wait_until(all_are_found, what=f"edge {n}")


def check_a_beam_break() -> None:
    clock = MonotonicClock()
    line = SimLine(144, "jetson")
    line.pull(True)
    for _ in range(2):
        feeler = BeamFeeler(*find_gpio(PINS), 7, True, clock)
        feeler.start()
        begun, found = [], []
        for broken in (True, False) * 5:
            begun.append(clock.now_ns())
            line.pull(not broken)
            clock.sleep_until_ns(clock.now_ns() + 100_000_000)
            found += feeler.look()
        _await_edges(feeler, found, 10)
        feeler.close()
        assert [touch.touching for touch in found] == [True, False] * 5
        late = sorted(touch.time_ns - time_ns for touch, time_ns in zip(found, begun, strict=True))
        print(f"  edge to touch: median {late[5] / 1e6:.1f} ms, last {late[-1] / 1e6:.1f} ms")
        assert late[0] > 0
        assert late[5] < 80_000_000
