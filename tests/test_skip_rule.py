"""A skip that is not listed by name fails the run: in a process of its own, and on two workers."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import ALLOWED_SKIPS, ROOT

pytest_plugins = ["pytester"]

RULE = Path(__file__).parent / "conftest.py"
PASSES = "def test_passes():\n    pass\n"
SKIPS = "import pytest\n\n\ndef test_skips():\n    pytest.skip('for a reason')\n"
MARKED = "import pytest\n\n\n@pytest.mark.skip(reason='for a reason')\ndef test_marked():\n    pass\n"
FAILS_AS_EXPECTED = "import pytest\n\n\n@pytest.mark.xfail(reason='known')\ndef test_known():\n    assert False\n"
WHOLE_FILE = f"import pytest\n\npytest.skip('for a reason', allow_module_level=True)\n{PASSES}"
LACKS_MODULE = f"import pytest\n\npytest.importorskip('a_module_that_nobody_has')\n{PASSES}"
ONE_CAUSE = f"from tests.needs import rig\n\nrig()\n{PASSES}"
NEEDS = "import pytest\n\n\ndef rig():\n    pytest.skip('needs a rig', allow_module_level=True)\n"

NOT_LISTED = {
    "a test": ({"test_a": SKIPS}, [], ["tests/test_a.py::test_skips"]),
    "a marked test": ({"test_a": MARKED}, ["tests/test_a.py"], ["tests/test_a.py::test_marked"]),
    "a file": ({"test_a": WHOLE_FILE}, [], ["tests/test_a.py"]),
    "a file beside a test": ({"test_a": LACKS_MODULE, "test_b": PASSES}, [], ["tests/test_a.py"]),
    "the second file of one cause": (
        {"test_a": ONE_CAUSE, "test_b": ONE_CAUSE, "test_c": PASSES}, ["tests/test_a.py"], ["tests/test_b.py"],
    ),
}  # fmt: skip
LISTED = {
    "a test": ({"test_a": SKIPS}, ["tests/test_a.py::test_skips"]),
    "a file": ({"test_a": LACKS_MODULE, "test_b": PASSES}, ["# a comment", "", "tests/test_a.py"]),
    "a failure that is expected": ({"test_a": FAILS_AS_EXPECTED}, []),
}


@pytest.fixture
def run(pytester):
    """Run test files under a copy of the rule, with an allowed_skips.txt of their own."""

    def run_files(files, allowed, *options):
        tests = pytester.mkpydir("tests")
        shutil.copy(RULE, tests / "conftest.py")
        (tests / "allowed_skips.txt").write_text("\n".join(allowed) + "\n", encoding="utf-8")
        for name, text in {**files, "needs": NEEDS}.items():
            (tests / f"{name}.py").write_text(text, encoding="utf-8")
        return pytester.runpytest_subprocess(*options, "tests")

    return run_files


def told(result):
    return [line.rpartition(": ")[2] for line in result.outlines if line.startswith("skipped but not listed")]


@pytest.mark.parametrize(("files", "allowed", "named"), NOT_LISTED.values(), ids=NOT_LISTED.keys())
def test_a_skip_that_is_not_listed_fails_the_run_and_is_named_once(run, files, allowed, named):
    result = run(files, allowed)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert told(result) == named


@pytest.mark.parametrize(("files", "allowed"), LISTED.values(), ids=LISTED.keys())
def test_a_skip_that_is_listed_does_not(run, files, allowed):
    result = run(files, allowed)
    assert result.ret == pytest.ExitCode.OK
    assert told(result) == []


def together(cases):
    """Return files, allowed skips and the others of several cases as those of one run, each case's names its own."""
    files, allowed, named = {}, [], []
    for number, (texts, listed, *others) in enumerate(cases):
        files |= {name.replace("test_", f"test_{number}_", 1): text for name, text in texts.items()}
        for lines, own in ((allowed, listed), (named, others[0] if others else [])):
            lines += [line.replace("tests/test_", f"tests/test_{number}_") for line in own]
    return files, allowed, named


def test_on_two_workers_each_that_is_not_listed_is_named_once(run):
    files, allowed, named = together([*NOT_LISTED.values(), *LISTED.values()])
    result = run(files, allowed, "-n", "2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert sorted(told(result)) == sorted(named)


def test_on_two_workers_skips_that_are_listed_do_not_fail_it(run):
    files, allowed, _ = together(LISTED.values())
    result = run(files, allowed, "-n", "2")
    assert result.ret == pytest.ExitCode.OK
    assert told(result) == []


def test_every_listed_skip_is_there():
    lines = [line for line in ALLOWED_SKIPS.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    assert len(set(lines)) == len(lines)
    for line in lines:
        path, _, test = line.partition("::")
        assert not test or f"def {test.partition('[')[0]}(" in (ROOT / path).read_text(encoding="utf-8"), line


def test_what_needs_the_shared_data_is_listed(request):
    """A machine that has them would not tell; of all tests of this run."""
    allowed = ALLOWED_SKIPS.read_text(encoding="utf-8").splitlines()
    needing = [item for item in request.session.items if "shared_data" in item.fixturenames]
    assert [item.nodeid for item in needing if not {item.nodeid, item.location[0]} & {*allowed}] == []
