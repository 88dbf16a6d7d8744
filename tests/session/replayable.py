"""Copies of a recorded session, for tests that replay them, spoilt or not."""

import csv
import shutil

import pytest

HISTORY_FRAMES = 15
"""dff_history of 1 s at 15 frames/s."""


@pytest.fixture
def session(tmp_path, session_with_licks):
    """Return a copy of ``session_with_licks`` that a test may spoil."""
    return shutil.copytree(session_with_licks.session, tmp_path / "M" / "20260102030405" / "S1")


def change_table(path, change):
    """Let ``change`` have the rows of a table, as dicts."""
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        rows, names = list(reader), reader.fieldnames
    rows = change(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
