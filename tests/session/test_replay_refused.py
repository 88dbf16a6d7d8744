"""What cannot be replayed is refused in one line that says why."""

import json

import pytest

from core.errors import InputError, SourceError
from recording import clopy, schema
from recording.folder import read_session_json, write_session_json
from recording.reader import open_session
from session.replay import replay_session
from session.second_folder import RECORDED_ONLY
from tests.session.replayable import change_table
from tests.session.replayable import session as session


@pytest.mark.parametrize(("column", "cell"), [("frame", None), ("time_ns", None), ("time_ns", "5")])
def test_a_frame_that_is_not_after_the_one_before_is_named(session, column, cell):
    def change(rows):
        rows[50] |= {column: rows[49][column] if cell is None else cell}
        return rows

    change_table(session / "frames.csv", change)
    with pytest.raises(SourceError, match=rf"frames\.csv line 52: {column} \d+ is not after \d+, that of the line"):
        replay_session(session)


@pytest.mark.parametrize("value", ["inf", "nan", "0.5"])
def test_a_refused_drop_without_a_number_is_named(session, value):
    with (session / "inputs.csv").open("a") as file:
        file.write(f"50,0,refused,{value},valve,\n")
    with pytest.raises(SourceError, match=rf"inputs\.csv: frame 50 has the value {value}, not the number"):
        replay_session(session)


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
            file.write("12,5,warp,0.0,,\n")
        with pytest.raises(InputError, match="frame 12 was given 'warp'"):
            replay_session(session)
