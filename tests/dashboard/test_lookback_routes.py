"""The routes of what was recorded: who may ask, what for, and that only the one that says so changes anything."""

import contextlib
import itertools
import threading

import pytest
from starlette.testclient import TestClient

import dashboard.lookback_routes as routes
from core.errors import RecordingError
from dashboard.access import Role
from dashboard.app import make_app
from dashboard.hub import Hub
from dashboard.jobs import JobKind
from dashboard.lookback import Root, read_roots
from dashboard.lookback_routes import LookBack, lookback_routes
from dashboard.server import Address, access_for
from dashboard.session_keys import session_key
from recording.schema import SESSION_NWB as NWB
from tests.support.recorded_folders import DATE, put_clopy_movement, put_session
from tests.support.recorded_folders import root as root

HERE = "127.0.0.1:8017"
PATH = f"M1/{DATE}/S1"
OPERATOR, VIEWER = "operator-token-of-32-characters", "viewer-token-of-32-characters-xx"


class Asked:
    """Programs that are asked for and never start."""

    def __init__(self):
        self.started = []
        self.running = []

    def listed(self):
        return self.running

    async def start(self, kind, words, subject, who):
        self.started.append((kind, words, subject, who))
        return self

    def facts(self):
        return {"number": len(self.started)}


@pytest.fixture
def jobs():
    return Asked()


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch):
    monkeypatch.setattr("dashboard.hub.find_live", list)


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.ini"
    path.write_text("[clnf_a]\nroi = M1_L\n[mouse:M1]\nexperiment = clnf_a\n")
    return path


@contextlib.contextmanager
def page(config, jobs, root, tokens=None):
    look = LookBack(config, root and str(root))
    access = access_for(Address("0.0.0.0" if tokens else "127.0.0.1", 8017), 8017, tokens or {})
    times = itertools.count(1, 10**9)
    app = make_app(Hub(), access, lambda: next(times), {}, lookback_routes(look, jobs, config), (look.close,))
    with TestClient(app, base_url=f"http://{HERE}", headers={"origin": f"http://{HERE}"}) as client:
        client.look = look
        yield client


@pytest.fixture
def client(config, jobs, root):
    with page(config, jobs, root) as client:
        yield client


def address(root, path=PATH):
    return f"/api/sessions/{session_key(root, path)}"


def everything(root):
    return {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file() and path.name[0] != "."}


def test_what_was_recorded_is_listed_and_reported(client, root):
    put_session(root, "M1", DATE, outcome="running")
    put_clopy_movement(root)
    found = client.get("/api/sessions").json()
    assert [each["mouse"] for each in found["sessions"]] == ["M1", "C2"]
    assert client.get("/api/sessions?mouse=C2").json()["sessions"] == found["sessions"][1:]
    assert client.get("/api/sessions?mouse=").json() == found
    for each in found["sessions"]:
        told = client.get(f"/api/sessions/{each['key']}").json()
        assert (told["key"], told["session"], told["mouse"]) == (each["key"], each["session"], each["mouse"])
        assert told["nwb"] is None
    assert told["folder"] == str(root / each["session"])
    assert client.get(address(root)).json()["hint"].endswith(f"rigloop recover {root}/{PATH}")
    assert [day["date"] for day in client.get("/api/curves/M1").json()["days"]] == ["2026-11-20"]


def test_the_table_is_a_file_to_take(client, root):
    put_session(root, "M1", DATE)
    answer = client.get("/api/sessions.csv?mouse=M1")
    assert answer.headers["content-disposition"] == 'attachment; filename="sessions.csv"'
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.splitlines()[1].startswith(f"{PATH},M1,2026-11-20,")


def test_a_figure_and_a_file_are_given_once_they_are_there(client, root):
    folder = put_session(root, "M1", DATE, part=2)
    here = address(root, f"M1/{DATE}/S2")
    for name in ("figure.png", "nwb"):
        answer = client.get(f"{here}/{name}")
        assert (answer.status_code, "is not there" in answer.json()["error"]) == (404, True)
    (folder / "session.png").write_bytes(b"\x89PNG")
    (folder / NWB).write_bytes(b"\x89HDF and more")
    figure = client.get(f"{here}/figure.png")
    assert (figure.content, figure.headers["content-type"]) == (b"\x89PNG", "image/png")
    file = client.get(f"{here}/nwb")
    assert file.content == b"\x89HDF and more"
    assert file.headers["content-disposition"] == f'attachment; filename="sub-M1_ses-{DATE}-S2.nwb"'
    assert client.get(here).json()["nwb"] == 13


@pytest.mark.parametrize("name", ["session.png", NWB])
def test_a_file_that_is_a_link_out_is_not_given(client, root, tmp_path, name):
    folder = put_session(root, "M1", DATE)
    (tmp_path / "secret").write_text("secret")
    (folder / name).symlink_to(tmp_path / "secret")
    answer = client.get(f"{address(root)}/{'nwb' if name == NWB else 'figure.png'}")
    assert (answer.status_code, "secret" in answer.text) == (404, False)


@pytest.mark.parametrize(
    "path",
    ["%2e%2e", "..%2f..%2fconfig.ini", f"..%2F{DATE}%2FS1", "M1/%2e%2e/M1", f"M1%2F{DATE}%2F..%2FS1", "M1%00", ""],
)
@pytest.mark.parametrize("more", ["", "/figure.png", "/nwb"])
def test_no_address_leads_out(client, root, path, more):
    put_session(root, "M1", DATE)
    (root.parent / "session.png").write_bytes(b"outside")
    (root.parent / NWB).write_bytes(b"outside")
    answer = client.get(f"{address(root, '')}{path}{more}")
    assert answer.status_code == 404
    assert list(answer.json()) == ["error"]


def test_a_key_may_be_written_with_encoded_slashes(client, root):
    put_session(root, "M1", DATE)
    assert client.get(address(root).replace(f"/M1/{DATE}/", f"%2FM1%2F{DATE}%2F")).json()["session"] == PATH


@pytest.mark.parametrize("mouse", ["M2", "..", ".hidden", "%2e%2e", "..%2f..", "", "M1/..", "M1%00"])
def test_a_curve_of_no_mouse_is_one_line(client, root, mouse):
    put_session(root, "M1", DATE)
    answer = client.get(f"/api/curves/{mouse}")
    assert answer.status_code in (404, 422)
    assert list(answer.json()) == ["error"]


def test_a_get_changes_nothing(client, jobs, root):
    put_session(root, "M1", DATE)
    before = everything(root)
    for path in ("/api/sessions", "/api/sessions.csv", "/api/curves/M1", address(root), f"{address(root)}/nwb"):
        client.get(path)
    assert everything(root) == before
    assert jobs.started == []
    assert client.post(address(root), json={}).status_code == 405
    assert client.post("/api/sessions", json={}).status_code == 405


def test_viewers_look_and_change_nothing(config, jobs, root):
    put_session(root, "M1", DATE)
    wanted = {"who": "anna", "allow_incomplete": False}
    with page(config, jobs, root, {OPERATOR: Role.operator, VIEWER: Role.viewer}) as client:
        for path in ("/api/sessions", "/api/sessions.csv", "/api/curves/M1", address(root)):
            assert client.get(path).status_code == 401
        client.post("/api/login", json={"token": VIEWER})
        for path in ("/api/sessions", "/api/sessions.csv", "/api/curves/M1", address(root)):
            assert client.get(path).status_code == 200
        assert client.post(f"{address(root)}/nwb", json=wanted).status_code == 403
        assert jobs.started == []
        client.post("/api/login", json={"token": OPERATOR})
        assert client.post(f"{address(root)}/nwb", json=wanted, headers={"origin": "http://evil"}).status_code == 403
        assert jobs.started == []
        assert client.post(f"{address(root)}/nwb", json=wanted).status_code == 200
        assert len(jobs.started) == 1


@pytest.mark.parametrize("anyway", [False, True])
def test_a_file_is_asked_for_in_place_of_the_one_before(client, config, jobs, root, anyway):
    folder = put_session(root, "M1", DATE)
    (folder / NWB).write_bytes(b"of yesterday")
    answer = client.post(f"{address(root)}/nwb", json={"who": " anna", "allow_incomplete": anyway})
    assert answer.json() == {"job": {"number": 1}}
    assert not (folder / NWB).exists()
    words = [str(folder), "--nwb", str(folder / NWB), "--config", str(config), "--progress"]
    # The client of the tests has no address of this computer.
    [(kind, asked, subject, who)] = jobs.started
    assert (kind, asked) == (JobKind.export, [*words, "--allow-incomplete"] if anyway else words)
    assert (subject, who.split()[0]) == (PATH, "anna")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{", b"null", b'{"who": "anna"}', b'{"who": "", "allow_incomplete": true}',
        b'{"who": "anna", "allow_incomplete": 1}', b'{"who": "a\\nb", "allow_incomplete": true}',
        b'{"who": 3, "allow_incomplete": true}', b'{"who": "anna", "allow_incomplete": true, "path": "/etc"}',
    ],
)  # fmt: skip
def test_what_is_asked_for_wrongly_starts_nothing(client, jobs, root, body):
    folder = put_session(root, "M1", DATE)
    (folder / NWB).write_bytes(b"of yesterday")
    answer = client.post(f"{address(root)}/nwb", content=body)
    assert (answer.status_code, list(answer.json())) == (422, ["error"])
    assert jobs.started == []
    assert (folder / NWB).exists()


def test_one_file_is_made_at_a_time(client, jobs, root):
    folder = put_session(root, "M1", DATE)
    (folder / NWB).write_bytes(b"of yesterday")
    jobs.running = [{"do": "export", "code": None, "subject": "M2/x"}, {"do": "run", "code": None, "subject": "M3"}]
    wanted = {"who": "anna", "allow_incomplete": False}
    answer = client.post(f"{address(root)}/nwb", json=wanted)
    assert answer.status_code == 422
    assert "M2/x is being written as NWB; wait" in answer.json()["error"]
    assert (folder / NWB).exists()
    jobs.running[0]["code"] = 0
    assert client.post(f"{address(root)}/nwb", json=wanted).status_code == 200


def test_a_file_that_cannot_be_replaced_is_told(client, jobs, root):
    folder = put_session(root, "M1", DATE)
    (folder / NWB).mkdir()
    answer = client.post(f"{address(root)}/nwb", json={"who": "anna", "allow_incomplete": False})
    assert answer.status_code == 409
    assert str(folder / NWB) in answer.json()["error"]
    assert jobs.started == []


def test_a_config_that_cannot_be_read_is_one_answer(config, jobs, root):
    put_session(root, "M1", DATE)
    config.write_text("this is no line\n")
    with page(config, jobs, None) as client:
        for path in ("/api/sessions", "/api/sessions.csv", "/api/curves/M1", address(root)):
            answer = client.get(path)
            assert (answer.status_code, "--data-root DIR" in answer.json()["error"]) == (422, True)


class Slow:
    """Stands in for the look at all folders, and takes until it is let go."""

    def __init__(self):
        self.go = threading.Event()
        self.calls = 0

    def __call__(self, roots, mouse=None, progress=iter):
        self.calls += 1
        list(itertools.islice(progress([None] * 7), 3))
        assert self.go.wait(20)
        return read_roots(roots, mouse)


def test_a_list_that_takes_long_says_how_far_it_is_and_is_read_once(client, root, monkeypatch):
    put_session(root, "M1", DATE)
    slow = Slow()
    monkeypatch.setattr(routes, "read_roots", slow)
    monkeypatch.setattr(routes, "WAIT_S", 0.01)
    for _ in range(3):
        [(_, reading)] = client.get("/api/sessions").json().items()
        assert reading["total"] in (0, 7)
    slow.go.set()
    monkeypatch.setattr(routes, "WAIT_S", 20)
    assert len(client.get("/api/sessions").json()["sessions"]) == 1
    assert slow.calls == 1
    assert len(client.get("/api/sessions").json()["sessions"]) == 1
    assert slow.calls == 2


def test_a_list_that_cannot_be_read_is_an_answer_each_time(client, monkeypatch):
    def fail(roots, mouse=None, progress=iter):
        raise RecordingError("cannot read it; mend it")

    monkeypatch.setattr(routes, "read_roots", fail)
    for _ in range(2):
        answer = client.get("/api/sessions")
        assert (answer.status_code, answer.json()) == (409, {"error": "cannot read it; mend it"})


def test_an_old_list_is_not_given_out(client, root, monkeypatch):
    """One that took long, and that nobody came back for."""
    monkeypatch.setattr(routes, "KEPT_S", -1)
    monkeypatch.setattr(routes, "WAIT_S", 0)
    found = iter([[Root(root, (), ("old",))], [Root(root, (), ("new",))]])
    monkeypatch.setattr(routes, "read_roots", lambda *words: next(found))
    assert "reading" in client.get("/api/sessions").json()
    client.portal.call(lambda: _settled(client.look))
    monkeypatch.setattr(routes, "WAIT_S", 20)
    assert client.get("/api/sessions").json()["notes"] == ["new"]


async def _settled(look):
    await look._all
