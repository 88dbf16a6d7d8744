"""What a browser may ask a page to start: each wrong request starts nothing, and no word of a person's is an option."""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from cli.main import make_parser
from core.errors import InputError
from dashboard.access import Role
from dashboard.app import make_app
from dashboard.hub import Hub
from dashboard.job_routes import job_routes
from dashboard.server import Address, access_for
from tests.support.sessions import CONFIG

PORT = 8017
ORIGIN = f"http://127.0.0.1:{PORT}"
RUN = {"do": "run", "who": "anna", "mouse": "DEMO", "experiment": "", "resume": False, "accept_exposure": False}
PREVIEW = {"do": "preview", "who": "anna", "mouse": "DEMO", "experiment": ""}
FLUSH = {"do": "flush", "who": "anna", "mouse": "DEMO", "seconds": 5}


class Job:
    def __init__(self, number):
        self.number = number

    def facts(self):
        return {"number": self.number}


class Jobs:
    """In place of ``dashboard.jobs.Jobs``: starts nothing, and remembers what it was asked."""

    def __init__(self):
        self.started, self.stopped = [], []

    async def start(self, kind, words, subject, who):
        self.started.append((kind.value, list(words), subject, who))
        return Job(len(self.started))

    def one(self, number):
        if number != 1:
            raise InputError(f"job {number}: there is none; reload the page")
        return Job(number)

    def stop(self, job, who):
        self.stopped.append((job.number, who))


class Page:
    def __init__(self, client_at=("127.0.0.1", 4711), config=CONFIG, data_root=None, tokens=None):
        self.jobs = Jobs()
        times = itertools.count(1, 10**9)
        access = access_for(Address("0.0.0.0" if tokens else "127.0.0.1", PORT), PORT, tokens or {})
        app = make_app(Hub(), access, lambda: next(times), {}, job_routes(self.jobs, config, data_root))
        # No look for sessions: the client is not entered as a context, so that the app's life does not begin.
        self.client = TestClient(app, base_url=ORIGIN, client=client_at)

    def post(self, path, body, **headers):
        data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return self.client.post(path, content=data, headers={"origin": ORIGIN, **headers})


@pytest.fixture
def page():
    return Page()


def parsed(kind, words):
    """Return what the command makes of the words."""
    return vars(make_parser().parse_args([kind, *words]))


def only(kind, words, **wanted):
    """Assert that the command is given these options, and all others are as they are by themselves."""
    known = {"run": ["--mouse=X"], "preview": ["--mouse=X"], "flush": ["--seconds=1"]}[kind]
    assert parsed(kind, words) == {**parsed(kind, known), "config": CONFIG, **wanted}


def test_a_session_is_started(page):
    answer = page.post("/api/jobs", {**RUN, "mouse": "demo"})
    assert (answer.status_code, answer.json()) == (200, {"job": {"number": 1}})
    [(kind, words, subject, who)] = page.jobs.started
    assert (kind, subject, who) == ("run", "DEMO", "anna")
    only("run", words, mouse="DEMO", who="anna", pace="real")


def test_a_session_with_all_there_is(tmp_path):
    page = Page(data_root=str(tmp_path))
    body = {**RUN, "experiment": "CLNF_2ROI", "resume": True, "accept_exposure": True}
    assert page.post("/api/jobs", body).status_code == 200
    only(
        "run", page.jobs.started[0][1], mouse="DEMO", experiment="clnf_2roi", resume=True, accept_exposure=True,
        who="anna", pace="real", data_root=str(tmp_path),
    )  # fmt: skip


def test_a_preview_and_a_flush_end_with_the_page(page):
    assert page.post("/api/jobs", {**PREVIEW, "experiment": "clnf_2roi"}).status_code == 200
    assert page.post("/api/jobs", FLUSH).status_code == 200
    (_, look, *_), (_, flush, *_) = page.jobs.started
    only("preview", look, mouse="DEMO", experiment="clnf_2roi", no_picture=True, until_eof=True)
    only("flush", flush, mouse="DEMO", seconds=5.0, until_eof=True)


def test_who_is_elsewhere_is_told_with_where():
    page = Page(client_at=("192.0.2.7", 4711))
    page.post("/api/jobs", RUN)
    page.post("/api/jobs/1/stop", {"who": "bert"})
    assert page.jobs.started[0][3] == "anna at 192.0.2.7"
    only("run", page.jobs.started[0][1], mouse="DEMO", who="anna at 192.0.2.7", pace="real")
    assert page.jobs.stopped == [(1, "bert at 192.0.2.7")]


BAD = [
    ({}, "do = None: give run, preview or flush"),
    ([], "is JSON, and no object"),
    ("{", "the request is no JSON"),
    ("[" * 50_000, "the request is no JSON"),
    (b"\xff", "the request is no JSON"),
    ({**RUN, "do": "export"}, "give run, preview or flush"),
    ({**RUN, "do": ["run"]}, "give run, preview or flush"),
    ({**RUN, "do": "\ud800" * 200}, ""),
    ({**RUN, "outputs": "real"}, "and nothing else"),
    ({key: value for key, value in RUN.items() if key != "who"}, "give do, who, mouse"),
    ({**PREVIEW, "seconds": 5}, "and nothing else"),
    ({**RUN, "resume": 1}, "resume = 1: is of the wrong type"),
    ({**RUN, "resume": "yes"}, "is of the wrong type"),
    ({**RUN, "mouse": None}, "is of the wrong type"),
    ({**RUN, "mouse": ["DEMO"] * 100}, "is of the wrong type"),
    ({**RUN, "mouse": ""}, "has no such mouse"),
    ({**RUN, "mouse": "NOBODY"}, "has no such mouse"),
    ({**RUN, "mouse": "--outputs=real"}, "has no such mouse"),
    ({**RUN, "mouse": "DEMO --outputs=real"}, "has no such mouse"),
    ({**RUN, "mouse": "DEMO\0"}, "has no such mouse"),
    ({**RUN, "mouse": "\ud800"}, ""),
    ({**RUN, "mouse": "../DEMO"}, "has no such mouse"),
    ({**RUN, "experiment": "--outputs=real"}, "has no such section"),
    ({**RUN, "experiment": "seeds"}, "has no such section"),
    ({**RUN, "experiment": "mouse:SIM1"}, "has no such section"),
    ({**RUN, "experiment": "clnf_1roi\0"}, "has no such section"),
    ({**RUN, "who": ""}, "one line of 1 to 60"),
    ({**RUN, "who": "--"}, "give a name"),
    ({**RUN, "who": "  "}, "one line of 1 to 60"),
    ({**RUN, "who": "anna\n--outputs=real"}, "one line of 1 to 60"),
    ({**RUN, "who": "anna\x1b[2J"}, "one line of 1 to 60"),
    ({**RUN, "who": "anna\0"}, "one line of 1 to 60"),
    ({**RUN, "who": "a" * 61}, "one line of 1 to 60"),
    ({**FLUSH, "seconds": True}, "is of the wrong type"),
    ({**FLUSH, "seconds": "5"}, "is of the wrong type"),
    ({**FLUSH, "seconds": 0}, "give more than 0 and at most 120 s"),
    ({**FLUSH, "seconds": -1}, "give more than 0 and at most 120 s"),
    ({**FLUSH, "seconds": 120.001}, "seconds = 120.001: give more than 0 and at most 120 s"),
    ({**FLUSH, "seconds": 10**400}, "give more than 0 and at most 120 s"),
    ({**FLUSH, "seconds": float("inf")}, "give more than 0 and at most 120 s"),
    ({**FLUSH, "seconds": float("nan")}, "give more than 0 and at most 120 s"),
]


@pytest.mark.parametrize(("body", "said"), BAD)
def test_what_is_wrong_is_told_in_one_line_and_starts_nothing(page, body, said):
    answer = page.post("/api/jobs", body)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert said in error
    assert error.isprintable()
    assert len(error) < 400
    assert page.jobs.started == []


def test_a_config_that_cannot_be_read_is_told(tmp_path):
    page = Page(config=tmp_path / "config.ini")
    answer = page.post("/api/jobs", RUN)
    assert answer.status_code in (409, 422)
    assert "there is no such file" in answer.json()["error"]
    assert page.jobs.started == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/jobs/1/stop", {"who": "bert"}, 200),
        ("/api/jobs/2/stop", {"who": "bert"}, 422),
        ("/api/jobs/1/stop", {}, 422),
        ("/api/jobs/1/stop", {"who": "a\nb"}, 422),
        ("/api/jobs/1/stop", {"who": "bert", "signal": 9}, 422),
        ("/api/jobs/-1/stop", {"who": "bert"}, 404),
        ("/api/jobs/one/stop", {"who": "bert"}, 404),
    ],
)
def test_stopping(page, path, body, status):
    answer = page.post(path, body)
    assert answer.status_code == status, answer.text
    assert page.jobs.stopped == ([(1, "bert")] if status == 200 else [])
    assert status == 200 or answer.json()["error"]


@pytest.mark.parametrize("path", ["/api/jobs", "/api/jobs/1/stop"])
def test_no_get_and_no_foreign_page_starts_or_stops_anything(page, path):
    assert page.client.get(path).status_code == 405
    assert page.post(path, RUN, origin="http://evil.example").status_code == 403
    assert page.client.post(path, json=RUN).status_code == 403
    assert page.post(path, "x" * 70_000).status_code == 413
    assert (page.jobs.started, page.jobs.stopped) == ([], [])


def test_a_viewer_starts_and_stops_nothing():
    page = Page(tokens={"o" * 32: Role.operator, "v" * 32: Role.viewer})
    for path in ("/api/jobs", "/api/jobs/1/stop"):
        assert page.post(path, RUN).status_code == 401
    page.post("/api/login", {"token": "v" * 32})
    for path in ("/api/jobs", "/api/jobs/1/stop"):
        assert page.post(path, RUN).status_code == 403
    assert (page.jobs.started, page.jobs.stopped) == ([], [])


PAGE = Page()
ODD = st.text(max_size=70) | st.sampled_from(["--help", "-x", "=", "a=b", "--", "'; ls"])


@settings(max_examples=30)
@given(
    who=st.just("anna") | ODD,
    mouse=st.sampled_from(["DEMO", "demo", "Sim1"]) | ODD,
    experiment=st.sampled_from(["", "clnf_2roi", "CLMF_speed"]) | ODD,
)
def test_whatever_is_asked_the_command_is_given_these_options_and_no_other(**asked):
    PAGE.jobs.started.clear()
    answer = PAGE.post("/api/jobs", {**RUN, **asked})
    if answer.status_code == 422:
        assert PAGE.jobs.started == []
        return
    assert answer.status_code == 200
    [(_, words, mouse, who)] = PAGE.jobs.started
    assert (mouse, who) == (asked["mouse"].upper(), asked["who"].strip())
    only("run", words, mouse=mouse, who=who, experiment=asked["experiment"].lower() or None, pace="real")
