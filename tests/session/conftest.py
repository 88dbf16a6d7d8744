"""What the tests of whole sessions share."""

import shutil

import pytest

from recording import lock_file
from session import prepare
from session.build import build
from tests.support.killed import as_killed
from tests.support.memory_recorder import record_with_licks
from tests.support.quick_start import quick_start as quick_start
from tests.support.sessions import run, settings_for


@pytest.fixture(autouse=True)
def own_rig(monkeypatch, tmp_path_factory):
    """A rig's locks lie in a folder of the machine; each test has its own."""
    folder = tmp_path_factory.mktemp("locks")
    folder.chmod(0o1777)
    monkeypatch.setattr(lock_file, "SHARED_FOLDERS", (folder,))


@pytest.fixture
def parts_of(monkeypatch):
    """Let a test look at, or change, the parts that the next session is made of."""
    made = []

    def change(how=lambda parts: parts):
        def remember(*args):
            made.append(how(build(*args)))
            return made[-1]

        monkeypatch.setattr(prepare, "build", remember)
        return made

    return change


@pytest.fixture(scope="session")
def killed_sessions(tmp_path_factory):
    """Sessions of which all was on disk when they were killed, each with its session.json as it had been."""
    made = {}

    def make(how=settings_for, **overrides):
        key = how, *overrides.items()
        if key not in made:
            session = run(how(tmp_path_factory.mktemp("killed"), **overrides)).session
            made[key] = session, as_killed(session)
        return made[key]

    return make


@pytest.fixture
def killed(tmp_path, killed_sessions):
    """A copy of such a session, cut after so many rows; its settings, and its session.json as it had been."""

    def make(rows=None, how=settings_for, **overrides):
        original, before = killed_sessions(how, **overrides)
        session = tmp_path / "data" / "/".join(original.parts[-3:])
        shutil.copytree(original, session)
        if rows is not None:
            as_killed(session, rows)
        return session, how(tmp_path, **overrides), before

    return make


@pytest.fixture(scope="session")
def session_with_licks(tmp_path_factory):
    """Record a session with licks and a wish, once; return its result."""
    return record_with_licks(tmp_path_factory.mktemp("original"))
