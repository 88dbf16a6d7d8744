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
from core.errors import CameraError, CameraTimeout, DeviceLost, InputError
from core.ports import EndOfSource
from core.values import Report, as_ns
from recording.reader import open_session
from recording.schema import SECOND_FOLDER
from session import disk_room
from session.build import default_live
from session.second_folder import RECORDED_ONLY
from session.settings import load_settings
from tests.support.flaky import Flaky, kinds
from tests.support.sessions import OFFLINE, SilentCamera, StopAfter, Wrapped, raising, rows, run

CONFIG = """\
[clnf_first]
roi = M1_L
roi.M1_L = 20,20,8,8
resolution = 64, 48
framerate = 15
dff_history = 1
session_type = behavior_recording
spont_sess_duration = {minutes!r}
final_rest_dur = 0.5
recorder_buffer_s = 60
second_camera = clmf_second
{first}
[clmf_second]
resolution = 128, 96
pose_backend = markers
markers = fl_l green
framerate = {rate}
{second}
[mouse:M1]
experiment = clnf_first
[seeds]
M1 = 0.6, 1.8
"""
LIVE = replace(OFFLINE, live=True)
REST_S = 4.0


def settings_for(tmp_path, first="", second="", rest_s=REST_S, rate=25, **overrides):
    path = tmp_path / "config.ini"
    path.write_text(CONFIG.format(minutes=rest_s / 60, first=first, second=second, rate=rate))
    return load_settings(path, "M1", overrides={"--data-root": str(tmp_path / "data"), **overrides})


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Run a session of both cameras, once for the tests that only look at it."""
    return run(settings_for(tmp_path_factory.mktemp("both")))


def frames_of(result):
    with open_session(result.session / SECOND_FOLDER) as session:
        return session.frames


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


def test_of_a_recording_that_ends_the_session_keeps_what_there_was(tmp_path, parts_of):
    class Ending(Wrapped):
        left = 30

        def read(self, timeout_s):
            self.left -= 1
            if self.left < 0:
                raise EndOfSource("all frames have been delivered")
            return self._inner.read(timeout_s)

    parts_of(lambda parts: replace(parts, second=Ending(parts.second)))
    result = run(settings_for(tmp_path))
    assert result.outcome == "complete"
    assert (result.second_camera.frames, result.second_camera.images) == (30, 30)
    assert result.second_camera.ended == "its recording ended"
    assert kinds(result, "source_ended") == [("source_ended", SECOND_FOLDER)]
    assert any("not to the end: its recording ended" in line for line in result.text())


class Lossy(Flaky):
    """A camera whose losses are reported by cause."""

    def reports(self):
        self.told = getattr(self, "told", 0) + 1
        return (Report(self._clock.now_ns(), "drop", "3 transport"),) if self.told == 5 else ()


def lose_second(parts_of, clock, frames, tries, error="the cable is out", camera=Flaky):
    made = []

    def change(parts):
        made.append(camera(parts.second, clock, frames, tries, error))
        return replace(parts, second=made[-1])

    parts_of(change)
    return made


def test_a_lost_second_camera_comes_back_while_the_session_goes_on(tmp_path, parts_of):
    clock = VirtualClock(as_ns(50))
    lose_second(parts_of, clock, 30, 4, camera=Lossy)
    result = run(settings_for(tmp_path), LIVE, clock=clock)
    assert (result.outcome, result.interruptions) == ("complete", 0)
    assert result.images == result.frames
    assert (result.second_camera.interruptions, result.second_camera.ended) == (1, "")
    assert [detail for _, detail in kinds(result, "lost")] == ["camera2: the cable is out"]
    [(_, back)] = kinds(result, "back")
    assert back.startswith("camera2 after 0.")
    assert kinds(result, "drop") == [("drop", "camera2: 3 transport")]
    gaps = np.diff(frames_of(result).time_ns)
    assert (gaps > as_ns(0.3)).sum() == 1


def test_a_silent_second_camera_is_opened_again(tmp_path, parts_of):
    clock = VirtualClock(as_ns(50))
    lose_second(parts_of, clock, 30, 1, error=None)
    result = run(settings_for(tmp_path, "", "camera_timeout_s = 1"), LIVE, clock=clock)
    assert result.outcome == "complete"
    assert result.second_camera.interruptions == 1
    [(_, lost)] = kinds(result, "lost")
    assert "no frame for 1." in lost


def test_what_does_not_come_back_is_given_up_after_reconnect_s(tmp_path, parts_of):
    clock = VirtualClock(as_ns(50))
    lose_second(parts_of, clock, 30, 10**6)
    result = run(settings_for(tmp_path, reconnect_s="1"), LIVE, clock=clock)
    assert result.outcome == "complete"
    assert result.second_camera.ended == (
        "the cable is out; it did not come back within 1 s, reconnect_s (still unplugged)"
    )
    assert [detail for _, detail in kinds(result, "lost")] == [
        "camera2: the cable is out",
        "camera2: it did not come back within 1 s, reconnect_s (still unplugged); the session goes on without it",
    ]
    assert 0 < result.second_camera.frames == len(frames_of(result)) < 30


@pytest.mark.parametrize("frames", [1, 30])
def test_where_config_says_so_a_lost_second_camera_ends_the_session(tmp_path, parts_of, frames):
    clock = VirtualClock(as_ns(50))
    made = lose_second(parts_of, clock, frames, 1)
    result = run(settings_for(tmp_path, lost_camera="0"), LIVE, clock=clock)
    assert (result.outcome, result.error) == ("failed", "camera2: the cable is out")
    assert made[0].tries == 1
    assert result.images == result.frames


def test_one_that_does_not_start_is_lost(tmp_path, parts_of):
    def change(parts):
        return replace(parts, second=Wrapped(parts.second, start=raising(CameraError("it is broken"))))

    parts_of(change)
    result = run(settings_for(tmp_path))
    assert result.outcome == "complete"
    assert (result.second_camera.frames, result.second_camera.ended) == (0, "it is broken")


def test_a_frame_that_comes_again_is_told_and_not_recorded(tmp_path, parts_of):
    class Twice(Wrapped):
        frame = None

        def read(self, timeout_s):
            if self.frame is not None and self.frame.number == 10 and not self.__dict__.get("done"):
                self.done = True
                return self.frame
            self.frame = self._inner.read(timeout_s)
            return self.frame

    parts_of(lambda parts: replace(parts, second=Twice(parts.second)))
    result = run(settings_for(tmp_path))
    assert [detail.split(" at ")[0] for _, detail in kinds(result, "repeat")] == ["camera2: frame 10"]
    assert result.second_camera.frames == len(set(frames_of(result).frame))


def test_losses_of_a_source_that_tells_nothing_are_events(tmp_path, parts_of):
    class Dropping(Wrapped):
        lost = 0

        def read(self, timeout_s):
            frame = self._inner.read(timeout_s)
            if frame.number >= 10:
                self.lost, lost = 2, 2 - self.lost
                return frame._replace(number=frame.number + 2, dropped=lost)
            return frame

    parts_of(lambda parts: replace(parts, second=Dropping(parts.second)))
    result = run(settings_for(tmp_path))
    assert kinds(result, "drop") == [("drop", "camera2: 2")]
    assert (result.second_camera.dropped, result.dropped) == (2, 0)


def test_it_is_recorded_while_the_first_is_lost(tmp_path, parts_of):
    clock = VirtualClock(as_ns(50))
    parts_of(lambda parts: replace(parts, camera=Flaky(parts.camera, clock, 20, 6, "the cable is out")))
    result = run(settings_for(tmp_path), LIVE, clock=clock)
    assert (result.outcome, result.interruptions) == ("complete", 1)
    assert [detail for _, detail in kinds(result, "lost")] == ["camera: the cable is out"]
    times = frames_of(result).time_ns
    # Eight frames can wait, and 0.2 s pass between two looks.
    assert np.diff(times).max() <= as_ns(1.5 / 25)
    assert result.second_camera.dropped == 0


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


def test_a_camera_that_does_not_close_costs_nothing_recorded(tmp_path, parts_of):
    parts_of(lambda parts: replace(parts, second=Wrapped(parts.second, close=raising(CameraError("it hangs")))))
    result = run(settings_for(tmp_path))
    assert (result.outcome, result.error) == ("failed", "it hangs")
    assert result.second_camera.images == result.second_camera.frames
    assert result.images == result.frames


def test_a_second_recording_that_fails_ends_the_session_and_keeps_the_first(tmp_path, parts_of):
    class Odd(Wrapped):
        def read(self, timeout_s):
            frame = self._inner.read(timeout_s)
            return frame if frame.number < 20 else frame._replace(image=frame.image[:-1])

    parts_of(lambda parts: replace(parts, second=Odd(parts.second)))
    result = run(settings_for(tmp_path))
    assert result.outcome == "failed"
    assert "the camera must deliver what it declared" in result.error
    assert result.images == result.frames > 0
    assert result.second_camera.images == 19


def test_without_images_there_are_rows(tmp_path):
    result = run(settings_for(tmp_path, record_images="0"))
    assert (result.second_camera.images, result.second_camera.file) == (0, "")
    assert result.second_camera.frames == len(frames_of(result)) > 0
    assert set(frames_of(result).image) == {-1}


def test_the_first_silent_for_good_ends_as_ever(tmp_path, parts_of):
    clock = VirtualClock(as_ns(50))
    parts_of(lambda parts: replace(parts, camera=SilentCamera(parts.camera, clock, 20)))
    result = run(settings_for(tmp_path), LIVE, clock=clock)
    assert result.outcome == "failed"
    assert "no frame for 5" in result.error
    assert result.second_camera.frames > 5 * 25


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


def test_lost_outputs_do_not_stop_it(tmp_path, parts_of):
    """A turn that is cut off leaves the frames waiting; the next takes them."""

    def change(parts):
        looks = iter(range(10**6))

        def check_lost():
            if next(looks) == 25:
                raise DeviceLost({"nothing": "it is gone"})

        return replace(parts, rig=Wrapped(parts.rig, check_lost=check_lost))

    parts_of(change)
    result = run(settings_for(tmp_path))
    assert result.outcome == "failed"
    assert result.second_camera.frames == int((result.frames - 1) / 15 * 25) + 1


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
