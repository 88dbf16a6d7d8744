"""The Watch tab in a real browser: what a session shows is seen, what is lost cannot be missed, what is old is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from recording import lock_file
from tests.support.acted_session import ActedSession
from tests.support.page_browser import SIZES, THEMES, need_chromium
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
    window.page.wait_for_selector(f"#see[data-live={state}]", state="attached")


def says(window, selector, text):
    window.until("([selector, text]) => document.querySelector(selector).textContent.includes(text)", [selector, text])


def lasts(window, selector, time):
    """Wait until a session has lasted so long; a busy machine may show none of its first seconds."""
    told = "document.querySelector(selector).textContent"
    window.until(f"([selector, time]) => /^\\d/.test({told}) && {told} >= time", [selector, time])


def test_what_a_session_does_is_seen(window):
    with ActedSession("WATCH1") as session:
        look_at(window, session)
        session.status = {**session.status, "trial": 2, "successes": 1, "fails": 1, "drops": 3, "phase": "trial"}
        session.phase, session.trial = "trial", 2
        details = {"free_water": "0.05", "crossing": "0.0612345"}
        for kind, trial in (("crossing", 1), ("success", 1), ("fail", 2), ("free_water", 0), ("lick", 2)):
            session.tell(kind, details.get(kind, ""), trial)
        says(window, "#water", "7.5")
        says(window, "#water-unit", "µl in 3 drops, today 12.5 µl")
        says(window, "#signal-unit", "signal, % dF/F")
        says(window, "#threshold-unit", "threshold, % dF/F")
        says(window, "#success-unit", "50 %")
        says(window, "#trial-unit", "trial of 9")
        says(window, "#phase", "trial")
        says(window, "#events", "free water")
        expect(window.page.locator("#events")).to_contain_text("0.05 s open", use_inner_text=True)
        expect(window.page.locator("#events")).to_contain_text("6.123 % dF/F", use_inner_text=True)
        assert "lick" not in window.page.inner_text("#events")
        assert window.page.get_attribute("#outcomes", "aria-label") == "trial 1: success, trial 2: fail"
        says(window, "#health", "p50 0.90, p99 0.90 ms")
        session.end("complete", "outcome     complete\ntrials      2, successes 1\nthreshold   0.05")
        shows(window, OVER)
        says(window, "#now", "WATCH1: the session is over: complete; trials 2, successes 1")
        expect(window.page.locator("#phase")).to_have_text("complete", use_inner_text=True)


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
            expect(window.page.locator("#alarm")).to_contain_text("LOST camera", use_inner_text=True)
            if tab == "run":
                expect(window.page.locator("#run-now")).to_contain_text(
                    "No new frame: what you see is old", use_inner_text=True
                )
                expect(window.page.locator("#run-phase-unit")).to_have_text("state of WATCH2", use_inner_text=True)
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
        expect(window.page.locator("#warnings li")).to_have_count(0)
        look_at(window, session)
        says(window, "#warnings", "water cut: reward 1 closed")
        expect(window.page.locator("#warnings li")).to_have_count(1)


def test_one_that_goes_on_is_not_put_in_the_place_of_one_that_ended(window):
    with ActedSession("WATCH5") as session, ActedSession("WATCH6") as other:
        look_at(window, session)
        window.page.wait_for_selector(f"#live option[value={other.name}]", state="attached")
        session.end("lost", "the session's process is gone")
        shows(window, OVER)
        window.until("() => document.querySelector('#live').value === ''")
        expect(window.page.locator("#now")).to_contain_text("WATCH5", use_inner_text=True)
        expect(window.page.locator("#give")).to_be_disabled()
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
        # A map that has not been drawn yet is black.
        window.until(f"() => (([red, green, blue]) => red > 200 && green < 130 && blue < 40)(({PIXEL})('#map'))")
        window.page.select_option("#map-range", "20")
        window.until(f"() => ({PIXEL})('#map')[2] > 150")
        window.page.reload()
        expect(window.page.locator("#map-range")).to_have_value("20")


def test_big_shows_what_is_read_from_afar_alone_and_by_one_key(window):
    with ActedSession("WATCH9") as session:
        look_at(window, session)
        window.page.keyboard.press("f")
        window.page.wait_for_selector("header", state="hidden")
        seen = [name for name in ("phase", "trial", "water", "strip-signal") if window.page.is_visible(f"#{name}")]
        assert seen == ["phase", "trial", "water", "strip-signal"]
        for name in ("camera", "map", "events", "health", "tone", "strip-tone"):
            expect(window.page.locator(f"#{name}")).to_be_hidden()
        tall = window.page.evaluate("parseFloat(getComputedStyle(document.querySelector('#trial')).fontSize)")
        assert tall > 100
        window.page.keyboard.press("f")
        window.page.wait_for_selector("header", state="visible")
        window.page.focus("#who")
        window.page.keyboard.press("f")
        expect(window.page.locator("#camera")).to_be_visible()
        window.page.locator("#who").blur()
        window.page.keyboard.press("?")
        expect(window.page.locator("#help")).to_contain_text("give a drop of water", use_inner_text=True)


def test_a_preview_shows_exposures_and_nothing_that_it_has_not(window):
    with ActedSession("WATCH10", "preview") as preview:
        look_at(window, preview)
        says(window, "#exposures", "mean 250.1, 31.0 % saturated: SATURATED, above 2 %")
        says(window, "#fps", "30.0")
        for name in ("trial", "water", "threshold", "tone", "strip-tone", "outcomes", "events"):
            expect(window.page.locator(f"#{name}")).to_be_hidden()


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
        lasts(window, "#time", "0:01")
        assert window.complaints == []


def test_who_comes_back_to_the_pictures_sees_the_newest_though_no_more_come(window):
    with ActedSession("WATCH13") as session:
        window.tab("run")
        look_at(window, session)
        # It looks anew at what is chosen: pictures come again, one at least.
        lasts(window, "#run-time", str(timedelta(seconds=int(session.status["time_s"]) + 2))[3:])
        session.frames = False
        window.page.wait_for_selector("#run-now", state="visible")
        window.tab("see")
        window.until(f"() => ({PIXEL})('#camera')[1] > 50")


def test_a_server_that_is_started_anew_finds_again_what_goes_on_and_tells_what_ended(chromium):
    with ActedSession("WATCH14") as session, Server() as server, chromium.window(f"http://{server.host}/") as window:
        look_at(window, session)
        server.__exit__()
        shows(window, OLD)
        with Server("--port", str(server.port)):
            shows(window, LIVE)
            says(window, "#now", "Live: WATCH14")
        shows(window, OLD)
        session.end("complete", "outcome     complete")
        with Server("--port", str(server.port)):
            says(window, "#now", "it ended while this page was not connected")
            window.tab("run")
            assert window.page.get_attribute("#run-live", "data-over") == "true"
            expect(window.page.locator("#run-over")).to_contain_text("The session is over", use_inner_text=True)


PROGRAMS = """async (told) => {
  const { Programs } = await import("/static/run_programs.js");
  const [wire, root, before] = [new EventTarget(), document.createElement("div"), document.createElement("details")];
  before.append(document.createElement("ol"));
  const programs = new Programs(root, before, wire, { say: () => null });
  return told.map(({ live, jobs }) => {
    const detail = {
      live: live.map((name) => ({ name })),
      jobs: jobs.map((job) => ({ do: "run", subject: "M1", who: "anna", stops: [], said: "", code: null, ...job })),
    };
    wire.dispatchEvent(new CustomEvent("live", { detail }));
    const hidden = root.firstElementChild.hidden;
    return hidden ? "" : root.querySelector("#program").textContent;
  });
}"""


def test_what_a_program_does_is_told_from_its_start_to_its_end(window):
    old, new = {"number": 4, "pid": 4, "code": 0}, {"number": 5, "pid": 5}
    again = {"number": 1, "pid": 9, "code": 2, "said": "too dark"}
    told = [
        {"live": [], "jobs": [old]},
        {"live": [], "jobs": [old, new]},
        {"live": ["session-5"], "jobs": [old, new]},
        {"live": [], "jobs": [old, new]},
        {"live": [], "jobs": []},
        {"live": [], "jobs": [again | {"code": None}]},
        {"live": [], "jobs": [again]},
    ]
    assert window.page.evaluate(PROGRAMS, told) == [
        "",
        "The session of M1 is starting, for anna …",
        "",
        "The session of M1 is over, and writes what is left …",
        "",
        "The session of M1 is starting, for anna …",
        "The session of M1 was refused (exit code 2)",
    ]


def test_the_focus_is_not_lost_with_what_is_taken_away(window):
    key = {"key": "max_trial_dur", "unit": "s", "text": "", "bounds": "above 0", "choices": [], "value": "10"}
    threshold = {**key, "key": "reward_threshold", "unit": "dF/F"}
    focus = "document.activeElement.id || document.activeElement.getAttribute('aria-label')"
    with ActedSession("WATCH15", changeable=[threshold, key]) as session:
        look_at(window, session)
        session.tell("warning", "one")
        session.tell("warning", "two")
        window.page.click("#warnings li:has-text('two') button")
        assert window.page.evaluate(focus) == "Dismiss: one"
        window.page.keyboard.press("Enter")
        assert window.page.evaluate(focus) == "main"
        window.tab("run")
        window.page.focus("#change-max_trial_dur")
        session.tell("operator", "set anna")
        session.tell("set", "max_trial_dur = 7")
        says(window, "#variables", "7 s")
        assert window.page.evaluate(focus) == "change-max_trial_dur"
        window.page.focus("#pause")
        session.end("complete", "outcome     complete")
        shows(window, OVER)
        assert window.page.evaluate(focus) == "main"


WARNINGS = """async () => {
  const { Log } = await import("/static/log.js");
  const list = () => document.createElement("ol");
  const [events, warnings] = [list(), list()];
  const log = new Log(events, warnings, () => null);
  for (let number = 1; number <= 300; number++) log.add([[number, 0, "warning", 0, `line ${number}`]], 0);
  return [events.children.length, warnings.children.length, log.cards.size, warnings.firstChild.textContent];
}"""


def test_a_long_session_does_not_fill_the_page_with_its_log(window):
    events, warnings, cards, newest = window.page.evaluate(WARNINGS)
    assert (events, warnings, cards) == (200, 100, 100)
    assert "line 300" in newest


def test_a_session_without_trials_counts_none(window):
    with ActedSession("WATCH16", goal={"trials": None, "rest_s": 60, "frames": None}) as session:
        look_at(window, session)
        says(window, "#trial-unit", "no trials")
        expect(window.page.locator("#success")).to_have_text("–", use_inner_text=True)
        window.tab("run")
        says(window, "#run-trial-unit", "no trials")
        assert [window.page.inner_text(f"#run-{name}") for name in ("trial", "success")] == ["–", "–"]
        expect(window.page.locator(".run-variables")).to_be_hidden()
