"""Laws of what the GenICam driver stands on: frame ids, clocks, pixel formats."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera.frame_ids import NARROW, TELL, IdCount, lost_between
from camera.pixel_formats import FORMATS, PixelFormat, choose, dtype_of, to_bgr
from camera.stamp_clock import StampClock

MS = 1_000_000


def narrow_id(index: int) -> int:
    """Return the 16-bit id of frame ``index`` (from 0)."""
    return index % NARROW + 1


@given(st.integers(0, 200_000), st.integers(0, NARROW // 2 - 1))
def test_narrow_ids_tell_what_was_lost_across_the_turn(index: int, lost: int) -> None:
    assert lost_between(narrow_id(index), narrow_id(index + lost + 1), wide=False) == lost


@given(st.integers(0, 2**63), st.integers(0, 10**9))
def test_wide_ids_tell_what_was_lost(before: int, lost: int) -> None:
    assert lost_between(before, before + lost + 1, wide=True) == lost


@pytest.mark.parametrize(
    ("before", "now", "wide", "lost"),
    [
        (65535, 1, False, 0),
        (65534, 1, False, 1),
        (65535, 65536, False, 0),  # a camera that counts on beyond 16 bits without having said so
        (7, 7, False, 0),
        (7, 6, False, 0),
        (7, 7, True, 0),
        (70_000, 3, True, 0),
        (70_000, 3, False, 0),
        (0, 0, False, 0),
        (0, 5, False, 0),
        (0, 1, True, 0),
        (0, 3, True, 2),
    ],
)
def test_odd_ids(before: int, now: int, wide: bool, lost: int) -> None:
    assert lost_between(before, now, wide) == lost


@given(
    st.lists(st.sampled_from(["whole", "whole", "broken", "missing", "stray"]), max_size=120), st.integers(0, 65_600)
)
def test_what_lies_between_complete_frames_is_broken_or_missing(fates: list[str], index: int) -> None:
    ids = IdCount(wide=False)
    ids.complete(narrow_id(index))
    broken = missing = strays = 0
    for fate in [*fates, "whole"]:
        if fate == "stray":  # packets of a frame that was given up already: an incomplete one too many
            strays += 1
            broken += ids.incomplete()
            continue
        index += 1
        if fate == "broken":
            broken += ids.incomplete()
        elif fate == "whole":
            found = ids.complete(narrow_id(index))
            broken, missing = broken + found[0], missing + found[1]
    fewest = fates.count("broken") + fates.count("missing")
    assert fewest <= broken + missing <= fewest + strays // TELL * TELL + (TELL if strays else 0)
    if not strays:
        assert (broken, missing) == (fates.count("broken"), fates.count("missing"))


def test_incomplete_frames_are_told_of_though_no_complete_one_comes() -> None:
    ids = IdCount(wide=False)
    assert sum(ids.incomplete() for _ in range(35)) == 30
    assert ids.complete(40) == (5, 0)


@given(
    st.lists(st.tuples(st.integers(1, 50 * MS), st.integers(0, 40 * MS)), min_size=1, max_size=80),
    st.integers(1, 10**15),
    st.integers(0, 10**15),
)
def test_capture_times_rise_and_are_never_later_than_seen(
    frames: list[tuple[int, int]], stamp: int, offset: int
) -> None:
    clock = StampClock()
    seen = stamp + offset
    times = []
    for step, delay in frames:
        stamp += step
        seen = max(seen + 1, stamp + offset + delay)
        times.append(clock.time_ns(stamp, seen))
        assert times[-1] <= seen
    assert all(late > early for early, late in pairwise(times))


@given(st.lists(st.integers(0, 3 * MS), min_size=30, max_size=60), st.integers(0, 29))
def test_after_one_frame_that_nothing_held_up_the_intervals_are_the_cameras(delays: list[int], free: int) -> None:
    clock = StampClock()
    delays[free] = 0
    times = [clock.time_ns(k * 10 * MS, 77 * MS + k * 10 * MS + delay) for k, delay in enumerate(delays, 1)]
    assert [late - early for early, late in pairwise(times[free:])] == [10 * MS] * (len(delays) - free - 1)
    assert times[free] == 77 * MS + (free + 1) * 10 * MS


def test_drift_is_followed() -> None:
    clock = StampClock()
    drift = 100e-6
    for k in range(1, 6000):
        stamp = k * 10 * MS
        seen = round(stamp * (1 + drift)) + MS
        assert 0 <= seen - clock.time_ns(stamp, seen) <= 2 * 5_000_000_000 * drift + 20_000


def test_a_stamp_that_stands_still_is_the_same_frame() -> None:
    clock = StampClock()
    assert clock.time_ns(10 * MS, 20 * MS) == clock.time_ns(10 * MS, 30 * MS) == 20 * MS


def test_a_camera_whose_clock_was_set_is_tied_anew() -> None:
    clock = StampClock()
    clock.time_ns(1000 * MS, 2000 * MS)
    assert clock.time_ns(10 * MS, 2010 * MS) == 2010 * MS  # back
    assert clock.time_ns(90_000 * MS, 2020 * MS) == 2020 * MS  # forth


def test_without_stamps_a_frame_has_the_time_it_was_seen() -> None:
    clock = StampClock()
    assert [clock.time_ns(0, k * MS) for k in (5, 6, 8)] == [5 * MS, 6 * MS, 8 * MS]


PLACES = {"R": 2, "G": 1, "B": 0}


@pytest.mark.parametrize("name", [name for name in FORMATS if name.startswith("Bayer")])
def test_a_mosaic_of_one_colour_is_that_colour(name: str) -> None:
    pixels = FORMATS[name]
    colour = {"R": 200, "G": 120, "B": 40}
    first, second = name[5:7]
    other = {"R": "G", "B": "G"}.get(first, "R" if second == "B" else "B")
    last = {"RG": "B", "BG": "R", "GR": "G", "GB": "G"}[first + second]
    mosaic = np.empty((12, 16), pixels.dtype)
    mosaic[0::2, 0::2], mosaic[0::2, 1::2] = colour[first], colour[second]
    mosaic[1::2, 0::2], mosaic[1::2, 1::2] = colour[other], colour[last]
    image = to_bgr(mosaic.tobytes(), pixels, 12, 16)
    assert image.shape == (12, 16, 3)
    assert image.dtype.name == pixels.dtype
    assert np.all(image[2:-2, 2:-2] == [colour["B"], colour["G"], colour["R"]])


@pytest.mark.parametrize("name", ["Mono8", "Mono10", "Mono12", "Mono14", "Mono16"])
def test_grey_is_three_equal_channels(name: str) -> None:
    pixels = FORMATS[name]
    grey = np.arange(24, dtype=pixels.dtype).reshape(4, 6) * (8 if pixels.dtype == "uint8" else 2000)
    image = to_bgr(grey.tobytes(), pixels, 4, 6)
    assert np.array_equal(image, np.repeat(grey[:, :, None], 3, axis=2))
    assert image.dtype.name == pixels.dtype == dtype_of(name)


@pytest.mark.parametrize(("name", "order"), [("RGB8", (2, 1, 0)), ("BGR8", (0, 1, 2)), ("RGB8Packed", (2, 1, 0))])
def test_colour_is_put_in_the_order_blue_green_red(name: str, order: tuple[int, ...]) -> None:
    sent = np.random.default_rng(1).integers(0, 256, (4, 6, 3), np.uint8)
    assert np.array_equal(to_bgr(sent.tobytes(), FORMATS[name], 4, 6), sent[:, :, order])


def test_padded_lines_are_an_error() -> None:
    with pytest.raises(ValueError, match="32 bytes for 6x4 px of Mono8, which take 24"):
        to_bgr(bytes(32), FORMATS["Mono8"], 4, 6)


@pytest.mark.parametrize(
    ("wanted", "offered", "chosen"),
    [
        ("", ["Mono8", "BayerRG8", "RGB8"], "RGB8"),
        ("", ["Mono16", "Mono8", "BayerGB8"], "BayerGB8"),
        ("", ["Mono12", "Mono8"], "Mono8"),
        ("", ["Mono12", "YUV422Packed"], None),
        ("Mono12", ["Mono12", "Mono8"], "Mono12"),
        ("Mono12", ["Mono8"], None),
        ("YUV422Packed", ["YUV422Packed"], None),
    ],
)
def test_choice_of_format(wanted: str, offered: list[str], chosen: str | None) -> None:
    found = choose(wanted, offered)
    assert (found.name if isinstance(found, PixelFormat) else None) == chosen
