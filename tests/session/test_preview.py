"""A whole preview on a virtual clock: pictures by frame time, the rig as in a session, and nothing left behind."""

from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest

from core.clock import VirtualClock
from core.errors import BusyError, CameraError, CameraTimeout, MissingError, OutputError
from core.values import Level, Line
from recording.reader import open_session
from session import prepare
from session.build import build
from session.locks import rig_locks
from session.preview import PreviewView, run_preview
from session.stop import StopRequest
from tests.support.sessions import LIVE, OFFLINE, Exposed, SilentCamera, Wrapped, brighter, raising, run, settings_for


class Seen(PreviewView):
    """Remembers what it was shown; may do something at each."""

    def __init__(self, at_each=lambda seen: None):
        self.names, self.shape, self.sights, self._at_each = (), (), [], at_each

    def opened(self, names, frame_shape):
        self.names, self.shape = names, frame_shape

    def show(self, sight):
        self.sights.append(sight)
        self._at_each(self)


def look(settings, options=OFFLINE, clock=None, stop=None, view=None, seconds=None):
    view = view or Seen()
    stop = StopRequest() if stop is None else stop
    return run_preview(settings, options, clock or VirtualClock(), stop, view, seconds), view


@pytest.fixture
def parts(monkeypatch):
    """Let a test look at, or change, the parts that the next preview is made of."""
    made = []

    def change(how=lambda parts: parts):
        monkeypatch.setattr(prepare, "build", lambda *args: made.append(how(build(*args))) or made[-1])
        return made

    return change


@pytest.mark.parametrize("options", [OFFLINE, LIVE], ids=["as fast as it goes", "at its own pace"])
@pytest.mark.parametrize("seconds", [0.5, 1, 5, 5.5])
def test_there_is_a_picture_for_every_second_that_has_begun(tmp_path, options, seconds):
    result, view = look(settings_for(tmp_path), options, seconds=seconds)
    assert result.end == "seconds"
    assert result.pictures == len(view.sights) == np.ceil(seconds)
    assert result.frames == np.ceil(seconds * 15)
    times = [sight.time_s for sight in view.sights]
    assert times == pytest.approx(list(range(len(times))), abs=1 / 15)
    assert [sight.fps for sight in view.sights[1:]] == pytest.approx([15] * (len(times) - 1), rel=0.01)
    assert not (tmp_path / "data").exists()


def test_what_is_seen_is_what_a_session_would_make_of_it(tmp_path):
    session = run(settings_for(tmp_path)).session
    _, view = look(settings_for(tmp_path), seconds=4)
    assert view.names == ("M1_L",)
    assert view.shape == (48, 64, 3)
    with open_session(session) as recorded:
        for sight in view.sights:
            row = int(np.flatnonzero(recorded.frames.frame == sight.frame.number)[0])
            assert sight.frame.time_ns == recorded.frames.time_ns[row]
            assert sight.signal.valid == recorded.frames.valid[row]
            np.testing.assert_equal(sight.signal.value, recorded.frames.signal[row])
    assert [found.channel.name for found in view.sights[0].exposures] == ["green", "blue"]
    assert np.isnan(view.sights[0].dff).all()
    assert np.isfinite(view.sights[1].dff).all()


def test_a_preview_ends_with_its_recording(tmp_path):
    first = run(settings_for(tmp_path))
    before = sorted((tmp_path / "data").rglob("*"))
    result, view = look(settings_for(tmp_path, **{"--camera": "replay", "--source": str(first.session)}))
    assert (result.end, result.frames) == ("source_ended", first.frames)
    assert len(view.sights) == np.ceil(result.time_s)
    assert sorted((tmp_path / "data").rglob("*")) == before


def test_a_stop_ends_it_at_once(tmp_path):
    stop = StopRequest()
    result, _ = look(settings_for(tmp_path), stop=stop, view=Seen(lambda seen: stop.request("SIGINT")))
    assert (result.end, result.pictures, result.frames) == ("stopped", 1, 1)


def test_a_stop_is_heard_before_the_first_frame(tmp_path):
    stop = StopRequest()
    stop.request("SIGTERM")
    result, _ = look(settings_for(tmp_path), stop=stop)
    assert (result.end, result.pictures, result.frames, result.time_s) == ("stopped", 0, 0, 0.0)


def test_the_light_alone_is_on_and_all_is_closed_outputs_first(tmp_path, parts):
    order, lit = [], []

    def watch(made):
        return replace(
            made,
            rig=Wrapped(made.rig, close=lambda: order.append("outputs") or made.rig.close()),
            camera=Wrapped(made.camera, close=lambda: order.append("camera") or made.camera.close()),
        )

    made = parts(watch)
    look(settings_for(tmp_path), view=Seen(lambda seen: lit.append(dict(made[0].rig.lines.levels))), seconds=3)
    assert order == ["outputs", "camera"]
    assert [{line for line, high in levels.items() if high} for levels in lit] == [{Line.LIGHT}] * 3
    rig = made[0].rig
    assert not any(rig.lines.levels.values())
    assert all(device.closed for device in (rig.speaker, rig.valve, rig.lines, rig.lick_sensor))
    assert rig.speaker.tones == rig.valve.pulses == []


@pytest.mark.parametrize("error", [CameraError("driver gone"), ZeroDivisionError("bug")])
def test_whatever_fails_outputs_are_off(tmp_path, parts, error):
    made = parts(lambda made: replace(made, camera=Wrapped(made.camera, read=raising(error))))
    with pytest.raises(type(error)):
        look(settings_for(tmp_path))
    assert not any(made[0].rig.lines.levels.values())
    assert made[0].rig.valve.closed


def test_a_picture_that_cannot_be_drawn_ends_it_with_outputs_off(tmp_path, parts):
    made = parts()
    with pytest.raises(OSError, match="disk"):
        look(settings_for(tmp_path), view=Seen(raising(OSError("disk"))))
    assert made[0].rig.lines.closed


def test_an_output_that_does_not_close_is_told(tmp_path, parts):
    parts(lambda made: replace(made, rig=Wrapped(made.rig, close=lambda: [OutputError("light: it hangs")])))
    with pytest.raises(OutputError, match="it hangs"):
        look(settings_for(tmp_path), seconds=1)


def test_a_silent_camera_ends_it_after_its_time(tmp_path, parts):
    clock = VirtualClock()
    made = parts(lambda made: replace(made, camera=SilentCamera(made.camera, clock, 20)))
    with pytest.raises(CameraTimeout, match=r"no frame for 2\.6 s \(camera_timeout_s is 2\.5\)") as silent:
        look(settings_for(tmp_path, camera_timeout_s="2.5"), clock=clock)
    assert silent.value.exit_code == 3
    assert made[0].rig.lines.closed


def test_a_camera_that_repeats_itself_is_silent(tmp_path, parts):
    clock = VirtualClock()

    class Frozen(Exposed):
        last = None

        def read(self, timeout_s):
            clock.advance(50_000_000)
            self.last = self.last or self._camera.read(timeout_s)
            return self.last

    parts(lambda made: replace(made, camera=Frozen(made.camera, None)))
    with pytest.raises(CameraTimeout):
        look(settings_for(tmp_path), clock=clock)


def test_an_image_that_the_camera_did_not_declare_is_an_error(tmp_path, parts):
    parts(lambda made: replace(made, camera=Exposed(made.camera, lambda image: image[:, :-1])))
    with pytest.raises(CameraError, match="declared"):
        look(settings_for(tmp_path))


def test_a_second_without_a_frame_has_no_picture(tmp_path, parts):
    class Gap(Exposed):
        def read(self, timeout_s):
            frame = self._camera.read(timeout_s)
            late = 2_300_000_000 if frame.number > 20 else 0
            return frame._replace(time_ns=frame.time_ns + late, dropped=34 if frame.number == 21 else 0)

    parts(lambda made: replace(made, camera=Gap(made.camera, None)))
    _, view = look(settings_for(tmp_path), seconds=6)
    assert [round(sight.time_s, 1) for sight in view.sights] == [0.0, 1.0, 3.6, 4.0, 5.0]
    assert view.sights[-1].lost == 34


@pytest.mark.parametrize("gain", [0.01, 3], ids=["dark", "bright"])
def test_it_shows_what_a_session_would_refuse(tmp_path, parts, gain):
    parts(lambda made: replace(made, camera=Exposed(made.camera, brighter(gain))))
    _, view = look(settings_for(tmp_path), seconds=2)
    assert {found.verdict.value for found in view.sights[-1].exposures} == {"dark" if gain < 1 else "saturated"}


def test_a_preview_takes_the_rig_as_a_session_does(tmp_path, parts):
    made = parts()
    with ExitStack() as held:
        for lock in rig_locks("rig1", "OTHER"):
            held.enter_context(lock)
        with pytest.raises(BusyError, match="rig rig1 is in a session or preview"):
            look(settings_for(tmp_path), LIVE, seconds=1)
        assert made == [], "no device is opened"
        assert look(settings_for(tmp_path), seconds=1)[0].pictures == 1, "one without a rig does not need it"
    held_by_preview = []

    def session_is_refused(seen):
        with pytest.raises(BusyError):
            run(settings_for(tmp_path), LIVE)
        held_by_preview.append(True)

    look(settings_for(tmp_path), LIVE, view=Seen(session_is_refused), seconds=1)
    assert held_by_preview == [True]
    assert run(settings_for(tmp_path), LIVE).outcome == "complete"


def test_a_light_that_fails_closes_the_camera(tmp_path, parts):
    closed = []

    def change(made):
        def apply(command, time_ns):
            assert command == Level(Line.LIGHT, True)
            raise OutputError("light: no power")

        camera = Wrapped(made.camera, close=lambda: closed.append(True))
        return replace(made, rig=Wrapped(made.rig, apply=apply), camera=camera)

    parts(change)
    with pytest.raises(OutputError, match="no power"):
        look(settings_for(tmp_path))
    assert closed == [True]


def test_what_no_session_can_have_no_preview_has(tmp_path):
    with pytest.raises(MissingError, match="picamera2"):
        look(settings_for(tmp_path, **{"--camera": "pi"}))
