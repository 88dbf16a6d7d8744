"""The desk's routes: who may ask, and what is no question."""

import json

import pytest

from dashboard.access import Role
from tests.dashboard.desk import CONFIG, Room

OPERATOR, VIEWER = "operator-token-of-32-characters", "viewer-token-of-32-characters-xx"


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch):
    monkeypatch.setattr("dashboard.hub.find_live", list)


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def test_mice_a_mouse_a_check_and_a_save(room):
    with room.client() as client:
        assert [each["mouse"] for each in client.get("/api/mice").json()["mice"]] == ["A", "Paw"]
        mouse = client.get("/api/mice/a?experiment=clnf_2roi").json()
        assert (mouse["mouse"], mouse["experiment"]) == ("A", "clnf_2roi")
        changes = {"roi.new": "5,5,8,8", "roi": "new", "roi.spot": None}
        checked = client.post("/api/mice/A/check", json={"changes": changes}).json()
        assert checked["problems"] == []
        assert checked["rois"]["NEW"]["used"]
        body = {"changes": changes, "who": "anna", "stamp": client.get("/api/mice/A").json()["stamp"]}
        saved = client.post("/api/mice/A/save", json=body)
        assert saved.status_code == 200
        assert saved.json()["saved"] == list(changes)
        assert {row["who"] for row in room.log()} == {"anna at testclient"}
        assert client.post("/api/mice/A/save", json=body).status_code == 409


def test_what_is_wrong_comes_with_its_keys(room):
    with room.client() as client:
        answer = client.post("/api/mice/A/save", json={"changes": {"iso": "x"}, "who": "anna"})
        assert answer.status_code == 422
        told = answer.json()
        assert [each["key"] for each in told["problems"]] == ["iso"]
        assert told["error"] == f"iso: {told['problems'][0]['text']}"


GOOD = {"changes": {"iso": "500"}, "who": "anna"}
BODIES = {
    "empty": (b"", 422),
    "no JSON": (b"{", 422),
    "a list": (b"[]", 422),
    "deep": (b"[" * 3000, 422),
    "no who": ({"changes": {}}, 422),
    "no changes": ({"who": "anna"}, 422),
    "one more": ({**GOOD, "force": True}, 422),
    "who is none": ({**GOOD, "who": ""}, 422),
    "who is a number": ({**GOOD, "who": 5}, 422),
    "who has two lines": ({**GOOD, "who": "a\nb"}, 422),
    "who is long": ({**GOOD, "who": "a" * 61}, 422),
    "changes are a list": ({**GOOD, "changes": ["iso"]}, 422),
    "a number": ({**GOOD, "changes": {"iso": 500}}, 422),
    "true": ({**GOOD, "changes": {"iso": True}}, 422),
    "an object": ({**GOOD, "changes": {"iso": {}}}, 422),
    "stamp is a number": ({**GOOD, "stamp": 5}, 422),
    "another stamp": ({**GOOD, "stamp": "0" * 16}, 409),
    "a key twice": (b'{"who": "a", "changes": {"iso": "500", "iso": "600"}}', 422),
    "a key twice in other cases": ({**GOOD, "changes": {"iso": "500", "Iso": "600"}}, 422),
    "half a character": (b'{"who": "a", "changes": {"lab": "\\ud800"}}', 422),
    "half a character in a key": (b'{"who": "a", "changes": {"\\udfff": 1}}', 422),
    "a newline": ({**GOOD, "changes": {"lab": "a\n[mouse:B]"}}, 422),
    "a newline in a key": ({**GOOD, "changes": {"lab\n": "x", "lab": "y"}}, 422),
    "a NUL": ({**GOOD, "changes": {"lab": "\x00"}}, 422),
    "long": ({**GOOD, "changes": {"lab": "x" * 70_000}}, 413),
    "many": ({**GOOD, "changes": {f"roi.r{i}": "1,1,8,x" for i in range(900)}}, 422),
}


@pytest.mark.parametrize(("body", "status"), BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("what", ["save", "check"])
def test_a_body_that_is_none_is_answered_in_words_and_changes_nothing(room, what, body, status):
    if what == "check" and isinstance(body, dict) and set(body) == {"changes", "who"}:
        body = {"changes": body["changes"]}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with room.client() as client:
        answer = client.post(f"/api/mice/A/{what}", content=data)
    if what == "save":
        assert answer.status_code == status
    told = answer.json()
    assert told.get("error") or (what == "check" and "problems" in told)
    assert "\n" not in str(told.get("error"))
    assert room.text == CONFIG
    assert room.log() == []


@pytest.mark.parametrize("mouse", ["B", "%00", "%0A", "..", "%2e%2e", "A%2Fcheck", "Ä", "%ff", "A;B", "x" * 3000])
def test_an_unknown_mouse(room, mouse):
    with room.client() as client:
        for answer in (
            client.get(f"/api/mice/{mouse}"),
            client.post(f"/api/mice/{mouse}/check", json={"changes": {}}),
            client.post(f"/api/mice/{mouse}/save", json=GOOD),
        ):
            assert answer.status_code in (404, 405)
            assert len(answer.json()["error"]) < 200
    assert room.text == CONFIG


def test_an_unknown_experiment(room):
    with room.client() as client:
        answer = client.get("/api/mice/A", params={"experiment": "clnf_9\n"})
        assert answer.status_code == 404
        assert "there is no experiment" in answer.json()["error"]


def test_a_get_saves_nothing(room):
    with room.client() as client:
        for what in ("save", "check"):
            assert client.get(f"/api/mice/A/{what}").status_code == 405


def test_a_viewer_reads_and_saves_nothing(room):
    with room.client({OPERATOR: Role.operator, VIEWER: Role.viewer}) as client:
        assert client.get("/api/mice").status_code == 401
        client.post("/api/login", json={"token": VIEWER})
        assert client.get("/api/mice/A").status_code == 200
        for what in ("save", "check"):
            assert client.post(f"/api/mice/A/{what}", json=GOOD).status_code == 403
    assert room.text == CONFIG


def test_another_page_s_request_changes_nothing(room):
    with room.client() as client:
        answer = client.post("/api/mice/A/save", json=GOOD, headers={"origin": "http://evil.example"})
        assert answer.status_code == 403
    assert room.text == CONFIG


def test_a_file_that_cannot_be_read_is_told_on_every_route(room):
    room.path.write_bytes(b"\xff")
    with room.client() as client:
        assert "not UTF-8" in client.get("/api/mice").json()["problems"][0]
        for answer in (client.get("/api/mice/A"), client.post("/api/mice/A/save", json=GOOD)):
            assert answer.status_code == 422
            assert "not UTF-8" in answer.json()["error"]
