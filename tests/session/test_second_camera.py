"""Whole sessions with a second camera beside the first, on a virtual clock."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from camera.find_source import open_source
from camera.scene import SceneSettings
from camera.synthetic import Scene
from core.clock import VirtualClock
from core.errors import CameraTimeout, InputError
from core.values import as_ns
from recording.reader import open_session
from recording.schema import SECOND_FOLDER
from session import disk_room
from session.build import default_live
from session.second_folder import RECORDED_ONLY
from session.settings import load_settings
from tests.session.two_cameras import CONFIG, REST_S, frames_of, settings_for
from tests.support.sessions import LIVE, OFFLINE, StopAfter, Wrapped, rows, run


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Run a session of both cameras, once for the tests that only look at it."""
    return run(settings_for(tmp_path_factory.mktemp("both")))


def test_both_are_recorded_and_the_session_tells_of_both(both):
    result = both
    assert result.outcome == "complete"
    second = result.second_camera
    duration_s = result.duration_s
    assert second.frames == second.images == int(duration_s * 25) + 1
    assert (second.dropped, second.images_dropped, second.ended, second.interruptions) == (0, 0, "", 0)
    assert second.file == f"{SECOND_FOLDER}/behavior_video.mkv"
    meta = json.loads((result.session / "session.json").read_text())
    assert meta["counts"]["second_camera"] == second.json() == result.json()["second_camera"]
    assert meta["settings"]["second_camera.framerate"] == 25
    assert (
        f"camera2     {second.frames} frames, lost 0; images recorded {second.frames}, not recorded 0" in result.text()
    )


def test_its_folder_reads_as_a_session(both):
    result = both
    with open_session(result.session / SECOND_FOLDER) as session:
        frames = session.frames
        assert session.part_names == ()
        assert session.images().shape == (len(frames), 96, 128, 3)
        assert (session.meta["experiment"], session.meta["kind"]) == ("clmf_second", "clmf")
        assert (session.meta["outcome"], session.meta["mouse"]) == ("complete", "M1")
        assert session.meta["counts"]["frames"] == len(frames)
        assert session.meta["first_frame_ns"] == frames.time_ns[0] == 0
    assert list(frames.frame) == list(range(1, len(frames) + 1))
    assert list(frames.image) == list(range(len(frames)))
    assert not frames.valid.any()
    assert np.isnan(frames.signal).all()
    assert set(frames.reason) == {RECORDED_ONLY}
    assert np.allclose(np.diff(frames.time_ns), 1e9 / 25, atol=1)
    assert len(rows(result.session / SECOND_FOLDER / "timing.csv")) == len(frames)


def test_of_a_brain_every_pixel_is_kept(tmp_path):
    path = tmp_path / "config.ini"
    text = CONFIG.format(minutes=REST_S / 60, first="", second="", rate=25).replace("clmf_second", "clnf_second")
    path.write_text(text.replace("pose_backend = markers\nmarkers = fl_l green\n", ""))
    result = run(load_settings(path, "M1", overrides={"--data-root": str(tmp_path / "data")}))
    assert result.second_camera.file == f"{SECOND_FOLDER}/image_stream.hdf5"
    scene = Scene(SceneSettings(), 96, 128, 25.0, OFFLINE.seed + 1)
    with open_session(result.session / SECOND_FOLDER) as session:
        images = session.images()
        assert len(images) == len(session.frames) == result.second_camera.images
        for index in (0, 50):
            assert (images[index] == scene.render(index)).all()


def test_the_session_itself_is_the_same_with_and_without_it(tmp_path, both):
    without = run(settings_for(tmp_path, second_camera=""))
    assert without.second_camera is None
    assert without.json()["second_camera"] is None
    assert not (without.session / SECOND_FOLDER).exists()
    for name in ("frames.csv", "events.csv"):
        assert (both.session / name).read_bytes() == (without.session / name).read_bytes()


def test_a_replay_of_both_gives_both_again(tmp_path, both):
    once = both
    first = f"vid_source = replay\nvid_root = {once.session}"
    second = f"vid_source = replay\nvid_root = {once.session / SECOND_FOLDER}"
    again = run(settings_for(tmp_path, first, second))
    assert (again.session / "frames.csv").read_bytes() == (once.session / "frames.csv").read_bytes()
    assert (again.session / SECOND_FOLDER / "frames.csv").read_bytes() == (
        once.session / SECOND_FOLDER / "frames.csv"
    ).read_bytes()
    source = open_source(again.session / SECOND_FOLDER, 25)
    try:
        assert len(source.stamps) == once.second_camera.frames
    finally:
        source.close()


def test_its_own_copy_of_the_config_gives_both_again(tmp_path, both):
    once = both
    settings = load_settings(once.session / "session.ini", "M1", overrides={"--data-root": str(tmp_path / "again")})
    again = run(settings)
    for name in ("frames.csv", f"{SECOND_FOLDER}/frames.csv"):
        assert (again.session / name).read_bytes() == (once.session / name).read_bytes()


@pytest.mark.parametrize(("options", "clock_s"), [(OFFLINE, 1), (LIVE, 1000)])
def test_its_frames_are_those_of_the_session(tmp_path, options, clock_s):
    result = run(settings_for(tmp_path), options, clock=VirtualClock(as_ns(clock_s)))
    with open_session(result.session) as session:
        first = session.frames.time_ns
    second = frames_of(result).time_ns
    assert 0 <= second[0] - first[0] <= as_ns(1 / 25)
    assert abs(second[-1] - first[-1]) <= as_ns(1 / 15)
    assert result.second_camera.dropped == 0
    assert result.images == result.frames


@pytest.mark.parametrize("options", [OFFLINE, LIVE])
@pytest.mark.parametrize(("first", "second"), [(2, 60), (60, 2)])
def test_each_has_a_rate_of_its_own(tmp_path, options, first, second):
    result = run(settings_for(tmp_path, rate=second, framerate=str(first)), options, clock=VirtualClock(as_ns(9)))
    assert result.outcome == "complete"
    span_s = result.duration_s
    # At its own pace a made-up camera keeps 8 frames for who comes late, and 30 come between two turns of the first.
    least = 8 * (result.frames - 1) if options.live and second > first else int(span_s * second)
    assert least <= result.second_camera.frames <= span_s * second + 2
    kept = frames_of(result)
    assert kept.dropped.sum() + len(kept) == kept.frame[-1] - kept.frame[0] + 1


def test_a_fast_camera_does_not_hold_the_loop(tmp_path, parts_of):
    class Endless(Wrapped):
        """One that always has another frame, and never the time of the session."""

        count = 0

        def read(self, timeout_s):
            self.count += 1
            return self._inner.read(1.0)

    clock = VirtualClock(as_ns(50))
    made = []

    def change(parts):
        made.append(Endless(parts.second))
        return replace(parts, second=made[-1])

    parts_of(change)
    result = run(settings_for(tmp_path, rest_s=1.0), LIVE, clock=clock)
    assert result.outcome == "complete"
    # camera_buffer + 1 in each turn, and once more at the end.
    assert made[0].count <= 9 * (result.frames + 1) + result.frames


def test_outputs_then_cameras_then_recorders(tmp_path, parts_of):
    order = []

    def change(parts):
        def closing(name, part):
            return Wrapped(part, close=lambda: order.append(name) or part.close())

        return replace(
            parts,
            camera=closing("camera", parts.camera),
            second=closing("camera2", parts.second),
            rig=Wrapped(parts.rig, close=lambda: order.append("rig") or parts.rig.close()),
        )

    parts_of(change)
    result = run(settings_for(tmp_path), stop=StopAfter(20))
    assert order == ["rig", "camera", "camera2"]
    assert result.outcome == "aborted"
    with open_session(result.session / SECOND_FOLDER) as session:
        assert session.meta["outcome"] == "aborted"
        assert len(session.frames) == result.second_camera.frames > 20


def test_without_images_there_are_rows(tmp_path):
    result = run(settings_for(tmp_path, record_images="0"))
    assert (result.second_camera.images, result.second_camera.file) == (0, "")
    assert result.second_camera.frames == len(frames_of(result)) > 0
    assert set(frames_of(result).image) == {-1}


def test_a_real_camera_beside_a_made_up_one_keeps_the_hosts_time(tmp_path):
    settings = settings_for(tmp_path, "", "vid_source = usb\nshutter_speed = 0")
    assert default_live(settings, OFFLINE.outputs)
    assert not default_live(settings_for(tmp_path), OFFLINE.outputs)
    with pytest.raises(InputError, match=r"the second camera \(clmf_second, usb\) keeps the host's time; use --pace"):
        run(settings)
    assert not (tmp_path / "data").exists()


def test_room_on_the_disk_is_asked_for_both(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(disk_room, "check_space", lambda root, reserve, need: asked.append(need) or "")
    run(settings_for(tmp_path))
    run(settings_for(tmp_path, second_camera=""))
    both, alone = asked
    # 4.5 s with the final rest, and two frames to spare.
    assert both - alone == (113 + 2) * math.ceil(0.1 * 128 * 96 * 3)


def test_reading_raises_nothing_where_nothing_waits(tmp_path, parts_of):
    quiet = []

    def change(parts):
        def read(timeout_s):
            quiet.append(timeout_s)
            raise CameraTimeout("none")

        return replace(parts, second=Wrapped(parts.second, read=read))

    parts_of(change)
    result = run(settings_for(tmp_path))
    assert result.outcome == "complete"
    assert set(quiet) == {0.0}
    assert result.second_camera.frames == 0
