"""The routes that placing ROIs needs: what each tells, what it refuses and how, and that none changes anything."""

import asyncio
import os

import cv2
import h5py
import numpy as np
import pytest
from starlette.testclient import TestClient

from bench.cortex_views import FIRST_DAY, Cortex, Day
from dashboard import place_routes
from dashboard.access import Role
from dashboard.app import make_app
from dashboard.feed import Feed
from dashboard.hub import Hub
from dashboard.live_reader import News
from dashboard.place_routes import PlaceRoutes
from dashboard.server import Address, access_for
from recording.schema import IMAGES
from session.live_wire import row_dtype
from tests.support.recorded_folders import put_session

SIDE = 96
CONFIG = """
[clnf_1roi]
roi = M1_L
[clmf_speed]
pose_backend = markers
[mouse:M1]
experiment = clnf_1roi
[mouse:NEW]
experiment = clnf_1roi
[mouse:LOST]
"""
HERE = "127.0.0.1:8017"


class Live:
    """A session that runs, as far as its exposure and its field of view are looked at."""

    def __init__(self, name, image, mouse="M1", kind="clnf", images=()):
        self.name, self._image, self._later = name, image, list(images)
        settings = {
            "vid_source": "pi", "shutter_speed": 20_000, "iso": 200, "framerate": 15, "ppmm": 9.6,
            "dff_mode": "green_minus_blue",
        }  # fmt: skip
        self.close = list
        self.about = {"mouse": mouse, "kind": kind, "rois": {"M1_L": "30,30,9,9"}, "settings": settings}

    @property
    def newest(self):
        if self._later:
            self._image = self._later.pop(0)
        return self._image


def colour(grey):
    image = np.full((*grey.shape, 3), 90, np.uint8)
    image[..., 1] = np.clip(np.round(grey), 0, 255)
    return image


@pytest.fixture(scope="module")
def cortex():
    return Cortex(4, SIDE)


@pytest.fixture
def place(tmp_path, monkeypatch, cortex):
    """Give a page over a data root with one session, and what runs."""
    monkeypatch.setattr("dashboard.hub.find_live", list)
    monkeypatch.setattr(place_routes, "LOOK_S", 0.001)
    config = tmp_path / "config.ini"
    config.write_text(CONFIG)
    folder = put_session(tmp_path / "data", "M1", "20261120093015", settings={"ppmm": 9.6, "roi.M1_L": "30,30,9,9"})
    rng = np.random.default_rng(1)
    with h5py.File(folder / "image_stream.hdf5", "w") as file:
        file[IMAGES] = colour(cortex.snap((0.0, 0.0), 0.0, FIRST_DAY, rng))[None].repeat(3, axis=0)
    hub = Hub()
    moved = colour(cortex.snap((7.0, -4.0), 2.0, Day(images=1), rng))
    lives = [
        Live("preview-1", moved),
        Live("session-2", colour(cortex.snap((0.1, 0.1), 0.0, Day(images=1), rng))),
        Live("preview-3", moved, mouse="NEW"),
        Live("preview-4", None),
        Live("preview-5", moved[:, :-8]),
        Live("preview-6", moved[:20, :20]),
        Live("preview-7", moved, kind="clmf"),
    ]
    hub._feeds.update({live.name: live for live in lives})

    def page(data_root=str(tmp_path / "data"), tokens=None):
        routes = PlaceRoutes(hub, config, data_root).routes()
        access = access_for(Address("127.0.0.1", 8017), 8017, tokens or {})
        return TestClient(make_app(hub, access, lambda: 0, {}, routes), base_url=f"http://{HERE}")

    return page, hub, config


@pytest.fixture
def client(place):
    page, _, _ = place
    with page() as client:
        yield client


def test_the_first_day(client):
    assert client.get("/api/mice/m1/first").json() == {
        "session": "M1/20261120093015/S1", "date": "2026-11-20", "kind": "clnf", "image": [SIDE, SIDE], "images": 3,
        "ppmm": 9.6, "bregma": None, "rois": {"M1_L": "30,30,9,9"},
    }  # fmt: skip
    answer = client.get("/api/mice/M1/first.png")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "no-store"
    picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture.shape == (SIDE, SIDE)


def test_how_the_picture_lies(client):
    told = client.get("/api/mice/M1/view?live=preview-1").json()
    assert told["known"]
    assert not told["same"]
    assert told["shift_px"] == pytest.approx([7, -4], abs=0.5)
    assert told["shift_mm"] == pytest.approx([7 / 9.6, -4 / 9.6], abs=0.06)
    assert told["rotation_deg"] == pytest.approx(2, abs=0.2)
    assert told["text"].startswith("move the mouse or the camera so that the picture goes ")
    assert (told["session"], told["date"]) == ("M1/20261120093015/S1", "2026-11-20")
    same = client.get("/api/mice/m1/view?live=session-2").json()
    assert same["same"]
    assert "the same field of view" in same["text"]


def test_what_is_compared_is_the_mean_of_several_images(place, cortex):
    """Any one of them is of nothing."""
    page, hub, _ = place
    rng = np.random.default_rng(5)
    dim = [colour(cortex.snap((3.0, 2.0), 0.0, Day(gain=0.02, images=1), rng)) for _ in range(8)]
    hub._feeds["preview-8"] = Live("preview-8", None, images=[*dim, *dim])
    alone = Live("preview-9", dim[0])
    hub._feeds["preview-9"] = alone
    with page() as client:
        one, several = (client.get(f"/api/mice/M1/view?live=preview-{number}").json() for number in (9, 8))
        assert several["match"] > one["match"]


@pytest.mark.parametrize("path", ["NEW/first", "LOST/first", "M1/first?experiment=clmf_speed"])
def test_no_first_day_is_an_answer(client, path):
    answer = client.get(f"/api/mice/{path}")
    assert (answer.status_code, answer.json()) == (200, {"session": None})


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("mice/NEW/first.png", 404, "mouse NEW: no session with images yet"),
        ("mice/NEW/view?live=preview-3", 404, "mouse NEW: no session with images yet"),
        ("mice/LOST/first.png", 404, "mouse LOST: no session with images yet"),
        ("mice/M1/first.png?experiment=clmf_speed", 404, "mouse M1: no session with images yet"),
        ("mice/M1/view?live=preview-7", 404, "mouse M1: no session with images yet"),
        ("mice/M9/first", 404, "has no such mouse; reload the page"),
        ("mice/..%2f..%2fetc/first.png", 404, "there is no such thing"),
        ("mice/../first.png", 404, "there is no such thing"),
        ("mice/%2e%2e/first.png", 404, "has no such mouse"),
        ("mice/M1%00/first.png", 404, "has no such mouse"),
        ("mice/M1/view", 404, "live = : no such session runs now"),
        ("mice/M1/view?live=nobody", 404, "live = nobody: no such session runs now; choose one that does"),
        ("mice/M1/view?live=preview-3", 422, "live = preview-3: is of mouse NEW, not M1"),
        ("mice/M1/view?live=preview-4", 409, "preview-4: no image has come yet"),
        ("mice/M1/view?live=preview-5", 422,
         "resolution = 88, 96: the first day's images of M1/20261120093015/S1 are 96 x 96 px"),
        ("live/nobody/exposure", 404, "no such session runs now"),
        ("live/preview-4/exposure", 409, "no image has come yet"),
        ("live/preview-4/saturated.png", 409, "no image has come yet"),
        ("live/preview-1/exposure?roi.A=nonsense", 422, "roi.A: ROI 'nonsense' cannot be read"),
        ("scale", 422, "from = : give 2 numbers"),
        ("scale?from=1,2&to=3&mm=4", 422, "to = 3: give 2 numbers"),
        ("scale?from=1,2&to=3,nan&mm=4", 422, "to = 3,nan: give 2 numbers"),
        ("scale?from=1,2&to=3,4&mm=x", 422, "mm = x: give a number"),
        ("scale?from=1,2&to=3,4&mm=inf", 422, "mm = inf: give a number"),
        ("scale?from=1,2&to=30,4&mm=0", 422, "give lengths above 0"),
        ("scale?from=1,2&to=30,4&mm=-1", 422, "give lengths above 0"),
        ("scale?from=1,2&to=1,3&mm=1", 422, "the two points lie 1 px apart"),
        ("scale?from=0,0&to=1_0,0&mm=1", 422, "to = 1_0,0: give 2 numbers"),
        ("scale?from=0,0&to=9e9,0&mm=1", 422, "more than 0 and 10000 at most"),
        ("scale?from=0,0&to=4,0&mm=9e9", 422, "more than 0 and 10000 at most"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_said_in_a_line(client, path, status, error):
    answer = client.get(f"/api/{path}")
    assert answer.status_code == status, answer.text
    assert error in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


def test_images_of_a_resolution_that_is_too_small_are_refused(place, tmp_path):
    page, _, _ = place
    folder = put_session(tmp_path / "data", "M1", "20251120093015", settings={})
    with h5py.File(folder / "image_stream.hdf5", "w") as file:
        file[IMAGES] = np.zeros((3, 20, 20, 3), np.uint8)
    with page() as client:
        answer = client.get("/api/mice/M1/view?live=preview-6")
        assert answer.status_code == 422
        assert "the field of view: images of (20, 20)" in answer.json()["error"]


def test_the_exposure(client):
    told = client.get("/api/live/preview-1/exposure").json()
    assert [(each["roi"], each["channel"], each["verdict"]) for each in told["rois"]] == [
        ("M1_L", "green", "good"), ("M1_L", "blue", "good"),
    ]  # fmt: skip
    other = client.get("/api/live/preview-1/exposure?roi.SPOT=circle+20,20,3&roi.OFF=90,90,9,9").json()
    assert {each["roi"] for each in other["rois"]} == {"SPOT"}
    assert other["outside"] == ["OFF"]
    answer = client.get("/api/live/preview-1/saturated.png")
    assert answer.headers["content-type"] == "image/png"
    assert cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED).shape == (SIDE, SIDE, 4)


def test_the_scale_of_two_points(client):
    assert client.get("/api/scale?from=20,128&to=232,130&mm=8.3").json() == {"ppmm": 25.5433, "share": 0.00667}
    assert client.get("/api/scale?from=0,0&to=3,4&mm=2").json()["ppmm"] == 2.5


PATHS = (
    "mice/M1/first",
    "mice/M1/first.png",
    "mice/M1/view",
    "live/preview-1/exposure",
    "live/x/saturated.png",
    "scale",
)


@pytest.mark.parametrize("path", PATHS)
def test_all_of_it_is_for_those_who_signed_in_and_only_reads(place, path, tmp_path):
    page, _, _ = place

    def files():
        return {each: (each.stat().st_size, each.stat().st_mtime_ns) for each in tmp_path.rglob("*")}

    before = files()
    with page() as client:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            headers = {"origin": f"http://{HERE}", "content-length": "0"}
            assert client.request(method, f"/api/{path}", headers=headers).status_code == 405
        client.get(f"/api/{path}?live=preview-1")
    assert files() == before
    with page(tokens={"a-token-of-32-characters-or-more-x": Role.viewer}) as client:
        assert client.get(f"/api/{path}").status_code == 401


def test_the_data_root_is_the_mouses_own_where_none_is_given(place, tmp_path):
    page, _, config = place
    config.write_text(CONFIG.replace("[mouse:M1]", "[mouse:M1]\ndata_root = elsewhere"))
    os.rename(tmp_path / "data", tmp_path / "elsewhere")
    with page(data_root=None) as client:
        assert client.get("/api/mice/M1/first").json()["session"] == "M1/20261120093015/S1"
        config.write_text("[mouse:M1\n")
        answer = client.get("/api/mice/M1/first")
        assert answer.status_code in (404, 422)
        assert answer.json()["error"]


class Reader:
    """A link of a session that gives nothing by itself."""

    about = {  # noqa: RUF012
        "kind": "clmf", "shape": (4, 6, 3), "settings": {}, "names": (), "mouse": "M1", "what": "session", "rois": {},
    }  # fmt: skip

    def __init__(self):
        self.ends = os.pipe()

    def fileno(self):
        return self.ends[0]

    def close(self):
        for end in self.ends:
            os.close(end)


def test_a_feed_keeps_its_newest_image_though_nobody_looks():
    async def follow():
        feed = Feed("session-1", Reader(), lambda feed: None)
        seen = [feed.newest]
        for level in (1, None, 2):
            image = None if level is None else np.full((4, 6, 3), level, np.uint8)
            feed._take(News({}, [], np.zeros(0, row_dtype(0)), 0, image))
            seen.append(feed.newest)
        feed.close()
        return seen

    nothing, first, still, second = asyncio.run(follow())
    assert nothing is None
    assert still is first
    assert (first[0, 0, 0], second[0, 0, 0]) == (1, 2)
