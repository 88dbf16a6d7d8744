"""The pipeline text of a CSI camera, and what a GStreamer source lost between two frames."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera.gst_gaps import GapCount
from camera.jetson import argus_source, framerate_caps, jetson_driver
from camera.settings import CameraKind, CameraSettings
from core.errors import InputError

SETTINGS = CameraSettings(vid_source=CameraKind.jetson, framerate=30.0, shutter_speed=20_000, resolution=(640, 480))


def test_the_keys_of_config_ini_become_a_source() -> None:
    assert argus_source(SETTINGS) == (
        'nvarguscamerasrc sensor-id=0 exposuretimerange="20000000 20000000" gainrange="8 8" '
        'ispdigitalgainrange="1 1" aelock=true awblock=true wbmode=0 '
        "! video/x-raw(memory:NVMM),width=640,height=480,framerate=30/1 ! nvvidconv ! video/x-raw,format=BGRx"
    )


def test_camera_and_gain_are_optional() -> None:
    text = argus_source(replace(SETTINGS, camera_id="1", iso=0))
    assert "sensor-id=1 " in text
    assert "gainrange=" not in text.replace("ispdigitalgainrange", "")


@pytest.mark.parametrize(
    ("framerate", "text"), [(30.0, "30/1"), (29.97, "2997/100"), (30000 / 1001, "30000/1001"), (12.5, "25/2")]
)
def test_rates_are_fractions(framerate: float, text: str) -> None:
    assert framerate_caps(framerate) == text


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=40),
    st.sampled_from([15.0, 29.97, 100.0, 333.3]),
    st.integers(-400, 400),
    st.booleans(),
)
def test_what_was_lost_is_found_by_count_and_by_time(
    losses: list[int], framerate: float, jitter_per_mille: int, counted: bool
) -> None:
    gaps = GapCount(framerate)
    index, found = 7, []
    gaps.lost_before(round(index * 1e9 / framerate), index if counted else None)
    for k, lost in enumerate(losses):
        index += lost + 1
        jitter = jitter_per_mille / 1000 * (k % 2) / framerate
        found.append(gaps.lost_before(round((index / framerate + jitter) * 1e9), index if counted else None))
    assert found == losses


def test_offsets_that_begin_anew_leave_it_to_time() -> None:
    gaps = GapCount(100.0)
    assert gaps.lost_before(0, 500) == 0
    assert gaps.lost_before(40_000_000, 0) == 3


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"shutter_speed": 0}, "shutter_speed = 0"),
        ({"shutter_speed": 60_000, "framerate": 30.0}, "does not fit into"),
        ({"awb_mode": "banana"}, "awb_mode = banana: unknown to a Jetson's camera; give one of off, auto"),
        ({"camera_id": "left"}, "camera_id = left: a Jetson's cameras have numbers"),
    ],
)
def test_what_the_source_would_pass_over_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        jetson_driver(replace(CameraSettings(), vid_source=CameraKind.jetson, **changes))
