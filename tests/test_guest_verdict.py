"""What `make guest` takes for a failure: above all a check that did not run."""

import pytest

from tests.guest.groups import GROUPS, checks_of, chosen, expected
from tests.guest.verdict import END, line, problems

ASKED = ["licks.check_a", "licks.check_b"]
GOOD = [line("licks.check_a"), line("licks.check_b"), END]


def test_all_passed():
    assert problems(ASKED, GOOD) == []
    assert problems(ASKED, [f"{each}\r\n" for each in GOOD]) == []


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ([], "NO END"),
        (GOOD[:2], "NO END"),
        ([END, *GOOD[:2]], "NO END"),
        ([GOOD[0], END], "MISSING licks.check_b"),
        ([GOOD[0], line("licks.check_b", "too late\nby far"), END], "FAILED licks.check_b: too late by far"),
        ([*GOOD[:2], line("licks.check_c"), END], "UNKNOWN licks.check_c"),
        ([GOOD[0], *GOOD], "TWICE licks.check_a"),
        (["Kernel panic", *GOOD], "Kernel panic"),
        ([GOOD[0], GOOD[1][:8], END], "MISSING licks.check_b"),
    ],
)
def test_what_fails(said, found):
    assert any(each.startswith(found) for each in problems(ASKED, said))


def test_a_failure_is_told_once():
    assert problems(ASKED, [GOOD[0], line("licks.check_b", "late"), END]) == ["FAILED licks.check_b: late"]


def test_nothing_asked_is_a_failure():
    assert problems([], [END])


def test_every_group_has_checks_and_every_module_of_checks_is_a_group(request):
    folder = request.config.rootpath / "tests" / "guest"
    assert {path.stem for path in folder.glob("checks_*.py")} == {group.module for group in GROUPS}
    for group in GROUPS:
        assert checks_of(group.module)
        assert chosen(group.module) == [group]
    assert len(set(expected())) == len(expected())
