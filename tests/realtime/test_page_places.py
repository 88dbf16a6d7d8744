"""The page's server, a recorded session and a preview: how today's picture lies against the first day's."""

import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import cv2
import numpy as np

from session.config_edit import add_mouse
from tests.support.page_server import ENV, ROOT, Server

MOUSE = "PLACETEST"
QUICK = ("--set", "total_trials=1", "--set", "initial_rest_dur=2", "--set", "rig=place_test")


def get(server, path):
    with urllib.request.urlopen(f"http://{server.host}/api/{path}", timeout=20) as answer:
        return answer.read()


def told(server, path):
    return json.loads(get(server, path))


def status(server, path):
    try:
        get(server, path)
    except urllib.error.HTTPError as error:
        return error.code
    return 200


def rigloop(*words):
    return [sys.executable, "-m", "cli.main", *map(str, words)]


def wait_for(look, why, seconds=60.0):
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, why
        time.sleep(0.1)
    return seen


def test_a_preview_is_compared_with_the_first_day(tmp_path):
    config, data = tmp_path / "config.ini", tmp_path / "data"
    shutil.copy(ROOT / "config.ini", config)
    add_mouse(config, MOUSE, "DEMO")
    with Server("--config", str(config), "--data-root", str(data)) as server:
        assert told(server, f"mice/{MOUSE}/first") == {"session": None}
        assert status(server, f"mice/{MOUSE}/first.png") == 404
        words = ("run", "--config", config, "--mouse", MOUSE, "--data-root", data, *QUICK)
        subprocess.run(rigloop(*words), env=ENV, check=True, capture_output=True, timeout=120)
        first = told(server, f"mice/{MOUSE}/first")
        assert first["image"] == [256, 256]
        picture = cv2.imdecode(np.frombuffer(get(server, f"mice/{MOUSE}/first.png"), np.uint8), cv2.IMREAD_UNCHANGED)
        assert picture.shape == (256, 256)
        preview = subprocess.Popen(
            rigloop("preview", "--config", config, "--mouse", MOUSE, "--no-picture"),
            env=ENV, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            live = f"preview-{preview.pid}"
            wait_for(
                lambda: status(server, f"live/{live}/exposure") == 200, "is it full? four pages may look at a preview"
            )
            exposure = told(server, f"live/{live}/exposure?{urllib.parse.urlencode({'roi.A': 'circle 100,90,9'})}")
            assert {(each["roi"], each["verdict"]) for each in exposure["rois"]} == {("A", "good")}
            assert get(server, f"live/{live}/saturated.png").startswith(b"\x89PNG")
            view = told(server, f"mice/{MOUSE}/view?live={live}")
            # What is drawn of a made-up brain is the same whatever the seed.
            assert view["same"], view
            assert view["session"] == first["session"]
        finally:
            preview.terminate()
            preview.wait(20)
        wait_for(lambda: status(server, f"live/{live}/exposure") == 404, "the preview has ended")
