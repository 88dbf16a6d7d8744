"""What tests of cameras' drivers do to each of them, over the modules that stand for their libraries."""

from __future__ import annotations

from typing import Any

import pytest

from camera.driver import Driver, Grabbed, Lost
from core.errors import CameraError

MS = 1_000_000
S = 1_000_000_000


def next_given(driver: Driver) -> Grabbed | Lost:
    """Return what comes next, an image as a copy."""
    for _ in range(5):
        if (given := driver.grab(0.1)) is not None:
            return given._replace(image=given.image.copy()) if isinstance(given, Grabbed) else given
    raise AssertionError("nothing came")


def next_frame(driver: Driver) -> Grabbed:
    """Return what comes next, which must be a frame."""
    given = next_given(driver)
    assert isinstance(given, Grabbed)
    return given


def grab_in_vain(driver: Driver, times: int = 100) -> None:
    """Try so many times, and get nothing."""
    for _ in range(times):
        assert driver.grab(0.1) is None


def losses(driver: Driver, n: int) -> list[tuple[int, str]]:
    """Return number and cause of what was lost with or before each of the next ``n`` things that come."""
    given = [next_given(driver) for _ in range(n)]
    return [(one.lost, one.cause) if isinstance(one, Grabbed) else (one.n, one.cause) for one in given]


def check_opens_again(driver: Driver, bench: Any, says: str) -> None:
    """A started driver opens again after a close, gives nothing in between, and leaves nothing open."""
    driver.close()
    with pytest.raises(CameraError, match=says):
        driver.grab(0.1)
    driver.open()
    driver.start()
    assert next_frame(driver).lost == 0
    driver.close()
    bench.check_empty()


def check_refused(driver: Driver, bench: Any, says: str) -> None:
    """``open`` is refused in one line, and leaves nothing open."""
    with pytest.raises(CameraError, match=says) as caught:
        driver.open()
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3
    driver.close()
    bench.check_empty()


def check_stamps_from_boot(driver: Driver, bench: Any, slept_ns: int) -> None:
    """Stamps on the clock that runs through sleep are told as such, and brought to the host's."""
    assert driver.open()["time_from"] == "boottime"
    driver.start()
    frame = next_frame(driver)
    assert frame.time_ns == frame.sensor_ns - slept_ns
    assert 0 < bench.clock.now_ns() - frame.time_ns < 50 * MS


def check_silence(driver: Driver, bench: Any, says: str) -> None:
    """A started driver whose camera is silent says so after ``camera_timeout_s``, which is 5 s."""
    begin_ns = bench.clock.now_ns()
    with pytest.raises(CameraError, match=says):
        grab_in_vain(driver)
    assert bench.clock.now_ns() - begin_ns < 5.3 * S
