"""A recorded session on the page of a real server: listed, reported, written as NWB, and taken from there."""

import json
import shutil
import time
import urllib.error
import urllib.request

import h5py
import pytest

from cli.main import main
from tests.support.page_server import ROOT, Server
from tests.support.recorded_folders import DATE, put_session

PATIENCE_S = 60
LACKS = "species, sex, date_of_birth, indicator, excitation_nm, emission_nm, reflectance_nm not given"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    config = root / "config.ini"
    shutil.copy(ROOT / "config.ini", config)
    words = ["--config", str(config), "--data-root", str(root)]
    short = ["--set", "total_trials=1", "--set", "initial_rest_dur=5", "--seed", "4", "--who", "anna"]
    assert main(["run", "--mouse", "DEMO", *words, *short]) == 0
    put_session(root, "M1", DATE, outcome="running")
    with Server(*words) as server:
        yield server


def ask(server, path, body=None):
    """Return status and content: JSON as what it says."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"origin": f"http://{server.host}", "content-type": "application/json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(f"http://{server.host}{path}", data, headers)) as answer:
            kind, content = answer.headers["content-type"], answer.read()
            return answer.status, json.loads(content) if kind == "application/json" else content
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def listed(server):
    _, found = ask(server, "/api/sessions")
    return {each["mouse"]: each for each in found["sessions"]}


def ended(server, number):
    """Wait for a program's end; return its facts and all that it was seen to say."""
    seen = []
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        [job] = [each for each in ask(server, "/api/state")[1]["jobs"] if each["number"] == number]
        seen.append(job["said"])
        if job["code"] is not None:
            return job, seen
        time.sleep(0.05)
    raise AssertionError(f"it has not ended within {PATIENCE_S} s: {seen[-1]}")


def test_what_was_recorded_is_listed_and_reported(served):
    found = listed(served)
    assert (found["DEMO"]["outcome"], found["DEMO"]["trials"]) == ("complete", 1)
    assert "rigloop recover" in found["M1"]["hint"]
    address = f"/api/sessions/{found['DEMO']['key']}"
    _, told = ask(served, address)
    assert {each["label"]: each["value"] for each in told["rows"]}["started by"] == "anna"
    assert [each["kind"] for each in told["events"]][-1] == "session_end"
    assert ask(served, f"{address}/figure.png")[1][:4] == b"\x89PNG"


def test_nwb_lacks_what_nobody_wrote_and_is_made_all_the_same_where_that_is_wanted(served):
    address = f"/api/sessions/{listed(served)['DEMO']['key']}"
    assert ask(served, f"{address}/nwb")[0] == 404
    status, answer = ask(served, f"{address}/nwb", {"who": "anna", "allow_incomplete": False})
    assert status == 200
    job, _ = ended(served, answer["job"]["number"])
    assert (job["code"], job["who"], LACKS in job["said"]) == (2, "anna", True)
    assert ask(served, f"{address}/nwb")[0] == 404
    _, answer = ask(served, f"{address}/nwb", {"who": "anna", "allow_incomplete": True})
    assert ask(served, f"{address}/nwb", {"who": "ben", "allow_incomplete": True})[0] == 422
    job, said = ended(served, answer["job"]["number"])
    assert (job["code"], job["said"].splitlines()[-1][:5]) == (0, "wrote")
    assert any(" images/s" in each for each in said)
    _, told = ask(served, address)
    _, content = ask(served, f"{address}/nwb")
    assert len(content) == told["nwb"] > 10_000


def test_nwb_that_is_stopped_leaves_nothing(served, tmp_path):
    address = f"/api/sessions/{listed(served)['DEMO']['key']}"
    _, answer = ask(served, f"{address}/nwb", {"who": "anna", "allow_incomplete": True})
    number = answer["job"]["number"]
    assert ask(served, f"/api/jobs/{number}/stop", {"who": "ben"})[0] == 200
    job, _ = ended(served, number)
    assert (job["code"] != 0, job["stops"]) == (True, ["ben"])
    _, told = ask(served, address)
    assert told["nwb"] is None
    _, answer = ask(served, f"{address}/nwb", {"who": "anna", "allow_incomplete": True})
    assert ended(served, answer["job"]["number"])[0]["code"] == 0
    (tmp_path / "taken.nwb").write_bytes(ask(served, f"{address}/nwb")[1])
    with h5py.File(tmp_path / "taken.nwb") as file:
        assert file["general/subject/subject_id"][()] == b"DEMO"
