"""How a session ends before its time, and what is left of one that does not begin."""

import csv
from dataclasses import replace

import pytest

from core.clock import VirtualClock
from core.errors import InputError, RecordingError
from core.values import Operator, OperatorKind, as_ns
from recording.reader import open_session
from recording.settings import RESERVE_BYTES
from session import build as build_module
from session import runner
from session.stop import StopRequest
from tests.support.sessions import OFFLINE, raising, rows, run, settings_for


class Asks(StopRequest):
    """A person who asks for the end after the trial that runs, once."""

    def __init__(self, at_frame):
        super().__init__()
        self._left = at_frame

    def wish(self):
        self._left -= 1
        return (Operator(OperatorKind.STOP_AFTER_TRIAL, who="page"),) if self._left == 0 else ()


def test_clopy_fault_11_a_session_stopped_after_a_trial_is_not_complete(tmp_path):
    result = run(settings_for(tmp_path), stop=Asks(at_frame=40))
    assert (result.outcome, result.exit_code, result.trials) == ("stopped", 0, 1)
    assert "before the last one" in result.text()[0]
    [row] = rows(tmp_path / "data" / "expt_1roi_trial_summary.csv")
    assert row["outcome"] == "stopped"
    with open_session(result.session) as session:
        assert session.meta["outcome"] == "stopped"
        end = session.events[-1]
        assert (end.kind, end.detail) == ("session_end", "stopped")


def test_who_asks_in_the_last_trial_gets_a_complete_session(tmp_path):
    result = run(settings_for(tmp_path, total_trials="1"), stop=Asks(at_frame=40))
    assert (result.outcome, result.trials) == ("complete", 1)


def test_outputs_are_made_last_and_what_was_opened_before_them_is_closed(tmp_path, monkeypatch):
    class Camera:
        frame_shape, frame_dtype, expected_frames, closed = (48, 64, 3), "uint8", None, False

        def close(self):
            self.closed = True

    camera = Camera()
    monkeypatch.setattr(build_module.CameraFactory, "create", lambda *args, **kwargs: camera)
    monkeypatch.setattr(build_module, "_rig", raising(InputError("no valve")))
    with pytest.raises(InputError, match="no valve"):
        run(settings_for(tmp_path))
    assert camera.closed
    monkeypatch.setattr(build_module, "BrainPipeline", raising(InputError("no pipeline")))
    rigs = []
    monkeypatch.setattr(build_module, "_rig", lambda *args: rigs.append(args))
    with pytest.raises(InputError, match="no pipeline"):
        run(settings_for(tmp_path))
    assert rigs == []


def test_a_session_whose_first_files_cannot_be_written_leaves_no_folder(tmp_path, parts_of, monkeypatch):
    made = parts_of()
    monkeypatch.setattr(runner, "note_start", raising(RecordingError("disk full")))
    with pytest.raises(RecordingError, match="disk full"):
        run(settings_for(tmp_path))
    assert [path.name for path in (tmp_path / "data" / "DEMO").iterdir()] == [".lock"]
    assert made[0].rig.valve.closed


def test_a_disk_too_small_for_the_longest_session_is_told_before_it(tmp_path, monkeypatch):
    """1 s of rest, 4 trials of at most 3 + 0.2 + 0.3 + 1 s, 2 s at the end; a frame more for each of 14 phases."""
    need = ((1 + 4 * 4.5 + 2) * 15 + 14) * 64 * 48 * 3
    free = RESERVE_BYTES + int(need)
    ends = {"disk_full": "end"}
    monkeypatch.setattr("recording.folder.free_bytes", lambda path: free - 1)
    with pytest.raises(InputError, match=r"record_images = 0.*disk_full = go_on begins all the same"):
        run(settings_for(tmp_path, **ends))
    assert not (tmp_path / "data").exists()
    assert run(settings_for(tmp_path, **ends, record_images="0")).outcome == "complete"
    result = run(settings_for(tmp_path))
    assert result.outcome == "complete"
    [warning] = [row["detail"] for row in rows(result.session / "events.csv") if "may end" in row["detail"]]
    assert "the images of this session take up to" in warning
    monkeypatch.setattr("recording.folder.free_bytes", lambda path: free)
    assert run(settings_for(tmp_path, **ends)).outcome == "complete"
    # Not even the log's reserve is free.
    monkeypatch.setattr("recording.folder.free_bytes", lambda path: RESERVE_BYTES - 1)
    with pytest.raises(InputError, match="kept for the log: free space"):
        run(settings_for(tmp_path))


@pytest.mark.parametrize("types", ["normal_audio_normal_reward", "continuous_rewards", "no_audio_random_reward"])
def test_no_session_is_longer_than_its_plan_says(tmp_path, parts_of, types):
    made = parts_of()
    settings = settings_for(tmp_path, session_type=types, random_reward_rate="2", reward_threshold="0.9")
    result = run(settings)
    assert result.frames <= made[0].image_bytes(settings) // (64 * 48 * 3)
    assert result.duration_s <= made[0].plan.longest_s + 14 / 15, "each of 14 phases ends on the frame after its time"


def test_a_session_at_full_speed_ends_in_the_summary_when_it_ended(tmp_path):
    """Frames at 15 per second take no time on this clock."""
    result = run(settings_for(tmp_path), replace(OFFLINE), clock=VirtualClock(as_ns(1.0)))
    with (tmp_path / "data" / "expt_1roi_trial_summary.csv").open(newline="") as file:
        [row] = csv.DictReader(file)
    assert row["start"] == row["end"]
    assert float(row["duration"]) == pytest.approx(result.duration_s, abs=1e-6)
    assert result.duration_s > 5
