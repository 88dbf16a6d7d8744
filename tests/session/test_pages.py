"""Whole sessions with a page beside them: what it sees, what it asks for, and that it can harm none of them."""

from dataclasses import replace
from math import nan
from types import SimpleNamespace

import pytest

from core.clock import VirtualClock
from core.trial import begin
from recording.reader import open_session
from session import live_link, running
from session.live_link import LiveLink
from session.pages import WAITING, Pages
from session.replay import replay_session
from session.runner import run_session
from session.status import Status
from session.stop import StopRequest
from session.watch import SessionWatch
from tests.support.live import Ticking, WithPage
from tests.support.sessions import OFFLINE, SilentCamera, run, settings_for
from tests.support.trials import make_plan


def session(tmp_path, asks, watch=None, **more):
    link = WithPage(asks)
    result = run_session(
        settings_for(tmp_path, **more), OFFLINE, VirtualClock(), StopRequest(), watch or SessionWatch(), link
    )
    return result, link


ASKS = {
    10: ({"do": "water"}, {"do": "water"}),
    20: ({"do": "set", "key": "reward_threshold", "value": "0.02"},),
    30: ({"do": "pause"},),
    40: ({"do": "resume"},),
    42: (
        {"do": "set", "key": "success_rest_dur", "value": "0.5"},
        {"do": "note", "text": "grooms,\u00a0then\u3000sits"},
    ),
    45: ({"do": "set", "key": "session_type", "value": "normal_audio_no_reward"},),
    60: ({"do": "stop_after_trial"},),
}


def test_what_a_page_asks_for_is_done_recorded_and_replayed(tmp_path):
    result, link = session(tmp_path, ASKS)
    assert result.outcome == "stopped"
    with open_session(result.session) as recorded:
        wished = [(row.kind, row.who, row.text) for row in recorded.inputs if row.kind != "lick"]
        assert wished == [
            ("free_water", "anna", ""),
            ("free_water", "anna", ""),
            ("set_threshold", "anna", ""),
            ("pause", "anna", ""),
            ("resume", "anna", ""),
            ("set", "anna", "success_rest_dur = 0.5"),
            ("note", "anna", "grooms, then sits"),
            ("set", "anna", "session_type = normal_audio_no_reward"),
            ("stop_after_trial", "anna", ""),
        ]
        told = [event[1:] for news in link.news for event in news.events]
        kept = [[row.time_ns, row.kind, row.trial, row.detail] for row in recorded.events]
        assert told == [event for event in kept if event in told]
        assert len(told) > 15
    assert all(answer["ok"] and "given with frame" in answer["text"] for answer in link.answers.values())
    assert len(link.answers) == 9
    assert replay_session(result.session).compared.mismatches == 0


def test_what_a_page_sees_is_what_is_recorded(tmp_path):
    result, link = session(tmp_path, {})
    with open_session(result.session) as recorded:
        shown = [row for news in link.news for row in news.rows]
        assert sum(news.rows_lost for news in link.news) == 0
        assert len(shown) >= result.frames - 5
        by_frame = {int(row["frame"]): row for row in shown}
        table = recorded.frames
        for place, number in enumerate(table.frame.tolist()[: len(shown)]):
            row = by_frame[number]
            assert row["signal"] == table.signal[place] or table.signal[place] != table.signal[place]
            assert (row["time_ns"], row["threshold"]) == (table.time_ns[place], table.threshold[place])
            assert (row["freq_hz"], row["water"]) == (table.freq_hz[place], table.water[place])
    assert link.news[-1].status["successes"] <= result.successes
    assert link.page.about["mouse"] == "DEMO"
    assert link.page.end["outcome"] == "complete"
    assert any(news.image is not None for news in link.news)


def test_a_session_is_the_same_with_a_page_and_without(tmp_path):
    (alone := tmp_path / "alone").mkdir()
    with_page, _ = session(tmp_path, {})
    without = run(settings_for(alone))
    for name in ("frames.csv", "events.csv", "inputs.csv"):
        assert (with_page.session / name).read_bytes() == (without.session / name).read_bytes()


REFUSED = (
    ({"do": "dance"}, "is none of pause, resume"),
    ({"do": ["water"]}, "is none of"),
    ({"do": "water", "amount": "9"}, "nothing else"),
    ({"do": "water", "who": ""}, "one line of 1 to"),
    ({"do": "water", "who": "a\nb"}, "one line of 1 to"),
    ({"do": "note"}, "give do, id, text, who"),
    ({"do": "note", "text": "x" * 501}, "1 to 500"),
    ({"do": "note", "text": 5}, "text = 5"),
    ({"do": "note", "text": ["x"] * 400}, "text = a list"),
    ({"do": "resume"}, "not paused"),
    ({"do": "set", "key": "reward_threshold", "value": "nan"}, "not finite"),
    ({"do": "set", "key": "reward_threshold", "value": "0"}, "tone_floor"),
    ({"do": "set", "key": "reward_threshold", "value": "high"}, "no number"),
    ({"do": "set", "key": "max_day_water_s", "value": "1"}, "cannot be changed"),
    ({"do": "set", "key": "max_trial_dur", "value": "0"}, "give more"),
    ({"do": "set", "key": "session_type", "value": "behavior_recording"}, "end this one"),
)
"""What is asked for, and what the answer says."""


def test_what_cannot_be_had_is_refused_and_changes_nothing(tmp_path):
    asks = {5 + number: (control,) for number, (control, _) in enumerate(REFUSED)}
    result, link = session(tmp_path, asks, total_trials="1")
    told = [(answer["ok"], answer["text"]) for _, answer in sorted(link.answers.items())]
    assert len(told) == len(REFUSED)
    for (ok, text), (control, cure) in zip(told, REFUSED, strict=True):
        assert not ok, control
        assert cure in text, control
    with open_session(result.session) as recorded:
        assert recorded.inputs == ()
    assert result.outcome == "complete"


def test_stop_now(tmp_path):
    result, link = session(tmp_path, {30: ({"do": "stop_now"},)})
    assert result.outcome == "aborted"
    assert result.frames < 60
    [answer] = link.answers.values()
    assert answer["ok"]
    with open_session(result.session) as recorded:
        assert {(row.kind, row.who) for row in recorded.inputs} == {("stop_now", "anna")}


@pytest.mark.parametrize("verb", ["open", "show", "look"])
def test_a_link_that_fails_costs_the_session_its_pages_and_nothing_else(tmp_path, monkeypatch, verb):
    said = []

    class Listening(SessionWatch):
        def warn(self, text):
            said.append(text)

    def broken(self, *args):
        raise OSError("no more memory")

    if verb == "open":
        monkeypatch.setattr(live_link, "make_live_memory", broken)
    else:
        monkeypatch.setattr(LiveLink, verb, broken)
    link = LiveLink(Ticking(), "session-7")
    result = run_session(settings_for(tmp_path), OFFLINE, VirtualClock(), StopRequest(), Listening(), link)
    assert result.outcome == "complete"
    assert [text for text in said if "no more memory" in text and "it goes on" in text]


def test_water_beyond_the_bounds_is_refused_and_noted_and_the_session_goes_on(tmp_path):
    """Two drops fit; the third is asked for while the second waits for its frame."""
    asks = {5: ({"do": "water"},), 10: ({"do": "water"}, {"do": "water"})}
    result, link = session(tmp_path, asks, max_session_water_s="0.7", max_trial_dur="0.2", total_trials="1")
    assert (result.outcome, result.water) == ("complete", 2)
    assert [answer["ok"] for answer in link.answers.values()].count(True) == 2
    [refused] = [answer["text"] for answer in link.answers.values() if not answer["ok"]]
    assert "max_session_water_s is 0.7" in refused
    with open_session(result.session) as recorded:
        assert [row.kind for row in recorded.inputs] == ["free_water"] * 2
        [noted] = [row.detail for row in recorded.events if row.kind == "warning"]
        assert noted == f"no water for anna: {refused}"
    assert replay_session(result.session).compared.mismatches == 0


def test_so_many_wishes_wait_for_a_frame_and_no_more(tmp_path):
    asks = [{"do": "note", "text": str(k)} for k in range(WAITING + 3)]
    stop, answers = StopRequest(), []
    pages = Pages(None, None, make_plan(), stop)
    pages.open({}, Status(begin(make_plan())), print)
    for ask in asks:
        pages._ask({"id": 1, "who": "anna", **ask}, lambda *what: answers.append(what))
    assert len(stop.wish()) == WAITING
    assert [ok for ok, _ in answers] == [False] * 3
    assert "wait for a frame" in answers[0][1]
    stop.given(stop.wish()[:5])
    pages.close("failed", "")
    given = [ok for ok, _ in answers[3:]]
    assert (given.count(True), given.count(False)) == (5, WAITING - 5)


@pytest.mark.parametrize("verb", ["note", "close"])
def test_a_link_that_fails_beside_the_frames_is_let_go(monkeypatch, verb):
    noted, said = [], []
    link = LiveLink(Ticking(), "session-7")
    monkeypatch.setattr(link, "open", lambda about: None)
    monkeypatch.setattr(link, verb, lambda given: 1 / 0)
    pages = Pages(link, SimpleNamespace(note=noted.append), make_plan(), StopRequest())
    pages.open({}, Status(begin(make_plan())), said.append)
    pages.note(["a row"])
    pages.close("complete", "")
    assert noted == [["a row"]]
    assert ["division by zero" in text for text in said] == [True]


def test_what_a_session_is_that_cannot_be_told_costs_its_pages_alone(tmp_path, monkeypatch):
    said = []

    class Listening(SessionWatch):
        def warn(self, text):
            said.append(text)

    monkeypatch.setattr(
        running, "live_about", lambda *args: {"shape": (4, 6, 3), "dtype": "uint8", "names": (), "x": nan}
    )
    link = LiveLink(Ticking(), "session-7")
    result = run_session(
        settings_for(tmp_path, total_trials="1"), OFFLINE, VirtualClock(), StopRequest(), Listening(), link
    )
    assert result.outcome == "complete"
    assert [text for text in said if "it goes on" in text]


def test_who_stops_a_session_while_no_frame_comes_is_on_record(tmp_path, parts_of):
    clock = VirtualClock()
    parts_of(lambda parts: replace(parts, camera=SilentCamera(parts.camera, clock, 20)))
    link = WithPage({25: ({"do": "stop_now"},)})
    result = run_session(settings_for(tmp_path), OFFLINE, clock, StopRequest(), SessionWatch(), link)
    assert (result.outcome, result.frames) == ("aborted", 20)
    assert link.answers[1]["ok"]
    with open_session(result.session) as recorded:
        assert [row.detail for row in recorded.events if row.kind == "warning"] == [
            "stopped by anna while no frame came"
        ]
        assert recorded.events[-1].kind == "session_end"
    assert replay_session(result.session).compared.mismatches == 0
