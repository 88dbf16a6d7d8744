"""What the tests of whole sessions share."""

import tempfile

import pytest

from session import runner
from session.build import build


@pytest.fixture(autouse=True)
def own_rig(monkeypatch, tmp_path):
    """The rig's lock lies in the machine's folder for temporary files; each test has its own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def parts_of(monkeypatch):
    """Let a test look at, or change, the parts that the next session is made of."""
    made = []

    def change(how=lambda parts: parts):
        def remember(*args):
            made.append(how(build(*args)))
            return made[-1]

        monkeypatch.setattr(runner, "build", remember)
        return made

    return change
