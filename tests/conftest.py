"""What all tests share: the data folder, and the rule that a skip is listed by name or it is a failure."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
ALLOWED_SKIPS = ROOT / "tests" / "allowed_skips.txt"


@pytest.fixture(scope="session")
def shared_data():
    """Real recordings beside the repository; a user's clone does not have them."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs ../shared/data (real recordings, not part of the repository)")
    return SHARED_DATA


class SkipRule:
    """Fails the run if a test was skipped that ``allowed_skips.txt`` does not name."""

    def __init__(self, allowed):
        self.allowed = allowed
        self.unlisted = []

    def pytest_runtest_logreport(self, report):
        if report.skipped and not hasattr(report, "wasxfail") and report.nodeid not in self.allowed:
            self.unlisted.append(report.nodeid)

    def pytest_sessionfinish(self, session):
        if self.unlisted:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        for name in self.unlisted:
            terminalreporter.write_line(f"skipped but not listed in tests/allowed_skips.txt: {name}", red=True)


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        lines = ALLOWED_SKIPS.read_text(encoding="utf-8").splitlines()
        config.pluginmanager.register(SkipRule({line for line in lines if line and not line.startswith("#")}))
