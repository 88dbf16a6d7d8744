"""What came out of the guest against what should have. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

END = "END"


def line(check: str, problem: str = "") -> str:
    """Return the line that says how a check went."""
    return f"FAILED {check}: {' '.join(problem.split())}" if problem else f"ok {check}"


def problems(expected: Sequence[str], said: Iterable[str]) -> list[str]:
    """Return what is wrong, empty if every expected check ran once and passed, and the guest came to its end.

    Parameters
    ----------
    expected : sequence of str
        Names of the checks.
    said : iterable of str
        Lines of the guest.
    """
    lines = [each.strip() for each in said if each.strip()]
    found = [each for each in lines if not each.startswith("ok ") and each != END]
    passed = [each.removeprefix("ok ") for each in lines if each.startswith("ok ")]
    failed = [each.removeprefix("FAILED ").partition(":")[0] for each in found if each.startswith("FAILED ")]
    found += [f"MISSING {check}: it did not run" for check in expected if check not in passed and check not in failed]
    found += [f"UNKNOWN {check}: it ran, and nobody asked for it" for check in passed if check not in expected]
    found += [f"TWICE {check}" for check in sorted({check for check in passed if passed.count(check) > 1})]
    if not expected:
        found.append("NOTHING was expected")
    if not lines or lines[-1] != END:
        found.append("NO END: the guest did not come to its end")
    return found
