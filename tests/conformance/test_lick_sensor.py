"""What every lick sensor must do. A new one is one more line in CASES."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import OutputError
from core.ports import LickSensor
from core.values import Lick
from hardware.fake import FakeLickSensor
from hardware.lick import LickReader
from hardware.lick_wire import Ready, pack, pack_licks
from hardware.settings import LickKind, LickSettings, PinSettings
from insilico.devices import MouseTongue
from tests.conformance.conftest import MS

Make = Callable[[Sequence[int]], LickSensor]
"""Makes a sensor on which a mouse licks at these times, ns, in order."""


class PipedReader(LickReader):
    """The rig's lick sensor as it is when its process, here played by the test, has said all that it has to say."""

    def __init__(self, licks_ns: Sequence[int]) -> None:
        super().__init__(LickSettings(lick_sensor=LickKind.beam, lick_pin=4), PinSettings())
        self._licks_ns = licks_ns
        self.start()

    def _spawn(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        theirs.send(pack(Ready("piped")))
        for time_ns in self._licks_ns:
            theirs.send(pack_licks([time_ns]))
        self._theirs = theirs
        return ours

    def close(self) -> None:
        """Both ends."""
        super().close()
        self._theirs.close()

    def __del__(self) -> None:
        """The suite forgets most of its sensors without closing them."""
        self.close()


CASES: dict[str, Make] = {"fake": FakeLickSensor, "simulated": MouseTongue, "process": PipedReader}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def make(request: pytest.FixtureRequest) -> Make:
    return request.param


def test_is_a_lick_sensor(make: Make) -> None:
    assert isinstance(make(()), LickSensor)


@pytest.mark.usefixtures("nobody_sleeps")
def test_licks_come_once_with_their_own_times_oldest_first(make: Make) -> None:
    sensor = make([5 * MS, 10 * MS, 10 * MS + 1, 15 * MS])
    assert sensor.read(10 * MS) == (Lick(5 * MS), Lick(10 * MS))
    assert sensor.read(10 * MS) == ()
    assert sensor.read(20 * MS) == (Lick(10 * MS + 1), Lick(15 * MS))
    assert sensor.read(30 * MS) == ()


@pytest.mark.usefixtures("nobody_sleeps")
def test_no_licks_are_no_reason_to_wait(make: Make) -> None:
    assert make(()).read(10 * MS) == ()


@pytest.mark.parametrize("make", CASES.values(), ids=CASES.keys())
@given(licks=st.lists(st.integers(0, 500), max_size=30), looks=st.lists(st.integers(0, 500), min_size=1, max_size=20))
def test_each_lick_comes_with_the_first_look_after_it(make: Make, licks: list[int], looks: list[int]) -> None:
    sensor = make(sorted(licks))
    before = -1
    for look in sorted(looks):
        assert [lick.time_ns for lick in sensor.read(look)] == [t for t in sorted(licks) if before < t <= look]
        before = look


def test_times_are_plain_integers(make: Make) -> None:
    (lick,) = make([5]).read(10)
    assert type(lick.time_ns) is int


def test_close_twice_is_legal_and_so_is_close_without_use(make: Make) -> None:
    sensor = make([5])
    sensor.close()
    sensor.close()


def test_a_closed_sensor_refuses(make: Make) -> None:
    sensor = make([5])
    sensor.close()
    with pytest.raises(OutputError):
        sensor.read(10)
