"""Finds PyGObject (``gi``), through which Aravis and GStreamer speak Python."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.errors import CameraError

DEBIAN = Path("/usr/lib/python3/dist-packages")


_ARAVIS_CURE = "on Debian, Ubuntu or Raspberry Pi OS: sudo apt-get install python3-gi gir1.2-aravis-0.8"
_GSTREAMER_CURE = (
    "on Debian, Ubuntu or a Jetson: sudo apt-get install python3-gi gir1.2-gst-plugins-base-1.0 "
    "gstreamer1.0-plugins-base gstreamer1.0-plugins-good"
)


def load_aravis() -> Any:
    """Return Aravis 0.8. Raises CameraError saying what is missing."""
    return _load("Aravis", "0.8", _ARAVIS_CURE)


def load_gstreamer() -> Any:
    """Return GStreamer 1.0, initialised, and its appsink made known. Raises CameraError saying what is missing."""
    gst = _load("Gst", "1.0", _GSTREAMER_CURE)
    _load("GstApp", "1.0", _GSTREAMER_CURE)
    gst.init(None)
    return gst


def load_glib() -> Any:
    """Return GLib, whose ``Error`` the others raise. Raises CameraError saying what is missing."""
    return _load("GLib", "2.0", _ARAVIS_CURE)


def aravis_lacking() -> str:
    """Return what Aravis lacks on this machine, with the cure, or ""."""
    return _lacking(load_aravis)


def gstreamer_lacking() -> str:
    """Return what GStreamer lacks on this machine, with the cure, or ""."""
    return _lacking(load_gstreamer)


def _lacking(load: Callable[[], Any]) -> str:
    try:
        load()
    except CameraError as error:
        return str(error)
    return ""


def _load(namespace: str, version: str, install: str) -> Any:
    gi = _load_gi(install)
    try:
        gi.require_version(namespace, version)
        return importlib.import_module(f"gi.repository.{namespace}")
    except (ValueError, ImportError) as error:
        raise CameraError(f"{namespace} {version} is not installed ({error}); {install}") from error


def _load_gi(install: str) -> Any:
    try:
        return importlib.import_module("gi")
    except ImportError as error:
        found = _load_from(DEBIAN)
        if found is None:
            tag = sysconfig.get_config_var("EXT_SUFFIX")
            raise CameraError(
                f"Python's gi is not installed ({error}), nor is there one for this Python ({tag}) among the system's "
                f"packages; {install}"
            ) from error
        return found


def _load_from(folder: Path) -> Any | None:
    """Import gi, and nothing beside it, from a folder of packages of the same Python version; None if it has none.

    A virtual environment does not see the system's packages, and PyGObject seldom builds from PyPI. A binary module
    for the same version of CPython, platform and word size fits, whoever built that Python.
    """
    package = folder / "gi"
    if not (package / f"_gi{sysconfig.get_config_var('EXT_SUFFIX')}").is_file():
        return None
    spec = importlib.util.spec_from_file_location(
        "gi", package / "__init__.py", submodule_search_locations=[str(package)]
    )
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gi"] = module
    try:
        spec.loader.exec_module(module)
    except ImportError:
        del sys.modules["gi"]
        return None
    return module
