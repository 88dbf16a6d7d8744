"""Look back in a real browser: the list by mouse and by keyboard, learning curves, a report, and NWB taken along."""

import shutil
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from cli.main import main
from tests.support.page_browser import SIZES, THEMES, need_chromium
from tests.support.page_server import ROOT, Server
from tests.support.recorded_folders import CALIBRATION, put_session

need_chromium()

DAYS = 60
FIRST = date(2026, 9, 1)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Sessions of two mice on sixty days, one that was killed, and one that has images and a figure."""
    root = tmp_path_factory.mktemp("data")
    shutil.copy(ROOT / "config.ini", root)
    for number in range(DAYS):
        day = FIRST + timedelta(days=number + 2 * (number // 5))
        for mouse, more in (("M1", 0), ("M2", 1)):
            counts = {"trials": 100, "successes": min(99, 20 + number + more), "water": 40}
            put_session(root, mouse, f"{day:%Y%m%d}093015", counts=counts, calibration=CALIBRATION, rig=f"rig{more}")
    put_session(root, "M2", "20261201093015", outcome="running")
    words = ["--config", str(root / "config.ini"), "--data-root", str(root), "--seed", "4", "--who", "anna"]
    assert main(["run", "--mouse", "DEMO", *words, "--set", "total_trials=1", "--set", "initial_rest_dur=5"]) == 0
    return root


@pytest.fixture(scope="module")
def server(data):
    with Server("--config", str(data / "config.ini"), "--data-root", str(data)) as server:
        yield server


@pytest.fixture
def window(chromium, server):
    with chromium.window(f"http://{server.host}/#back") as window:
        window.page.wait_for_selector("#back-table tbody button")
        yield window
        assert window.complaints == []
        assert window.elsewhere == []


def focused(window):
    return window.page.evaluate("document.activeElement.textContent")


def title(window, text):
    window.page.wait_for_selector(f"#back-report h2:has-text('{text}')")


def test_the_list_by_keyboard(window):
    page = window.page
    expect(page.locator("#back-count")).to_have_text(f"{2 * DAYS + 2} sessions", use_inner_text=True)
    page.focus("#back-table button[tabindex='0']")
    for key, shown in (("End", "101 to 122"), ("Home", "1 to 50"), ("PageDown", "51 to 100"), ("PageUp", "1 to 50")):
        page.keyboard.press(key)
        expect(page.locator(".back-pages [role=status]")).to_have_text(f"{shown} of 122", use_inner_text=True)
    page.focus("#back-again")
    page.keyboard.press("/")
    page.keyboard.type("rig1 2026-09-0")
    expect(page.locator("#back-count")).to_have_text("7 of 122 sessions", use_inner_text=True)
    page.fill("#back-find", "killed")
    page.focus("#back-table button[tabindex='0']")
    page.keyboard.press("Enter")
    title(window, "M2/20261201093015/S1: killed")
    expect(page.locator(".back-hint")).to_contain_text("rigloop recover", use_inner_text=True)
    page.keyboard.press("Escape")
    assert focused(window) == "2026-12-01 09:30"


def test_from_one_report_to_the_next(window):
    page = window.page
    page.select_option("#back-mouse", "M1")
    page.focus("#back-table button[tabindex='0']")
    page.keyboard.press("Enter")
    newest = FIRST + timedelta(days=DAYS - 1 + 2 * ((DAYS - 1) // 5))
    title(window, f"M1/{newest:%Y%m%d}093015/S1: complete")
    page.keyboard.press("o")
    title(window, f"M1/{newest - timedelta(days=1):%Y%m%d}093015/S1: complete")
    page.keyboard.press("n")
    page.keyboard.press("n")
    title(window, f"M1/{newest:%Y%m%d}093015/S1: complete")


def test_a_learning_curve_and_the_table_as_a_file(window):
    page = window.page
    page.select_option("#back-mouse", "M1")
    page.wait_for_selector("#back-curve h2:has-text('M1')")
    panels = [box.get_attribute("aria-label") for box in page.locator(".back-panels > div").all()]
    assert [label.partition(":")[0] for label in panels] == ["Success, %", "Trials", "Threshold, % dF/F", "Water, µl"]
    assert panels[0] == "Success, %: 60 days, from 20 on 2026-09-01 to 79 on 2026-11-21"
    box = page.locator(".back-panels > div").first.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.wait_for_selector(".back-readout:has-text('2026-10-')")
    page.click("#back-curve summary")
    expect(page.locator(".back-days tr")).to_have_count(DAYS + 1)
    with page.expect_download() as taken:
        page.click("#back-csv")
    assert len(taken.value.path().read_text().splitlines()) == DAYS + 1


def test_a_report_its_figure_and_nwb(window):
    page = window.page
    window.sign("anna")
    page.click("#back-table tbody tr:has-text('DEMO') button")
    page.wait_for_selector(".back-sum td:has-text('anna')")
    page.focus(".back-view")
    for key, size in (("+", "150%"), ("+", "200%"), ("-", "150%"), ("0", "100%")):
        page.keyboard.press(key)
        assert page.evaluate("document.querySelector('.back-view img').style.width") == size
    lacks = page.locator(".back-nwb p:has-text('date_of_birth, indicator')")
    page.click("text=Make the NWB file")
    # Another test's session may run on this machine.
    anyhow = page.locator(".back-nwb button:has-text('Make it all the same')")
    lacks.or_(anyhow).wait_for()
    if anyhow.is_visible():
        anyhow.click()
    lacks.wait_for()
    with page.expect_download() as taken:
        page.click("text=Make it without them")
    assert taken.value.suggested_filename.startswith("sub-DEMO_ses-")
    assert taken.value.path().read_bytes()[:4] == b"\x89HDF"
    page.wait_for_selector("text=Download NWB")


def test_it_fits_every_screen(window):
    page = window.page
    page.select_option("#back-mouse", "M1")
    page.wait_for_selector("#back-curve h2:has-text('M1')")
    for size in SIZES:
        window.resize(size)
        for theme in THEMES:
            window.theme(theme)
            assert window.too_wide() == [], f"at {SIZES[size]}"
            window.picture(f"page-look-back-curve-{size}-{theme}")


def test_a_report_is_read_on_a_phone_without_scrolling_sideways(window):
    page = window.page
    window.resize("phone")
    page.click("#back-table tbody tr:has-text('DEMO') button")
    page.wait_for_selector(".back-latency td")
    cut = "[...document.querySelectorAll('.back-report > section')].filter((it) => it.scrollWidth > it.clientWidth + 1)"
    assert page.evaluate(f"{cut}.map((it) => it.className)") == []
