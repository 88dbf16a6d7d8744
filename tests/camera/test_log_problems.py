"""Recordings whose log and images do not belong together: each is told in one line, with its cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from recording.schema import CLOPY_LOG, FRAMES_CSV
from tests.camera import recordings as rec
from tests.camera.problems import Make, assert_one_clear_line


def log_too_short(tmp: Path) -> Path:
    return rec.write_clopy(tmp, 4, [0, 10, 20])


def log_from_two(tmp: Path) -> Path:
    rec.write_hdf5(tmp / rec.STREAM, rec.pictures(2))
    rec.write_clopy_log(tmp, [0, 10], first=2)
    return tmp


def log_backwards(tmp: Path) -> Path:
    return rec.write_clopy(tmp, 4, [0, 20, 10, 30])


def log_standing_still(tmp: Path) -> Path:
    return rec.write_clopy(tmp, 3, [0, 20, 20])


def log_damaged(tmp: Path) -> Path:
    rec.write_clopy(tmp, 3, [0, 20, 40])
    log = tmp / CLOPY_LOG
    log.write_text(log.read_text().replace("\n2\t", "\ntwo\t"))
    return tmp


def log_without_columns(tmp: Path) -> Path:
    rec.write_clopy(tmp, 3, [0, 20, 40])
    (tmp / CLOPY_LOG).write_text("a\tb\n1\t2\n")
    return tmp


def log_empty(tmp: Path) -> Path:
    rec.write_clopy(tmp, 3, [0, 20, 40])
    (tmp / CLOPY_LOG).write_text("")
    return tmp


def log_binary(tmp: Path) -> Path:
    rec.write_clopy(tmp, 3, [0, 20, 40])
    (tmp / CLOPY_LOG).write_bytes(b"\xff\xfe\x00")
    return tmp


def session_without_file(tmp: Path) -> Path:
    rec.write_session(tmp, rec.pictures(2), rec.session_rows(2))
    (tmp / rec.STREAM).unlink()
    return tmp


def session_without_images(tmp: Path) -> Path:
    return rec.write_session(tmp, rec.pictures(0), [(k, k * 10, 0, 0, -1) for k in (1, 2)])


def session_damaged(tmp: Path) -> Path:
    rec.write_session(tmp, rec.pictures(2), rec.session_rows(2))
    table = tmp / FRAMES_CSV
    table.write_text(table.read_text().replace("\n2,", "\nX,"))
    return tmp


def session_without_columns(tmp: Path) -> Path:
    rec.write_session(tmp, rec.pictures(2), rec.session_rows(2))
    (tmp / FRAMES_CSV).write_text("a,b\n1,2\n")
    return tmp


def session_backwards(tmp: Path) -> Path:
    return rec.write_session(tmp, rec.pictures(2), [(1, 50, 0, 0, 0), (2, 40, 0, 0, 1)])


def session_images_twice(tmp: Path) -> Path:
    return rec.write_session(tmp, rec.pictures(2), [(1, 50, 0, 0, 1), (2, 60, 0, 0, 1)])


def many_sessions(tmp: Path) -> Path:
    for day in ("20240101120000", "20240102120000"):
        rec.write_session(tmp / day / "S1", rec.pictures(2), rec.session_rows(2))
    return tmp


PROBLEMS: list[tuple[Make, str]] = [
    (log_too_short, "VideoTimestamp.txt: has 3 rows for 4 images, none for frame 4; .*rename"),
    (log_from_two, "none for frame 1"),
    (log_backwards, "VideoTimestamp.txt: the time stamps go backwards at frame 3 .*rename"),
    (log_standing_still, "the time stamps stand still at frame 3"),
    (log_damaged, "VideoTimestamp.txt, line 3: 'two"),
    (log_without_columns, "has no columns|no columns frame and time"),
    (log_empty, "has no header line"),
    (log_binary, "cannot be read"),
    (session_without_file, "kept no images, so it cannot be replayed; give"),
    (session_without_images, "none of its 2 frames has an image"),
    (session_damaged, "frames.csv"),
    (session_without_columns, "frames.csv"),
    (session_backwards, "frames.csv line 3: time_ns 40 is not after 50"),
    (session_images_twice, "column image does not rise"),
    (many_sessions, "holds 2 sessions; name one of them, such as .*20240102120000"),
]


@pytest.mark.parametrize(("make", "message"), PROBLEMS, ids=lambda value: getattr(value, "__name__", None))
def test_a_problem_is_one_clear_line(make: Make, message: str, tmp_path: Path) -> None:
    assert_one_clear_line(make(tmp_path), message)
