"""Every route that changes something: who may call it, and that a malformed request changes nothing."""

import itertools
import shutil
import sys

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from dashboard.access import Role
from dashboard.app import make_app
from dashboard.parts import Page, parts_of
from dashboard.server import Address, access_for
from session.config_edit import add_mouse
from tests.support.malformed import malformed_bodies
from tests.support.page_server import MOUSE, ROOT

HERE = "127.0.0.1:8017"
OWN = {"origin": f"http://{HERE}"}
TOKENS = {"operator-token-of-32-characters": Role.operator, "viewer-token-of-32-characters-xx": Role.viewer}
SEED = 20261201

WHO = {"who": "fuzz"}
MICE = {**WHO, "mouse": MOUSE}
POSTS = [
    ("/api/jobs", {"do": "run", **MICE, "experiment": "", "resume": False, "accept_exposure": False}),
    ("/api/jobs", {"do": "preview", **MICE, "experiment": ""}),
    ("/api/jobs", {"do": "flush", **MICE, "seconds": 1.0}),
    ("/api/jobs/{number:int}/stop", WHO),
    ("/api/mice/{mouse}/check", {"changes": {"roi": "M1_R"}}),
    ("/api/mice/{mouse}/save", {"changes": {"roi": "M1_R"}, **WHO}),
    ("/api/sessions/{key:path}/nwb", {**WHO, "allow_incomplete": False}),
    ("/api/login", {"token": "nobodys-token-of-32-characters-xx"}),
]
"""What each takes; a login, of a token that nobody has."""
TAKES_ANYTHING = [("/api/logout", {})]
"""Looks at no body."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("dashboard.hub.find_live", list)
    monkeypatch.setattr("dashboard.parts.live_folder", lambda: tmp_path)
    shutil.copy(ROOT / "config.ini", tmp_path)
    add_mouse(tmp_path / "config.ini", MOUSE, "DEMO")
    return tmp_path


def page_of(folder, tokens=None):
    """Return the routes of the whole page, and the page."""
    page = Page(folder / "config.ini", str(folder / "data"), (sys.executable, "-c", ""), ROOT, "1")
    parts = parts_of(page)
    access = access_for(Address("0.0.0.0" if tokens else "127.0.0.1"), 8017, tokens or {})
    times = itertools.count(1, 10**10)
    app = make_app(parts.hub, access, lambda: next(times), page.about(), parts.routes, parts.close)
    return app, TestClient(app, base_url=f"http://{HERE}")


def posts_of(app):
    return {route.path for route in app.routes if isinstance(route, Route) and "POST" in (route.methods or ())}


def address(path):
    """Return the address of a route, for a job, mouse or session that there may be."""
    for part, value in (("{number:int}", "1"), ("{mouse}", MOUSE), ("{key:path}", f"{MOUSE}/20260101/S1")):
        path = path.replace(part, value)
    assert "{" not in path
    return path


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_route_that_takes_a_post_is_tried_here(folder):
    app, _ = page_of(folder)
    assert posts_of(app) == {path for path, _ in (*POSTS, *TAKES_ANYTHING)}


@pytest.mark.parametrize(("path", "good"), POSTS)
def test_malformed_bodies_change_nothing_and_each_is_answered(folder, path, good):
    _, page = page_of(folder)
    with page as client:
        before = everything(folder)
        for body in malformed_bodies(SEED, good, 100):
            answer = client.post(address(path), content=body, headers=OWN)
            assert 400 <= answer.status_code < 500, body
            text = answer.json()["error"]
            assert text, body
            assert "\n" not in text, body
        assert client.get("/api/state").json()["jobs"] == []
        assert everything(folder) == before


@pytest.mark.parametrize(("path", "good"), [*POSTS, *TAKES_ANYTHING])
def test_no_post_from_elsewhere_or_by_get(folder, path, good):
    _, page = page_of(folder)
    with page as client:
        before = everything(folder)
        for headers in ({}, {"origin": "null"}, {"origin": "http://evil.example"}):
            answer = client.post(address(path), json=good, headers=headers)
            assert answer.status_code == 403, headers
        long = client.post(address(path), content=b"{" + b" " * 70_000 + b"}", headers=OWN)
        assert long.status_code == 413
        client.get(address(path), headers=OWN)
        assert client.get("/api/state").json()["jobs"] == []
        assert everything(folder) == before


@pytest.mark.parametrize(("path", "good"), [each for each in POSTS if each[0] != "/api/login"])
def test_a_viewer_posts_nothing(folder, path, good):
    _, page = page_of(folder, TOKENS)
    with page as client:
        assert client.post(address(path), json=good, headers=OWN).status_code == 401
        for token, role in TOKENS.items():
            if role is Role.viewer:
                assert client.post("/api/login", json={"token": token}, headers=OWN).status_code == 200
        assert client.post(address(path), json=good, headers=OWN).status_code == 403
        assert client.get("/api/state").json()["jobs"] == []
