"""When a disk fills: how far ahead a person is told, and how a session goes on or ends without its images."""

from types import SimpleNamespace

import pytest

from core.clock import VirtualClock
from recording.recorder import Recorder
from recording.settings import RESERVE_BYTES, RecordingSettings
from session import runner, running
from session.health import DiskForecast, machine_looks
from session.stop import StopRequest
from session.watch import SessionWatch
from tests.support.sessions import CONFIG, OFFLINE, rows, settings_for

MIN_NS = 60_000_000_000
WHY = "cannot write image_stream.hdf5: 1 MB are free; free space"


class Ending(Recorder):
    """A recorder whose images end at its n-th frame."""

    at = 40

    @property
    def images_ended(self):
        return WHY if self.rows >= self.at else ""


class Heard(SessionWatch):
    def __init__(self):
        self.told = []

    def warn(self, text):
        self.told.append(text)


@pytest.mark.parametrize(
    ("keys", "outcome", "trials"),
    [
        ({"disk_full": "go_on"}, "complete", 4),
        ({"disk_full": "end"}, "stopped", 1),
        ({"disk_full": "end", "session_type": "behavior_recording", "spont_sess_duration": "1"}, "stopped", 0),
    ],
    ids=["go on", "end", "end of a resting session"],
)
def test_images_that_end_are_told_and_the_session_does_as_config_says(tmp_path, monkeypatch, keys, outcome, trials):
    monkeypatch.setattr(running, "Recorder", Ending)
    watch = Heard()
    settings = settings_for(tmp_path, **keys)
    result = runner.run_session(settings, OFFLINE, VirtualClock(), StopRequest(), watch)
    assert (result.outcome, result.exit_code, result.trials) == (outcome, 0, trials), result.error
    [told] = [text for text in watch.told if WHY in text]
    assert f"disk_full = {keys['disk_full']}" in told
    asked = [row for row in rows(result.session / "inputs.csv") if row["kind"] == "stop_after_trial"]
    marks = [row for row in rows(result.session / "events.csv") if row["kind"] == "operator"]
    assert [row["who"] for row in asked] == ["disk"] * (outcome == "stopped")
    assert [row["detail"] for row in marks] == ["stop_after_trial disk"] * (outcome == "stopped")
    if asked:
        assert int(asked[0]["frame"]) == Ending.at + 1
        assert result.duration_s < 10, "with the final rest"


def test_images_that_end_with_the_session_are_told_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(Ending, "at", 10**9)

    class AtClose(Ending):
        def close(self):
            result = super().close()
            self.at = 0
            return result

    monkeypatch.setattr(running, "Recorder", AtClose)
    watch = Heard()
    settings = settings_for(tmp_path, total_trials="1", disk_full="end")
    result = runner.run_session(settings, OFFLINE, VirtualClock(), StopRequest(), watch)
    assert result.outcome == "complete"
    assert watch.told[-1] == f"images were not recorded to the end: {WHY}"


def test_a_wish_is_given_until_the_trial_logic_has_it():
    stop = StopRequest()
    assert stop.wish() == ()
    stop.after_trial("disk")
    assert [wish.who for wish in stop.wish()] == ["disk"]
    stop.request("SIGINT")
    assert [wish.who for wish in stop.wish()] == ["disk", "SIGINT"]
    stop.given(stop.wish())
    assert [wish.who for wish in stop.wish()] == ["SIGINT"]


def forecast(monkeypatch, tmp_path, free_mb):
    """Return what is said at each look, a minute apart, while so much is free beside what the log keeps."""
    clock = VirtualClock()
    left = iter(free_mb)
    monkeypatch.setattr("session.health.nearest_free_bytes", lambda path: RESERVE_BYTES + next(left) * 10**6)
    look = DiskForecast(tmp_path, clock)
    said = []
    for _ in free_mb:
        said.append(" ".join(text.partition(" minutes")[0] for text in look()))
        clock.sleep_until_ns(clock.now_ns() + MIN_NS)
    return said


def test_images_stop_in_so_many_minutes_and_it_is_said_again_when_near(tmp_path, monkeypatch):
    said = forecast(monkeypatch, tmp_path, [330, 310, 290, 190, 90, 20, 0])
    assert said == [
        "",
        "images will stop, in about 16",
        "images will stop, in about 14",
        "images stop soon, in about 4",
        "images stop very soon, in about 2",
        "images stop very soon, in about 0",
        "",
    ]


@pytest.mark.parametrize("free", [[100, 100, 100], [100, 200, 300], [10**6, 10**6 - 10, 10**6 - 20], [500]])
def test_a_disk_that_does_not_fill_is_no_news(tmp_path, monkeypatch, free):
    assert forecast(monkeypatch, tmp_path, free) == [""] * len(free)


def test_a_rate_that_sways_is_told_once(tmp_path, monkeypatch):
    """About half an hour, a little more, a little less; then somebody frees space."""
    said = forecast(monkeypatch, tmp_path, [400, 387, 375, 363, 351, 340, 4000, 4000])
    assert [bool(text) for text in said] == [False, True, True, True, True, True, False, False]


def test_the_present_rate_forgets_what_was_five_minutes_ago(tmp_path, monkeypatch):
    """A large file that was copied at the start is soon no news."""
    said = forecast(monkeypatch, tmp_path, [9000, 2000, *[2000 - n for n in range(8)]])
    assert said[1].startswith("images stop very soon")
    assert said[-1] == ""


def test_little_time_is_no_rate(tmp_path, monkeypatch):
    clock = VirtualClock()
    free = iter([RESERVE_BYTES + 10**9, RESERVE_BYTES + 1])
    monkeypatch.setattr("session.health.nearest_free_bytes", lambda path: next(free))
    look = DiskForecast(tmp_path, clock)
    assert list(look()) == list(look()) == []


def test_a_disk_that_tells_nothing_is_no_forecast(tmp_path, monkeypatch):
    def fail(path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("session.health.nearest_free_bytes", fail)
    assert list(DiskForecast(tmp_path, VirtualClock())()) == []


@pytest.mark.parametrize(("record_images", "live"), [(True, False), (True, True), (False, False), (False, True)])
def test_a_session_looks_at_a_disk_that_fills(tmp_path, monkeypatch, record_images, live):
    """At 2 GB a minute; one without images, or as fast as it can, foretells nothing, and looks at what is free."""
    disk = SimpleNamespace(f_bavail=0, f_frsize=10**6)
    monkeypatch.setattr("os.statvfs", lambda path: disk)
    monkeypatch.setattr("session.health.power_warnings", lambda root: ["hot"])
    clock = VirtualClock()
    recording = RecordingSettings(data_root=str(tmp_path / "not yet"), record_images=record_images)
    looks = machine_looks(recording, live, clock)
    said = []
    for disk.f_bavail in (5000, 3000, 1000):
        said.append([" ".join(text.split()[:4]) for look in looks for text in look()])
        clock.advance(MIN_NS)
    soon, hot = ["images stop very soon,"] * (record_images and live), ["hot"] * live
    assert said == [hot, [*soon, *hot], ["less than 1074 MB", *soon, *hot]]


def test_the_shipped_config_goes_on():
    assert "disk_full           = go_on" in CONFIG.read_text()
