"""Small pure helpers: mm <-> px, cortical seeds, tone frequencies, SessionType, Position."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class SessionType(Enum):
    """What a mouse hears and what it drinks for. The names and their order are CLoPy's.

    ``normal_audio``: the tone follows the signal; ``single_audio``: one constant tone during the trial; ``no_audio``:
    silence. ``normal_reward``: a crossing earns water; ``random_reward``: water at random times of the trial, whatever
    the signal; ``no_reward``: a crossing ends the trial as a success without water. ``continuous_rewards``: every
    crossing within a trial earns water, but not while a drop is pending, and the trial lasts its full length.
    ``behavior_recording``: neither tone, trial nor water for ``spont_sess_duration`` minutes.
    """

    normal_audio_normal_reward = "normal_audio_normal_reward"
    normal_audio_no_reward = "normal_audio_no_reward"
    normal_audio_random_reward = "normal_audio_random_reward"
    single_audio_normal_reward = "single_audio_normal_reward"
    no_audio_normal_reward = "no_audio_normal_reward"
    no_audio_random_reward = "no_audio_random_reward"
    no_audio_no_reward = "no_audio_no_reward"
    continuous_rewards = "continuous_rewards"
    behavior_recording = "behavior_recording"


class Position(NamedTuple):
    """A place in the image.

    Attributes
    ----------
    row, col : float
        Pixels from the top and from the left.
    """

    row: float
    col: float


class Seed(NamedTuple):
    """A cortical location relative to bregma.

    Attributes
    ----------
    ap_mm : float
        Anterior (+) to posterior (-), mm.
    ml_mm : float
        Lateral distance from the midline, mm, 0 or more; the side is in the ROI's name (``_L``, ``_R``).
    """

    ap_mm: float
    ml_mm: float


def seed_to_px(seed: Seed, side: str, bregma: Position, ppmm: float) -> Position:
    """Return where a seed lies in the image.

    Parameters
    ----------
    seed : Seed
    side : {"L", "R", ""}
        Left is at smaller columns; "" is the midline (only for seeds with ML 0).
    bregma : Position
        Bregma in px.
    ppmm : float
        Pixels per mm.
    """
    if side not in ("L", "R", ""):
        raise ValueError(f"side {side!r} is unknown; use 'L', 'R' or ''")
    if side == "" and seed.ml_mm != 0:
        raise ValueError(f"a seed with ML {seed.ml_mm} mm needs a side; write its name with _L or _R")
    sign = {"L": -1.0, "R": 1.0, "": 0.0}[side]
    return Position(row=bregma.row - ppmm * seed.ap_mm, col=bregma.col + sign * ppmm * seed.ml_mm)


def mm_to_px(length_mm: float, ppmm: float) -> int:
    """Return a length in whole px, rounded, at least 1."""
    return max(1, round(length_mm * ppmm))


def tone_frequencies(n_tones: int, start_freq: float) -> tuple[float, ...]:
    """Return the tones in Hz: ``start_freq * 2**(i/4)``, quarter octaves, i = 0..n-1."""
    if n_tones < 2:
        raise ValueError(f"n_tones is {n_tones}; a tone map needs at least 2")
    return tuple(start_freq * 2 ** (i / 4) for i in range(n_tones))
