"""What the cameras behind the module that stands for stapipy (``camera.fake_stapi``) are and do."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import get_ident

from camera.fake_stapi_nodes import Node, camera_nodes
from core.ports import Clock


@dataclass
class Bench:
    """What the fake camera is and does, and what was left of it.

    Attributes
    ----------
    clock : Clock
    serials : tuple of str
        Cameras there are; each has its own features.
    busy : bool
        Whether another program controls them.
    lost, incomplete, empty : set of int
        Frames (from 0, since acquisition began) that never come, come in part, and bring no image.
    silent_from, gone_from : int or None
        First frame that never comes; first at which the camera is unplugged.
    events : bool
        Whether the camera's loss can be told by an event.
    first_id : int
        Frame id of the first frame; ids run to 65535, then from 1.
    """

    clock: Clock
    serials: tuple[str, ...] = ("21M1234",)
    nodes: dict[str, Node] = field(default_factory=camera_nodes)
    busy: bool = False
    lost: set[int] = field(default_factory=set)
    incomplete: set[int] = field(default_factory=set)
    empty: set[int] = field(default_factory=set)
    silent_from: int | None = None
    gone_from: int | None = None
    events: bool = True
    first_id: int = 1
    calls: list[str] = field(default_factory=list)
    thread: int = 0
    initialised: bool = False

    def use(self, call: str = "") -> None:
        """Take note of a call. Raises AssertionError from another thread, or when not initialised."""
        if self.thread not in (0, get_ident()):
            raise AssertionError("fake stapi: called from a second thread; the real one aborts the process")
        if not self.initialised:
            raise AssertionError(f"fake stapi: {call or 'a call'} when not initialised")
        if call:
            self.calls.append(call)

    def check_empty(self) -> None:
        """Raise AssertionError if StApi was not terminated, or acquisition not stopped."""
        if self.initialised:
            raise AssertionError("fake stapi: not terminated")
        for begin, end in (("acquisition_start", "acquisition_stop"), ("start_acquisition", "stop_acquisition")):
            if self.calls.count(begin) != self.calls.count(end):
                raise AssertionError(f"fake stapi: {begin} without {end}")
