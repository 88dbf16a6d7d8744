"""What a page is told of a session: once what it is, and with each update what it comes to."""

from __future__ import annotations

import math
from typing import Any

from core.tones import ToneMap
from core.values import as_seconds
from session.live_changeable import changeable
from session.live_wire import WIRE
from session.parts import Parts
from session.settings import Settings
from session.status import Status
from session.watch import goal_of


def live_about(
    settings: Settings, parts: Parts, folder: str, what: str, live: bool, had_s: float | None = None
) -> dict[str, Any]:
    """Return the HELLO of a session or preview.

    Parameters
    ----------
    settings, parts
    folder : str
        The session's, empty in a preview.
    what : {"session", "preview"}
    live : bool
        Whether frames are stamped by the host's clock, so that their lateness means something.
    had_s : float or None
        How long the valve was open for the mouse today, s; None where that is not counted.

    Returns
    -------
    dict
        ``wire``; ``what``; ``mouse``, ``experiment``, ``kind``, ``rig``, ``folder``; ``shape``, ``dtype``, ``names``
        of the memory; ``live``; ``framerate``; ``rois``: name to text; ``tones_hz``: lowest, highest;
        ``goal``: ``trials`` or ``rest_s``, ``frames``; ``settings``: every key with its value, as JSON has it;
        ``changeable``: see ``live_changeable``; ``water``: of a drop ``reward_s`` and ``reward_ul`` (0: not known),
        ``had_s`` the mouse's today before this session (None: nobody counts it), and ``max_session_s``, ``max_day_s``.
    """
    goal, tones = goal_of(parts), ToneMap(settings.tones).frequencies
    return {
        "wire": WIRE,
        "what": what,
        "mouse": settings.mouse,
        "experiment": settings.experiment,
        "kind": settings.kind,
        "rig": settings.outputs.rig,
        "folder": folder,
        "shape": parts.camera.frame_shape,
        "dtype": parts.camera.frame_dtype,
        "names": parts.pipeline.names,
        "live": live,
        "framerate": settings.camera.framerate,
        "rois": {name: shape.text() for name, shape in settings.rois.items()},
        "tones_hz": [float(tones[0]), float(tones[-1])],
        "goal": {"trials": goal.trials, "rest_s": goal.rest_s, "frames": goal.frames},
        "settings": settings.flat(),
        "changeable": changeable(settings),
        "water": {
            "reward_s": settings.trial.reward_dur,
            "reward_ul": settings.trial.reward_ul,
            "had_s": had_s,
            "max_session_s": settings.outputs.max_session_water_s,
            "max_day_s": settings.outputs.max_day_water_s,
        },
    }


def live_status(status: Status) -> dict[str, Any]:
    """Return the ``status`` of an UPDATE.

    Returns
    -------
    dict
        ``phase``, ``waits`` (a rest is over, and no trial may begin), ``trial``, ``successes``, ``fails``; ``rewards``
        of a crossing or by chance; ``drops`` in all; ``threshold``; ``time_s`` since the first frame; ``frames``,
        ``dropped``, ``skipped``; by cause: ``dropped_by``, ``skipped_by``, ``repeated_by``, ``images_lost_by``.
    """
    state, tally = status.state, status.tally
    return {
        "phase": state.phase.value,
        "waits": state.waiting,
        "trial": state.trial,
        "successes": state.successes,
        "fails": status.fails,
        "rewards": state.rewards,
        "drops": status.water,
        "threshold": number(state.threshold.value),
        "time_s": as_seconds(status.now_ns - status.first_ns) if status.frames else 0.0,
        "frames": status.frames,
        "dropped": status.dropped,
        "skipped": status.skipped,
        "dropped_by": dict(tally.dropped),
        "skipped_by": dict(tally.skipped),
        "repeated_by": dict(tally.repeated),
        "images_lost_by": {cause: n for cause, n in status.images_dropped_by().items() if n},
    }


def number(value: float) -> float | None:
    """Return a number as JSON has it: None for NaN and infinity."""
    return value if math.isfinite(value) else None
