"""A page whose server answers late: what is pressed meanwhile is done to what is shown, or cannot be pressed."""

from __future__ import annotations

import contextlib
import shutil

import pytest
from playwright.sync_api import expect

from recording import lock_file
from session.config_edit import add_mouse, set_mouse_keys
from tests.support.acted_session import ActedSession
from tests.support.page_browser import WAIT_MS, need_chromium
from tests.support.page_server import LOCKS, ROOT, Server

need_chromium()

FIRST, SECOND = "LATE1", "LATE2"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("lab") / "config.ini"
    shutil.copy(ROOT / "config.ini", path)
    for mouse in (FIRST, SECOND):
        add_mouse(path, mouse, "DEMO")
        set_mouse_keys(path, mouse, {"rig": mouse.lower()})
    with Server("--config", str(path), "--data-root", str(path.parent / "data")) as server:
        yield f"http://{server.host}/"


@pytest.fixture
def window(chromium, address):
    with chromium.window(address) as made:
        made.sign("anna")
        yield made
        assert made.complaints == []


class Late:
    """Answers that the server has given, and that come when ``come`` is called."""

    def __init__(self, page, path):
        self._page = page
        self._path = path
        self._held = []
        page.route(path, lambda route: self._held.append((route, route.fetch())))

    def wait(self):
        """Wait until one is asked for."""
        for _ in range(WAIT_MS // 10):
            if self._held:
                return
            self._page.wait_for_timeout(10)
        raise AssertionError(f"nothing asked for {self._path}")

    def come(self):
        self.wait()
        for route, answer in self._held:
            route.fulfill(response=answer)
        self._page.unroute(self._path)


def test_nothing_can_be_pressed_before_the_first_answer(chromium, address):
    with chromium.window("about:blank") as window:
        page = window.page
        state = Late(page, "**/api/state")
        page.goto(address)
        state.wait()
        heard = page.locator("header button:visible, header select:visible")
        assert heard.count() == 7
        for button in heard.all():
            assert button.is_disabled() == (button.get_attribute("id") != "theme"), button
        state.come()
        window.tab("run")
        page.click("#keys")
        expect(page.locator("#help")).to_be_visible()


def test_a_mouse_that_is_not_there_yet_takes_nothing_that_is_pressed(window):
    page = window.page
    window.tab("place")
    page.select_option("#place-mouse", FIRST)
    expect(page.locator("#place-about")).to_contain_text(FIRST.lower())
    facts = Late(page, f"**/api/mice/{SECOND}")
    page.select_option("#place-mouse", SECOND)
    facts.wait()
    inert = "each => [...document.querySelectorAll(each)].map((it) => Boolean(it.closest('[inert]')))"
    acts = "#place-preview, #place-save, #place-circle, #place-stage, #place-name"
    assert page.evaluate(inert, acts) == [True] * 5
    page.locator("#place-mouse").blur()
    page.keyboard.press("c")
    expect(page.locator("#place-circle")).to_have_attribute("aria-pressed", "false")
    facts.come()
    expect(page.locator("#place-about")).to_contain_text(SECOND.lower())
    assert page.evaluate(inert, acts) == [False] * 5
    page.keyboard.press("c")
    expect(page.locator("#place-circle")).to_have_attribute("aria-pressed", "true")


def test_where_the_mouse_cannot_be_read_the_one_before_stays_chosen(window):
    page = window.page
    window.tab("place")
    page.select_option("#place-mouse", FIRST)
    expect(page.locator("#place-about")).to_contain_text(FIRST.lower())
    page.route(f"**/api/mice/{SECOND}", lambda route: route.abort())
    page.select_option("#place-mouse", SECOND)
    expect(page.locator("#said")).to_contain_text("does not answer")
    expect(page.locator("#place-mouse")).to_have_value(FIRST)
    page.click("#place-circle")
    # What was chosen to be run is not exchanged for it.
    window.tab("run")
    expect(page.locator("#begin-mouse")).to_have_text(FIRST)
    page.check(f"#mouse-{SECOND}")
    expect(page.locator("#problems")).to_contain_text("does not answer")
    expect(page.locator("#begin-mouse")).to_have_text(SECOND)
    expect(page.locator("#start")).to_be_disabled()
    window.complaints.clear()


def test_no_session_starts_of_a_mouse_whose_settings_are_not_known(window):
    page = window.page
    window.tab("run")
    page.check(f"#mouse-{FIRST}")
    expect(page.locator("#start")).to_be_enabled()
    facts = Late(page, f"**/api/mice/{SECOND}")
    page.check(f"#mouse-{SECOND}")
    expect(page.locator("#begin-mouse")).to_have_text(SECOND)
    expect(page.locator("#start")).to_be_disabled()
    expect(page.locator("#begin-why")).to_contain_text("Reads what is set")
    facts.come()
    expect(page.locator("#start")).to_be_enabled()


def shows_what_it_starts(page, button):
    """Start a preview, whose picture comes before the answer; wait until it is shown."""
    started = Late(page, "**/api/jobs")
    page.click(button)
    page.wait_for_selector("#live option:has-text('preview')", state="attached")
    started.come()
    page.wait_for_selector("#now:has-text('Live: LATE1')", state="attached")


@contextlib.contextmanager
def another_shown(window):
    """Act a session that is shown: what begins then is not put in its place by itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lock_file, "SHARED_FOLDERS", (LOCKS,))
        with ActedSession("OTHER"):
            window.page.wait_for_selector("#see[data-live=live]", state="attached")
            yield


def test_a_preview_that_runs_before_it_is_answered_is_shown_where_it_was_started(window):
    page = window.page
    with another_shown(window):
        window.tab("place")
        page.select_option("#place-mouse", FIRST)
        shows_what_it_starts(page, "#place-preview")
        page.click("#place-preview:has-text('Stop')")
        page.wait_for_selector("#place-preview:text-is('Start preview')")
        window.tab("run")
        shows_what_it_starts(page, "#preview")
        page.click("#program-stop")
