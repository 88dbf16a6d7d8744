"""The Watch tab in a real browser: what a session shows is seen, what is lost cannot be missed, what is old is told."""

from __future__ import annotations

import pytest

from recording import lock_file
from tests.support.acted_session import ActedSession
from tests.support.page_browser import SIZES, THEMES, Chromium, need_chromium
from tests.support.page_server import LOCKS, Server

need_chromium()

LIVE, OLD, OVER = "live", "old", "over"
PIXEL = """selector => {
  const canvas = document.querySelector(selector);
  const at = canvas.width / 4;
  return [...canvas.getContext("2d").getImageData(at, at, 1, 1).data].slice(0, 3);
}"""
"""Colour in the middle of the ROI."""


@pytest.fixture(scope="module")
def chromium():
    with Chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def address():
    with pytest.MonkeyPatch.context() as patch, Server() as server:
        patch.setattr(lock_file, "SHARED_FOLDERS", (LOCKS,))
        yield f"http://{server.host}/"


@pytest.fixture
def window(chromium, address):
    with chromium.window(address) as made:
        yield made
        assert (made.complaints, made.refused, made.elsewhere) == ([], [], [])


def look_at(window, session):
    window.page.wait_for_selector(f"#live option[value={session.name}]", state="attached")
    window.page.select_option("#live", session.name)
    shows(window, LIVE)


def shows(window, state):
    window.page.wait_for_selector(f"#see[data-live={state}]")


def says(window, selector, text):
    window.until("([selector, text]) => document.querySelector(selector).textContent.includes(text)", [selector, text])


def test_what_a_session_does_is_seen(window):
    with ActedSession("WATCH1") as session:
        look_at(window, session)
        session.status = {**session.status, "trial": 2, "successes": 1, "fails": 1, "drops": 3, "phase": "trial"}
        session.phase, session.trial = "trial", 2
        for kind, trial in (("success", 1), ("fail", 2), ("free_water", 0), ("lick", 2)):
            session.tell(kind, "0.05" if kind == "free_water" else "", trial)
        says(window, "#water", "15")
        says(window, "#water-unit", "µl in 3 drops, today 25 µl")
        says(window, "#success-unit", "50 %")
        says(window, "#trial-unit", "trial of 9")
        says(window, "#phase", "trial")
        says(window, "#events", "free water")
        assert "lick" not in window.page.inner_text("#events")
        assert window.page.get_attribute("#outcomes", "aria-label") == "trial 1: success, trial 2: fail"
        says(window, "#health", "p50 0.90, p99 0.90 ms")
        session.end("complete", "outcome     complete\ntrials      2, successes 1\nthreshold   0.05")
        shows(window, OVER)
        says(window, "#now", "WATCH1: the session is over: complete; trials 2, successes 1")
        assert window.page.inner_text("#phase") == "complete"


def test_a_lost_device_is_told_on_every_tab_and_what_is_old_is_told_so(window):
    with ActedSession("WATCH2") as session:
        look_at(window, session)
        session.frames = False
        session.tell("lost", "camera: no frame for 5.0 s")
        window.page.wait_for_selector("#alarm", state="visible")
        shows(window, OLD)
        says(window, "#now", "what you see is old")
        for tab in ("place", "run", "back", "see"):
            window.tab(tab)
            assert "LOST camera" in window.page.inner_text("#alarm")
        session.tell("back", "camera after 4.0 s: {}")
        session.frames = True
        shows(window, LIVE)
        window.page.wait_for_selector("#alarm", state="hidden")
        says(window, "#warnings", "no frame for 5.0 s")


def test_a_warning_stays_until_it_is_dismissed_and_does_not_come_again(window):
    with ActedSession("WATCH3") as session, ActedSession("WATCH4") as other:
        look_at(window, session)
        session.tell("warning", "little disk")
        session.tell("warning", "little disk")
        session.tell("water_cut", "reward 1 closed")
        says(window, "#warnings", "(2 times)")
        window.page.click("#warnings li:has-text('little disk') button")
        look_at(window, other)
        assert window.page.locator("#warnings li").count() == 0
        look_at(window, session)
        says(window, "#warnings", "water cut: reward 1 closed")
        assert window.page.locator("#warnings li").count() == 1


def test_one_that_goes_on_is_not_put_in_the_place_of_one_that_ended(window):
    with ActedSession("WATCH5") as session, ActedSession("WATCH6") as other:
        look_at(window, session)
        window.page.wait_for_selector(f"#live option[value={other.name}]", state="attached")
        session.end("lost", "the session's process is gone")
        shows(window, OVER)
        window.until("() => document.querySelector('#live').value === ''")
        assert "WATCH5" in window.page.inner_text("#now")
        assert window.page.is_disabled("#give")
        with ActedSession("WATCH7"):
            says(window, "#now", "Live: WATCH7")


def test_the_range_of_the_map_is_that_of_its_colours(window):
    with ActedSession("WATCH8") as session:
        look_at(window, session)
        window.page.select_option("#map-range", "1")
        window.until("() => document.querySelector('#map').width > 0")
        says(window, "#map-high", "+1 %")
        session.green = 104
        window.until("() => parseFloat(document.querySelector('#signal').textContent) > 3.9")
        window.until(f"() => ({PIXEL})('#map')[2] < 40")
        red, green, _ = window.page.evaluate(PIXEL, "#map")
        assert red > 200
        assert green < 130
        window.page.select_option("#map-range", "20")
        window.until(f"() => ({PIXEL})('#map')[2] > 150")
        window.page.reload()
        assert window.page.input_value("#map-range") == "20"


def test_big_shows_what_is_read_from_afar_alone_and_by_one_key(window):
    with ActedSession("WATCH9") as session:
        look_at(window, session)
        window.page.keyboard.press("f")
        window.page.wait_for_selector("header", state="hidden")
        seen = [name for name in ("phase", "trial", "water", "strip-signal") if window.page.is_visible(f"#{name}")]
        assert seen == ["phase", "trial", "water", "strip-signal"]
        for name in ("camera", "map", "events", "health", "tone", "strip-tone"):
            assert window.page.is_hidden(f"#{name}"), name
        tall = window.page.evaluate("parseFloat(getComputedStyle(document.querySelector('#trial')).fontSize)")
        assert tall > 100
        window.page.keyboard.press("f")
        window.page.wait_for_selector("header", state="visible")
        window.page.focus("#who")
        window.page.keyboard.press("f")
        assert window.page.is_visible("#camera")
        window.page.locator("#who").blur()
        window.page.keyboard.press("?")
        assert "give a drop of water" in window.page.inner_text("#help")


def test_a_preview_shows_exposures_and_nothing_that_it_has_not(window):
    with ActedSession("WATCH10", "preview") as preview:
        look_at(window, preview)
        says(window, "#exposures", "mean 250.1, 31.0 % saturated: SATURATED, above 2 %")
        says(window, "#fps", "30.0")
        for name in ("trial", "water", "threshold", "tone", "strip-tone", "outcomes", "events"):
            assert window.page.is_hidden(f"#{name}"), name


@pytest.mark.parametrize("size", SIZES)
def test_it_fits_and_all_of_it_is_reached_by_keys(window, size):
    with ActedSession("WATCH11") as session:
        window.resize(size)
        look_at(window, session)
        session.tell("warning", "a text without a blank: " + 30 * "image_stream")
        says(window, "#warnings", "image_stream")
        for theme in THEMES:
            window.theme(theme)
            assert window.too_wide() == []
        assert window.unreachable() == []


def test_no_motion_for_those_who_bear_none(chromium, address):
    with ActedSession("WATCH12") as session, chromium.window(address, reduced_motion="reduce") as window:
        look_at(window, session)
        says(window, "#time", "0:01")
        assert window.complaints == []
