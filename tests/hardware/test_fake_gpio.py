"""The fake GPIO module refuses what the real ones refuse, and remembers edges."""

import pytest

from hardware.fake_gpio import Edge, FakeGpio


@pytest.fixture
def gpio():
    times = iter(range(1000))
    made = FakeGpio(lambda: next(times))
    made.setmode(made.BCM)
    return made


MISUSE = {
    "setup before setmode": (lambda g: FakeGpio(int).setup(17, 0), RuntimeError, "set pin numbering mode"),
    "output before setmode": (lambda g: FakeGpio(int).output(17, 1), RuntimeError, "set pin numbering mode"),
    "two modes": (lambda g: g.setmode(g.BOARD), ValueError, "different mode"),
    "no mode": (lambda g: FakeGpio(int).setmode(3), ValueError, "invalid mode"),
    "unknown channel": (lambda g: g.setup(28, g.OUT), ValueError, "invalid on a Raspberry Pi"),
    "a channel that is no number": (lambda g: g.setup("17", g.OUT), ValueError, "must be an integer"),
    "output not set up": (lambda g: g.output(17, 1), RuntimeError, "not been set up as an OUTPUT"),
    "output on an input": (lambda g: (g.setup(17, g.IN), g.output(17, 1)), RuntimeError, "as an OUTPUT"),
    "input not set up": (lambda g: g.input(17), RuntimeError, r"must setup\(\)"),
    "direction": (lambda g: g.setup(17, 7), ValueError, "invalid direction"),
    "an output's pull": (lambda g: g.setup(17, g.OUT, g.PUD_UP), ValueError, "not valid for outputs"),
    "an input's level": (lambda g: g.setup(17, g.IN, initial=0), ValueError, "not valid for inputs"),
    "busy": (lambda g: make(g, busy=[17]).setup(17, g.OUT), OSError, "busy"),
    "forbidden": (lambda g: FakeGpio(int, forbidden=True).setmode(g.BCM), RuntimeError, "No access"),
    "edges of an output": (lambda g: (g.setup(17, g.OUT), g.add_event_detect(17, g.BOTH)), RuntimeError, "as an input"),
    "an edge of no kind": (lambda g: (g.setup(17, g.IN), g.add_event_detect(17, 5)), ValueError, "RISING"),
    "bounce": (lambda g: (g.setup(17, g.IN), g.add_event_detect(17, g.BOTH, bouncetime=0)), ValueError, "Bouncetime"),
    "watched twice": (
        lambda g: (g.setup(17, g.IN), g.add_event_detect(17, g.BOTH), g.add_event_detect(17, g.BOTH)),
        RuntimeError,
        "Conflicting edge detection",
    ),
    "callback of nothing": (
        lambda g: (g.setup(17, g.IN), g.add_event_callback(17, print)), RuntimeError, "add_event_detect first",
    ),
    "callback that cannot be called": (
        lambda g: (g.setup(17, g.IN), g.add_event_detect(17, g.BOTH), g.add_event_callback(17, 5)), TypeError,
        "callable",
    ),
}  # fmt: skip


def make(gpio, **kwargs):
    made = FakeGpio(int, **kwargs)
    made.setmode(gpio.BCM)
    return made


@pytest.mark.parametrize(("act", "error", "text"), MISUSE.values(), ids=MISUSE.keys())
def test_misuse_is_refused(gpio, act, error, text):
    with pytest.raises(error, match=text):
        act(gpio)


def test_edges_are_remembered_once_each(gpio):
    gpio.setup(17, gpio.OUT, initial=gpio.LOW)
    for level in (1, 1, 0, 0, True):
        gpio.output(17, level)
    gpio.cleanup(17)
    assert gpio.edges == [Edge(0, 17, True), Edge(1, 17, False), Edge(2, 17, True), Edge(3, 17, False)]


def test_an_input_calls_back_on_its_edges(gpio):
    heard = []
    gpio.setup(22, gpio.IN, gpio.PUD_UP)
    gpio.add_event_detect(22, gpio.RISING, heard.append)
    for high in (True, True, False, True):
        gpio.drive(22, high)
    assert heard == [22, 22]
    assert gpio.input(22) == 1
    assert gpio.event_detected(22)
    assert not gpio.event_detected(22)
    gpio.remove_event_detect(22)
    gpio.drive(22, False)
    assert heard == [22, 22]


def test_cleanup_of_all_forgets_the_mode(gpio):
    gpio.setup(17, gpio.OUT)
    gpio.cleanup()
    assert gpio.getmode() is None
    with pytest.warns(RuntimeWarning, match="nothing to clean up"):
        gpio.cleanup()


def test_a_channel_in_use_is_warned_of(gpio):
    left = make(gpio, left_high=[17])
    assert left.gpio_function(17) == gpio.OUT
    with pytest.warns(RuntimeWarning, match="already in use"):
        left.setup(17, gpio.OUT, initial=gpio.LOW)
    assert left.edges == [Edge(0, 17, False)]
