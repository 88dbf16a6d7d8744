"""The three states every camera shares: made, started, closed."""

from __future__ import annotations

from core.errors import CameraError


class Lifecycle:
    """Tells whether a camera may be read. Not for threads: all verbs of a camera are called by one.

    Parameters
    ----------
    name : str
        The camera, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._started = False
        self._closed = False

    @property
    def running(self) -> bool:
        """Whether the camera is started and not closed."""
        return self._started and not self._closed

    def start(self) -> None:
        """Note the start. Raises CameraError when it has been started or closed before."""
        self.check_open()
        if self._started:
            raise CameraError(f"{self._name}: the camera was started before")
        self._started = True

    def check_open(self) -> None:
        """Raise CameraError if the camera is closed."""
        if self._closed:
            raise CameraError(f"{self._name}: the camera is closed; make a new one")

    def check_readable(self) -> None:
        """Raise CameraError unless the camera is started and not closed."""
        if self._closed:
            raise CameraError(f"{self._name}: the camera is closed and gives no frames; make a new one")
        if not self._started:
            raise CameraError(f"{self._name}: the camera is not started; call start() before read()")

    def close(self) -> bool:
        """Note the end; return True the first time only."""
        first, self._closed = not self._closed, True
        return first
