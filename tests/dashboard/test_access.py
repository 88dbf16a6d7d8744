"""Who may see the page and who may change something: tokens, cookies, hosts and origins, over every route."""

import asyncio
import itertools

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from core.errors import InputError
from dashboard.access import MAX_COOKIES, WRONG_FREE, WRONG_WAIT_NS, Access, Role, Wait, same_origin
from dashboard.app import make_app
from dashboard.hub import Hub
from dashboard.server import Address, access_for
from dashboard.tokens import read_tokens

PORT = 8017
HERE = f"127.0.0.1:{PORT}"
WS = f"ws://{HERE}/ws"
OPERATOR, VIEWER = "operator-token-of-32-characters", "viewer-token-of-32-characters-xx"
TOKENS = {OPERATOR: Role.operator, VIEWER: Role.viewer}


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch):
    monkeypatch.setattr("dashboard.hub.find_live", list)


def page(tokens=None, host="127.0.0.1"):
    access = access_for(Address(host, PORT), PORT, tokens or {})
    times = itertools.count(1, 10**9)
    app = make_app(Hub(), access, lambda: next(times), {"version": "1"})
    return TestClient(app, base_url=f"http://{HERE}")


def own(client, **more):
    return {"origin": f"http://{HERE}", **more}


def sign_in(client, token):
    return client.post("/api/login", json={"token": token}, headers=own(client))


def test_on_this_computer_nobody_is_asked():
    with page() as client:
        assert client.get("/").status_code == 200
        nothing = {"live": [], "jobs": [], "problem": ""}
        assert client.get("/api/state").json() == {"role": "operator", "version": "1", **nothing}
        with client.websocket_connect(WS, headers=own(client)) as socket:
            assert socket.receive_json() == {"t": "live", **nothing}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8017", "127.0.0.1:80", "", "192.168.0.7:8017"])
def test_a_name_that_is_not_the_pages_is_refused_whatever_is_asked_for(host):
    """As of a page that has its own name lead to this computer (DNS rebinding)."""
    with page() as client:
        for path in ("/", "/api/state", "/static/page.js"):
            assert client.get(path, headers={"host": host}).status_code == 403
        with pytest.raises(WebSocketDisconnect):
            client.websocket_connect(WS, headers={"host": host, "origin": f"http://{host}"}).__enter__()


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", f"http://{HERE}.evil.example", "file://"])
def test_who_is_no_page_of_ours_changes_nothing(origin):
    headers = {} if origin is None else {"origin": origin}
    with page() as client:
        assert client.post("/api/login", json={"token": "x"}, headers=headers).status_code == 403
        assert client.post("/api/logout", headers=headers).status_code == 403
        with pytest.raises(WebSocketDisconnect):
            client.websocket_connect(WS, headers=headers).__enter__()


def test_a_get_changes_nothing():
    """No route that changes something answers a GET."""
    with page() as client:
        for path in ("/api/login", "/api/logout"):
            assert client.get(path).status_code == 405


def test_in_the_network_only_with_a_token():
    with page(TOKENS, "0.0.0.0") as client:
        assert client.get("/").status_code == 200
        assert client.get("/api/state").json() == {"role": None}
        assert client.get("/api/anything").status_code == 401
        with pytest.raises(WebSocketDisconnect):
            client.websocket_connect(WS, headers=own(client)).__enter__()
        assert sign_in(client, "wrong").status_code == 403
        answer = sign_in(client, f" {OPERATOR}\n")
        assert answer.json() == {"role": "operator"}
        cookie = answer.headers["set-cookie"]
        assert all(word in cookie for word in ("HttpOnly", "SameSite=strict"))
        assert OPERATOR not in cookie
        assert client.get("/api/state").json()["role"] == "operator"
        with client.websocket_connect(WS, headers=own(client)) as socket:
            assert socket.receive_json()["t"] == "live"
        client.post("/api/logout", headers=own(client))
        assert client.get("/api/state").json() == {"role": None}


def test_who_has_an_old_cookie_is_out_after_signing_out():
    with page(TOKENS, "0.0.0.0") as client:
        kept = sign_in(client, OPERATOR).cookies["rigloop"]
        client.post("/api/logout", headers=own(client))
        client.cookies.set("rigloop", kept)
        assert client.get("/api/state").json() == {"role": None}


def test_a_viewer_looks_and_changes_nothing():
    with page(TOKENS, "0.0.0.0") as client:
        assert sign_in(client, VIEWER).json() == {"role": "viewer"}
        assert client.post("/api/anything", headers=own(client), json={}).status_code == 403
        with client.websocket_connect(WS, headers=own(client)) as socket:
            socket.receive_json()
            socket.send_json({"id": 1, "do": "water", "who": "eve", "live": "session-1"})
            assert not socket.receive_json()["ok"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[" * 3000, b'{"token": 5}', b'{"token": "x", "more": 1}', b"{}"])
def test_a_body_that_is_none_is_one_line(body):
    with page(TOKENS, "0.0.0.0") as client:
        answer = client.post("/api/login", content=body, headers=own(client))
        assert answer.status_code in (413, 422)
        assert answer.json()["error"]


def test_a_body_without_a_length_or_too_long_is_refused():
    with page() as client:
        long = client.post("/api/login", content=b"x" * 70_000, headers=own(client))
        assert long.status_code == 413
        endless = client.post("/api/login", content=iter([b"x"] * 3), headers=own(client))
        assert endless.status_code == 413


def test_answers_carry_what_browsers_need_to_be_careful():
    with page() as client:
        for path in ("/", "/api/state", "/static/page.css", "/nothing"):
            headers = client.get(path).headers
            assert "default-src 'self'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/static/../server.py", "/static/%2e%2e/server.py", "/static//etc/passwd", "/static/"]
)
def test_nothing_but_the_pages_own_files(path):
    with page() as client:
        assert client.get(f"/static/{path}").status_code in (404, 405)


def test_wrong_tokens_are_slowed_down():
    access = Access(frozenset(), TOKENS, lambda: "cookie")
    for _ in range(WRONG_FREE):
        assert access.enter("wrong", 0) is None
    with pytest.raises(Wait):
        access.enter(OPERATOR, WRONG_WAIT_NS - 1)
    assert access.enter(OPERATOR, WRONG_WAIT_NS) == ("cookie", Role.operator)
    # A right one lets the count begin anew.
    for _ in range(WRONG_FREE):
        assert access.enter("wrong", WRONG_WAIT_NS) is None


def test_every_token_is_compared_in_the_same_time_whatever_is_given(monkeypatch):
    compared = []
    monkeypatch.setattr("hmac.compare_digest", lambda *both: compared.append(both) or both[0] == both[1])
    access = Access(frozenset(), TOKENS, lambda: "cookie")
    for token in (OPERATOR, VIEWER, "wrong", "", "x" * 9000, "\ud800"):
        compared.clear()
        access.enter(token, 0)
        assert [known.decode() for known, _ in compared] == list(TOKENS)


def test_there_are_so_many_cookies_and_no_more():
    names = map(str, itertools.count())
    access = Access(frozenset(), TOKENS, lambda: next(names))
    for _ in range(MAX_COOKIES + 1):
        access.enter(OPERATOR, 0)
    assert access.role("0") is None
    assert access.role("1") is Role.operator
    assert access.role(None) is None


def test_a_page_in_the_network_has_a_token():
    with pytest.raises(InputError, match="needs a token"):
        access_for(Address("0.0.0.0", PORT), PORT, {VIEWER: Role.viewer})
    assert access_for(Address("localhost", PORT), PORT, {}).role(None) is Role.operator


def test_same_origin():
    assert same_origin("http://A:1", "a:1")
    assert not same_origin("http://a:1", "a:2")
    assert not same_origin("ftp://a:1", "a:1")


class TestTokenFile:
    def test_it_is_made_once_for_its_owner_alone(self, tmp_path):
        path = tmp_path / "tokens"
        made = read_tokens(path)
        assert path.stat().st_mode & 0o777 == 0o600
        assert sorted(role.value for role in made.values()) == ["operator", "viewer"]
        assert read_tokens(path) == made

    @pytest.mark.parametrize(
        ("text", "cure"),
        [
            ("viewer 0123456789abcdef0\n", "no operator's token"),
            ("operator short\n", "line 1: write operator or viewer"),
            ("\nowner 0123456789abcdef0\n", "line 2"),
            ("operator\n", "line 1"),
            ("\udcff", "cannot be used"),
        ],
    )
    def test_what_is_none_is_told(self, tmp_path, text, cure):
        path = tmp_path / "tokens"
        path.write_text(text, errors="surrogateescape")
        path.chmod(0o600)
        with pytest.raises(InputError, match=cure):
            read_tokens(path)

    def test_one_that_others_may_read(self, tmp_path):
        path = tmp_path / "tokens"
        read_tokens(path)
        path.chmod(0o640)
        with pytest.raises(InputError, match="chmod 600"):
            read_tokens(path)

    def test_a_place_where_none_can_be_made(self, tmp_path):
        with pytest.raises(InputError, match="cannot be used"):
            read_tokens(tmp_path / "nowhere" / "tokens")


def test_who_has_signed_out_is_let_go_with_all_windows():
    with page(TOKENS, "0.0.0.0") as client:
        sign_in(client, OPERATOR)
        with client.websocket_connect(WS, headers=own(client)) as socket:
            socket.receive_json()
            client.post("/api/logout", headers=own(client))
            with pytest.raises(WebSocketDisconnect):
                socket.receive_json()


def test_viewers_that_come_and_come_shut_no_operator_out():
    names = map(str, itertools.count())
    access = Access(frozenset(), TOKENS, lambda: next(names))
    access.enter(OPERATOR, 0)
    for _ in range(MAX_COOKIES + 1):
        access.enter(VIEWER, 0)
    assert access.role("0") is Role.operator
    assert access.role("1") is None


def test_a_body_in_pieces_is_refused_whatever_length_it_tells():
    """Of both, the server's HTTP believes the pieces, which have no end."""
    with page() as client:
        headers = own(client, **{"content-length": "5", "transfer-encoding": "chunked"})
        answer = client.post("/api/login", content=b"{}", headers=headers)
        assert (answer.status_code, answer.headers["connection"]) == (413, "close")


def test_a_body_that_does_not_come_is_waited_for_so_long_and_no_longer(monkeypatch):
    async def never(request):
        await asyncio.sleep(60)

    monkeypatch.setattr("dashboard.requests.BODY_S", 0.01)
    monkeypatch.setattr("starlette.requests.Request.body", never)
    with page() as client:
        answer = client.post("/api/login", json={}, headers=own(client))
        assert (answer.status_code, answer.headers["connection"]) == (408, "close")
        assert "did not come" in answer.json()["error"]


def test_a_cookie_is_found_among_those_of_others():
    with page(TOKENS, "0.0.0.0") as client:
        kept = sign_in(client, OPERATOR).cookies["rigloop"]
        client.cookies.clear()
        headers = {"cookie": f'session="a;b{{}}; x y=[1,2]; rigloop={kept}; last'}
        assert client.get("/api/state", headers=headers).json()["role"] == "operator"


def test_no_more_browsers_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr("dashboard.hub.BROWSERS", 1)
    with page() as client, client.websocket_connect(WS, headers=own(client)) as socket:
        socket.receive_json()
        with pytest.raises(WebSocketDisconnect):
            client.websocket_connect(WS, headers=own(client)).__enter__()


def test_on_the_port_of_http_a_browser_leaves_it_out():
    assert access_for(Address(port=80), 80, {}).named("localhost")
    assert not access_for(Address(port=8017), 8017, {}).named("localhost")
