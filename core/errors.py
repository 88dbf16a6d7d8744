"""Every error a person may read. One tree under RigError; each leaf is also the builtin a caller would expect."""

from __future__ import annotations


class RigError(Exception):
    """Base of all errors of the rig. The text names the thing, the value and the cure.

    ``details`` holds what an engineer needs beside it, such as the traceback of a user's network; mostly empty.
    """

    exit_code = 3
    details = ""


class InputError(RigError, ValueError):
    """What a person typed or wrote cannot be used; nothing has been opened or made yet."""

    exit_code = 2


class MissingError(RigError, ImportError):
    """A library that this machine does not have; nothing has been opened or made yet. What was asked for is right."""


class ConfigError(InputError):
    """One or more problems in config.ini or in ``--set``; ``problems`` holds one line for each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


class BusyError(InputError):
    """The mouse or the rig is taken by a session that is still running."""


class ChangedError(InputError):
    """A file is not any more what somebody saw who wants to change it; nothing was saved."""


class ExposureError(InputError):
    """ROIs that are saturated or dark at a session's first look; ``problems`` holds one line for each and channel."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


class SourceError(InputError, OSError):
    """A recording, video or folder of images cannot be read."""


class CameraError(RigError, OSError):
    """The camera failed in the middle of a session."""


class CameraTimeout(CameraError, TimeoutError):
    """No frame came within the time allowed."""


class OutputError(RigError, RuntimeError):
    """A speaker, valve or line was asked for something it must refuse, or failed."""


class PoseError(RigError, RuntimeError):
    """The pose estimator failed in mid-session, or did not answer in time; it may be opened again."""


class StillOpening(OutputError):
    """A device is being opened again, and that goes on with the next call of ``reconnect``."""


class DeviceLost(OutputError):
    """Devices of the rig were lost in mid-session and may be opened again; ``devices`` names them."""

    def __init__(self, lost: dict[str, str]) -> None:
        self.devices = tuple(lost)
        super().__init__("; ".join(lost.values()))


class RecordingError(RigError, OSError):
    """The recorder failed, or a session folder cannot be read."""
