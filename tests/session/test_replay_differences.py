"""A replay that differs from what was recorded, or that lacks some of it, is told where."""

import json

import numpy as np
import pytest

from core.errors import InputError, SourceError
from core.values import Frame
from recording import schema
from recording.folder import read_session_json, write_session_json
from recording.reader import open_session
from recording.schema import TimingRow
from session.provenance import config_sha256
from session.replay import replay_session
from session.replay_compare import ComparingSink
from session.replay_result import as_json, as_text, exit_code
from tests.session.replayable import HISTORY_FRAMES, change_table
from tests.session.replayable import session as session

OTHER = {
    "signal": "0.5", "dff_M1_L": "0.5", "valid": "1", "reason": "x", "threshold": "0.5", "freq_hz": "1.0",
    "phase": "paused", "trial": "9", "audio": "1", "outcome": "-1", "water": "3", "licks": "5",
}  # fmt: skip
"""Columns of frames.csv that a replay makes again, with what the first row has not."""
GIVEN = ("frame", "time_ns", "sensor_ns", "dropped")
"""Columns that a replay's frames are given from the log, so that only a fault of the replay makes them differ."""


def compared(session):
    return replay_session(session).compared


def test_the_original_is_exact(session):
    replayed = replay_session(session)
    assert replayed.compared.mismatches == 0
    assert replayed.compared.events > 10
    assert replayed.change is None


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

    @pytest.mark.parametrize(("column", "value"), OTHER.items())
    def test_in_each_column_that_is_made_again(self, session, column, value):
        change_table(session / schema.FRAMES_CSV, lambda rows: [{**rows[0], column: value}, *rows[1:]])
        found = compared(session)
        assert found.by_column == {column: 1}
        assert (found.first[0].frame, found.first[0].column) == (1, column)

    @pytest.mark.parametrize("column", GIVEN)
    def test_in_each_column_that_is_given_again(self, session, column):
        with open_session(session) as opened:
            row = next(opened.frames.rows())
            sink = ComparingSink(opened, schema.DFF_PREFIX)
        now = row._replace(**{column: getattr(row, column) + 1})
        sink.write(Frame(np.zeros((1, 1, 3), np.uint8), 1, 0), now, TimingRow(1, 0, 0, 0, 0), ())
        assert sink.found.by_column == {column: 1}

    def test_in_every_column_but_the_place_of_the_image(self, session):
        header = (session / schema.FRAMES_CSV).read_text().partition("\n")[0].split(",")
        assert sorted([*OTHER, *GIVEN, "image"]) == sorted(header)

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
