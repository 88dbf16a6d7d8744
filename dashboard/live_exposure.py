"""How a running session's newest image is exposed: what is said of each ROI, what to set, which pixels are lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from brain.exposure import Channel, Exposure, Verdict, judge_exposure, saturation_counts, used_channels
from brain.exposure_advice import Advice, advise, brightness, clipped_pixels
from brain.settings import DffMode
from camera.settings import OFFLINE
from core.errors import InputError
from core.values import Image
from dashboard.pictures import WIDEST_PX, picture_height
from dashboard.places import png_of
from roi_manager import Shape, parse_roi

MAX_ROIS = 64
SATURATED, DARK = (0, 94, 213, 255), (233, 180, 86, 200)
"""Okabe and Ito's vermillion and sky blue, as BGRA, as `rigloop preview` has them."""
CURES = {
    Verdict.good: "",
    Verdict.saturated: "lower shutter_speed, iso or the light",
    Verdict.dark: "raise shutter_speed, iso or the light",
}


def exposure_told(image: Image, about: Mapping[str, Any], shapes: Mapping[str, str]) -> dict[str, Any]:
    """Return what a browser is told of an image's exposure.

    Parameters
    ----------
    image : (height, width, 3) uint8 or uint16
        BGR.
    about : dict
        ``session.live_status.live_about`` of the session.
    shapes : mapping of str to str
        ``roi.NAME`` and text of the ROIs to judge; empty: those of the session.

    Returns
    -------
    dict
        ``rois``: a list of ``roi``, ``channel``, ``mean``, ``saturated`` (share of its pixels), ``verdict`` (good,
        saturated, dark), ``limit`` and ``cure`` (empty where it is good), ROI by ROI; empty in movement sessions.
        ``outside``: names of ROIs that do not lie in the image. ``image``: ``saturated`` and ``dark``, shares of its
        pixels, and ``top``, the counts from which on a pixel is saturated. ``advice``: ``factor`` by which the image
        should become brighter, ``shutter_speed``, ``iso`` (None leaves them) and ``text``; None in movement sessions.

    Raises
    ------
    InputError
        A shape cannot be read, or they are too many.
    """
    channels, mode = _channels(about)
    rois = _shapes(shapes or {f"roi.{name}": text for name, text in about["rois"].items()})
    height, width = image.shape[:2]
    inside = {name: shape for name, shape in rois.items() if shape.fits(width, height)}
    lost = clipped_pixels(image, channels)
    told: dict[str, Any] = {
        "rois": [],
        "outside": [name for name in rois if name not in inside],
        "image": {
            "saturated": round(float(lost.saturated.mean()), 5),
            "dark": round(float(lost.dark.mean()), 5),
            "top": saturation_counts(image),
        },
        "advice": None,
    }
    if mode is not None and inside:
        judged = judge_exposure(image, inside, mode)
        told["rois"] = [{**each.facts(), "cure": CURES[each.verdict]} for each in judged]
        told["advice"] = _advice(brightness(image, inside, channels), judged, about["settings"])
    return told


def saturated_png(image: Image, about: Mapping[str, Any]) -> bytes:
    """Return a transparent picture of an image's saturated and dark pixels, as PNG.

    It is as large as the camera's picture. Where that is smaller than the image, a single saturated pixel shows, too.
    """
    lost = clipped_pixels(image, _channels(about)[0])
    saturated, dark = (_shown(pixels) for pixels in lost)
    picture: npt.NDArray[np.uint8] = np.zeros((*saturated.shape, 4), np.uint8)
    picture[dark] = DARK
    picture[saturated] = SATURATED
    return png_of(picture)


def _shown(pixels: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return pixels as large as they are shown: one of the picture is set where any under it is."""
    height, width = pixels.shape
    if width <= WIDEST_PX:
        return pixels
    rows = np.arange(height) * picture_height(height, width) // height
    columns = np.arange(width) * WIDEST_PX // width
    shown: npt.NDArray[np.bool_] = np.zeros((rows[-1] + 1, WIDEST_PX), np.bool_)
    row, column = np.nonzero(pixels)
    shown[rows[row], columns[column]] = True
    return shown


def _channels(about: Mapping[str, Any]) -> tuple[tuple[Channel, ...], DffMode | None]:
    """Return the channels that count, and the mode of a neurofeedback session."""
    if about["kind"] != "clnf":
        return (Channel.green, Channel.blue), None
    mode = DffMode(about["settings"]["dff_mode"])
    return used_channels(mode), mode


def _shapes(texts: Mapping[str, str]) -> dict[str, Shape]:
    """Return shapes by name. Raises InputError."""
    if len(texts) > MAX_ROIS:
        raise InputError(f"{len(texts)} ROIs are too many to judge; give {MAX_ROIS} at most")
    shapes: dict[str, Shape] = {}
    for key, text in texts.items():
        try:
            shapes[key[4:].upper()] = parse_roi(text)
        except ValueError as error:
            raise InputError(f"{key[:60]}: {error}") from error
    return shapes


def _advice(share: float, judged: Sequence[Exposure], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to set, with a line for the experimenter."""
    if settings["vid_source"] in {kind.value for kind in OFFLINE}:
        text = f"frames come from vid_source = {settings['vid_source']}, which shutter_speed and iso do not change"
        return {"factor": 1.0, "shutter_speed": None, "iso": None, "text": text}
    verdicts = {each.verdict for each in judged}
    shutter, iso = settings["shutter_speed"], settings["iso"]
    found = advise(share, Verdict.saturated in verdicts, shutter, iso, settings["framerate"])
    uneven = Verdict.dark in verdicts and found.factor <= 1
    return {
        "factor": round(found.factor, 2),
        "shutter_speed": found.shutter_speed,
        "iso": found.iso,
        "text": _advice_text(found, share, settings)
        + ("; some ROIs are dark beside it: even the light" if uneven else ""),
    }


def _advice_text(found: Advice, share: float, settings: Mapping[str, Any]) -> str:
    reach = f"the ROIs' brightest pixels reach {100 * min(share, 1):.0f} % of the range"
    if found.factor == 1:
        return reach
    steps = [
        f"{name} = {value} in place of {settings[name]}"
        for name, value in (("shutter_speed", found.shutter_speed), ("iso", found.iso))
        if value is not None
    ]
    light = f"give {'more' if found.factor > 1 else 'less'} light, {found.factor:.2g} times as much"
    return f"{reach}: {' and '.join(steps) if steps else light}"
