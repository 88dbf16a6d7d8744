"""A session's first look: saturated and dark ROIs are refused, and a look costs a recording nothing."""

from dataclasses import replace

import numpy as np
import pytest

from camera import factory
from camera.scene import SceneSettings
from camera.settings import CameraKind
from camera.synthetic import SyntheticCamera
from core.clock import VirtualClock
from core.errors import CameraTimeout, ExposureError, OutputError
from core.values import Line, as_ns
from recording.reader import open_session
from session.runner import run_session
from session.stop import StopRequest
from session.watch import SessionWatch
from tests.support.sessions import (
    LIVE,
    OFFLINE,
    Exposed,
    SilentCamera,
    StopAfter,
    Wrapped,
    brighter,
    raising,
    rows,
    run,
    settings_for,
)

ACCEPT = replace(OFFLINE, accept_exposure=True)


def exposed(change):
    return lambda parts: replace(parts, camera=Exposed(parts.camera, change))


def channel_at(channel, counts):
    def change(image):
        image = image.copy()
        image[..., channel] = counts
        return image

    return change


def nothing_but_locks(tmp_path):
    """Whether no session, summary or other file is in data_root."""
    return {path.name for path in (tmp_path / "data").rglob("*")} <= {"DEMO", ".lock"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (brighter(3), ["saturated in green", "saturated in blue"]),
        (brighter(0.01), ["dark in green", "dark in blue"]),
        (channel_at(0, 255), ["saturated in blue"]),
        (channel_at(1, 0), ["dark in green"]),
    ],
    ids=["bright", "dark", "blue too bright", "green off"],
)
def test_a_badly_exposed_roi_is_refused_with_a_line_each_and_nothing_left(tmp_path, parts_of, change, said):
    made = parts_of(exposed(change))
    with pytest.raises(ExposureError) as refused:
        run(settings_for(tmp_path))
    assert refused.value.exit_code == 2
    lines = str(refused.value).splitlines()
    assert len(lines) == len(said)
    for line, words in zip(lines, said, strict=True):
        assert f"ROI M1_L is {words}" in line
    assert nothing_but_locks(tmp_path)
    rig = made[0].rig
    assert (0, Line.LIGHT, True) in rig.lines.log
    assert not any(rig.lines.levels.values())
    assert all(device.closed for device in (rig.speaker, rig.valve, rig.lines, rig.lick_sensor))
    assert rig.speaker.tones == rig.valve.pulses == []


def test_after_a_refusal_the_mouse_is_free(tmp_path, parts_of, monkeypatch):
    parts_of(exposed(brighter(3)))
    with pytest.raises(ExposureError):
        run(settings_for(tmp_path), LIVE)
    parts_of()
    assert run(settings_for(tmp_path), LIVE).outcome == "complete"


def test_the_outputs_are_off_before_the_camera_closes(tmp_path, parts_of):
    order = []

    def watch(parts):
        bright = Exposed(parts.camera, brighter(3))
        return replace(
            parts,
            rig=Wrapped(parts.rig, close=lambda: order.append("outputs") or parts.rig.close()),
            camera=Wrapped(bright, close=lambda: order.append("camera") or parts.camera.close()),
        )

    parts_of(watch)
    with pytest.raises(ExposureError):
        run(settings_for(tmp_path))
    assert order == ["outputs", "camera"]


def test_told_to_it_runs_and_notes_what_is_wrong(tmp_path, parts_of):
    parts_of(exposed(channel_at(0, 3)))
    result = run(settings_for(tmp_path), ACCEPT)
    assert result.outcome == "complete"
    notes = [event for event in rows(result.session / "events.csv") if event["kind"] == "exposure"]
    assert [note["detail"] for note in notes] == ["ROI M1_L is dark in blue: its mean is 3.0 counts, less than 8"]
    assert notes[0]["trial"] == "0"
    with open_session(result.session) as session:
        assert session.events[0].kind == "exposure"
        assert session.events[0].time_ns == session.frames.time_ns[0]


def test_told_to_a_well_exposed_session_notes_nothing(tmp_path):
    one, other = run(settings_for(tmp_path)), run(settings_for(tmp_path), ACCEPT)
    assert (one.session / "events.csv").read_bytes() == (other.session / "events.csv").read_bytes()
    assert "exposure" not in (one.session / "events.csv").read_text()


def test_blue_does_not_matter_where_dff_is_green_alone(tmp_path, parts_of):
    parts_of(exposed(channel_at(0, 255)))
    assert run(settings_for(tmp_path, dff_mode="green")).outcome == "complete"


def test_an_roi_that_is_saturated_in_part_is_refused_and_what_lies_outside_is_not(tmp_path, parts_of):
    settings = settings_for(tmp_path, **{"roi.M1_L": "10,10,8,8"})

    def patch(rows_, columns):
        def change(image):
            image = image.copy()
            image[rows_, columns] = 255
            return image

        return change

    parts_of(exposed(patch(slice(0, 48), slice(18, 64))))
    assert run(settings).outcome == "complete"
    parts_of(exposed(patch(slice(10, 11), slice(10, 12))))
    with pytest.raises(ExposureError, match=r"3\.1 % of its pixels"):
        run(settings)


@pytest.mark.parametrize("live", [False, True], ids=["as fast as it goes", "at its own pace"])
def test_a_replay_loses_no_frame_to_the_look(tmp_path, live):
    first = run(settings_for(tmp_path))
    again = run(
        settings_for(tmp_path, **{"--camera": "replay", "--source": str(first.session)}),
        replace(OFFLINE, live=live),
    )
    assert (again.frames, again.dropped) == (first.frames, 0)
    with open_session(first.session) as a, open_session(again.session) as b:
        for column in ("frame", "signal", "freq_hz", "trial", "outcome", "water"):
            np.testing.assert_array_equal(getattr(a.frames, column), getattr(b.frames, column))
        np.testing.assert_array_equal(a.images()[0], b.images()[0])


def test_the_image_that_was_looked_at_is_the_one_that_is_recorded_though_the_camera_reuses_its_memory(
    tmp_path, parts_of
):
    class Reusing(Exposed):
        memory = None

        def read(self, timeout_s):
            frame = self._camera.read(timeout_s)
            self.memory = frame.image.copy() if self.memory is None else self.memory
            np.copyto(self.memory, frame.image)
            return frame._replace(image=self.memory)

    plain = run(settings_for(tmp_path))
    parts_of(lambda parts: replace(parts, camera=Reusing(parts.camera, None)))
    reused = run(settings_for(tmp_path))
    with open_session(plain.session) as a, open_session(reused.session) as b:
        np.testing.assert_array_equal(a.images(), b.images())


def test_a_stop_or_the_end_during_the_look_is_met_by_the_loop(tmp_path, parts_of):
    stop = StopRequest()

    def stopping(parts):
        return replace(
            parts, camera=Wrapped(parts.camera, start=lambda: stop.request("SIGINT") or parts.camera.start())
        )

    parts_of(stopping)
    result = run(settings_for(tmp_path), stop=stop)
    assert (result.outcome, result.frames) == ("aborted", 1)


def test_a_camera_that_gives_no_frame_at_all_fails_as_ever(tmp_path, parts_of):
    clock = VirtualClock()
    parts_of(lambda parts: replace(parts, camera=SilentCamera(parts.camera, clock, 0)))
    result = run(settings_for(tmp_path, camera_timeout_s="2.5"), clock=clock)
    assert (result.outcome, result.frames) == ("failed", 0)
    assert "no frame for 2.6 s" in result.error


def test_a_stop_is_heard_while_the_first_frame_is_waited_for(tmp_path, parts_of):
    clock, stop = VirtualClock(), StopRequest()
    reads = []

    def read(timeout_s):
        reads.append(timeout_s)
        clock.advance(as_ns(timeout_s))
        if len(reads) == 3:
            stop.request("SIGTERM")
        raise CameraTimeout("none")

    parts_of(lambda parts: replace(parts, camera=Wrapped(parts.camera, read=read)))
    result = run(settings_for(tmp_path, camera_timeout_s="600"), clock=clock, stop=stop)
    assert (result.outcome, result.frames) == ("aborted", 0)
    assert len(reads) <= 4


def test_an_output_that_does_not_close_makes_a_refusal_a_failed_session(tmp_path, parts_of):
    """Somebody must go and look at that valve: the folder stays, and tells both."""

    def stuck(parts):
        rig = Wrapped(parts.rig, close=lambda: [OutputError("valve: it hangs"), *parts.rig.close()])
        return replace(parts, rig=rig, camera=Exposed(parts.camera, brighter(3)))

    parts_of(stuck)
    result = run(settings_for(tmp_path))
    assert (result.outcome, result.exit_code) == ("failed", 3)
    assert result.error.startswith("valve: it hangs; ROI M1_L is saturated in green")


def test_an_image_of_another_kind_is_for_the_recorder_to_refuse(tmp_path, parts_of):
    parts_of(exposed(lambda image: image[:, :-1]))
    result = run(settings_for(tmp_path))
    assert result.outcome == "failed"
    assert "the camera must deliver what it declared" in result.error


def test_a_failing_light_is_a_failed_session_as_ever(tmp_path, parts_of):
    def dark(parts):
        return replace(parts, rig=Wrapped(parts.rig, start=raising(OutputError("light: no power"))))

    parts_of(dark)
    result = run(settings_for(tmp_path))
    assert (result.outcome, result.error) == ("failed", "light: no power")


class Warming(SyntheticCamera):
    """A real camera whose light takes 0.3 s to come on; at 20 frames/s these are six frames."""

    def read(self, timeout_s):
        frame = super().read(timeout_s)
        return frame._replace(image=frame.image // 50) if frame.time_ns < 300_000_000 else frame


@pytest.fixture
def usb(tmp_path, monkeypatch):
    """Settings of a session with a real camera, which this version has none of: a class takes its place."""

    def settings(camera=Warming, **overrides):
        monkeypatch.setitem(
            factory.LOADERS, CameraKind.usb, lambda request: camera(request.scene or SceneSettings(), 48, 64, 20.0, 3)
        )
        return settings_for(tmp_path, **{"--camera": "usb", "framerate": "20", "shutter_speed": "40000", **overrides})

    return settings


def test_of_a_real_camera_the_first_half_second_is_looked_at_only(usb):
    result = run(usb(), LIVE)
    assert result.outcome == "complete"
    with open_session(result.session) as session:
        # Frame 11 came at 0.5 s and was judged; six dark ones before it are not in the baseline.
        assert session.frames.frame[0] == 12
        assert session.frames.dropped.sum() == result.dropped == 0
        assert session.images()[0][..., 1].mean() > 50


def test_of_a_real_camera_the_last_frame_looked_at_is_judged(usb):
    class Fading(SyntheticCamera):
        def read(self, timeout_s):
            frame = super().read(timeout_s)
            return frame._replace(image=frame.image // 50) if frame.time_ns >= 450_000_000 else frame

    with pytest.raises(ExposureError, match="dark in green"):
        run(usb(Fading), LIVE)


def test_a_real_camera_that_falls_silent_while_it_settles_fails_the_session(usb):
    clock = VirtualClock()
    result = run(
        usb(lambda *args: SilentCamera(Warming(*args), clock, 4), camera_timeout_s="1"),
        LIVE,
        clock=clock,
    )
    assert (result.outcome, result.frames) == ("failed", 0)
    assert "camera usb: no frame for" in result.error


def test_the_screen_is_told_of_a_session_only_when_it_begins(tmp_path, parts_of):
    class Told(SessionWatch):
        def __init__(self):
            self.words = []

        def started(self, *args):
            self.words.append("started")

        def closing(self):
            self.words.append("closing")

        def ended(self):
            self.words.append("ended")

    told = Told()
    parts_of(exposed(brighter(3)))
    with pytest.raises(ExposureError):
        run_session(settings_for(tmp_path), OFFLINE, VirtualClock(), StopAfter(10_000), told)
    assert told.words == ["closing", "ended"]
