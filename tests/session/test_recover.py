"""A session that nobody could close is finished as its own end would have done."""

import os
import shutil
from pathlib import Path

import pytest

from core.errors import BusyError, InputError
from hardware.ledger import Ledger, Opening
from hardware.ledger_rows import Purpose
from recording.folder import read_session_json, write_session_json
from recording.hdf5_mark import has_mark
from recording.reader import open_session
from session import recover as recover_module
from session.locks import mouse_lock
from session.recover import STEPS
from session.water_day import water_ledgers
from tests.session.killed_sessions import HOST, UNEQUAL, everything, recovered, settings_root, summary
from tests.support.sessions import StopAfter, run, settings_for


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param({}, id="neurofeedback"),
        pytest.param(
            {"session_type": "continuous_rewards", "reward_threshold": "0.01", "adaptive_threshold": "1",
             "adaptive_epoch_s": "1"},
            id="continuous, adaptive",
        ),
        pytest.param({"session_type": "no_audio_random_reward", "random_reward_rate": "1"}, id="random"),
        pytest.param(
            {"session_type": "behavior_recording", "spont_sess_duration": "0.1", "free_reward_interval_s": "1",
             "record_images": "0"},
            id="resting, no images",
        ),
    ],
)  # fmt: skip
def test_the_counts_are_those_of_a_normal_end(killed, overrides):
    session, settings, before = killed(**overrides)
    done = recovered(session)
    after = read_session_json(session)
    assert (done.outcome, after["outcome"], after["error"]) == ("recovered", "recovered", "")
    assert {k: v for k, v in after["counts"].items() if k not in UNEQUAL} == {
        k: v for k, v in before["counts"].items() if k not in UNEQUAL
    }
    assert [after[key] for key in ("first_frame_ns", *HOST)] == [before[key] for key in ("first_frame_ns", *HOST)]
    with open_session(session) as recording:
        assert after["last_frame_ns"] == recording.frames.time_ns[-1]
    assert after["recovered_wall_ns"] > 0
    assert (session / "VideoTimestamp.txt").is_file()
    assert (session / "session.png").is_file()
    [row] = summary(settings)
    assert (row["outcome"], row["session"], row["data_path"]) == ("recovered", "S1", str(session))
    assert float(row["duration"]) == before["counts"]["duration_s"]
    assert int(row["rewards"]) == before["counts"]["rewards"]
    assert float(row["water_s"]) == pytest.approx(before["counts"]["water"] * settings.trial.reward_dur)


def test_the_images_are_as_they_were_and_open_everywhere(killed):
    import h5py

    session, *_ = killed()
    path = session / "image_stream.hdf5"
    with open_session(session) as recording:
        before = recording.images()[:]
    assert has_mark(path)
    done = recovered(session)
    assert done.mended == ("image_stream.hdf5 is marked as being written no more",)
    with h5py.File(path, "r") as file:
        assert (file["raw_images"][:] == before).all()


def test_again_changes_nothing(killed):
    session, settings, _ = killed()
    recovered(session)
    before = everything(settings_root(settings))
    done = recovered(session)
    assert (done.result, done.outcome) == (None, "recovered")
    assert everything(settings_root(settings)) == before
    (session / "session.png").unlink()
    recovered(session)
    assert (session / "session.png").is_file(), "a figure that a kill prevented"


def test_of_two_at_once_one_recovers_it(killed, monkeypatch):
    session, settings, _ = killed()
    once = []

    def locked_late(*mouse):
        monkeypatch.setattr(recover_module, "mouse_lock", mouse_lock)
        assert recovered(session).outcome == "recovered"
        once.append(everything(settings_root(settings)))
        return mouse_lock(*mouse)

    monkeypatch.setattr(recover_module, "mouse_lock", locked_late)
    done = recovered(session)
    assert (done.result, done.outcome) == (None, "recovered")
    assert everything(settings_root(settings)) == once[0]


@pytest.mark.parametrize("name", ["S1", ".", "S1/camera2"])
def test_it_is_found_by_its_folder_and_the_one_above(killed, name):
    session, *_ = killed()
    (session / "camera2").mkdir()
    assert recovered(session.parent / name).session == session


@pytest.mark.parametrize("left", [(), ("session.ini", ".session.json.4242.tmp")])
def test_a_session_killed_before_it_began_holds_nothing(tmp_path, left):
    folder = tmp_path / "data" / "DEMO" / "20261120093015" / "S1"
    folder.mkdir(parents=True)
    for name in left:
        (folder / name).write_text("")
    for path in (folder, folder.parent):
        with pytest.raises(InputError, match=r"S1: a session that was killed before it began; .* may be deleted$"):
            recovered(path)
    with mouse_lock(tmp_path / "data", "DEMO"), pytest.raises(BusyError, match="wait for its end"):
        recovered(folder)
    assert {path.name for path in folder.iterdir()} == set(left)


def test_temporary_files_of_dead_processes_are_removed(killed):
    session, *_ = killed()
    dead = max(int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()) + 2**22
    for pid in (dead, os.getppid()):
        (session / f".session.json.{pid}.tmp").touch()
    (session / ".notes.tmp").touch()
    recovered(session)
    assert {path.name for path in session.glob(".*")} == {f".session.json.{os.getppid()}.tmp", ".notes.tmp"}


@pytest.mark.parametrize("at", ["S1", ".", "..", "../.."], ids=["part", "session", "mouse", "root"])
def test_it_is_found_through_a_link(killed, tmp_path, at):
    session, settings, _ = killed()
    link, target = tmp_path / "link", (session.parent / at).resolve()
    link.symlink_to(target)
    assert recovered(link / session.relative_to(target)).session == (
        session if at != "../.." else link / "/".join(session.parts[-3:])
    )
    assert len(summary(settings)) == 1


@pytest.mark.parametrize("meta", [{}, {"name": "of another program"}])
def test_another_programs_session_json_is_told(killed, meta):
    session, settings, _ = killed()
    write_session_json(session, meta)
    before = everything(settings_root(settings))
    with pytest.raises(InputError, match=r"session\.json: no session of this program; give the folder S1 of one$"):
        recovered(session)
    assert everything(settings_root(settings)) == before


def test_a_session_that_ended_needs_nothing(tmp_path):
    settings = settings_for(tmp_path)
    session = run(settings, stop=StopAfter(40)).session
    before = everything(tmp_path)
    done = recovered(session)
    assert (done.result, done.outcome) == (None, "aborted")
    assert everything(tmp_path) == before


@pytest.mark.parametrize("left", ["headers", "nothing", "half a header", "no file of images"])
def test_a_session_killed_before_its_first_frame(killed, left):
    session, settings, _ = killed(rows=0)
    for path in [*session.glob("*.csv"), *session.glob("*.hdf5")] if left != "headers" else ():
        path.write_bytes(path.read_bytes()[:5] if left == "half a header" else b"")
        if left == "no file of images":
            path.unlink()
    done = recovered(session)
    counts = read_session_json(session)["counts"]
    assert (done.outcome, counts["frames"], counts["images"], counts["duration_s"]) == ("recovered", 0, 0, 0.0)
    assert counts["threshold"] == settings.threshold.reward_threshold
    with open_session(session) as recording:
        assert recording.part_names == tuple(settings.rois)
    assert len(summary(settings)) == 1
    assert recovered(session).result is None


@pytest.mark.parametrize("rows_left", [1, 2, 17, 40])
def test_it_may_have_been_killed_at_any_row(killed, rows_left):
    session, *_ = killed(rows=rows_left)
    assert recovered(session).result.frames == rows_left


def test_events_that_lag_behind_the_frames_lose_no_reward(killed):
    session, _, before = killed()
    (session / "events.csv").write_text("time_ns,kind,trial,detail\n")
    assert before["counts"]["rewards"] > 0
    assert recovered(session).result.rewards == before["counts"]["rewards"]


def test_a_running_session_is_refused_and_nothing_changed(killed):
    session, settings, _ = killed()
    before = everything(settings_root(settings))
    with mouse_lock(settings_root(settings), settings.mouse), pytest.raises(BusyError, match="still running"):
        recovered(session)
    assert everything(settings_root(settings)) == before


def test_a_recorder_that_still_writes_is_waited_for(killed, monkeypatch):
    session, settings, _ = killed()
    before = everything(settings_root(settings))
    monkeypatch.setattr(recover_module, "writer_of", lambda folder: 4242)
    with pytest.raises(BusyError, match=r"S1: process 4242 still writes its files; wait for its end"):
        recovered(session)
    assert everything(settings_root(settings)) == before


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (lambda session: session / "nowhere", "there is no such folder; give the folder S1"),
        (lambda session: session.parent.parent, "has no session.json; give the folder S1"),
        (lambda session: shutil.copytree(session, session.parents[2] / "elsewhere" / "S1"), "put it where it was"),
    ],
    ids=["nowhere", "mouse", "moved"],
)
def test_what_is_no_session_in_its_place_is_told(killed, where, said):
    session, *_ = killed()
    with pytest.raises(InputError, match=said):
        recovered(where(session))


class Killed(BaseException):
    """What a kill -9 is to the code: nothing runs any more."""


MOMENTS = ("mending", "figure", "append_summary", "write_clopy", "write_session_json", "end_session_json")


@pytest.mark.parametrize("step", MOMENTS)
def test_a_recovery_that_is_killed_is_done_again(killed, monkeypatch, step):
    session, settings, before = killed()

    def kill(*args):
        if args[0] == step or step not in STEPS:
            raise Killed

    with monkeypatch.context() as patch:
        if step not in STEPS:
            patch.setattr(recover_module, step, kill)
        with pytest.raises(Killed):
            recovered(session, tell=kill if step in STEPS else None)
    recovered(session)
    after = read_session_json(session)
    assert after["outcome"] == "recovered"
    assert after["counts"]["frames"] == before["counts"]["frames"]
    assert len(summary(settings)) == 1
    assert (session / "VideoTimestamp.txt").is_file()
    assert (session / "session.png").is_file()


def test_the_water_is_what_the_ledger_has(killed, own_state):
    session, settings, _ = killed()
    meta = read_session_json(session)
    write_session_json(session, meta | {"outputs": "real"})
    for path in water_ledgers(settings):
        ledger = Ledger(path)
        for name, seconds in ((session.parent.name, 0.4), (f"{session.parent.name}-S2", 0.2), ("", 0.1)):
            ledger.add(Opening(meta["started_wall_ns"], Purpose.reward if name else Purpose.free, seconds, name))
        ledger.close()
    done = recovered(session)
    assert done.result.water_today.json() == {"seconds": 0.7, "reward_s": 0.6, "free_s": 0.1}
    [row] = summary(settings)
    assert (float(row["water_s"]), float(row["day_water_s"])) == (0.4, 0.7)
