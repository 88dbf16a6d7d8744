"""The fakes remember and can be made to fail; the rig sends commands on and closes safely.

What a fake has in common with every device of its port stands in ``tests/conformance/``.
"""

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
def test_every_fake_refuses_time_going_back(use):
    device, call = use()
    call(device, 10)
    call(device, 10)
    with pytest.raises(OutputError, match="went back"):
        call(device, 9)


@pytest.mark.parametrize("name", ["speaker", "valve", "lines", "licks"])
def test_every_fake_fails_when_told_to(name):
    rig = make_rig(**{name: 1})
    command = {"speaker": Tone(1.0), "valve": Water(0.1), "lines": Level(Line.LIGHT, True)}.get(name)
    with pytest.raises(OutputError, match="told to"):
        rig.apply(command, 0) if command else rig.licks(0)


def test_a_fake_tells_what_nobody_read():
    sensor = FakeLickSensor((5, 10, 15))
    sensor.read(10)
    assert sensor.left == 1


def test_a_fake_speaker_remembers_when_it_was_asked():
    speaker = FakeSpeaker()
    for time_ns, freq in ((3, 1000.0), (5, 0.0)):
        speaker.set_tone(freq, time_ns)
    assert speaker.tones == [(3, 1000.0), (5, 0.0)]
