"""What the tests of the page share."""

import pytest

from recording import lock_file


@pytest.fixture(scope="module", autouse=True)
def own_machine(tmp_path_factory):
    """A page finds the sessions of its machine; no test finds those that run beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lock_file, "SHARED_FOLDERS", (tmp_path_factory.mktemp("locks"),))
        yield
