"""The page in a real browser, against a session that runs: what an experimenter does on it is done, seen and recorded.

``RIGLOOP_PICTURES`` names a folder for pictures of every tab, wide and on a phone (``make pictures``).
"""

from __future__ import annotations

import csv
import json
import os
import time
import urllib.request
from configparser import ConfigParser

import pytest
from playwright.sync_api import expect

from session.replay import replay_session
from tests.support.page_browser import SIZES, TABS, THEMES, need_chromium
from tests.support.page_server import ROOT, Server

need_chromium()

MOUSE = "BROWSER"
"""A mouse that no other session of this machine has."""
SECTION = f"""
[mouse:{MOUSE}]                             ; who is trained in the browser
experiment          = clnf_1roi             ; the first
rig                 = browser_test
framerate           = 30
dff_history         = 2                     ; s: soon there is a signal
reward_threshold    = 0.001                 ; crossed by noise, within a few frames
total_trials        = 60
initial_rest_dur    = 1
max_trial_dur       = 5                     ; s
success_rest_dur    = 1
fail_rest_dur       = 1
reward_delay        = 0.2
"""
POST = """async ([path, body]) => {
  const answer = await fetch(`api/${path}`, { method: "POST", body: JSON.stringify(body) });
  return answer.status;
}"""
VIEWER, OPERATOR = "viewer-of-the-browser-test", "operator-of-the-browser-test"


@pytest.fixture
def lab(tmp_path):
    """A folder with a config of its own, in which sessions are stored."""
    text = (ROOT / "config.ini").read_text(encoding="utf-8") + SECTION
    (tmp_path / "config.ini").write_text(text, encoding="utf-8")
    return tmp_path


def serve(lab, *words):
    return Server("--config", str(lab / "config.ini"), "--data-root", str(lab / "data"), *words)


def comments(text):
    return [line.partition(";")[2].strip() for line in text.splitlines() if ";" in line]


def place_a_spot(window):
    """Draw a rectangle over M1 and its surroundings, name it, make it the signal, and save it."""
    page = window.page
    window.tab("place")
    page.select_option("#place-mouse", MOUSE)
    # The tab shows another mouse first, and its ROIs; and a picture that comes later moves what is below the hand.
    page.wait_for_selector("#place-about:has-text('browser_test')")
    page.wait_for_selector("#place-source:not(:empty)")
    page.click("#place-rect")
    box = page.locator("#place-stage").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.30, box["y"] + box["height"] * 0.42)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.36, box["y"] + box["height"] * 0.48, steps=4)
    page.mouse.up()
    page.fill("#place-name", "SPOT")
    page.press("#place-name", "Enter")
    page.click("#place-use")
    page.click("#place-save")
    page.click("#place-confirm")
    page.wait_for_selector("#place-dialog", state="hidden")


def start(window):
    window.tab("run")
    window.page.check(f"#mouse-{MOUSE}")
    window.page.click("#start")
    window.page.wait_for_selector("#run-live", state="visible")


def shown(window):
    """Let a window show this test's session, whatever else runs on this machine."""
    option = f"#live option:has-text('{MOUSE}')"
    window.page.wait_for_selector(option, state="attached")
    window.page.select_option("#live", label=window.page.text_content(option))


def counted(window, selector, at_least):
    window.until(
        "([selector, least]) => parseFloat(document.querySelector(selector).textContent) >= least",
        [selector, at_least],
    )


def phase(window, name):
    window.until("name => document.querySelector('#phase').textContent === name", name)


def sound(*windows):
    """Nothing was asked of another machine, and nothing went wrong."""
    for window in windows:
        assert window.elsewhere == []
        assert window.complaints == []
        assert window.refused == []


def test_a_session_from_its_roi_to_its_replay(chromium, lab):
    before = (lab / "config.ini").read_text(encoding="utf-8")
    with serve(lab) as server:
        address = f"http://{server.host}/"
        with chromium.window(address) as anna, chromium.window(address) as bert:
            anna.sign("anna")
            bert.sign("bert")
            place_a_spot(anna)
            start(anna)
            for window in (anna, bert):
                shown(window)
                window.tab("see")
                counted(window, "#success", 1)
            intervene(anna, bert)
            look_at_every_tab(anna)
            stop(bert)
            # Its figure is drawn, too.
            ended = wait_for_the_end(server)
            assert ended["code"] == 0, ended["said"]
            look_back(anna)
            sound(anna, bert)
    check_config(lab, before)
    check_recorded(lab)


def intervene(anna, bert):
    """Water, a pause, another threshold, a note: each is seen in the other browser, too."""
    anna.tab("run")
    drops = "parseInt(document.querySelector('#run-water-unit').textContent.match(/(\\d+) drop/)[1])"
    count = anna.page.evaluate(drops)
    anna.page.keyboard.press("w")
    anna.until(f"least => {drops} >= least", count + 1)
    anna.page.click("#pause")
    phase(bert, "paused")
    expect(anna.page.locator("#pause")).to_contain_text("Resume")
    anna.page.keyboard.press("p")
    bert.until("() => ['rest', 'trial'].includes(document.querySelector('#phase').textContent)")
    bert.tab("run")
    bert.page.click("#change-reward_threshold")
    bert.page.fill("#set-value", "0.03")
    bert.page.click("#set-button")
    anna.tab("see")
    anna.until("() => document.querySelector('#threshold').textContent.startsWith('3')")
    anna.tab("run")
    anna.page.fill("#note-text", "w and p in a note are letters")
    anna.page.press("#note-text", "Enter")
    anna.page.wait_for_selector("#notes li:has-text('are letters')")


def look_at_every_tab(window):
    """Nothing has to be scrolled sideways to, in either size and theme."""
    if os.environ.get("RIGLOOP_PICTURES"):
        # A picture of a session that has only just begun shows little.
        window.until("() => document.querySelector('#time').textContent >= '0:25'")
    for size in SIZES:
        window.resize(size)
        for tab, name in TABS.items():
            window.tab(tab)
            window.page.wait_for_timeout(300)
            for theme in THEMES:
                window.theme(theme)
                window.picture(f"page-{name}-{size}-{theme}")
                assert window.too_wide() == [], f"{tab} at {SIZES[size]}"
    window.theme("light")
    window.resize("wide")


def stop(window):
    window.tab("run")
    window.page.click("#stop-after")
    window.page.wait_for_selector("#interventions li:has-text('stops after this trial')")
    window.page.wait_for_selector("#run-over", state="visible")


def wait_for_the_end(server):
    """Wait until the only program that was started has ended; return it."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with urllib.request.urlopen(f"http://{server.host}/api/state") as answer:
            [job] = json.load(answer)["jobs"]
        if job["code"] is not None:
            return job
        time.sleep(0.1)
    raise AssertionError(f"the program does not end: {job['said']}")


def look_back(window):
    window.tab("back")
    window.page.click("#back-again")
    window.page.click(f"#back-table tbody tr:has-text('{MOUSE}') button")
    said = window.page.locator(".back-said")
    for words in ("anna", "bert", "pause", "are letters"):
        said.get_by_text(words).first.wait_for()
    window.page.wait_for_selector(".back-figure img")
    for size in SIZES:
        window.resize(size)
        assert window.too_wide() == [], f"the report at {SIZES[size]}"
        window.picture(f"page-report-{size}-light")
    window.resize("wide")


def check_config(lab, before):
    after = (lab / "config.ini").read_text(encoding="utf-8")
    assert [text for text in comments(before) if text not in comments(after)] == []
    parser = ConfigParser(inline_comment_prefixes=(";",), strict=False)
    parser.read_string(after)
    section = parser[f"mouse:{MOUSE}"]
    x, y, width, height = map(int, section["roi.spot"].split(","))
    assert section["roi"] == "SPOT"
    assert (x, y) == (pytest.approx(0.30 * 256, abs=4), pytest.approx(0.42 * 256, abs=4))
    assert (width, height) == (pytest.approx(0.06 * 256, abs=3), pytest.approx(0.06 * 256, abs=3))
    told = [json.loads(line) for line in (lab / "data" / "page-changes.jsonl").read_text("utf-8").splitlines()]
    assert {(line["who"], line["mouse"]) for line in told} == {("anna", MOUSE)}


def check_recorded(lab):
    [path] = (lab / "data").glob(f"{MOUSE}/*/S1/inputs.csv")
    with path.open(newline="") as file:
        asked = [(row["kind"], row["who"]) for row in csv.DictReader(file) if row["kind"] != "lick"]
    assert asked == [
        ("free_water", "anna"), ("pause", "anna"), ("resume", "anna"), ("set_threshold", "bert"), ("note", "anna"),
        ("stop_after_trial", "bert"),
    ]  # fmt: skip
    meta = json.loads((path.parent / "session.json").read_text(encoding="utf-8"))
    assert (meta["outcome"], meta["started_by"]) == ("stopped", "anna")
    assert replay_session(path.parent).compared.mismatches == 0


def test_in_the_network_a_viewer_looks_and_changes_nothing(chromium, lab):
    tokens = lab / "tokens"
    tokens.write_text(f"operator {OPERATOR}\nviewer {VIEWER}\n")
    tokens.chmod(0o600)
    words = ("--host", "0.0.0.0", "--token-file", str(tokens))
    with serve(lab, *words) as server:
        address = f"http://{server.host}/"
        with chromium.window(address) as viewer, chromium.window(address) as operator:
            sign_in(viewer, "no-such-token-at-all")
            viewer.page.wait_for_selector("#login-error:has-text('token')")
            for window, token in ((viewer, VIEWER), (operator, OPERATOR)):
                sign_in(window, token)
                window.page.wait_for_selector("#link[data-state=open]")
            operator.sign("anna")
            start(operator)
            shown(viewer)
            viewer.tab("see")
            counted(viewer, "#trial", 1)
            assert [tab for tab in TABS if viewer.page.is_visible(f"#tab-{tab}")] == ["see", "back"]
            expect(viewer.page.locator("#give")).to_be_hidden()
            viewer.page.keyboard.press("w")
            for path, body in (("jobs", {"do": "run"}), ("jobs/1/stop", {"who": "eve"}), (f"mice/{MOUSE}/save", {})):
                assert viewer.page.evaluate(POST, [path, body]) == 403, path
            viewer.picture("page-viewer-wide-light")
            end_at_once(operator)
            assert viewer.complaints == operator.complaints == []
            assert viewer.elsewhere == operator.elsewhere == []
        # A cookie is one browser's.
        with chromium.window(address) as other:
            other.page.wait_for_selector("#token", state="visible")
    [path] = (lab / "data").glob(f"{MOUSE}/*/S1/inputs.csv")
    with path.open(newline="") as file:
        assert [(row["kind"], row["who"]) for row in csv.DictReader(file)] == [("stop_now", "anna")]


def sign_in(window, token):
    window.page.fill("#token", token)
    window.page.click("#login button.primary")


def end_at_once(window):
    """Stop now asks once more, and does not where it is not meant."""
    window.tab("run")
    window.page.click("#stop-now")
    window.page.click("#stop-no")
    window.page.wait_for_timeout(200)
    assert window.page.inner_text("#run-phase") in ("rest", "trial")
    window.page.click("#stop-now")
    window.page.click("#stop-yes")
    window.page.wait_for_selector("#run-over", state="visible")


def test_a_flush_that_one_begins_another_stops(chromium, lab):
    with (lab / "config.ini").open("a", encoding="utf-8") as file:
        file.write("output_board = memory\n")
    with serve(lab) as server:
        address = f"http://{server.host}/"
        with chromium.window(address) as anna, chromium.window(address) as bert:
            anna.sign("anna")
            bert.sign("bert")
            anna.tab("run")
            anna.page.check(f"#mouse-{MOUSE}")
            anna.page.fill("#flush-seconds", "60")
            anna.page.click("#flush-start")
            for window in (anna, bert):
                window.page.wait_for_selector("#flush-left:has-text('s left')")
            expect(bert.page.locator("#flush-stop")).to_be_visible()
            anna.picture("page-flush-wide-light")
            bert.page.keyboard.press("Escape")
            for window in (anna, bert):
                window.page.wait_for_selector("#flush-bar", state="hidden")
            assert wait_for_the_end(server)["stops"] == ["bert"]
            sound(anna, bert)


def test_by_keyboard(chromium, lab):
    with serve(lab) as server, chromium.window(f"http://{server.host}/") as window:
        page = window.page
        page.wait_for_selector("#link[data-state=open]")
        page.fill("#who", "who writes ? here asks for nothing")
        expect(page.locator("#help")).to_be_hidden()
        page.focus("#tab-see")
        for name in ("place", "run", "back", "see"):
            page.keyboard.press("ArrowRight")
            expect(page.locator(f"#{name}")).to_be_visible()
            assert page.evaluate("document.activeElement.id") == f"tab-{name}"
        page.keyboard.press("?")
        listed = page.inner_text("#help")
        assert {"?", "P", "W"} <= set(listed.split())
        page.keyboard.press("Escape")
        expect(page.locator("#help")).to_be_hidden()
        for name in TABS:
            window.tab(name)
            assert window.unreachable() == [], name
        sound(window)
