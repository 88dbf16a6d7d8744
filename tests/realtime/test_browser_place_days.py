"""The first day's picture in a real browser: where it may be laid, and where shapes come to lie on later days."""

from __future__ import annotations

import re
import shutil

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from session.config_edit import add_mouse, set_mouse_keys
from tests.support.page_browser import need_chromium
from tests.support.page_server import ROOT, Server

need_chromium()

MOUSE, OTHER = "PLACEDAY1", "PLACEDAY2"
FIRST = {
    "session": "S1", "date": "2026-01-02", "kind": "clnf", "image": [256, 256], "images": 30, "ppmm": 25.6,
    "bregma": [135, 128], "rois": {},
}  # fmt: skip
PNG = cv2.imencode(".png", np.full((256, 256), 99, np.uint8))[1].tobytes()


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("lab") / "config.ini"
    shutil.copy(ROOT / "config.ini", path)
    for mouse in (MOUSE, OTHER):
        add_mouse(path, mouse, "DEMO")
        set_mouse_keys(path, mouse, {"rig": "placedays"})
    return path


@pytest.fixture(scope="module")
def address(config):
    with Server("--config", str(config), "--data-root", str(config.parent / "data")) as server:
        yield f"http://{server.host}/"


@pytest.fixture
def window(chromium, address):
    with chromium.window(address) as window:
        window.sign("anna")
        window.page.route("**/first", lambda route: route.fulfill(json=FIRST))
        window.page.route("**/first.png?*", lambda route: route.fulfill(body=PNG, content_type="image/png"))
        window.tab("place")
        window.page.select_option("#place-mouse", MOUSE)
        window.page.wait_for_selector("text=First recorded picture")
        yield window


def test_a_picture_with_other_sides_is_not_stretched(window, config):
    page = window.page
    set_mouse_keys(config, MOUSE, {"resolution": "320, 256"})
    window.tab("run")
    window.tab("place")
    page.wait_for_selector("text=The first picture has other sides")
    assert page.get_attribute("#place-stage", "viewBox") == "0 0 320 256"
    page.click("#place-first summary")
    expect(page.locator("#place-first-about")).to_contain_text(
        "256 × 256 px, cannot be laid over one of 320 × 256 px", use_inner_text=True
    )
    expect(page.locator("#place-first-controls")).to_be_hidden()
    set_mouse_keys(config, MOUSE, {"resolution": "512, 512"})
    window.tab("run")
    window.tab("place")
    page.wait_for_selector("text=First recorded picture")


def test_what_was_measured_of_a_mouse_is_not_taken_for_another(window, config):
    page, held = window.page, []
    set_mouse_keys(config, MOUSE, {"resolution": None})
    page.click("#place-first summary")
    page.click("#place-preview")
    page.wait_for_selector("text=Live: preview")
    page.route("**/view?*", lambda route: held.append(route))
    page.click("#place-measure")
    page.select_option("#place-mouse", OTHER)
    page.wait_for_selector("text=First recorded picture")
    found = {"shift_px": [9, -5], "rotation_deg": 2, "known": True, "same": False, "text": "9 px off"}
    with page.expect_response("**/view?*"):
        held[0].fulfill(json=found)
    page.wait_for_function("() => document.querySelector('#place-measured').textContent === ''")
    expect(page.locator("#place-shift-x")).to_have_value("0")
    page.select_option("#place-mouse", MOUSE)
    page.click("#place-preview")
    page.wait_for_selector("text=First recorded picture")


LATE = """async ([lost]) => {
  const { Picture } = await import("./static/place_picture.js");
  const wire = new EventTarget();
  const picture = new Picture(document.querySelector("#place"), wire, {});
  picture.mouse = { mouse: "A", resolution: [8, 8] };
  const about = { mouse: "A", what: "preview", shape: [8, 8, 3] };
  wire.dispatchEvent(new CustomEvent("hello", { detail: { about, live: "preview-1" } }));
  const painted = [];
  picture.paint = () => painted.push(picture.mouse.mouse);
  let decoded;
  window.createImageBitmap = () => new Promise((done) => { decoded = done; });
  const update = picture.update(new Uint8Array(1));
  if (lost) picture.mouse = { mouse: "B", resolution: [8, 8] };
  decoded({ width: 8, height: 8, close: () => {} });
  await update;
  return painted;
}"""


@pytest.mark.parametrize(("lost", "painted"), [(False, ["A"]), (True, [])], ids=["still shown", "another mouse"])
def test_a_picture_that_is_decoded_late_is_not_painted_for_another_mouse(window, lost, painted):
    assert window.page.evaluate(LATE, [lost]) == painted


AGAIN = """async ([rois, days]) => {
  const { Draft } = await import("./static/place_draft.js");
  const { again } = await import("./static/place_since.js");
  const values = { bregma: "135, 128", ppmm: "25.6", roi: "RECT", ...rois };
  const mouse = { values, own: Object.keys(values), rois: {}, seeds: {}, kind: "clnf", ppmm: 25.6, bregma: [135, 128] };
  const draft = new Draft(mouse);
  const shown = (each) => Object.fromEntries(Object.entries(each).map(([key, text]) => [key.slice(4), text]));
  const first = { bregma: [135, 128], image: [256, 256], rois: shown(rois) };
  return days.map(({ shift, rotation, given }) => {
    if (given) draft.set(given);
    const changes = again(draft, first, [256, 256], { shift, rotation });
    if (changes) draft.set(changes);
    const keys = ["bregma", ...Object.keys(rois)];
    return changes && Object.fromEntries(keys.map((key) => [key, draft.text(key.toLowerCase())]));
  });
}"""
ROIS = {"roi.RECT": "65,75,30,30", "roi.DISC": "circle 150,90,12.8", "roi.POLY": "polygon 100,150 130,150 150,190"}


def numbers(text):
    return np.array([float(each) for each in re.findall(r"[\d.-]+", text)])


def turned(points, shift, degrees):
    """Return points [x, y] turned about the picture's centre, clockwise as seen, then shifted."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (np.reshape(points, (-1, 2)) - 128) @ turn.T + 128 + shift


def test_shapes_that_were_moved_on_a_day_between_are_not_moved_twice(window):
    moves = [([9, -5], 2.0), ([9, -5], 2.0), ([-7.5, 3], -1.5), ([0, 0], 0.0), *[([3, 4], 1.0), ([-2, 1], -2.0)] * 10]
    days = [{"shift": shift, "rotation": rotation} for shift, rotation in moves]
    for (shift, rotation), found in zip(moves, window.page.evaluate(AGAIN, [ROIS, days]), strict=True):
        row, col = numbers(found["bregma"])
        assert turned([128, 135], shift, rotation)[0] == pytest.approx([col, row], abs=0.1)
        assert numbers(found["roi.DISC"])[:2] == pytest.approx(turned([150, 90], shift, rotation)[0], abs=0.1)
        poly = turned(numbers(ROIS["roi.POLY"]), shift, rotation).ravel()
        assert numbers(found["roi.POLY"]) == pytest.approx(poly, abs=0.1)
        x, y, w, h = numbers(found["roi.RECT"])
        assert (w, h) == (30, 30)
        assert [x + 15, y + 15] == pytest.approx(turned([80, 90], shift, rotation)[0], abs=0.51)


def test_where_it_cannot_be_told_nothing_is_moved(window):
    days = [{"shift": [9, -5], "rotation": 0, "given": {"bregma": "100, 100"}}]
    assert window.page.evaluate(AGAIN, [ROIS, days]) == [None]
    # An ROI of a later day is moved as all others were; one that was put elsewhere goes from there.
    days = [{"shift": [9, -5], "rotation": 0, "given": {"roi.DISC": "circle 50,60,7", "roi.NEW": "10,20,5,5"}}]
    (found,) = window.page.evaluate(AGAIN, [ROIS, days])
    assert (found["roi.DISC"], found["roi.RECT"]) == ("circle 59,55,7", "74,70,30,30")
