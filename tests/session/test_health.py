"""Warnings come once, again when they had gone, and stop nothing; real time is given back."""

import gc
import os

import pytest

from hardware.settings import FaultSettings
from session import running
from session.health import HealthWatch, disk_look
from session.real_time import real_time
from tests.support.sessions import run, settings_for


def test_a_warning_is_told_once_and_again_when_it_had_gone():
    now, told = [], []
    watch = HealthWatch((lambda: now,), told.append)
    for state in (["81 C"], ["82 C"], ["83 C", "weak"], [], ["81 C"]):
        now[:] = state
        watch.check()
    assert told == ["81 C", "weak", "81 C"]


def test_little_disk_is_a_warning_with_its_cure(tmp_path):
    assert list(disk_look(tmp_path, low_bytes=0)()) == []
    (text,) = disk_look(tmp_path, low_bytes=1 << 62)()
    assert str(tmp_path) in text
    assert "free space" in text


@pytest.mark.parametrize("live", [False, True])
def test_priority_core_and_collector_are_given_back(live):
    before = (os.sched_getscheduler(0), os.sched_getaffinity(0), gc.isenabled(), gc.get_freeze_count())
    core = min(os.sched_getaffinity(0))
    with real_time(FaultSettings(realtime_priority=10, loop_core=core), live) as refused:
        assert not gc.isenabled()
        fifo = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO
        assert fifo is (live and not any("priority" in text for text in refused))
        assert (os.sched_getaffinity(0) == {core}) is live or len(before[1]) == 1
    assert (os.sched_getscheduler(0), os.sched_getaffinity(0), gc.isenabled(), gc.get_freeze_count()) == before


def test_what_is_refused_is_said_with_its_cure_and_nothing_stops():
    with real_time(FaultSettings(loop_core=250), live=True) as refused:
        (text,) = [text for text in refused if "core" in text]
    assert "core 250" in text
    assert "-1" in text


def looks_of(monkeypatch, tmp_path, **keys):
    """Run a session; return how often the machine was looked at, and the session's result."""
    looks = []
    monkeypatch.setattr(running, "machine_looks", lambda *_: (lambda: looks.append(1) or (),))
    result = run(settings_for(tmp_path, **keys))
    assert result.outcome == "complete"
    return len(looks), result


def test_a_resting_session_has_no_trials_and_is_looked_after_all_the_same(monkeypatch, tmp_path):
    looks, result = looks_of(
        monkeypatch, tmp_path, session_type="behavior_recording", spont_sess_duration="5.5", framerate="10"
    )
    assert result.duration_s == pytest.approx(330, abs=1)
    assert looks == 1 + 5, "before the first frame, and each minute"


def test_a_session_of_trials_is_looked_after_when_each_is_over(monkeypatch, tmp_path):
    looks, result = looks_of(monkeypatch, tmp_path, total_trials="3")
    assert looks == 1 + result.trials == 4


def test_a_long_trial_is_not_disturbed(monkeypatch, tmp_path):
    looks, _ = looks_of(
        monkeypatch, tmp_path, total_trials="1", max_trial_dur="150", reward_threshold="0.4", framerate="10"
    )
    assert looks == 1 + 1
