"""Checks of the frames that a session would be given: the recording behind them, their size. A problem is a line."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from camera.settings import CameraKind
from core.errors import SourceError
from insilico.settings import split_network
from session.config_checks import Draft
from session.config_entries import Problem
from session.config_file import shown

MAX_FRAME_BYTES = 64 << 20
"""Largest frame (64 MiB): the recorder's ring holds 8 at least in 512 MiB at most (``session.build``; a test holds the
two together)."""


class Recording(Protocol):
    """What a probe tells of a recording."""

    @property
    def width(self) -> int:
        """Columns of its frames, px."""

    @property
    def height(self) -> int:
        """Rows of its frames, px."""

    @property
    def n_frames(self) -> int:
        """Number of frames."""

    @property
    def dtype(self) -> str:
        """``"uint8"`` or ``"uint16"``."""


Probe = Callable[[str, float], Recording]
"""``probe(path, framerate)`` opens a recording for a look; raises ``core.errors.SourceError``."""


def check_frames(draft: Draft, probe: Probe | None) -> Iterator[Problem]:
    """Yield the problems of the frames: of the recording that would be replayed, or of ``resolution``.

    Leaves their dtype in the draft, and ``resolution`` among the bad keys if it is not theirs.
    """
    yield from _check_unused_source(draft)
    if draft.known("vid_source") and draft.values["vid_source"] is CameraKind.replay:
        yield from _check_recording(draft, probe)
    if draft.known("vid_source", "network") and draft.values["vid_source"] is CameraKind.simulated:
        yield from _check_network(draft)
    if draft.known("resolution"):
        size, dtype = draft.values["resolution"], draft.dtype
        if _frame_bytes(size, dtype) > MAX_FRAME_BYTES:
            cure = f"lower resolution to {_largest(size, dtype)} or less"
            yield draft.problem(("resolution",), _too_large(size, dtype) + cure)


def _check_unused_source(draft: Draft) -> Iterator[Problem]:
    """A recording that is named on the command line and not replayed would be a session on something else."""
    source = draft.entries.get("vid_root")
    if source is None or source.where != "--source" or not draft.known("vid_source", "vid_root"):
        return
    if draft.values["vid_source"] is not CameraKind.replay:
        camera = draft.entries.get("vid_source")
        add = "make it" if camera is not None and camera.rank == source.rank else "add"
        kind = draft.values["vid_source"].value
        yield source.problem(f"camera {kind} reads no recording; {add} --camera replay, or leave --source out")


def _check_recording(draft: Draft, probe: Probe | None) -> Iterator[Problem]:
    values = draft.values
    if not draft.known("vid_root"):
        return
    if not values["vid_root"]:
        yield draft.problem(("vid_source",), "replay needs a recording; give vid_root, or --source")
        return
    if probe is None or not draft.known("framerate"):
        return
    try:
        recording = probe(values["vid_root"], values["framerate"])
    except (SourceError, OSError) as error:
        yield draft.problem(("vid_root",), shown(error, 300))
        return
    draft.dtype = recording.dtype
    size = (recording.width, recording.height)
    if _frame_bytes(size, draft.dtype) > MAX_FRAME_BYTES:
        draft.bad.add("resolution")
        yield draft.problem(("vid_root",), _too_large(size, draft.dtype) + "replay a recording of smaller frames")
    elif draft.known("resolution") and tuple(values["resolution"]) != size:
        draft.bad.add("resolution")
        given = " x ".join(str(side) for side in values["resolution"])
        text = f"resolution {given} px is not the recording's {size[0]} x {size[1]} px; "
        yield draft.problem(("resolution", "vid_root"), text + f"write resolution = {size[0]}, {size[1]}")


def _check_network(draft: Draft) -> Iterator[Problem]:
    """A simulated camera needs its network's file."""
    network = draft.values["network"]
    if network and not Path(split_network(network)[0]).is_file():
        yield draft.problem(("network",), f"there is no file {split_network(network)[0]}; correct the path")


def _frame_bytes(size: tuple[int, int], dtype: str) -> int:
    """Return how much memory a frame of (width, height) px takes."""
    return size[0] * size[1] * 3 * np.dtype(dtype).itemsize


def _too_large(size: tuple[int, int], dtype: str) -> str:
    need = _frame_bytes(size, dtype) / (1 << 20)
    text = f"a frame of resolution {size[0]} x {size[1]} px ({dtype}) takes {need:.4g} MiB of memory, "
    return f"{text}above {MAX_FRAME_BYTES >> 20} MiB; "


def _largest(size: tuple[int, int], dtype: str) -> str:
    """Return the largest resolution of this shape."""
    shrink = math.sqrt(MAX_FRAME_BYTES / _frame_bytes(size, dtype))
    return ", ".join(str(math.floor(side * shrink)) for side in size)
