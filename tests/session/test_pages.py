"""Whole sessions with a page beside them: what it sees, what it asks for, and that it can harm none of them."""

import pytest

from core.clock import VirtualClock
from recording.reader import open_session
from session import live_link
from session.live_link import LiveLink
from session.replay import replay_session
from session.runner import run_session
from session.stop import StopRequest
from session.watch import SessionWatch
from tests.support.live import Ticking, WithPage
from tests.support.sessions import OFFLINE, run, settings_for


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
    42: ({"do": "set", "key": "success_rest_dur", "value": "0.5"}, {"do": "note", "text": "grooms, then sits"}),
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
