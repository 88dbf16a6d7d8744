"""What docs/how-to/stop-and-errors.md quotes is what the program says, but for numbers, paths and what stands as dots.

Each message is brought about as a user would meet it. A message that the page quotes and no scene here brings about
fails, and so does a scene whose message the page no longer quotes.
"""

import errno
import fcntl
import functools
import os
import re
import sys
from dataclasses import replace

import pytest

from behavior import dlc_model
from core.clock import VirtualClock
from recording import folder, summary
from session import prepare, running
from session.build import build
from session.locks import mouse_lock
from tests.cli.words import ROOT, run_words
from tests.support.sessions import Exposed, SilentCamera, brighter, run, settings_for

PAGE = (ROOT / "docs" / "how-to" / "stop-and-errors.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CHECKED = "rigloop check --config broken.ini"


def blocks(language):
    return [text for found, text in FENCE.findall(PAGE) if found == language]


def quoted():
    """Return the messages of the text blocks, where an indented line goes on with the one above, and of the table."""
    lines = [line for text in blocks("text") for line in re.split(r"\n(?!\s)", text.strip())]
    return lines + re.findall(r"^\| `([^`]+)`[^|]* \|", PAGE.partition("\nTypical ones:\n")[2], re.MULTILINE)


def normal(text):
    """Return a message without what differs from one time to the next: paths, numbers, and how lines are broken."""
    text = re.sub(r"(?<![\w.])[\w.~-]*(?:/[\w.~-]+)+", "PATH", text)
    return re.sub(r"\d+(?:\.\d+)?", "N", " ".join(text.split()))


def says(message, output):
    """Return whether the output has the quoted message; three dots stand for anything."""
    words = (re.escape(normal(part)) for part in message.split("..."))
    return re.search(r".*".join(words), normal(output)) is not None


class Scene:
    """What a scene may use; each returns what a person reads."""

    def __init__(self, rigloop, config, tmp_path, monkeypatch):
        self.config, self.tmp_path, self.monkeypatch = config, tmp_path, monkeypatch
        self._rigloop = rigloop

    def command(self, *words, code=2):
        ended, _, err = self._rigloop(*words)
        assert ended == code, err
        return err

    def run(self, *words, code=2):
        return self.command(*run_words(self.config, self.tmp_path, *words), code=code)

    def session(self, clock=None, **overrides):
        """Run a session on a virtual clock; return what is said at its end."""
        result = run(settings_for(self.tmp_path, **overrides), clock=clock)
        assert result.outcome == "failed"
        return "\n".join(result.text())

    def parts(self, change):
        self.monkeypatch.setattr(prepare, "build", lambda *args: change(build(*args)))


def a_second_session(scene):
    with mouse_lock(scene.tmp_path / "data", "DEMO"):
        return scene.run()


def a_share_without_locks(scene):
    def refuse(*args):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    with scene.monkeypatch.context() as meanwhile:
        meanwhile.setattr(fcntl, "flock", refuse)
        return scene.run(code=3)


def a_mouse_that_is_not_there(scene):
    return scene.command("run", "--mouse", "X", "--config", scene.config)


def a_disk_that_is_nearly_full(scene):
    scene.monkeypatch.setattr(running, "Recorder", functools.partial(running.Recorder, reserve_bytes=1 << 62))
    return scene.session()


def a_disk_that_is_full(scene):
    def full(*args):
        raise OSError(28, os.strerror(28))

    scene.monkeypatch.setattr(folder.os, "replace", full)
    ended = scene.command(*run_words(scene.config, scene.tmp_path), code=3)
    scene.monkeypatch.undo()
    return ended


def a_summary_that_another_rig_holds(scene):
    settings = settings_for(scene.tmp_path)
    path = scene.tmp_path / "data" / settings.recording.summary_file
    path.parent.mkdir()
    path.touch()
    scene.monkeypatch.setattr(summary, "MonotonicClock", VirtualClock)
    with path.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        return scene.session()


def a_camera_that_falls_silent(scene):
    clock = VirtualClock()
    scene.parts(lambda parts: replace(parts, camera=SilentCamera(parts.camera, clock, 20)))
    return scene.session(clock)


def a_light_that_is_too_strong(scene):
    scene.parts(lambda parts: replace(parts, camera=Exposed(parts.camera, brighter(4))))
    return scene.run()


def a_pi_camera_without_its_library(scene):
    scene.monkeypatch.setitem(sys.modules, "picamera2", None)
    return scene.run("--camera", "pi", code=3)


def a_pose(scene, code=2, **keys):
    """Run the movement experiment of the shipped config.ini."""
    words = [word for key, value in keys.items() for word in ("--set", f"{key}={value}")]
    data = ["--data-root", scene.tmp_path / "data"]
    return scene.command("run", "--mouse", "PAW", "--config", ROOT / "config.ini", *data, *words, code=code)


def a_model_for_tensorflow(scene):
    (scene.tmp_path / "pose_cfg.yaml").touch()
    return a_pose(scene, pose_backend="dlc", dlc_model_path=scene.tmp_path)


def a_pose_without_its_library(scene):
    model = scene.tmp_path / "paws.pt"
    model.touch()
    with scene.monkeypatch.context() as meanwhile:
        meanwhile.setattr(dlc_model, "find_spec", lambda name: None)
        return a_pose(scene, code=3, pose_backend="dlc", dlc_model_path=model)


SCENES = {
    "rigloop run: mouse DEMO is in a session": a_second_session,
    "mouse DEMO: the lock": a_share_without_locks,
    "no mouse 'X'": a_mouse_that_is_not_there,
    "not a number": lambda scene: scene.run("--set", "reward_delay=10 s"),
    "there is no ROI M3_L": lambda scene: scene.run("--set", "roi=M3_L"),
    "there is no such file or folder": lambda scene: scene.run("--camera", "replay", "--source", "nowhere"),
    "picamera2 cannot be imported": a_pi_camera_without_its_library,
    "dlc_model_path is not set": lambda scene: a_pose(scene, pose_backend="dlc"),
    "... a model for TensorFlow": a_model_for_tensorflow,
    "pose_backend = dlc: ... not installed": a_pose_without_its_library,
    "control_point paw": lambda scene: a_pose(scene, control_point="paw"),
    "pose_log = ...": lambda scene: a_pose(scene, pose_backend="replay", pose_log="nowhere"),
    "max_session_water_s is": lambda scene: scene.session(
        max_session_water_s="0.15", reward_dur="0.1", reward_threshold="0.02"
    ),
    "ROI M1_L is saturated in green": a_light_that_is_too_strong,
    "no frame for": a_camera_that_falls_silent,
    "... MB are free there": a_disk_that_is_nearly_full,
    "cannot write": a_disk_that_is_full,
    "another process has held it": a_summary_that_another_rig_holds,
}
"""How to bring about the message that begins so."""


def scene_of(message):
    return next((scene for begin, scene in SCENES.items() if message.startswith(begin)), None)


@pytest.mark.parametrize("message", quoted())
def test_a_message_that_the_page_quotes_is_what_the_program_says(message, rigloop, config, tmp_path, monkeypatch):
    scene = scene_of(message)
    assert scene is not None, f"the page quotes {message!r}; add to SCENES how to bring it about"
    output = scene(Scene(rigloop, config, tmp_path, monkeypatch))
    assert says(message, output), f"the page quotes {message!r}; the program says:\n{output}"


def test_every_scene_is_quoted():
    assert len(quoted()) == len(SCENES)
    assert {scene_of(message) for message in quoted()} == set(SCENES.values())


def test_the_problems_of_a_config_are_quoted_line_by_line(rigloop, tmp_path, monkeypatch):
    """The page's own file, made by the page's own code."""
    monkeypatch.chdir(tmp_path)
    [code] = blocks("python")
    exec(code, {})
    [shown] = [text for text in blocks("console") if CHECKED in text]
    _, *lines = shown.splitlines()
    code, _, err = rigloop(*CHECKED.split()[1:])
    assert code == 2
    said = err.splitlines()
    assert len(said) == len(lines) > 0
    for line, told in zip(lines, said, strict=True):
        pattern = ".*".join(re.escape(part) for part in line.split("..."))
        assert re.fullmatch(pattern, told), f"the page: {line}\nthe program: {told}"


@pytest.mark.parametrize(
    ("message", "output", "same"),
    [
        ("process 7 took a/b/.lock); wait", "(process 16 took /tmp/x y/.lock); wait", False),
        ("(process 7 took a/.lock); wait", "x: (process 16 took /tmp/x/.lock); wait for it", True),
        ("still running (process 7); wait", "still running (process 7 took /tmp/.lock); wait", False),
        ("no frame for 5.0 s (set ...)", "no frame for 5.2 s (set is 5); check", True),
        ("... MB are free", "3 MB are free", True),
        ("3 MB are free there", "3 MB are free on that disk", False),
    ],
)
def test_this_test_sees_a_stale_message(message, output, same):
    assert says(message, output) == same
