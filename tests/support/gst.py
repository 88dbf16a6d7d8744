"""Whether GStreamer can be used here."""

from __future__ import annotations

import os

import pytest

from camera.gi_import import gstreamer_lacking


def need_gstreamer() -> None:
    """Fail in CI, or skip elsewhere, where GStreamer is not installed."""
    if lacking := gstreamer_lacking():
        cure = f"{lacking}: apt-get install the packages of tools/debian-genicam.txt"
        if os.environ.get("CI") == "true":
            pytest.fail(cure)
        pytest.skip(cure)
