"""Sessions on a disk that is nearly full, full, or read-only: a small file system in memory, mounted for real."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.clock import MonotonicClock
from recording.reader import count_images, open_session
from recording.settings import RESERVE_BYTES
from tests.support.sessions import rows

ROOT = Path(__file__).resolve().parents[2]
CLOCK = MonotonicClock()
MB = 1 << 20
SESSIONS = []
QUICK = {
    "initial_rest_dur": "0.5", "max_trial_dur": "1", "success_rest_dur": "0.5", "fail_rest_dur": "0.5",
    "final_rest_dur": "0.5", "reward_delay": "0.2", "total_trials": "8",
    "rig": f"full{os.getpid()}",
}  # fmt: skip


@pytest.fixture
def disk(tmp_path, running):
    """Mount file systems of a given size, and leave none."""
    del running
    mounted = []

    def mount(size, *options):
        place = tmp_path / f"disk{len(mounted)}"
        place.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", ",".join([f"size={size}", *options]), "rigloop-test", str(place)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        unmount(place)


def unmount(place):
    """Unmount, once the writer of a session that a failing test killed has ended."""
    until_ns = CLOCK.now_ns() + 20 * 10**9
    while subprocess.run(["umount", str(place)], check=False, capture_output=True).returncode:
        assert CLOCK.now_ns() < until_ns, f"{place} is still in use"
        CLOCK.sleep_until_ns(CLOCK.now_ns() + 10**8)


@pytest.fixture
def running():
    """Sessions that a test started; none outlives it."""
    SESSIONS.clear()
    yield
    for session in SESSIONS:
        session.kill()
        session.communicate()


def start(data_root, *words, mouse="DEMO", **keys):
    brain = {"dff_history": "0.5"} if mouse == "DEMO" else {"trial_start": "immediate"}
    settings = [word for key, value in {**QUICK, **brain, **keys}.items() for word in ("--set", f"{key}={value}")]
    command = [sys.executable, "-m", "cli.main", "run", "--mouse", mouse, "--seed", "3", "--data-root", str(data_root)]
    session = subprocess.Popen(
        [*command, *settings, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    SESSIONS.append(session)
    return session


def finished(session):
    out, err = session.communicate(timeout=180)
    return session.returncode, out, err


def said_of(folder, kind, table="events.csv"):
    return [row for row in rows(folder / table) if row["kind"] == kind]


def wait_for_rows(session, data_root, n):
    """Wait until a session has so many rows; return its folder."""
    until_ns = CLOCK.now_ns() + 90 * 10**9
    while CLOCK.now_ns() < until_ns and session.poll() is None:
        for log in data_root.glob("*/*/S1/frames.csv"):
            if log.read_bytes().count(b"\n") > n:
                return log.parent
        CLOCK.sleep_until_ns(CLOCK.now_ns() + 2 * 10**7)
    session.kill()
    raise AssertionError(f"no session began: {finished(session)}")


def fill(place, leave):
    """Take the room that another program takes, but for so much."""
    state = os.statvfs(place)
    with (place / "ballast").open("wb") as ballast:
        # A little less at once: the session writes meanwhile. Where that is more, all of it is taken bit by bit.
        with contextlib.suppress(OSError):
            os.posix_fallocate(ballast.fileno(), 0, state.f_bavail * state.f_frsize - leave - 8 * MB)
        ballast.seek(0, os.SEEK_END)
        with contextlib.suppress(OSError):
            while (state := os.statvfs(place)).f_bavail * state.f_frsize > leave or not leave:
                os.write(ballast.fileno(), bytes(4096))


def check_log(folder, result):
    """The log is whole, images are there as far as a row names one, and what was not kept is counted."""
    with open_session(folder) as session:
        table = session.frames
        assert table.frame.tolist() == list(range(1, len(table) + 1))
        assert len(table) == len(session.timing) == result["frames"]
        images = count_images(session)
        assert table.image.tolist() == [*range(images), *[-1] * (len(table) - images)]
        assert 0 < images == result["images"]
        assert result["images_dropped"] == result["frames"] - images > 0
        assert all(picture.any() for picture in session.images())
    meta = json.loads((folder / "session.json").read_text())
    assert (meta["outcome"], meta["counts"]["images"]) == (result["outcome"], images)
    [ended] = [row for row in said_of(folder, "images_ended") if not row["detail"].startswith("camera2")]
    assert ended["detail"].startswith("disk_full: cannot write ")
    assert int(table.time_ns[images - 1]) <= int(ended["time_ns"]) <= int(table.time_ns[-1])


@pytest.mark.parametrize(
    ("mouse", "room", "trials"), [("DEMO", 24 * MB, 12), ("PAW", 150_000, 5)], ids=["HDF5", "video"]
)
def test_a_session_goes_on_without_images_and_says_so_ahead(disk, mouse, room, trials):
    root = disk(RESERVE_BYTES + room)
    code, out, err = finished(start(root / "data", "--json", "--pace", "max", mouse=mouse, total_trials=trials))
    result = json.loads(out)
    assert (code, result["outcome"], result["trials"]) == (0, "complete", trials), err
    folder = Path(result["session"])
    check_log(folder, result)
    assert "images may end before the session does: data_root" in err
    assert "images are recorded no more, the log and the session go on (disk_full = go_on): cannot write" in err
    [summary] = rows(next((root / "data").glob("*.csv")))
    assert folder.parent.name in str(summary.values())
    assert os.statvfs(root).f_bavail * os.statvfs(root).f_frsize > 0.9 * RESERVE_BYTES


def test_a_second_cameras_images_end_too_and_the_session_goes_on(disk):
    root = disk(RESERVE_BYTES + 12 * MB)
    words = ("--json", "--pace", "max")
    # Some 280 images: its writer looks at the disk behind each 163 of them at the latest.
    code, out, err = finished(start(root / "data", *words, mouse="PAW", second_camera="clnf_1roi", total_trials="12"))
    result = json.loads(out)
    assert (code, result["outcome"], result["trials"]) == (0, "complete", 12), err
    second = result["second_camera"]
    assert second["images"] + second["images_dropped"] == second["frames"]
    assert second["images"] > 0 < second["images_dropped"]
    folder = Path(result["session"])
    ends = [row["detail"].partition(": cannot")[0] for row in said_of(folder, "images_ended")]
    assert sorted(ends) == ["camera2", "disk_full"]
    with open_session(folder / "camera2") as session:
        assert count_images(session) == second["images"]
        assert len(session.frames) == second["frames"]
    assert len(said_of(folder / "camera2", "images_ended")) == 1


def test_a_session_ends_in_order_where_config_says_so(disk):
    """Another program fills the disk while it runs: the running trial is the last."""
    root = disk(RESERVE_BYTES + 150 * MB)
    session = start(root / "data", "--json", "--pace", "real", total_trials="20", disk_full="end")
    folder = wait_for_rows(session, root / "data", 10)
    fill(root, RESERVE_BYTES + 2 * MB)
    code, out, err = finished(session)
    result = json.loads(out)
    assert (code, result["outcome"]) == (0, "stopped"), err
    assert result["trials"] < 19
    check_log(folder, result)
    assert "images are recorded no more, the session ends (disk_full = end): cannot write" in err
    [asked] = said_of(folder, "stop_after_trial", "inputs.csv")
    assert asked["who"] == "disk"
    assert said_of(folder, "operator")[0]["detail"] == "stop_after_trial disk"
    assert said_of(folder, "session_end")[0]["detail"] == "stopped"
    trials = [row for row in rows(folder / "events.csv") if row["kind"] in ("success", "fail")]
    assert len(trials) == result["trials"], "none was cut short"
    assert len(list((root / "data").glob("*.csv"))) == 1


def test_a_session_that_is_to_end_with_its_images_does_not_begin_where_they_may_not_fit(disk):
    root = disk(RESERVE_BYTES + 24 * MB)
    code, _, err = finished(start(root / "data", total_trials="20", disk_full="end"))
    assert code == 2
    assert "disk_full = go_on begins all the same" in err
    assert list(root.iterdir()) == []


def test_a_disk_without_room_for_the_log_is_a_failure_with_a_cure(disk):
    """Not a byte is left: what was recorded before is there."""
    root = disk(RESERVE_BYTES + 60 * MB)
    session = start(root / "data", "--pace", "real", total_trials="20")
    folder = wait_for_rows(session, root / "data", 10)
    fill(root, 0)
    code, out, err = finished(session)
    assert code == 3
    [failed] = [line for line in out.splitlines() if "FAILED" in line]
    assert ".csv: No space left on device; free space on that disk, or set data_root to another one" in failed
    assert "Traceback" not in out + err
    with open_session(folder) as recorded:
        assert len(recorded.frames) >= 10
        assert recorded.frames.frame.tolist() == list(range(1, len(recorded.frames) + 1))
        assert count_images(recorded) > recorded.frames.image.max()


def test_a_read_only_data_root_is_one_line_and_nothing_is_made(disk):
    root = disk(RESERVE_BYTES + 100 * MB)
    (root / "data").mkdir()
    subprocess.run(["mount", "-o", "remount,ro", str(root)], check=True, capture_output=True)
    code, out, err = finished(start(root / "data"))
    assert code in (2, 3)
    assert out == ""
    [line] = err.strip().splitlines()
    assert "read-only" in line.lower()
    assert "data_root" in line
    assert list((root / "data").iterdir()) == []
