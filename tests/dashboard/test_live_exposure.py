"""What a browser is told of the exposure of a running session's newest image."""

import cv2
import numpy as np
import pytest

from core.errors import InputError
from dashboard.live_exposure import DARK, MAX_ROIS, SATURATED, exposure_told, saturated_png

ROIS = {"A": "0,0,10,10", "B": "circle 20,10,4"}


def about(kind="clnf", source="pi", mode="green_minus_blue", **settings):
    known = {"vid_source": source, "shutter_speed": 20_000, "iso": 200, "framerate": 15, "dff_mode": mode}
    return {"kind": kind, "rois": ROIS, "settings": known | settings}


def picture(level=100, dtype=np.uint8):
    return np.full((20, 30, 3), level, dtype)


def test_each_roi_is_judged_in_each_channel():
    image = picture()
    image[:10, :5, 1] = 255
    image[:, 15:25, 0] = 3
    told = exposure_told(image, about(), {})
    assert told["outside"] == []
    assert told["image"] == {"saturated": round(50 / 600, 5), "dark": round(200 / 600, 5), "top": 254}
    assert [(each["roi"], each["channel"], each["verdict"]) for each in told["rois"]] == [
        ("A", "green", "saturated"), ("A", "blue", "good"), ("B", "green", "good"), ("B", "blue", "dark")
    ]  # fmt: skip
    saturated, good, _, dark = told["rois"]
    assert saturated == {
        "roi": "A", "channel": "green", "mean": 177.5, "saturated": 0.5, "verdict": "saturated", "limit": 0.02,
        "cure": "lower shutter_speed, iso or the light",
    }  # fmt: skip
    assert (dark["mean"], dark["limit"], dark["cure"]) == (3.0, 8.0, "raise shutter_speed, iso or the light")
    assert good["cure"] == ""
    assert told["advice"] == {
        "factor": 0.5, "shutter_speed": None, "iso": 100,
        "text": "the ROIs' brightest pixels reach 100 % of the range: iso = 100 in place of 200; some ROIs are dark "
        "beside it: even the light",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("level", "settings", "text"),
    [
        (127, {}, "the ROIs' brightest pixels reach 50 % of the range"),
        (40, {}, "the ROIs' brightest pixels reach 16 % of the range: shutter_speed = 60000 in place of 20000 and iso "
         "= 260 in place of 200"),
        (40, {"shutter_speed": 0, "iso": 0}, "the ROIs' brightest pixels reach 16 % of the range: give more light, 4 "
         "times as much"),
        (255, {"shutter_speed": 0, "iso": 0}, "the ROIs' brightest pixels reach 100 % of the range: give less light, "
         "0.5 times as much"),
        (255, {"iso": 100}, "the ROIs' brightest pixels reach 100 % of the range: shutter_speed = 10000 in place of "
         "20000"),
        (255, {"vid_source": "synthetic"}, "frames come from vid_source = synthetic, which shutter_speed and iso do "
         "not change"),
    ],
)  # fmt: skip
def test_what_to_set(level, settings, text):
    assert exposure_told(picture(level), about(**settings), {})["advice"]["text"] == text


def test_shapes_of_the_browser_take_the_place_of_the_sessions():
    told = exposure_told(picture(), about(), {"roi.new": "1,1,4,4", "roi.off": "28,1,4,4", "ROI.C": "circle 5,5,2"})
    assert [each["roi"] for each in told["rois"]] == ["NEW", "NEW", "C", "C"]
    assert told["outside"] == ["OFF"]
    nothing = exposure_told(picture(), about(), {"roi.off": "28,1,4,4"})
    assert (nothing["rois"], nothing["advice"]) == ([], None)


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,0,4", "circle 1,2", "M1_L", "polygon 1,1 2,2", "1,1,99999,99999"])
def test_a_shape_that_cannot_be_read_is_told(text):
    with pytest.raises(InputError, match=r"roi\.X: "):
        exposure_told(picture(), about(), {"roi.X": text})


def test_too_many_shapes_are_refused():
    many = {f"roi.A{number}": "1,1,2,2" for number in range(MAX_ROIS + 1)}
    with pytest.raises(InputError, match="65 ROIs are too many to judge; give 64 at most"):
        exposure_told(picture(), about(), many)


def test_a_green_signal_does_not_mind_the_blue():
    image = picture()
    image[..., 0] = 255
    told = exposure_told(image, about(mode="green"), {})
    assert {each["channel"] for each in told["rois"]} == {"green"}
    assert told["image"]["saturated"] == 0


def test_a_movement_session_has_no_dff_to_judge():
    image = picture()
    image[:10, :, 1] = 255
    told = exposure_told(image, {**about("clmf"), "rois": {}}, {})
    assert told == {"rois": [], "outside": [], "image": {"saturated": 0.5, "dark": 0.0, "top": 254}, "advice": None}


def shown(png):
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)


def test_the_picture_of_lost_pixels():
    image = picture()
    image[3, 4, 1], image[5, 6] = 255, 1
    seen = shown(saturated_png(image, about()))
    assert seen.shape == (20, 30, 4)
    assert seen[3, 4].tolist() == list(SATURATED)
    assert seen[5, 6].tolist() == list(DARK)
    assert np.count_nonzero(seen[..., 3]) == 2


@pytest.mark.parametrize(("height", "width"), [(1080, 1920), (641, 641), (2, 2000)])
def test_a_single_saturated_pixel_shows_in_a_picture_that_is_made_smaller(height, width):
    for row, column in ((0, 0), (height - 1, width - 1), (height // 3, width // 7)):
        image = np.full((height, width, 3), 100, np.uint16)
        image[row, column, 1] = 1023
        seen = shown(saturated_png(image, about()))
        assert seen.shape == (max(1, round(height * 640 / width)), 640, 4)
        at = np.argwhere(seen[..., 3])
        assert len(at) == 1
        assert abs(at[0, 1] - column * 640 / width) < 1
        assert abs(at[0, 0] - row * seen.shape[0] / height) < 1
