"""What the suites of the ports share."""

from __future__ import annotations

import time

import pytest

from tests.support.quick_start import quick_start as quick_start

MS = 1_000_000


@pytest.fixture
def nobody_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verb that never blocks does not sleep; how long it takes is measured in ``bench/``."""

    def refuse(duration_s: float) -> None:
        raise AssertionError(f"this verb must not block, and slept for {duration_s} s")

    monkeypatch.setattr(time, "sleep", refuse)
