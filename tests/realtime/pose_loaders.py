"""Loaders of pose models that fail, for the pose process: it finds them by their names."""

import os

from behavior.fake_pose import FakeModel, FakeOptions
from core.errors import InputError, MissingError


def load_if_there(path, shape, say):
    say("looking for a file")
    if not path.exists():
        raise InputError(f"there is no file {path.name}")
    return FakeModel(FakeOptions(("nose",)) if path.read_text() else FakeOptions())


def load_nothing(options, shape, say):
    raise InputError("no model;\nwrite one")


def load_without_library(options, shape, say):
    raise MissingError("library not installed")


def load_with_fault(options, shape, say):
    return 1 / 0


def crash(options, shape, say):
    os._exit(7)
