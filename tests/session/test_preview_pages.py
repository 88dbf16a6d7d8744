"""Pages that look at a preview, on a virtual clock: what they are shown, what they may ask, that they harm nothing."""

from dataclasses import replace

import numpy as np
import pytest

from core.clock import VirtualClock
from core.errors import CameraTimeout
from session import live_link
from session.live_link import LiveLink
from session.preview import PreviewView, run_preview
from session.preview_pages import PreviewPages
from session.stop import StopRequest
from tests.support.live import Ticking, WithPage
from tests.support.movement_settings import movement_settings
from tests.support.sessions import LIVE, OFFLINE, Exposed, SilentCamera, brighter, run, settings_for

STOP = {"do": "stop_now"}


class Seen(PreviewView):
    """Remembers what a person was shown and told."""

    def __init__(self):
        self.sights, self.warnings = [], []

    def show(self, sight):
        self.sights.append(sight)

    def warn(self, text):
        self.warnings.append(text)


def look(settings, link, seconds=4, clock=None, options=OFFLINE):
    view, stop = Seen(), StopRequest()
    return run_preview(settings, options, clock or VirtualClock(), stop, view, seconds, link), view, stop


def with_page(settings, asks=(), **more):
    link = WithPage(dict(asks))
    result, view, stop = look(settings, link, **more)
    return result, view, stop, link


def rows_of(link):
    return [row for news in link.news for row in news.rows]


def test_a_page_sees_each_frame_as_a_session_would_and_pictures(tmp_path):
    result, view, _, link = with_page(settings_for(tmp_path), options=LIVE)
    rows = rows_of(link)
    assert [int(row["frame"]) for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) >= result.frames - 3
    by_frame = {int(row["frame"]): row for row in rows}
    for sight in view.sights:
        row = by_frame[sight.frame.number]
        assert row["time_ns"] == sight.frame.time_ns
        np.testing.assert_equal(row["signal"], sight.signal.value)
        np.testing.assert_equal(row["parts"], sight.signal.parts)
        assert bool(row["valid"]) == sight.signal.valid
    for name in ("freq_hz", "outcome", "trial", "water", "licks", "audio", "phase", "dropped"):
        assert {int(row[name]) for row in rows} == {0}, name
    images = [news.image for news in link.news if news.image is not None]
    assert len(images) > 20
    assert images[-1].shape == (48, 64, 3)
    about = link.page.about
    assert (about["what"], about["mouse"], about["folder"], about["names"]) == ("preview", "DEMO", "", ["M1_L"])
    assert link.page.end == {"outcome": "preview", "text": "the preview has ended: seconds"}
    assert view.warnings == []
    assert not (tmp_path / "data").exists()


def test_the_status_counts_frames_and_judges_the_newest_image(tmp_path):
    _, _, _, link = with_page(settings_for(tmp_path))
    first, last = link.news[0].status, link.news[-1].status
    assert first["phase"] == last["phase"] == "preview"
    assert (last["dropped"], last["skipped"]) == (0, 0)
    assert last["frames"] > 50
    assert last["time_s"] == pytest.approx((last["frames"] - 1) / 15)
    assert last["fps"] == pytest.approx(15, rel=0.01)
    assert {news.status["fps"] for news in link.news if news.status["time_s"] < 0.99} == {None}
    assert [(each["roi"], each["channel"], each["verdict"]) for each in last["exposures"]] == [
        ("M1_L", "green", "good"),
        ("M1_L", "blue", "good"),
    ]
    assert 60 < last["exposures"][0]["mean"] < 200


def test_too_much_light_is_told(tmp_path, parts_of):
    parts_of(lambda parts: replace(parts, camera=Exposed(parts.camera, brighter(9))))
    _, _, _, link = with_page(settings_for(tmp_path))
    told = link.news[-1].status["exposures"][0]
    assert (told["verdict"], told["saturated"]) == ("saturated", 1.0)
    assert told["mean"] == 255
    assert 0 < told["limit"] < 1


class Gaps:
    """A camera that loses each third frame."""

    def __init__(self, camera):
        self._camera, self._lost = camera, 0

    def __getattr__(self, name):
        return getattr(self._camera, name)

    def read(self, timeout_s):
        frame = self._camera.read(timeout_s)
        if frame.number % 3 == 0:
            frame = self._camera.read(timeout_s)._replace(dropped=1, lost=(("transport", 1),))
        return frame


def test_lost_frames_are_counted(tmp_path, parts_of):
    parts_of(lambda parts: replace(parts, camera=Gaps(parts.camera)))
    result, _, _, link = with_page(settings_for(tmp_path))
    status, rows = link.news[-1].status, rows_of(link)
    assert status["dropped"] == sum(int(row["dropped"]) for row in rows) > 15
    assert status["fps"] == pytest.approx(10, rel=0.05)
    assert status["frames"] <= result.frames


class Behind:
    """A camera at which the next frame waits already, two times out of three."""

    def __init__(self, camera):
        self._camera, self._reads = camera, 0

    def __getattr__(self, name):
        return getattr(self._camera, name)

    def read(self, timeout_s):
        self._reads += 1
        return self._camera.read(timeout_s)

    @property
    def waiting(self):
        return int(self._reads % 3 != 0)


def test_frames_that_the_pose_leaves_out_are_counted_and_not_shown(tmp_path, parts_of):
    parts_of(lambda parts: replace(parts, camera=Behind(parts.camera)))
    result, _, _, link = with_page(movement_settings(tmp_path))
    status, rows = link.news[-1].status, rows_of(link)
    assert {int(row["frame"]) % 3 for row in rows} == {rows[0]["frame"] % 3}
    assert status["frames"] <= result.frames
    assert status["skipped"] == pytest.approx(status["frames"] * 2 / 3, abs=2)
    assert status["exposures"] == []
    assert link.page.about["kind"] == "clmf"


def test_a_page_can_end_it(tmp_path):
    result, _, stop, link = with_page(settings_for(tmp_path), {30: [STOP]})
    assert (result.end, stop.reason) == ("stopped", "anna")
    assert result.frames < 40
    assert link.answers == {1: {"id": 1, "ok": True, "text": "the preview ends"}}
    assert link.page.end["text"] == "the preview has ended: stopped"


@pytest.mark.parametrize(
    ("control", "said"),
    [
        ({"do": "water"}, "a preview can be ended, and nothing else; start a session"),
        ({"do": "pause"}, "and nothing else"),
        ({"do": "set", "key": "reward_threshold", "value": "0.1"}, "and nothing else"),
        ({"do": None}, "and nothing else"),
        ({**STOP, "who": ""}, "one line of 1 to 60"),
        ({**STOP, "who": "a\nb"}, "one line of 1 to 60"),
        ({**STOP, "now": True}, "give do, id, who and nothing else"),
    ],
)
def test_what_else_is_asked_is_refused_and_changes_nothing(tmp_path, control, said):
    result, _, stop, link = with_page(settings_for(tmp_path), {10: [control]})
    [answer] = link.answers.values()
    assert not answer["ok"]
    assert said in answer["text"]
    assert result.end == "seconds"
    assert not stop


def test_a_preview_is_the_same_with_a_page_and_without(tmp_path):
    alone, seen, _ = look(settings_for(tmp_path), None)
    watched, shown, _, _ = with_page(settings_for(tmp_path))
    assert alone == watched
    assert [(each.frame.number, each.signal) for each in seen.sights[1:]] == [
        (each.frame.number, each.signal) for each in shown.sights[1:]
    ]


def test_a_preview_that_fails_says_so_to_its_pages(tmp_path, parts_of):
    clock = VirtualClock()
    parts_of(lambda parts: replace(parts, camera=SilentCamera(parts.camera, clock, 20)))
    link = WithPage({})
    with pytest.raises(CameraTimeout), link:
        look(settings_for(tmp_path), link, clock=clock)
    assert link.page.end["outcome"] == ""
    assert "no frame for" in link.page.end["text"]
    assert link.news[-1].status["frames"] == 20


def test_a_stop_before_the_camera_has_begun(tmp_path):
    stop = StopRequest()
    stop.request("SIGINT")
    link = WithPage({})
    with link:
        result = run_preview(settings_for(tmp_path), OFFLINE, VirtualClock(), stop, Seen(), None, link)
    assert (result.end, result.frames, link.looks) == ("stopped", 0, 0)


@pytest.mark.parametrize("verb", ["open", "put", "look"])
def test_a_link_that_fails_costs_the_preview_its_pages_and_nothing_else(tmp_path, monkeypatch, verb):
    def broken(self, *args):
        raise OSError("no more memory")

    if verb == "open":
        monkeypatch.setattr(live_link, "make_live_memory", broken)
    else:
        monkeypatch.setattr(LiveLink, verb, broken)
    result, view, _ = look(settings_for(tmp_path), LiveLink(Ticking(), "session-7"))
    assert result.end == "seconds"
    [warning] = view.warnings
    assert "no more memory" in warning
    assert "it goes on" in warning


def test_a_link_that_cannot_be_closed_costs_the_preview_nothing(tmp_path, monkeypatch):
    link = LiveLink(Ticking(), "session-7")
    monkeypatch.setattr(link, "close", lambda end: 1 / 0)
    warnings = []
    pages = PreviewPages(link, settings_for(tmp_path), VirtualClock(), StopRequest(), warnings.append)
    pages.close("stopped")
    pages.close("stopped")
    assert ["division by zero" in warning for warning in warnings] == [True]


def test_a_replayed_session_is_shown_frame_by_frame(tmp_path):
    session = run(settings_for(tmp_path)).session
    settings = settings_for(tmp_path, **{"--camera": "replay", "--source": str(session)})
    result, _, _, link = with_page(settings, seconds=None)
    assert result.end == "source_ended"
    assert [int(row["frame"]) for row in rows_of(link)][:100] == list(range(1, 101))
    assert link.page.end["text"] == "the preview has ended: source_ended"
