"""The Place tab in a real browser: what is drawn, moved and typed there is what config.ini says afterwards."""

from __future__ import annotations

import json
import shutil
from itertools import count

import pytest
from playwright.sync_api import expect

from roi_manager import Circle, Rect
from session.config_edit import add_mouse, set_mouse_keys
from session.settings import load_settings
from tests.support.page_browser import need_chromium
from tests.support.page_server import ROOT, Server

need_chromium()

MOUSE = "PLACETEST"
"""Mice that no other session of this machine has are named so, with a number."""


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("lab") / "config.ini"
    shutil.copy(ROOT / "config.ini", path)
    return path


@pytest.fixture(scope="module")
def address(config):
    with Server("--config", str(config), "--data-root", str(config.parent / "data")) as server:
        yield f"http://{server.host}/"


@pytest.fixture
def place(chromium, address, config):
    """The Place tab with a new mouse, 256 x 256 px."""
    mouse = next(name for name in (f"{MOUSE}{number}" for number in count(1)) if name not in config.read_text())
    add_mouse(config, mouse, "DEMO2")
    set_mouse_keys(config, mouse, {"rig": "placetest", "roi.SPOT": "40,50,20,10"})
    with chromium.window(address) as window:
        yield Hand(window, config, mouse, "anna")


class Hand:
    """What somebody's hand does on the picture, in px of the picture."""

    def __init__(self, window, config, mouse, who):
        self.window, self.page, self.config, self.mouse = window, window.page, config, mouse
        window.sign(who)
        window.tab("place")
        self.page.select_option("#place-mouse", mouse)
        self.page.wait_for_selector("[data-roi=SPOT]")

    def settings(self):
        """Return what config.ini says of the mouse."""
        return load_settings(self.config, self.mouse)

    def at(self, x, y):
        box = self.page.locator("#place-stage").bounding_box()
        return box["x"] + x * box["width"] / 256, box["y"] + y * box["height"] / 256

    def drag(self, start, end):
        self.page.mouse.move(*self.at(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.at(*end), steps=5)
        self.page.mouse.up()

    def click(self, *point):
        self.page.mouse.click(*self.at(*point))

    def press(self, name, *keys):
        self.page.locator(f"[data-roi={name}]").focus()
        for key in keys:
            self.page.keyboard.press(key)

    def name(self, name):
        self.page.fill("#place-name", name)
        self.page.press("#place-name", "Enter")

    def fill(self, key, text):
        self.page.fill(f"#place-key-{key}", text)
        self.page.press(f"#place-key-{key}", "Tab")

    def outline(self, name):
        return self.page.locator(f"[data-roi={name}] .line").get_attribute("d")

    def names(self):
        return self.page.locator("#place-rois b").all_inner_texts()

    def save(self):
        """Save, and return what was to be read before it."""
        self.page.click("#place-save")
        self.page.wait_for_selector("#place-confirm:enabled")
        diff = self.page.inner_text("#place-diff")
        self.page.click("#place-confirm")
        self.page.wait_for_selector("#place-dialog", state="hidden")
        self.window.until("() => document.querySelector('#place-unsaved').textContent === 'Nothing to save'")
        return diff


def test_what_is_drawn_is_saved(place, config):
    before = config.read_text(encoding="utf-8")
    place.page.click("#place-circle")
    place.drag((60, 120), (72, 120))
    place.name("DISC")
    place.page.click("#place-polygon")
    for point in ((150, 40), (190, 40), (190, 90)):
        place.click(*point)
    place.page.keyboard.press("Enter")
    place.name("tri")
    place.press("SPOT", "ArrowRight", "Shift+ArrowDown", "Alt+ArrowRight", "m")
    assert place.names() == ["BC_L", "BC_R", "SPOT", "DISC", "TRI", "SPOT_M"]
    place.fill("signal", "TRI-SPOT_M")
    assert "roi_operation\tBC_L-BC_R\tTRI-SPOT_M" in place.save()
    rois = place.settings().rois
    assert set(rois) == {"TRI", "SPOT_M"}
    # The mirror image of columns 41 to 61 about bregma's, 128.
    assert rois["SPOT_M"] == Rect(194, 60, 21, 10)
    assert [(round(x), round(y)) for x, y in rois["TRI"].points] == [(150, 40), (190, 40), (190, 90)]
    set_mouse_keys(config, place.mouse, {"roi_operation": "DISC"})
    disc = place.settings().rois["DISC"]
    assert isinstance(disc, Circle)
    assert (disc.x, disc.y, disc.r) == pytest.approx((60, 120, 12), abs=0.5)
    after = config.read_text(encoding="utf-8")
    gone = [line for line in before.splitlines() if line not in after.splitlines()]
    assert gone == ["roi.SPOT            = 40,50,20,10"]
    (line, *_) = (config.parent / "data" / "page-changes.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["who"] == "anna"
    assert place.window.complaints == []


def test_steps_back_and_forth(place):
    place.drag((50, 55), (80, 75))
    assert place.outline("SPOT") == "M70,70h20v10h-20z"
    place.page.keyboard.press("Control+z")
    assert place.outline("SPOT") == "M40,50h20v10h-20z"
    place.page.keyboard.press("Control+y")
    place.press("SPOT", *["ArrowLeft"] * 5, "Delete")
    assert "SPOT" not in place.names()
    place.page.click("#place-undo")
    assert place.outline("SPOT") == "M65,70h20v10h-20z"
    # Key by key was one step.
    place.page.click("#place-undo")
    place.page.click("#place-undo")
    assert place.outline("SPOT") == "M40,50h20v10h-20z"
    expect(place.page.locator("#place-undo")).to_be_disabled()
    expect(place.page.locator("#place-unsaved")).to_have_text("Nothing to save", use_inner_text=True)


def test_a_seed_is_moved_given_back_and_goes_with_bregma(place):
    seed = place.settings().rois["BC_L"]
    assert place.outline("BC_L") == f"M{seed.x},{seed.y}h8v8h-8z"
    place.press("BC_L", "ArrowLeft")
    expect(place.page.locator("#place-delete")).to_have_text("Back to the seed", use_inner_text=True)
    place.page.click("#place-delete")
    assert place.outline("BC_L") == f"M{seed.x},{seed.y}h8v8h-8z"
    place.drag((128, 135), (118, 140))
    expect(place.page.locator("#place-key-bregma")).to_have_value("140, 118")
    place.save()
    assert place.settings().rois["BC_L"] == Rect(seed.x - 10, seed.y + 5, 8, 8)
    assert place.outline("BC_L") == f"M{seed.x - 10},{seed.y + 5}h8v8h-8z"


def test_two_points_make_the_scale(place):
    place.page.click("#place-scale-box summary")
    place.page.click("#place-scale")
    place.click(20, 30)
    place.click(220, 30)
    place.page.fill("#place-mm", "8")
    place.page.click("#place-take-scale")
    place.page.keyboard.press("Escape")
    place.save()
    assert place.settings().geometry.ppmm == pytest.approx(25, abs=0.2)


def test_problems_stand_beside_their_fields_and_nothing_is_saved(place, config):
    before = config.read_bytes()
    place.fill("signal", "BC_L-NOPE")
    place.window.until("() => document.querySelector('#place-problem-signal').textContent.includes('no seed NOPE')")
    place.fill("ppmm", "-3")
    place.window.until("() => document.querySelector('#place-problem-ppmm').textContent.includes('out of range')")
    place.page.click("#place-save")
    place.page.wait_for_selector("#place-dialog-problems li")
    expect(place.page.locator("#place-confirm")).to_be_disabled()
    place.page.click("#place-cancel")
    place.page.locator("#place-rois button", has_text="SPOT").click()
    place.name("9x")
    expect(place.page.locator("#place-name-problem")).to_contain_text("no digit first", use_inner_text=True)
    place.page.on("dialog", lambda dialog: dialog.accept())
    place.page.click("#place-discard")
    expect(place.page.locator("#place-unsaved")).to_have_text("Nothing to save", use_inner_text=True)
    assert config.read_bytes() == before
    assert place.window.complaints == []


def test_of_two_that_save_the_second_sees_what_the_first_did(place, chromium, address, config):
    with chromium.window(address) as bert:
        other = Hand(bert, config, place.mouse, "bert")
        other.press("SPOT", "ArrowDown")
        place.fill("ppmm", "30")
        place.save()
        bert.page.click("#place-save")
        bert.page.wait_for_selector("#place-confirm:enabled")
        bert.page.click("#place-confirm")
        bert.page.wait_for_selector("#place-dialog-problems li")
        expect(bert.page.locator("#place-dialog-problems")).to_contain_text("was changed since", use_inner_text=True)
        assert place.settings().geometry.ppmm == 30
        expect(bert.page.locator("#place-diff")).to_contain_text(
            "roi.SPOT\t40,50,20,10\t40,51,20,10", use_inner_text=True
        )
        bert.page.click("#place-confirm:enabled")
        bert.page.wait_for_selector("#place-dialog", state="hidden")
    text = config.read_text(encoding="utf-8")
    assert "40,51,20,10" in text
    assert place.settings().geometry.ppmm == 30


def test_a_preview_shows_the_picture_and_how_rois_are_exposed(place):
    page = place.page
    page.click("#place-exposure summary")
    page.click("#place-preview")
    page.wait_for_selector("text=Live: preview")
    page.wait_for_selector("#place-exposures tbody tr")
    rows = page.locator("#place-exposures tbody tr").all_inner_texts()
    assert [row.split("\t")[:2] for row in rows] == [
        [name, channel] for name in ("BC_L", "BC_R") for channel in ("green", "blue")
    ]
    assert all("good" in row for row in rows)
    page.click("#place-preview")
    page.wait_for_selector("text=No picture yet")
    page.wait_for_selector("#place-preview:text-is('Start preview')")


SEEDS = """async ([mouse, changes]) => {
  const { allSeeds, seedShape } = await import("./static/place_seeds.js");
  const { textOf } = await import("./static/place_shapes.js");
  const asked = await fetch(`api/mice/${mouse}/check`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ changes }),
  });
  const { seeds } = await (await fetch(`api/mice/${mouse}`)).json();
  const pair = (key) => changes[key].split(",").map(Number);
  const view = { ppmm: Number(changes.ppmm), bregma: pair("bregma"), roiSize: pair("roi_size") };
  const mine = allSeeds(seeds, view).map(([name]) => [name, textOf(seedShape(name, seeds, view))]);
  return [Object.fromEntries(mine), (await asked.json()).seed_rois];
}"""


@pytest.mark.parametrize(
    ("ppmm", "bregma", "roi_size"),
    [("25.6", "135, 128", "0.3, 0.3"), ("31.7", "130.5, 127.25", "0.2, 0.35"), ("10", "120, 120", "0.25, 0.45")],
)
def test_a_seed_lies_where_the_session_has_it(place, ppmm, bregma, roi_size):
    changes = {"ppmm": ppmm, "bregma": bregma, "roi_size": roi_size}
    mine, theirs = place.page.evaluate(SEEDS, [place.mouse, changes])
    assert len(theirs) > 30
    assert mine == theirs


def test_keys_need_no_focus_on_the_picture(place):
    page = place.page
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("g")
    for point in ((150, 40), (190, 40), (190, 90), (20, 200)):
        place.click(*point)
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    assert place.outline("ROI1").count("L") == 2
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("r")
    page.keyboard.press("Escape")
    assert page.get_attribute("#place-stage", "data-tool") == "select"
    # Esc chooses none; the shape keeps the focus.
    place.press("SPOT", "Escape", "ArrowRight")
    assert place.outline("SPOT") == "M41,50h20v10h-20z"
    assert place.window.complaints == []


def test_what_cannot_be_is_told_beside_its_field_and_changes_nothing(place):
    page = place.page
    place.press("SPOT")
    page.fill("#place-n-w", "0")
    page.press("#place-n-w", "Tab")
    expect(page.locator("#place-numbers")).to_contain_text("0: give 1 or more", use_inner_text=True)
    expect(page.locator("#place-n-w")).to_have_value("20")
    assert page.get_attribute("#place-n-w", "aria-invalid") is None
    page.click("#place-exposure summary")
    page.locator("#place-key-iso").press_sequentially("-")
    page.press("#place-key-iso", "Tab")
    place.window.until("() => document.querySelector('#place-problem-iso').textContent.includes('whole number')")


def test_a_save_takes_what_is_typed_and_keeps_what_follows(place):
    page, held = place.page, []
    page.fill("#place-key-ppmm", "31")
    page.keyboard.press("Control+s")
    page.wait_for_selector("#place-confirm:enabled")
    expect(page.locator("#place-diff")).to_contain_text("ppmm\t25.6\t31", use_inner_text=True)
    page.route(f"**/api/mice/{place.mouse}", lambda route: held.append(route))
    page.click("#place-confirm")
    page.wait_for_selector("#place-dialog", state="hidden")
    place.press("SPOT", "ArrowRight")
    place.window.until("() => document.querySelector('#said').textContent.startsWith('Saved')")
    held[0].continue_()
    place.window.until("() => document.querySelector('#place-unsaved').textContent === '1 unsaved change'")
    assert place.outline("SPOT") == "M41,50h20v10h-20z"
    assert place.settings().geometry.ppmm == 31
