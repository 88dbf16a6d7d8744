"""A session that ended early goes on as a further part of the same day."""

import shutil

import pytest

from core.clock import VirtualClock
from core.errors import InputError
from core.values import Operator, OperatorKind
from recording.folder import read_session_json, write_session_json
from recording.nwb import NwbImages, SubjectFacts, export_nwb
from recording.reader import open_session
from recording.subject import SubjectSettings
from session.build import Options, build
from session.resume import last_of_today, plan_resume
from session.settings import load_settings
from session.stop import StopRequest
from tests.session.test_movement_session import jumping_at, movement
from tests.session.test_movement_session import pose as pose
from tests.support.sessions import CONFIG, OFFLINE, SHORT, rows, run, settings_for

MIXED = {"audio": "0.5", "total_trials": "8"}
DAY_NS = 86_400 * 10**9


class StopAt(StopRequest):
    """Asks for a stop at once with a row of the log; before that, if a threshold is given, with the row before it."""

    def __init__(self, row, threshold=None):
        super().__init__()
        self._row, self._threshold = row, threshold

    def wish(self):
        self._row -= 1
        if self._row == 1 and self._threshold is not None:
            return (Operator(OperatorKind.SET_THRESHOLD, self._threshold, "test"),)
        return (Operator(OperatorKind.STOP_NOW, 0.0, "test"),) if self._row <= 0 else ()


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return run(settings_for(tmp_path_factory.mktemp("stopped")), clock=VirtualClock(), stop=StopAt(60, 0.044)).session


@pytest.fixture
def stopped(tmp_path, original):
    """A session of today that was stopped after a threshold had been set, 0.044."""
    session = tmp_path / "data" / "/".join(original.parts[-3:])
    shutil.copytree(original, session)
    return session


def trials_of(session):
    """Return (outcome, sounds) of each trial that came to one."""
    with open_session(session) as recording:
        frames = recording.frames
        ended = frames.outcome != 0
        return list(zip(frames.outcome[ended].tolist(), frames.audio[ended].tolist(), strict=True))


def resume(settings, clock, given=None, seed=None):
    """Return how the mouse's last session goes on, and the settings and options of its next part."""
    plan = plan_resume(last_of_today(settings, clock.wall_ns()), settings, given or {}, seed)
    options = Options(plan.seed, False, OFFLINE.outputs, skip_trials=plan.skip_trials, resumes=plan.session)
    return plan, options


def go_on(tmp_path, clock, **overrides):
    settings = settings_for(tmp_path, **overrides)
    plan, options = resume(settings, clock)
    return run(settings_for(tmp_path, **{**overrides, **plan.keys}), options, clock=clock)


def test_the_parts_have_the_trials_of_one_session(tmp_path):
    whole = run(settings_for(tmp_path / "whole", **MIXED))
    clock = VirtualClock()
    first = run(settings_for(tmp_path, **MIXED), clock=clock, stop=StopAt(150))
    assert first.outcome == "aborted"
    assert 0 < first.trials < 8
    second = go_on(tmp_path, clock, **MIXED)
    assert second.session == first.session.with_name("S2")
    assert (second.outcome, second.trials) == ("complete", 8 - first.trials)
    sounds = [audio for part in (first, second) for _, audio in trials_of(part.session)]
    assert sounds == [audio for _, audio in trials_of(whole.session)]
    assert set(sounds) == {0, 1}
    meta = read_session_json(second.session)
    assert meta["part"] == 2
    assert meta["resumes"] == {"session": "../S1", "trials_done": first.trials, "threshold": first.threshold}
    assert meta["seed"] == read_session_json(first.session)["seed"]
    summary = rows(tmp_path / "data" / "expt_1roi_trial_summary.csv")
    assert [row["session"] for row in summary] == ["S1", "S2"]
    assert (second.session / "VideoTimestamp.txt").is_file()
    with open_session(first.session.parent) as outer:
        assert outer.folder == first.session


def test_the_parts_are_told_apart_as_nwb(tmp_path, stopped):
    import h5py

    go_on(tmp_path, VirtualClock())
    told = set()
    for name in ("S1", "S2"):
        with open_session(stopped.with_name(name)) as session:
            facts = SubjectFacts(SubjectSettings())
            done = export_nwb(session, tmp_path, facts, images=NwbImages.none, allow_incomplete=True)
        with h5py.File(done.path) as file:
            told.add((done.path.name, file["general/session_id"][()], file["identifier"][()]))
    stamp = stopped.parent.name
    names, session_ids, identifiers = map(set, zip(*told, strict=True))
    assert names == {f"sub-DEMO_ses-{stamp}_ophys.nwb", f"sub-DEMO_ses-{stamp}-S2_ophys.nwb"}
    assert session_ids == {stamp.encode(), f"{stamp}-S2".encode()}
    assert len(identifiers) == 2


def test_a_third_part_goes_on_with_the_second(tmp_path):
    clock = VirtualClock()
    first = run(settings_for(tmp_path, **MIXED), clock=clock, stop=StopAt(130))
    settings = settings_for(tmp_path, **MIXED)
    plan, options = resume(settings, clock)
    second = run(settings_for(tmp_path, **{**MIXED, **plan.keys}), options, clock=clock, stop=StopAt(130))
    third = go_on(tmp_path, clock, **MIXED)
    assert first.trials + second.trials + third.trials == 8
    assert third.session.name == "S3"
    resumes = read_session_json(third.session)["resumes"]
    assert (resumes["session"], resumes["trials_done"]) == ("../S2", first.trials + second.trials)


def test_the_plan_comes_out_of_the_folder(tmp_path, parts_of):
    """What a replay has: session.ini, and seed and ``resumes`` of session.json."""
    clock = VirtualClock()
    outer = run(settings_for(tmp_path, **MIXED), clock=clock, stop=StopAt(150, 0.04)).session
    made = parts_of()
    second = go_on(tmp_path, clock, **MIXED).session
    assert second.parent == outer.parent
    meta = read_session_json(second)
    again = load_settings(second / "session.ini", "DEMO")
    options = Options(meta["seed"], False, OFFLINE.outputs, skip_trials=meta["resumes"]["trials_done"])
    plan = build(again, options, clock, lambda stage: True).plan
    assert plan.schedule == made[0].plan.schedule
    assert plan.threshold == made[0].plan.threshold


ADAPTIVE = {
    **MIXED, "adaptive_threshold": "1", "adaptive_epoch_s": "1", "adaptive_step": "0.001", "threshold_min": "0.01",
    "reward_threshold": "0.05",
}  # fmt: skip


def test_the_threshold_begins_where_it_ended(tmp_path):
    clock = VirtualClock()
    first = run(settings_for(tmp_path, **ADAPTIVE), clock=clock, stop=StopAt(150))
    assert first.threshold != 0.05
    second = go_on(tmp_path, clock, **ADAPTIVE)
    with open_session(second.session) as recording:
        assert recording.frames.threshold[0] == first.threshold
    assert f"reward_threshold = {first.threshold!r}".replace(" ", "") in (
        (second.session / "session.ini").read_text().replace(" ", "")
    )


def test_a_threshold_that_an_operator_set_last_is_the_one(tmp_path, stopped):
    plan, _ = resume(settings_for(tmp_path), VirtualClock())
    assert plan.session == stopped
    assert plan.keys == {"reward_threshold": "0.044"}


@pytest.mark.parametrize(
    ("overrides", "set_to", "key"),
    [
        ({"speed_threshold": "100"}, 90.0, {"speed_threshold": "90.0"}),
        ({"reward_by": "target"}, -1.5, {"target_radius_mm": "1.5"}),
        ({"speed_threshold": "100"}, 100.0, {}),
    ],
)
def test_the_threshold_of_a_movement_session(tmp_path, pose, overrides, set_to, key):
    pose(jumping_at(10**6))
    clock = VirtualClock()
    settings = movement(tmp_path, **overrides)
    run(settings, clock=clock, stop=StopAt(20, set_to))
    plan, options = resume(settings, clock)
    assert plan.keys == key
    pose(jumping_at(10**6))
    second = run(movement(tmp_path, **{**overrides, **plan.keys}), options, clock=clock, stop=StopAt(20))
    with open_session(second.session) as recording:
        assert recording.frames.threshold[0] == set_to


RESTING = {"session_type": "behavior_recording", "spont_sess_duration": "0.1"}


def test_a_resting_session_has_the_rest_of_its_time(tmp_path):
    clock = VirtualClock()
    first = run(settings_for(tmp_path, **RESTING), clock=clock, stop=StopAt(46))
    assert first.duration_s == pytest.approx(3.0, abs=0.1)
    second = go_on(tmp_path, clock, **RESTING)
    assert second.outcome == "complete"
    assert first.duration_s + second.duration_s == pytest.approx(6.0, abs=0.1)


def outcome_of(session, outcome, **more):
    write_session_json(session, read_session_json(session) | {"outcome": outcome, **more})


@pytest.mark.parametrize("outcome", ["aborted", "stopped", "failed", "source_ended", "no_start", "recovered"])
def test_what_ended_early_goes_on(tmp_path, stopped, outcome):
    outcome_of(stopped, outcome)
    plan, _ = resume(settings_for(tmp_path), VirtualClock())
    assert plan.text == f"resuming {stopped} ({outcome}) after {len(trials_of(stopped))} of 4 trials, threshold 0.044"


def test_one_that_failed_before_its_first_frame_begins_anew(tmp_path, stopped):
    outcome_of(stopped, "failed")
    (stopped / "frames.csv").unlink()
    with pytest.raises(InputError, match=r"frames\.csv is gone or empty; restore it"):
        resume(settings_for(tmp_path), VirtualClock())
    write_session_json(stopped, read_session_json(stopped) | {"counts": {"frames": 0}})
    plan, _ = resume(settings_for(tmp_path), VirtualClock())
    assert (plan.skip_trials, plan.keys) == (0, {})


def test_one_whose_log_lost_rows_is_refused(tmp_path, stopped):
    path = stopped / "frames.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:20]))
    with pytest.raises(InputError, match=r"frames\.csv: has 19 frames of the \d+ that session\.json counts"):
        resume(settings_for(tmp_path), VirtualClock())


@pytest.mark.parametrize("value", [None, "x", True, [1], -1e9, float("inf")])
@pytest.mark.parametrize("key", ["seed", "trials_done", "reward_threshold", "spont_sess_duration"])
def test_what_session_json_must_tell_is_told_in_one_line(tmp_path, stopped, key, value):
    resting = RESTING if key == "spont_sess_duration" else {}
    meta = read_session_json(stopped)
    odd = {"seed": {"seed": value}, "trials_done": {"resumes": {key: value}}}
    now = settings_for(tmp_path, **resting)
    was = {
        "settings": {
            **meta["settings"],
            **{each: now.flat()[each] for each in ("session_type", "total_trials", "audio", "random_reward_rate")},
            key: value,
        }
    }
    write_session_json(stopped, meta | odd.get(key, was))
    with pytest.raises(InputError, match=rf"session\.json: '{key}' is .*; restore it") as told:
        resume(now, VirtualClock())
    assert "\n" not in str(told.value)


def test_one_without_a_frame_goes_on_with_its_own_threshold(tmp_path, stopped):
    meta = read_session_json(stopped)
    outcome_of(stopped, "failed", settings=meta["settings"] | {"reward_threshold": 0.077}, counts={})
    (stopped / "frames.csv").unlink()
    plan, _ = resume(settings_for(tmp_path), VirtualClock())
    assert plan.keys == {"reward_threshold": "0.077"}


@pytest.mark.parametrize(
    ("overrides", "own", "key"),
    [
        ({"speed_threshold": "100"}, {"speed_threshold": 70.0}, {"speed_threshold": "70.0"}),
        ({"reward_by": "target"}, {"target_radius_mm": 1.25}, {"target_radius_mm": "1.25"}),
    ],
)
def test_so_does_a_movement_session_without_a_frame(tmp_path, pose, overrides, own, key):
    pose(jumping_at(10**6))
    clock = VirtualClock()
    settings = movement(tmp_path, **overrides)
    session = run(settings, clock=clock, stop=StopAt(3)).session
    outcome_of(session, "failed", settings=read_session_json(session)["settings"] | own, counts={})
    (session / "frames.csv").unlink()
    assert resume(settings, clock)[0].keys == key


REFUSED = {
    "yesterday's": (lambda s: None, {}, DAY_NS, {}, None, "is not of today; run without --resume"),
    "complete": (lambda s: outcome_of(s, "complete"), {}, 0, {}, None, "is complete; run without --resume"),
    "more trials": (lambda s: None, {"total_trials": "9"}, 0, {}, None, "total_trials 4, now 9"),
    "other type": (
        lambda s: None, {"session_type": "no_audio_no_reward"}, 0, {}, None,
        "session_type normal_audio_normal_reward, now no_audio_no_reward",
    ),
    "other chance": (lambda s: None, {"audio": "0.5"}, 0, {}, None, "audio 1.0, now 0.5"),
    "other seed": (lambda s: None, {}, 0, {}, 6, "has the seed 5; leave --seed out"),
    "own threshold": (lambda s: None, {}, 0, {"reward_threshold": "0.03"}, None, "--set reward_threshold: a resumed"),
    "a session.ini that was cut": (
        lambda s: (s / "session.ini").write_text("; the same\n[rig]\n"), {}, 0, {}, None, "session.ini: SHA-256",
    ),
    "nothing left": (
        lambda s: outcome_of(s, "stopped", resumes={"trials_done": 4}), {}, 0, {}, None, "nothing is left of",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "overrides", "later_ns", "given", "seed", "said"), REFUSED.values(), ids=REFUSED.keys()
)
def test_what_cannot_be_resumed_is_told_in_one_line(tmp_path, stopped, change, overrides, later_ns, given, seed, said):
    clock = VirtualClock()
    change(stopped)
    clock.advance(later_ns)
    with pytest.raises(InputError, match=said) as told:
        resume(settings_for(tmp_path, **overrides), clock, given, seed)
    assert len(str(told.value).splitlines()) == 1
    assert [path.name for path in stopped.parent.iterdir()] == ["S1"]


def test_another_experiment_is_another_session(tmp_path, stopped):
    assert stopped.is_dir()
    other = load_settings(
        CONFIG, "DEMO", experiment="clnf_2roi", overrides={**SHORT, "--data-root": str(tmp_path / "data")}
    )
    with pytest.raises(InputError, match="experiment clnf_1roi, now clnf_2roi"):
        resume(other, VirtualClock())


def test_a_mouse_without_a_session_has_nothing_to_resume(tmp_path):
    with pytest.raises(InputError, match="mouse DEMO has no session in"):
        resume(settings_for(tmp_path), VirtualClock())


def test_a_part_that_was_killed_before_it_began_is_begun_anew(tmp_path, stopped):
    (stopped.with_name("S2")).mkdir()
    (stopped.with_name("S2") / "session.ini").write_text("; killed")
    settings = settings_for(tmp_path)
    plan, options = resume(settings, VirtualClock())
    second = run(settings_for(tmp_path, **plan.keys), options, stop=StopAt(3))
    assert second.session == stopped.with_name("S2")
    assert read_session_json(second.session)["part"] == 2


def test_a_part_that_cannot_begin_leaves_the_others(tmp_path, stopped, monkeypatch):
    settings = settings_for(tmp_path)
    _, options = resume(settings, VirtualClock())
    monkeypatch.setattr("session.runner.note_start", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(settings, options)
    assert [path.name for path in stopped.parent.iterdir()] == ["S1"]
    assert read_session_json(stopped)["outcome"] == "aborted"


def test_what_has_another_value_than_in_the_part_before_is_told(tmp_path, stopped):
    same = plan_resume(stopped, settings_for(tmp_path), {}, None)
    other = settings_for(tmp_path, max_trial_dur="7", resolution="64, 48", success_rest_dur="0.5")
    assert "other than before: max_trial_dur 7.0 (was 3.0), success_rest_dur 0.5 (was 1.0)" in (
        plan_resume(stopped, other, {}, None).changed
    )
    assert "max_trial_dur" not in same.changed
    # The session was recorded under another root.
    assert same.changed.count("(was ") == 1
    assert "data_root" in same.changed
