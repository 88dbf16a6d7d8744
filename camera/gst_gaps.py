"""How many frames a GStreamer source has lost between two that came. Pure."""

from __future__ import annotations


class GapCount:
    """Counts by the buffers' offsets while they rise, else by the room between two times.

    Parameters
    ----------
    framerate : float
        Frames per second.
    """

    def __init__(self, framerate: float) -> None:
        self._framerate = framerate
        self._time: int | None = None
        self._offset: int | None = None

    def lost_before(self, time_ns: int, offset: int | None) -> int:
        """Return the frames lost between the last one and this one, of ``time_ns`` and, if it has one, ``offset``."""
        last_time, self._time = self._time, time_ns
        last_offset, self._offset = self._offset, offset
        if last_time is None:
            return 0
        if offset is not None and last_offset is not None and offset > last_offset:
            return offset - last_offset - 1
        return max(0, round((time_ns - last_time) * self._framerate / 1e9) - 1)
