"""A replay that differs is told where; one of a session that lacks something says so; a changed one says what if."""

import csv
import itertools
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from core.clock import VirtualClock
from core.errors import ConfigError, InputError, SourceError
from recording import clopy, schema
from recording.folder import read_session_json, write_session_json
from recording.reader import open_session
from recording.schema import EventRow
from session import running
from session.build import build
from session.config_keys import all_keys
from session.provenance import config_sha256
from session.replay import replay_session
from session.replay_change import NO_IMAGE, Difference
from session.replay_inputs import Between, InputScript, with_returns
from session.replay_result import as_json, as_text, exit_code
from session.replay_settings import CHANGEABLE, FIXED
from session.second_folder import RECORDED_ONLY
from tests.support.killed import as_killed
from tests.support.memory_recorder import MemoryRecorder, record_with_licks
from tests.support.sessions import run, settings_for

HISTORY_FRAMES = 15
"""dff_history of 1 s at 15 frames/s."""


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Record a session with licks and a wish, once."""
    return record_with_licks(tmp_path_factory.mktemp("original"))


@pytest.fixture
def session(tmp_path, original):
    """Return a copy that a test may spoil."""
    return shutil.copytree(original.session, tmp_path / "M" / "20260102030405" / "S1")


def change_table(path, change):
    """Let ``change`` have the rows of a table, as dicts."""
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        rows, names = list(reader), reader.fieldnames
    rows = change(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def compared(session):
    return replay_session(session).compared


def test_the_original_is_exact(session):
    replayed = replay_session(session)
    assert replayed.compared.mismatches == 0
    assert replayed.compared.events > 10
    assert replayed.change is None


@pytest.mark.parametrize(("column", "cell"), [("frame", None), ("time_ns", None), ("time_ns", "5")])
def test_a_frame_that_is_not_after_the_one_before_is_named(session, column, cell):
    def change(rows):
        rows[50] |= {column: rows[49][column] if cell is None else cell}
        return rows

    change_table(session / "frames.csv", change)
    with pytest.raises(SourceError, match=rf"frames\.csv line 52: {column} \d+ is not after \d+, that of the line"):
        replay_session(session)


def test_an_index_of_images_that_is_damaged_is_told_before_anything_is_replayed(session):
    import h5py

    path = session / "image_stream.hdf5"
    with h5py.File(path) as file:
        images = file[schema.IMAGES][:]
    with h5py.File(path, "w", libver="latest") as file:
        data = file.create_dataset(schema.IMAGES, data=images, maxshape=(None, *images.shape[1:]), chunks=True)
        chunks = [data.id.get_chunk_info(n) for n in range(data.id.get_num_chunks())]
    replay_session(session)
    # What lies between two images and is none is the index.
    begins = sorted(chunk.byte_offset for chunk in chunks)
    size = chunks[0].size
    gap = max(itertools.pairwise(begins), key=lambda two: two[1] - two[0])
    assert gap[1] - gap[0] > size
    whole = bytearray(path.read_bytes())
    whole[gap[0] + size : gap[1]] = b"\xa5" * (gap[1] - gap[0] - size)
    path.write_bytes(whole)
    told = []
    with pytest.raises(SourceError, match=r"image_stream\.hdf5: is damaged \(Can.t get number of"):
        replay_session(session, progress=lambda *each: told.append(each))
    assert told == []


def test_an_index_of_a_killed_sessions_images_too(session):
    as_killed(session)
    path = session / "image_stream.hdf5"
    # The last block of the array in which HDF5 notes where the images lie: up to there, all could be replayed.
    whole = bytearray(path.read_bytes())
    whole[whole.rindex(b"EADB") + 14] ^= 0xFF
    path.write_bytes(whole)
    told = []
    with pytest.raises(SourceError, match=r"image_stream\.hdf5: is damaged \(Can.t get number of.*restore it") as said:
        replay_session(session, progress=lambda *each: told.append(each))
    assert told == []
    assert len(str(said.value).splitlines()) == 1


def test_images_that_were_begun_only_are_none_that_are_missing(session):
    """A session that was killed before the first of them: its rows name none, its file holds none."""
    as_killed(session)
    change_table(session / "frames.csv", lambda rows: [{**row, "image": "-1"} for row in rows])
    (session / "image_stream.hdf5").write_bytes(b"")
    replayed = replay_session(session)
    assert replayed.compared.mismatches == 0
    assert replayed.without_image == replayed.compared.rows > 100


@pytest.mark.parametrize("value", ["inf", "nan", "0.5"])
def test_a_refused_drop_without_a_number_is_named(session, value):
    with (session / "inputs.csv").open("a") as file:
        file.write(f"50,0,refused,{value},valve\n")
    with pytest.raises(SourceError, match=rf"inputs\.csv: frame 50 has the value {value}, not the number"):
        replay_session(session)


class TestADifferenceIsFound:
    def test_in_one_pixel(self, session):
        import h5py

        with h5py.File(session / "image_stream.hdf5", "r+") as file:
            images = file[schema.IMAGES]
            place = settings_roi(session)
            images[99, place[0], place[1], 1] = images[99, place[0], place[1], 1] ^ 1
        found = compared(session)
        # The frame itself, and those whose baseline it is in.
        assert set(found.by_column) <= {"signal", "dff_M1_L", "freq_hz"}
        assert found.by_column["signal"] == 1 + HISTORY_FRAMES
        assert found.first[0].frame == 100

    def test_in_the_last_digit_of_a_signal(self, session):
        def change(rows):
            value = float(rows[40]["signal"])
            rows[40]["signal"] = repr(float(np.nextafter(value, 1.0)))
            return rows

        change_table(session / schema.FRAMES_CSV, change)
        [only] = compared(session).first
        assert (only.frame, only.column) == (41, "signal")
        assert only.recorded != only.now

    @pytest.mark.parametrize(
        ("column", "value"),
        [("phase", "paused"), ("freq_hz", "1.0"), ("trial", "9"), ("reason", "x"), ("water", "3"), ("audio", "1")],
    )
    def test_in_a_decision(self, session, column, value):
        change_table(session / schema.FRAMES_CSV, lambda rows: [{**rows[0], column: value}, *rows[1:]])
        found = compared(session)
        assert found.by_column[column] == 1
        assert (found.first[0].frame, found.first[0].column) == (1, column)

    def test_in_a_lick_that_is_gone(self, session):
        change_table(session / schema.INPUTS_CSV, lambda rows: [row for row in rows if row["kind"] != "lick"])
        found = compared(session)
        assert set(found.by_column) == {"licks"}

    def test_in_a_wish_that_is_gone(self, session):
        change_table(session / schema.INPUTS_CSV, lambda rows: [row for row in rows if row["kind"] == "lick"])
        found = compared(session)
        assert found.by_column == {"water": 1, "events": 2}
        assert [each.recorded.split(" at ")[0] for each in found.first if each.column == "events"] == [
            "operator free_water page (trial 1)", "free_water 0.3"
        ]  # fmt: skip

    @pytest.mark.parametrize("seed", [-1, None, "7", True])
    def test_a_seed_that_is_none_is_told(self, session, seed):
        write_session_json(session, read_session_json(session) | {"seed": seed})
        with pytest.raises(SourceError, match=rf"session\.json: 'seed' is {seed!r}; restore it from a copy"):
            replay_session(session)

    def test_in_another_seed(self, session):
        meta = json.loads((session / "session.json").read_text())
        ini = (
            (session / "session.ini")
            .read_text()
            .replace("= normal_audio_normal_reward", "= normal_audio_random_reward")
        )
        (session / "session.ini").write_text(ini)
        meta["config_sha256"] = config_sha256(ini.partition("\n")[2])
        meta["seed"] += 1
        (session / "session.json").write_text(json.dumps(meta))
        found = compared(session)
        assert found.mismatches > found.by_column["events"] > 0
        assert len(found.first) == 10
        assert [each.frame for each in found.first] == sorted(each.frame for each in found.first)

    def test_in_an_event(self, session):
        change_table(
            session / schema.EVENTS_CSV, lambda rows: [row for row in rows if row["kind"] not in ("success", "lick")]
        )
        found = compared(session)
        assert set(found.by_column) == {"events"}
        assert found.by_column["events"] > 0


def settings_roi(session):
    """Return row and column of a pixel of the session's ROI."""
    with open_session(session) as opened:
        x, y, *_ = map(int, opened.meta["settings"]["roi.M1_L"].split(","))
    return y + 1, x + 1


class TestKilled:
    def kill(self, session):
        meta = json.loads((session / "session.json").read_text())
        meta["outcome"] = "running"
        meta.pop("counts")
        (session / "session.json").write_text(json.dumps(meta))

    def cut(self, path, share):
        data = path.read_bytes()
        path.write_bytes(data[: round(len(data) * share)])

    @pytest.mark.parametrize(
        "shares",
        [(0.5, 0.5, 0.6), (0.5, 0.45, 0.6), (0.7, 1.0, 1.0), (0.7, 1.0, 0.5), (1.0, 0.9, 1.0), (0.02, 0.1, 0.9)],
        ids=str,
    )
    def test_tables_are_compared_as_far_as_they_are_whole(self, session, shares):
        self.kill(session)
        for name, share in zip((schema.FRAMES_CSV, schema.EVENTS_CSV, schema.INPUTS_CSV), shares, strict=True):
            self.cut(session / name, share)
        replayed = replay_session(session)
        assert replayed.compared.mismatches == 0
        assert replayed.whole.killed
        assert replayed.compared.rows + replayed.whole.left_out == len(open_session(session).frames)
        assert (replayed.whole.left_out > 0) == (shares[2] < shares[0])

    def test_a_difference_before_is_found_all_the_same(self, session):
        self.kill(session)
        change_table(session / schema.FRAMES_CSV, lambda rows: [{**rows[0], "phase": "done"}, *rows[1:120]])
        assert compared(session).by_column == {"phase": 1}


class TestShortened:
    """A session that closed its files in order, and has less than it had."""

    def test_rows_that_are_lost_are_told_with_both_counts(self, session):
        frames = len(open_session(session).frames)
        change_table(session / schema.FRAMES_CSV, lambda rows: rows[:-9])
        last_ns = int(open_session(session).frames.time_ns[-1])
        change_table(session / schema.EVENTS_CSV, lambda rows: [row for row in rows if int(row["time_ns"]) <= last_ns])
        replayed = replay_session(session)
        assert not replayed.whole.killed
        assert replayed.compared.by_column == {"rows": 1, "events": 1}
        assert exit_code(replayed) == 1
        [line] = [line for line in as_text(replayed) if line.startswith("tables")]
        assert f"{frames} frames (session.json), and frames.csv has {frames - 9}" in line
        assert as_json(replayed)["frames_counted"] == frames

    def test_without_any_row(self, session):
        change_table(session / schema.FRAMES_CSV, lambda rows: [])
        with pytest.raises(InputError, match="has no frames, so that there is nothing to replay"):
            replay_session(session)

    @pytest.mark.parametrize("outcome", ["complete", "aborted"])
    def test_last_events_that_are_lost(self, session, outcome):
        meta = json.loads((session / "session.json").read_text())
        (session / "session.json").write_text(json.dumps(meta | {"outcome": outcome}))
        change_table(session / schema.EVENTS_CSV, lambda rows: rows[:-1])
        assert compared(session).by_column == {"events": 1}
        change_table(session / schema.EVENTS_CSV, lambda rows: [row for row in rows if row["kind"] == "nothing"])
        found = replay_session(session)
        assert found.compared.events == found.compared.mismatches > 10

    def test_the_end_of_one_that_was_broken_off(self, session):
        """Its end is no decision of the trial logic's, and must be there all the same."""
        meta = json.loads((session / "session.json").read_text())
        meta["outcome"], meta["counts"]["frames"] = "aborted", 100
        (session / "session.json").write_text(json.dumps(meta))
        change_table(session / schema.FRAMES_CSV, lambda rows: rows[:100])
        last_ns = int(open_session(session).frames.time_ns[-1])
        change_table(session / schema.EVENTS_CSV, lambda rows: [row for row in rows if int(row["time_ns"]) <= last_ns])
        found = compared(session)
        assert set(found.by_column) == {"events"}
        assert {each.now.split(" ")[0] for each in found.first} <= {"session_end", "cut_short"}


class TestImagesThatAreMissing:
    @pytest.mark.parametrize(("mode", "reach"), [("green_minus_blue", 1), ("blue_regressed", 2)])
    def test_what_needs_them_is_taken_as_recorded(self, tmp_path, monkeypatch, mode, reach):
        monkeypatch.setattr(running, "Recorder", type("Lossy", (MemoryRecorder,), {"lose": {1, 60, 64}}))
        result = run(settings_for(tmp_path, dff_mode=mode, reward_threshold="0.01"))
        replayed = replay_session(result.session)
        assert replayed.compared.mismatches == 0
        assert replayed.without_image == 3
        history = reach * HISTORY_FRAMES
        assert replayed.taken_as_recorded == 1 + history + 1 + history + 4
        again = replay_session(result.session, {"dff_history": "0.5"})
        assert again.change.no_signal > 0
        assert NO_IMAGE in set(again.change.session.frames.reason)

    @pytest.mark.parametrize("how", ["not recorded", "deleted"])
    def test_all_of_them(self, session, how):
        (session / "image_stream.hdf5").unlink()
        if how == "not recorded":
            change_table(session / schema.FRAMES_CSV, lambda rows: [{**row, "image": "-1"} for row in rows])
        replayed = replay_session(session)
        assert replayed.compared.mismatches == 0
        assert replayed.taken_as_recorded == replayed.compared.rows
        assert replay_session(session, {"reward_threshold": "0.01"}).change.changed.successes > 0
        with pytest.raises(InputError, match="another signal needs the recorded images"):
            replay_session(session, {"dff_history": "2"})

    def test_a_file_that_lost_some_of_them_is_damaged(self, session):
        import h5py

        with h5py.File(session / "image_stream.hdf5", "r+") as file:
            images = file[schema.IMAGES][:50]
            del file[schema.IMAGES]
            file[schema.IMAGES] = images
        with pytest.raises(InputError, match="damaged; 50 of its"):
            replay_session(session)


class TestWhatWouldHaveHappened:
    def test_a_lower_threshold_earns_more_and_the_session_is_shorter(self, session, original):
        change = replay_session(session, {"reward_threshold": "0.012"}).change
        assert change.recorded.trials == change.changed.trials == 4
        assert change.recorded.successes == original.successes < change.changed.successes
        assert change.recorded.threshold == 0.03
        assert change.changed.threshold == 0.012
        assert change.changed.mean_trial_s < change.recorded.mean_trial_s
        assert change.changed.duration_s < change.recorded.duration_s
        assert change.ended == "done"
        assert change.first.frame == 16
        assert change.first.column == "freq_hz"

    def test_a_threshold_that_rose_with_the_last_frame_of_a_killed_session_counts(self, session):
        as_killed(session)
        with open_session(session) as opened:
            end_ns = opened.frames.time_ns[-1]
        with (session / schema.EVENTS_CSV).open("a") as file:
            file.write(f"{end_ns},threshold,0,0.05\n")
        assert replay_session(session, {"reward_threshold": "0.012"}).change.recorded.threshold == 0.05

    def test_the_same_value_changes_nothing(self, session):
        change = replay_session(session, {"reward_threshold": "0.03"}).change
        assert change.first is None
        assert change.recorded == change.changed
        with open_session(session) as recorded:
            for name in ("signal", "freq_hz", "phase", "threshold", "licks"):
                np.testing.assert_array_equal(getattr(recorded.frames, name), getattr(change.session.frames, name))

    def test_a_session_that_would_have_gone_on_longer_says_so(self, session):
        change = replay_session(session, {"total_trials": "9"}).change
        assert change.ended == "recording"
        assert change.first.column == "phase"

    def test_bounds_of_the_rig_hold(self, session):
        change = replay_session(session, {"max_session_water_s": "0.7", "reward_threshold": "0.005"}).change
        assert change.ended.startswith("refused: valve")
        assert "max_session_water_s" in change.ended

    @pytest.mark.parametrize(
        "changes",
        [
            {"roi.M1_L": "5, 5, 8, 8"}, {"roi_operation": "M1_L-M1_R", "roi.M1_R": "40, 20, 5, 5"},
            {"dff_history": "0.5"}, {"dff_mode": "green"}, {"n_tones": "4"}, {"session_type": "continuous_rewards"},
            {"adaptive_threshold": "1", "adaptive_epoch_s": "1"}, {"reward_delay": "1"},
        ],
        ids=str,
    )  # fmt: skip
    def test_all_that_is_made_of_frames_can_be_changed(self, session, changes):
        assert isinstance(replay_session(session, changes).change.first, Difference)

    @pytest.mark.parametrize(
        ("key", "value", "why"),
        [
            ("resolution", "32, 32", "frames are as they were recorded"),
            ("framerate", "30", "frames are as they were recorded"),
            ("vid_source", "synthetic", "frames are as they were recorded"),
            ("bregma", "1, 1", r"ROIs are in px; set roi.NAME"),
            ("lick_sensor", "none", "licks are as they were recorded"),
            ("pin_valve", "3", "no part in what the loop decides"),
            ("reward_ul", "3", "set reward_dur"),
            ("data_root", "x", "records nothing"),
            ("second_camera", "x", "decides nothing"),
            ("network", "x.py:build", "as it was recorded"),
            ("sex", "F", "no part in what the loop decides"),
        ],
    )
    def test_what_cannot_be_changed_afterwards_is_refused(self, session, key, value, why):
        with pytest.raises(InputError, match=f"--set {key}: cannot be changed afterwards: .*{why}"):
            replay_session(session, {key: value})

    def test_each_group_of_keys_can_be_changed_or_has_a_reason_why_not(self):
        assert {key.group for key in all_keys().values()} == CHANGEABLE | FIXED.keys() | {"geometry"}

    def test_a_wrong_value_is_told_as_ever(self, session):
        with pytest.raises(ConfigError, match="--set reward_thresold=3: unknown key"):
            replay_session(session, {"reward_thresold": "3"})
        with pytest.raises(ConfigError, match="out of range"):
            replay_session(session, {"max_trial_dur": "-3"})


class TestWhatCannotBeReplayed:
    def test_a_session_of_clopy(self, session, tmp_path):
        with open_session(session) as opened:
            clopy.export_clopy(opened, tmp_path / "clopy")
        with pytest.raises(InputError, match="a session of CLoPy, which records no licks"):
            replay_session(tmp_path / "clopy")

    def test_one_of_an_older_version(self, session):
        (session / schema.INPUTS_CSV).unlink()
        meta = json.loads((session / "session.json").read_text())
        (session / "session.json").write_text(json.dumps({**meta, "schema": 1}))
        with pytest.raises(InputError, match=r"kept no inputs.csv.*--camera replay"):
            replay_session(session)

    @pytest.mark.parametrize("name", [schema.INPUTS_CSV, schema.SESSION_INI, schema.SESSION_JSON])
    def test_one_without_a_file(self, session, name):
        (session / name).unlink()
        with pytest.raises(InputError, match=f"has no {name}, which a replay needs; restore it"):
            replay_session(session)

    @pytest.mark.parametrize("done", [None, -1, True, "2", 1.5])
    def test_a_further_part_that_does_not_tell_how_many_trials_were_before(self, session, done):
        write_session_json(session, read_session_json(session) | {"resumes": {"trials_done": done}})
        with pytest.raises(InputError, match=r"session\.json: 'trials_done' is .*; restore it"):
            replay_session(session)

    def test_a_second_cameras_folder(self, session):
        def only(rows):
            kept = [name for name in rows[0] if not name.startswith("dff_")]
            return [{**{name: row[name] for name in kept}, "reason": RECORDED_ONLY} for row in rows]

        path = session / schema.FRAMES_CSV
        change_table(path, only)
        lines = path.read_text().splitlines()
        at = lines[0].split(",").index("dff_M1_L")
        path.write_text("".join(",".join(c for k, c in enumerate(line.split(",")) if k != at) + "\n" for line in lines))
        with pytest.raises(InputError, match="second camera recorded decides nothing; give "):
            replay_session(session)

    def test_an_input_of_another_version(self, session):
        with (session / schema.INPUTS_CSV).open("a") as file:
            file.write("12,5,warp,0.0,\n")
        with pytest.raises(InputError, match="frame 12 was given 'warp'"):
            replay_session(session)


def test_a_trial_that_only_the_changed_session_would_have_lost(tmp_path, monkeypatch):
    """The camera is lost in what was a rest; with the change it is a trial, which is cut short, and rests from then."""
    from tests.support.flaky import Flaky

    clock = VirtualClock()
    monkeypatch.setattr(running, "Recorder", MemoryRecorder)
    monkeypatch.setattr(
        "session.prepare.build",
        lambda *args: replace(parts := build(*args), camera=Flaky(parts.camera, clock, 30, 2, "gone")),
    )
    result = run(settings_for(tmp_path, initial_rest_dur="3"), clock=clock)
    assert result.trials == 4
    replayed = replay_session(result.session, {"initial_rest_dur": "1"})
    assert replayed.compared.mismatches == 0
    assert replayed.change.changed.cut_short == 1
    assert replayed.change.changed.trials == 3


def test_the_return_of_a_device_is_its_own_and_no_second_cameras():
    script = InputScript({}, {}, {}, {7: (Between("cut", 70, "camera"),), 9: (Between("cut", 90, "sound"),)})
    events = [
        EventRow(60, "lost", 0, "camera2: gone"), EventRow(70, "lost", 1, "camera: gone"),
        EventRow(75, "back", 0, "camera2 after 1.0 s"), EventRow(80, "back", 0, "camera after 1.0 s"),
        EventRow(90, "lost", 0, "sound: gone"),
    ]  # fmt: skip
    assert with_returns(script, events).between == {
        7: (Between("cut", 70, "camera"), Between("rest_from", 80, "")), 9: (Between("cut", 90, "sound"),)
    }  # fmt: skip
