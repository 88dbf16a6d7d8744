"""The fakes: they remember, and they refuse what a rig must refuse."""

import pytest

from core.errors import OutputError
from core.values import Level, Line, Mark, Pulse, Tone, Water, as_ns
from hardware.fake import FakeLickSensor, FakeLines, FakeSpeaker, FakeValve
from hardware.rig import SESSION_LINES, Rig
from hardware.settings import OutputSettings


def make_rig(**fail):
    return Rig(
        FakeSpeaker(fail.get("speaker")), FakeValve(OutputSettings(), fail.get("valve")),
        FakeLines(fail.get("lines")), FakeLickSensor((5, 10, 15), fail.get("licks")),
    )  # fmt: skip


def test_commands_reach_their_devices_in_order():
    rig = make_rig()
    rig.start(0)
    for command in (Tone(1000.0), Water(0.3), Pulse(Line.FAIL_LED, 0.5), Level(Line.BRAIN_TTL, True), Mark("x", 1)):
        rig.apply(command, 7)
    assert rig.speaker.tones == [(7, 1000.0)]
    assert rig.valve.pulses == [(7, 7 + as_ns(0.3))]
    assert rig.lines.levels[Line.BRAIN_TTL]
    assert [line for _, line, _ in rig.lines.log] == [*SESSION_LINES, Line.FAIL_LED, Line.BRAIN_TTL]


def test_close_leaves_everything_off_and_may_be_called_twice():
    rig = make_rig()
    rig.start(0)
    rig.apply(Tone(1000.0), 1)
    assert rig.close() == []
    assert rig.close() == []
    assert rig.speaker.freq_hz == 0
    assert not any(rig.lines.levels.values())
    assert all(device.closed for device in (rig.speaker, rig.valve, rig.lines, rig.lick_sensor))


def test_the_valve_is_shut_first():
    rig = make_rig()
    order = []
    for name in ("speaker", "valve", "lines", "lick_sensor"):
        device = getattr(rig, name)
        device.close = lambda name=name: order.append(name)
    rig.close()
    assert order[0] == "valve"
    assert len(order) == 4


def test_a_device_that_fails_to_close_does_not_keep_the_others_open():
    rig = make_rig()
    rig.valve.close = lambda: (_ for _ in ()).throw(OSError("stuck"))
    assert [str(error) for error in rig.close()] == ["stuck"]
    assert rig.speaker.closed
    assert rig.lines.closed


@pytest.mark.parametrize("duration", [0.0, -1.0, 1.001, float("nan"), float("inf")])
def test_clopy_fault_10_a_pulse_is_bounded(duration):
    with pytest.raises(OutputError, match="max_pulse_s"):
        FakeValve(OutputSettings(max_pulse_s=1.0)).pulse(duration, 0)


def test_clopy_fault_10_the_water_of_a_session_is_bounded():
    valve = FakeValve(OutputSettings(max_session_water_s=1.0))
    for k in range(3):
        valve.pulse(0.3, as_ns(k))
    with pytest.raises(OutputError, match="max_session_water_s"):
        valve.pulse(0.3, as_ns(3))
    assert len(valve.pulses) == 3


def test_overlapping_pulses_follow_one_another():
    valve = FakeValve(OutputSettings(min_pulse_gap_s=0.1))
    valve.pulse(0.3, 0)
    valve.pulse(0.3, as_ns(0.2))
    assert valve.pulses == [(0, as_ns(0.3)), (as_ns(0.4), as_ns(0.7))]


@pytest.mark.parametrize("freq", [-1.0, float("nan"), float("inf"), 1e6])
def test_a_tone_that_cannot_be_played_is_refused(freq):
    with pytest.raises(OutputError, match="cannot be played"):
        FakeSpeaker().set_tone(freq, 0)


@pytest.mark.parametrize("duration", [0.0, -1.0, float("nan")])
def test_a_line_pulse_must_be_positive(duration):
    with pytest.raises(OutputError, match="refused"):
        FakeLines().pulse(Pulse(Line.FAIL_LED, duration), 0)


@pytest.mark.parametrize(
    "use",
    [
        lambda: (FakeSpeaker(), lambda d, t: d.set_tone(1000.0, t)),
        lambda: (FakeValve(OutputSettings()), lambda d, t: d.pulse(0.1, t)),
        lambda: (FakeLines(), lambda d, t: d.set(Level(Line.LIGHT, True), t)),
        lambda: (FakeLickSensor(), lambda d, t: d.read(t)),
    ],
    ids=["speaker", "valve", "lines", "licks"],
)
def test_every_fake_refuses_use_after_close_and_time_going_back(use):
    device, call = use()
    call(device, 10)
    with pytest.raises(OutputError, match="went back"):
        call(device, 9)
    device.close()
    with pytest.raises(OutputError, match="closed"):
        call(device, 11)


@pytest.mark.parametrize("name", ["speaker", "valve", "lines", "licks"])
def test_every_fake_fails_when_told_to(name):
    rig = make_rig(**{name: 1})
    command = {"speaker": Tone(1.0), "valve": Water(0.1), "lines": Level(Line.LIGHT, True)}.get(name)
    with pytest.raises(OutputError, match="told to"):
        rig.apply(command, 0) if command else rig.licks(0)


def test_licks_come_once_in_order():
    sensor = FakeLickSensor((5, 10, 15))
    assert [lick.time_ns for lick in sensor.read(10)] == [5, 10]
    assert sensor.read(12) == ()
    assert sensor.left == 1
