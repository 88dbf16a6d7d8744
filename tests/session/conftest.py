"""What the tests of whole sessions share."""

import pytest

from recording import lock_file
from session import prepare
from session.build import build
from tests.support.quick_start import quick_start as quick_start


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
