"""Locks that another user made or looks at."""

import errno
import os

import pytest

from core.errors import BusyError, OutputError, RecordingError
from hardware.pin_locks import PinLocks
from hardware.settings import PinSettings
from session.locks import mouse_lock, rig_locks


@pytest.fixture
def private_umask():
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_a_lock_made_under_a_private_umask_can_be_taken_by_others(private_umask):
    for lock in rig_locks("rig1", "M1"):
        with lock:
            assert lock._path.stat().st_mode & 0o777 == 0o644


def test_a_lock_that_cannot_be_opened_says_how_to_mend_it(monkeypatch):
    def refuse(*args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("recording.lock_file.os.open", refuse)
    with pytest.raises(RecordingError, match=r"chmod a\+r"), rig_locks("rig1", "M1")[0]:
        pass


def test_a_rig_named_like_a_mouse_is_no_mouse():
    rig, _ = rig_locks("mouse-M1", "M1")
    _, mouse = rig_locks("rig1", "M1")
    with rig, mouse:
        assert rig._path != mouse._path


def test_a_lock_that_is_held_names_its_holder(tmp_path):
    with mouse_lock(tmp_path, "M1"), pytest.raises(BusyError, match=rf"mouse M1 .*\(process {os.getpid()} took "):
        mouse_lock(tmp_path, "M1").__enter__()
    with mouse_lock(tmp_path, "M1"):
        pass


@pytest.fixture(params=[errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO])
def no_locks(request, monkeypatch):
    """A network share that keeps no locks."""

    def refuse(*args):
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr("fcntl.flock", refuse)


def test_a_data_folder_that_keeps_no_locks_is_refused_with_a_cure(tmp_path, no_locks):
    open_handles = len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        with pytest.raises(
            RecordingError, match=r"M1/\.lock cannot be taken \(.+\), .*; choose .* with data_root"
        ) as no:
            mouse_lock(tmp_path, "M1").__enter__()
        assert "\n" not in str(no.value)
        assert not isinstance(no.value, BusyError)
    with pytest.raises(RecordingError, match=r"rig rig1: the lock .* cannot be taken .*; mount a disk"):
        rig_locks("rig1", "M1")[0].__enter__()
    assert len(os.listdir("/proc/self/fd")) == open_handles


def test_pins_whose_locks_cannot_be_kept_are_refused_with_a_cure(tmp_path, no_locks):
    open_handles = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OutputError, match=r"gpio\d+\.lock cannot be taken \(.+\), .*; mount a disk"):
        PinLocks(tmp_path).take(PinSettings(pin_light=21))
    assert len(os.listdir("/proc/self/fd")) == open_handles


def test_a_disk_that_is_full_keeps_a_lock_all_the_same(tmp_path, monkeypatch):
    """The number of its process is for a message only."""

    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("session.locks.os.pwrite", full)
    with mouse_lock(tmp_path, "M1"), pytest.raises(BusyError, match="process unknown took"):
        mouse_lock(tmp_path, "M1").__enter__()


@pytest.mark.parametrize(
    ("refused", "cure"),
    [(errno.ENOSPC, "free space on that disk, or choose another with data_root"), (errno.EROFS, "you may write with")],
)
def test_a_data_root_that_takes_no_folder_is_the_machines_refusal(tmp_path, monkeypatch, refused, cure):
    def refuse(*args, **kinds):
        raise OSError(refused, os.strerror(refused))

    monkeypatch.setattr("session.locks.Path.mkdir", refuse)
    with pytest.raises(RecordingError, match=cure) as no:
        mouse_lock(tmp_path, "M1")
    assert no.value.exit_code == 3


def test_a_lock_that_finds_no_room_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "recording.lock_file.os.open", lambda *args: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full"))
    )
    with pytest.raises(RecordingError, match=r"cannot be opened \(full\); free space"):
        mouse_lock(tmp_path, "M1").__enter__()
