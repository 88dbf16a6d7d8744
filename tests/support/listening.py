"""Waits for what a speaker and its process do: sound, a loss, an end."""

from __future__ import annotations

import time

import pytest

from core.errors import OutputError
from tests.support.pulse import pause


def await_sound(recording, keep_alive=lambda: None, timeout_s=30):
    begin = time.monotonic()
    while time.monotonic() - begin < timeout_s:
        keep_alive()
        if recording.is_sounding():
            return
        pause(0.025)
    pytest.fail("nothing is heard")


def await_loss(speaker, timeout_s):
    """Ask as the loop does until the loss is told; return its text and after how long."""
    begin = time.monotonic()
    while time.monotonic() - begin < timeout_s:
        try:
            speaker.reports()
        except OutputError as error:
            return str(error), time.monotonic() - begin
        pause(0.02)
    pytest.fail("the loss was not told")
    return None
