"""What all tests share: the data folder, and the rule that a skip is listed by name or it is a failure."""

import os
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

# A law says nothing of time, and machines are loaded.
settings.register_profile("rigloop", deadline=None)
settings.load_profile("rigloop")

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
ALLOWED_SKIPS = ROOT / "tests" / "allowed_skips.txt"
SEEN = "unlisted skips"


_NUMBERS = count()


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory):
    """The water of the day of each test's own: never this user's, nor another test's. The folder is not made here."""
    before = os.environ.get("RIGLOOP_STATE")
    folder = tmp_path_factory.getbasetemp() / f"state{next(_NUMBERS)}"
    os.environ["RIGLOOP_STATE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["RIGLOOP_STATE"]
    else:
        os.environ["RIGLOOP_STATE"] = before


@pytest.fixture(scope="session")
def shared_data():
    """Real recordings beside the repository; a user's clone does not have them."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs ../shared/data (real recordings, not part of the repository)")
    return SHARED_DATA


class SkipRule:
    """Fails the run if anything was skipped, a test or a whole file, that ``allowed_skips.txt`` does not name.

    Each worker of pytest-xdist has a rule of its own, and hands what it saw to the controller's when it ends. What
    xdist passes on does not suffice: of files that are skipped for one cause it reports the first only.
    """

    def __init__(self, allowed):
        self.allowed = allowed
        self.unlisted = {}

    def pytest_runtest_logreport(self, report):
        self._note(report)

    def pytest_collectreport(self, report):
        self._note(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        # A worker that crashed hands over nothing; its crash has failed the run.
        self.unlisted.update(dict.fromkeys(getattr(node, "workeroutput", {}).get(SEEN, ())))

    def pytest_sessionfinish(self, session):
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[SEEN] = list(self.unlisted)
        elif self.unlisted:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        for name in self.unlisted:
            terminalreporter.write_line(f"skipped but not listed in tests/allowed_skips.txt: {name}", red=True)

    def _note(self, report):
        if report.skipped and not hasattr(report, "wasxfail") and report.nodeid not in self.allowed:
            self.unlisted[report.nodeid] = True


def pytest_configure(config):
    lines = ALLOWED_SKIPS.read_text(encoding="utf-8").splitlines()
    config.pluginmanager.register(SkipRule({line for line in lines if line and not line.startswith("#")}))
