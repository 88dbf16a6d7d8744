"""Locks that another user made or looks at."""

import os

import pytest

from core.errors import InputError
from session.locks import rig_locks


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

    monkeypatch.setattr("session.locks.os.open", refuse)
    with pytest.raises(InputError, match=r"chmod a\+r"), rig_locks("rig1", "M1")[0]:
        pass


def test_a_rig_named_like_a_mouse_is_no_mouse():
    rig, _ = rig_locks("mouse-M1", "M1")
    _, mouse = rig_locks("rig1", "M1")
    with rig, mouse:
        assert rig._path != mouse._path
