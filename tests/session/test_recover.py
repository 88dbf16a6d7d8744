"""A session that nobody could close is finished as its own end would have done."""

import os
import re
import shutil
from pathlib import Path

import pytest

from core.clock import VirtualClock
from core.errors import BusyError, InputError
from hardware.ledger import Ledger, Opening
from hardware.ledger_rows import Purpose
from recording.folder import read_session_json, write_session_json
from recording.hdf5_mark import has_mark
from recording.index_find import Place
from recording.index_read import read_row
from recording.reader import open_session
from session import recover as recover_module
from session import recover_files
from session.locks import mouse_lock
from session.recover import STEPS, recover
from session.replay import replay_session
from session.water_day import water_ledgers
from tests.session.test_movement_session import jumping_at, movement
from tests.session.test_movement_session import pose as pose
from tests.session.test_second_camera import settings_for as two_cameras
from tests.support.killed import as_killed
from tests.support.sessions import StopAfter, rows, run, settings_for

HOST = ("latency_us", "lateness_us")
UNEQUAL = {"wall_s", "real_time_factor"}


def recovered(session, **more):
    return recover(session, VirtualClock(), lambda folder: (folder / "session.png").touch(), **more)


def summary(settings):
    return rows(settings_root(settings) / settings.recording.summary_file)


def settings_root(settings):
    return type(settings.config_path)(settings.recording.data_root)


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    """Sessions of which all was on disk when they were killed, each with its session.json as it had been."""
    made = {}

    def make(how=settings_for, **overrides):
        key = how, *overrides.items()
        if key not in made:
            session = run(how(tmp_path_factory.mktemp("killed"), **overrides)).session
            made[key] = session, as_killed(session)
        return made[key]

    return make


@pytest.fixture
def killed(tmp_path, sessions):
    """A copy of such a session, cut after so many rows; its settings, and its session.json as it had been."""

    def make(rows=None, how=settings_for, **overrides):
        original, before = sessions(how, **overrides)
        session = tmp_path / "data" / "/".join(original.parts[-3:])
        shutil.copytree(original, session)
        if rows is not None:
            as_killed(session, rows)
        return session, how(tmp_path, **overrides), before

    return make


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


def half_line(session):
    for name in ("frames.csv", "timing.csv", "events.csv", "inputs.csv", "missing.csv"):
        with (session / name).open("a") as file:
            file.write("12,34")


def test_half_lines_are_cut_off(killed):
    session, *_ = killed()
    whole = (session / "frames.csv").read_bytes()
    half_line(session)
    done = recovered(session)
    assert len(done.mended) == 6
    assert done.mended[1] == "frames.csv: a last line that was cut short is gone (5 bytes)"
    assert (session / "frames.csv").read_bytes() == whole


def test_rows_ahead_of_the_images_have_none(killed):
    """Only a power failure leaves them so."""
    session, _, before = killed()
    text = (session / "frames.csv").read_text().splitlines(keepends=True)
    as_killed(session, rows=20)
    (session / "frames.csv").write_text("".join(text))
    done = recovered(session)
    counts = read_session_json(session)["counts"]
    assert (counts["images"], counts["images_dropped"]) == (20, before["counts"]["frames"] - 20)
    with open_session(session) as recording:
        assert recording.frames.image.tolist() == [*range(20), *[-1] * counts["images_dropped"]]
    assert "rows whose image did not reach the disk" in done.mended[1]


def test_more_images_than_a_power_failure_takes_are_asked_for(killed, monkeypatch):
    session, settings, _ = killed()
    text = (session / "frames.csv").read_text()
    as_killed(session, rows=20)
    (session / "frames.csv").write_text(text)
    rows = text.count("\n") - 21
    monkeypatch.setattr(recover_files, "POWER_S", 0.5)
    refused(session, settings, f".*hdf5: 20 images are whole, and {rows} more are named by rows of frames.csv, .*")
    assert recovered(session, without_images=True).result.images == 20


def test_a_file_of_which_no_image_is_whole_is_asked_for(killed, monkeypatch):
    """Such as a video whose first bytes are damaged."""
    session, settings, before = killed()
    monkeypatch.setattr(recover_files, "POWER_S", 0.5)
    monkeypatch.setattr(recover_files, "_count", lambda path: (0, False))
    refused(session, settings, f".*: 0 images are whole, and {before['counts']['frames']} more are named by rows .*")


def test_images_whose_rows_are_gone_are_told(killed):
    session, _, before = killed()
    path = session / "frames.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:31]))
    lost = before["counts"]["images"] - 30
    told = f"image_stream.hdf5: its last {lost} images are named by no row; their rows were lost"
    assert told in recovered(session).mended


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


@pytest.mark.parametrize("lacks", ["frames.csv", "every table"])
def test_a_session_that_failed_before_its_first_frame_is_finished(killed, lacks):
    session, settings, before = killed(rows=0)
    write_session_json(session, before | {"outcome": "failed", "error": "the disk was full"})
    for path in session.glob("frames.csv" if lacks == "frames.csv" else "*.csv"):
        path.unlink()
    done = recovered(session)
    assert (done.outcome, done.result.frames) == ("failed", 0)
    assert [row["outcome"] for row in summary(settings)] == ["failed"]
    assert (session / "frames.csv").is_file()
    assert (session / "VideoTimestamp.txt").is_file()
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


def cut(path, keep):
    path.write_bytes(path.read_bytes()[:keep])


def spoil(path, line):
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = b"spoilt\n"
    path.write_bytes(b"".join(lines))


def turn(session, change):
    path = session / "frames.csv"
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


DAMAGES = {
    "session.json": lambda session: cut(session / "session.json", 50),
    "session.ini": lambda session: cut(session / "session.ini", 300),
    "session.ini without its last line": lambda session: cut(session / "session.ini", -20),
    "session.ini of zeros": lambda session: (session / "session.ini").write_bytes(b"\0" * 900),
    "session.ini lost": lambda session: (session / "session.ini").unlink(),
    "image_stream.hdf5": lambda session: cut(session / "image_stream.hdf5", 60),
    "frames.csv": lambda session: spoil(session / "frames.csv", 3),
    "frames.csv with a row twice": lambda session: turn(session, lambda rows: [*rows[:3], *rows[2:]]),
    "frames.csv with rows turned round": lambda session: turn(session, lambda rows: [rows[0], *rows[:0:-1]]),
    "frames.csv without its middle": lambda session: turn(session, lambda rows: rows[:3] + rows[9:]),
    "timing.csv": lambda session: spoil(session / "timing.csv", 3),
    "events.csv": lambda session: spoil(session / "events.csv", 1),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_damaged_beyond_reading_is_named_and_nothing_changed(killed, name):
    session, settings, _ = killed()
    DAMAGES[name](session)
    before = everything(settings_root(settings))
    with pytest.raises(InputError, match=re.escape(name.split()[0])) as told:
        recovered(session)
    assert "\n" not in str(told.value)
    assert "restore it" in str(told.value) or name.endswith("hdf5")
    assert everything(settings_root(settings)) == before


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (lambda session: session.parent.parent, "has no session.json; give the folder S1"),
        (lambda session: shutil.copytree(session, session.parents[2] / "elsewhere" / "S1"), "put it where it was"),
    ],
    ids=["mouse", "moved"],
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


@pytest.mark.parametrize("lacks", ["summary", "clopy", "mark", "nothing"])
def test_a_session_that_failed_gets_what_it_lacks_and_stays_failed(killed, tmp_path, lacks):
    session, settings, before = killed()
    recovered(session)
    write_session_json(session, before | {"outcome": "failed", "error": "the disk was full"})
    if lacks == "summary":
        (tmp_path / "data" / settings.recording.summary_file).unlink()
    if lacks == "clopy":
        (session / "VideoTimestamp.txt").unlink()
    if lacks == "mark":
        meta = read_session_json(session)
        as_killed(session)
        write_session_json(session, meta)
    done = recovered(session)
    assert (done.result is None) == (lacks == "nothing")
    after = read_session_json(session)
    assert (after["outcome"], after["error"], after["counts"]) == ("failed", "the disk was full", before["counts"])
    assert [row["outcome"] for row in summary(settings)] == ["failed" if lacks in ("summary", "mark") else "recovered"]
    assert recovered(session).result is None


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


def test_a_movement_session(tmp_path, pose):
    pose(jumping_at(45))
    settings = movement(tmp_path, speed_threshold="100", record_images="1")
    result = run(settings)
    before = as_killed(result.session)
    done = recovered(result.session)
    assert done.mended == (), "a video has no mark"
    counts = read_session_json(result.session)["counts"]
    assert {k: v for k, v in counts.items() if k not in UNEQUAL} == {
        k: v for k, v in before["counts"].items() if k not in UNEQUAL
    }
    assert [*result.session.glob("PAW_*.txt")]
    assert summary(settings)[0]["outcome"] == "recovered"


@pytest.mark.parametrize("known", [["paw", "nose"], None, "paw"])
def test_a_movement_session_killed_before_its_first_frame(tmp_path, pose, known):
    pose(jumping_at(45))
    session = run(movement(tmp_path, speed_threshold="100"), stop=StopAfter(3)).session
    as_killed(session, rows=0)
    for path in session.glob("*.[cm][sk]v"):
        path.unlink()
    meta = read_session_json(session)
    write_session_json(session, meta | {"devices": {"pose": {"bodyparts": known} if known else "lost"}})
    recovered(session)
    parts = (
        ["paw_x", "paw_y", "paw_likelihood", "nose_x", "nose_y", "nose_likelihood"] if known == ["paw", "nose"] else []
    )
    with open_session(session) as recording:
        assert recording.part_names == ("speed_mm_s", "target_mm", *parts)
    assert ",pose_speed_mm_s,pose_target_mm," in (session / "frames.csv").read_text()
    with pytest.raises(InputError, match="has no frames") as told:
        replay_session(session)
    assert told.value.exit_code == 2


def test_a_second_camera(killed):
    session, _, before = killed(how=two_cameras)
    second = session / "camera2"
    with (second / "frames.csv").open("a") as file:
        file.write("1,2")
    done = recovered(session)
    assert "frames.csv: a last line that was cut short is gone (3 bytes)" in done.mended
    meta = read_session_json(second)
    assert (meta["outcome"], meta["counts"]) == ("recovered", before["counts"]["second_camera"])
    assert read_session_json(session)["counts"]["second_camera"] == meta["counts"]


@pytest.mark.parametrize("left", ["folder", "session.json", "empty tables"])
def test_a_second_camera_that_had_hardly_begun(killed, left):
    session, *_ = killed(rows=0, how=two_cameras)
    second = session / "camera2"
    for path in second.iterdir():
        if left == "empty tables" and path.suffix == ".csv":
            path.write_bytes(b"")
        elif left == "folder" or path.name != "session.json":
            path.unlink()
    recovered(session)
    counts = read_session_json(session)["counts"]["second_camera"]
    assert (counts is None) == (left == "folder")
    if counts is not None:
        assert (counts["frames"], counts["images"]) == (0, 0)


NEEDED = {"mouse", "experiment", "outcome", "started_wall_ns", "settings"}


@pytest.mark.parametrize("value", [None, True, [], -1, "", "\x1b[2J" * 100])
@pytest.mark.parametrize("key", sorted(NEEDED))
def test_what_session_json_needs_to_tell_is_told_in_one_line(killed, key, value):
    session, settings, _ = killed()
    write_session_json(session, read_session_json(session) | {key: value})
    before = everything(settings_root(settings))
    with pytest.raises(InputError) as told:
        recovered(session)
    assert str(told.value).isprintable()
    assert everything(settings_root(settings)) == before


def test_session_json_may_lack_all_else(killed):
    session, *_ = killed()
    meta = read_session_json(session)
    for key in NEEDED:
        write_session_json(session, {k: v for k, v in meta.items() if k != key})
        with pytest.raises(InputError, match=key):
            recovered(session)
    write_session_json(session, {k: v for k, v in meta.items() if k in NEEDED})
    assert recovered(session).result.frames > 0


def test_without_its_session_ini_no_config_is_asked_for(killed):
    session, settings, _ = killed()
    (session / "session.ini").unlink()
    before = everything(settings_root(settings))
    with pytest.raises(InputError) as told:
        recovered(session)
    assert str(told.value) == f"{session} has no session.ini; restore it from a copy"
    assert everything(settings_root(settings)) == before


SIDE = ("timing.csv", "events.csv", "inputs.csv", "missing.csv")


def refused(session, settings, said, **more):
    before = everything(settings_root(settings))
    with pytest.raises(InputError) as told:
        recovered(session, **more)
    assert re.fullmatch(said, str(told.value))
    assert everything(settings_root(settings)) == before


@pytest.mark.parametrize("left", [None, b"", b"frame,time"], ids=["gone", "empty", "half a header"])
@pytest.mark.parametrize("rest", ["image_stream.hdf5", "timing.csv", "events.csv"])
def test_a_session_whose_frames_are_lost_is_refused(killed, left, rest):
    session, settings, _ = killed()
    path = session / "frames.csv"
    path.unlink()
    if left is not None:
        path.write_bytes(left)
    for name in ("image_stream.hdf5", *SIDE):
        if name != rest:
            (session / name).unlink()
    state = "is not there" if left is None else "has no row"
    refused(session, settings, rf"{path} {state} while {rest} has \d+ (rows|images); restore it from a copy")


@pytest.mark.parametrize("content", [bytes(4000), b"\xff\xfe garbage"])
@pytest.mark.parametrize("name", ["frames.csv", *SIDE])
def test_a_table_of_garbage_is_not_begun_anew(killed, name, content):
    session, settings, _ = killed()
    (session / name).write_bytes(content)
    away = "" if name == "frames.csv" else ", or move it away to go on without it"
    refused(session, settings, f"{session / name} holds something else than a table; restore it from a copy{away}")


@pytest.mark.parametrize("name", SIDE)
def test_a_table_that_is_empty_or_gone_is_told_of(killed, name):
    session, _, before = killed()
    (session / name).write_bytes(b"")
    done = recovered(session)
    assert f"{name} had no header, and so no row; now it has one" in done.mended
    assert done.result.frames == before["counts"]["frames"]
    open_session(session).close()


@pytest.mark.parametrize("name", SIDE)
def test_a_table_that_is_gone_stays_gone_and_is_told_of(killed, name):
    session, _, before = killed()
    (session / name).unlink()
    done = recovered(session)
    assert f"{name} is not there: what it told is missing in the counts" in done.mended
    assert not (session / name).exists()
    assert done.result.frames == before["counts"]["frames"]
    meta = read_session_json(session)
    write_session_json(session, meta | {"outcome": "running", "schema": 1})
    assert bool(recovered(session).mended) == (name in SIDE[:2]), "schema 1 has neither inputs nor missing numbers"


def test_images_that_were_moved_are_asked_for(killed, tmp_path):
    session, settings, before = killed()
    path, elsewhere = session / "image_stream.hdf5", tmp_path / "elsewhere.hdf5"
    path.rename(elsewhere)
    said = (
        f"{path} is not there, and {before['counts']['frames']} rows of frames.csv name its images; put it back, or a "
        "link to where it lies now; where it is lost for good, add --without-images"
    )
    refused(session, settings, said)
    path.symlink_to(elsewhere)
    done = recovered(session)
    assert done.result.images == done.result.frames == before["counts"]["frames"]
    assert path.is_symlink()
    assert not has_mark(elsewhere)


def test_images_that_are_lost_for_good_are_named_by_no_row(killed):
    session, _, before = killed()
    (session / "image_stream.hdf5").unlink()
    result = recovered(session, without_images=True).result
    assert (result.images, result.images_dropped) == (0, before["counts"]["frames"])
    with open_session(session) as recording:
        assert (recording.frames.image == -1).all()


def failed_with_its_recorder(session, before, **counted):
    counts = before["counts"] | counted
    write_session_json(session, before | {"outcome": "failed", "error": "the process died", "counts": counts})


def test_the_counts_of_a_session_whose_recorder_died_are_those_of_its_tables(killed):
    session, settings, before = killed()
    recovered(session)
    counts = before["counts"]
    frames, trials = counts["frames"], counts["trials"]
    failed_with_its_recorder(session, before, frames=frames + 4, trials=trials + 1)
    done = recovered(session)
    after = read_session_json(session)
    assert (after["outcome"], after["error"]) == ("failed", "the process died")
    assert {k: v for k, v in after["counts"].items() if k not in UNEQUAL} == {
        k: v for k, v in counts.items() if k not in UNEQUAL
    }
    assert (after["counts_by_session"]["frames"], after["counts_by_session"]["trials"]) == (frames + 4, trials + 1)
    assert done.mended == (
        f"session.json has the counts of the tables: frames {frames} (was {frames + 4}), trials {trials} "
        f"(was {trials + 1}); its row of {settings.recording.summary_file} stays as it was",
    )
    place = Place("/".join(session.parts[-3:]), stamp="")
    row = read_row(settings_root(settings), place)
    assert (row.trials, row.frames, row.outcome) == (trials, frames, "failed")
    assert recovered(session).result is None


def test_a_second_camera_whose_recorder_died(killed):
    session, _, before = killed(how=two_cameras)
    recovered(session)
    second = before["counts"]["second_camera"]
    more = second | {"frames": second["frames"] + 3}
    failed_with_its_recorder(session, before, second_camera=more)
    meta = read_session_json(session / "camera2")
    write_session_json(session / "camera2", meta | {"outcome": "failed", "counts": more})
    done = recovered(session)
    assert "session.json has the counts of the tables: those of the second camera" in done.mended[0]
    meta = read_session_json(session / "camera2")
    assert (meta["outcome"], meta["counts"], meta["counts_by_session"]) == ("failed", second, more)
    assert read_session_json(session)["counts"]["second_camera"] == second
    assert recovered(session).result is None
