"""Finds coloured markers on a mouse's paws with OpenCV: no model, no GPU.

A marker's pixels are those whose hue is its own and whose saturation and value are high enough. The largest connected
part of them is the marker, its centroid the point. Its share of all those pixels is the likelihood: 1 for one clean
blob, a half for two that are alike, little in noise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from behavior.pose_points import DTYPES, Shape, check_frame, copy_8_bits, not_found
from behavior.pose_settings import PoseSettings
from behavior.pose_text import Marker, parse_markers
from core.errors import InputError, PoseError
from core.ports import Interrupted
from core.values import Frame, Pose

_FULL = 255


class MarkerPose:
    """PoseEstimator and Described; works in the loop's own thread.

    Parameters
    ----------
    settings : PoseSettings
    shape : (int, int, int)
        Height, width and 3.
    dtype : {"uint8", "uint16"}
        Of 16 bits the upper 8 are looked at.

    Attributes
    ----------
    last_inference_ns : int
        How long the last pose took, ns.

    Raises
    ------
    InputError
        The key ``markers`` cannot be read.
    """

    def __init__(self, settings: PoseSettings, shape: Shape, dtype: str) -> None:
        if dtype not in DTYPES:
            raise InputError(f"pose: frames of {dtype} cannot be looked at; use {' or '.join(DTYPES)}")
        try:
            self._markers = parse_markers(settings.markers)
        except InputError as error:
            raise InputError(f"markers = {settings.markers}: {error}") from error
        self.last_inference_ns = 0
        self.names = tuple(marker.name for marker in self._markers)
        self._settings = settings
        self._shape = shape
        self._dtype = dtype
        self._image = np.zeros(shape, np.uint8)
        self._hsv = np.zeros(shape, np.uint8)
        self._cv2: Any = None
        self._closed = False

    @property
    def facts(self) -> Mapping[str, object]:
        """What is looked for, and OpenCV's version; empty before ``open``."""
        if self._cv2 is None:
            return {}
        hues = {marker.name: f"{marker.first}-{marker.last}" for marker in self._markers}
        return {
            "backend": "markers",
            "bodyparts": list(self.names),
            "hues": hues,
            "saturation": self._settings.marker_saturation,
            "value": self._settings.marker_value,
            "area_px": self._settings.marker_area_px,
            "opencv": self._cv2.__version__,
        }

    def open(self, go_on: Callable[[str], bool]) -> None:
        """Load OpenCV. As PoseEstimator says."""
        if self._closed:
            raise PoseError("pose: closed before; make a new one")
        if not go_on("loading OpenCV"):
            raise Interrupted
        import cv2

        self._cv2 = cv2

    def estimate(self, frame: Frame, alive: Callable[[], None]) -> Pose:  # noqa: ARG002 - nobody waits for it
        """Return where the markers are. Raises PoseError for a frame of another shape, and unless it is open."""
        if self._closed or self._cv2 is None:
            raise PoseError(
                f"pose: it is {'closed; make a new one' if self._closed else 'not open; call open() first'}"
            )
        check_frame(frame, self._shape, self._dtype)
        start_ns = time.monotonic_ns()
        image = frame.image
        if image.dtype != np.uint8:
            copy_8_bits(image, self._image)
            image = self._image
        self._cv2.cvtColor(image, self._cv2.COLOR_BGR2HSV, dst=self._hsv)
        points = not_found(len(self._markers))
        for row, marker in zip(points, self._markers, strict=True):
            self._find(marker, row)
        self.last_inference_ns = time.monotonic_ns() - start_ns
        return Pose(points)

    def _find(self, marker: Marker, row: Any) -> None:
        """Write column, row and likelihood of a marker into ``row``; leave it where the marker is not seen."""
        cv2, settings = self._cv2, self._settings
        mask = None
        for first, last in marker.ranges:
            low = (first, settings.marker_saturation, settings.marker_value)
            part = cv2.inRange(self._hsv, low, (last, _FULL, _FULL))
            mask = part if mask is None else cv2.bitwise_or(mask, part)
        # Most of a frame is no marker: labels are given in what surrounds it only.
        left, top, width, height = cv2.boundingRect(mask)
        if not width:
            return
        around = mask[top : top + height, left : left + width]  # type: ignore[index]  # every marker has a range
        count, _, stats, centroids = cv2.connectedComponentsWithStats(around, connectivity=8)
        areas = stats[1:count, cv2.CC_STAT_AREA]
        largest = int(np.argmax(areas))
        if areas[largest] >= settings.marker_area_px:
            column, line = centroids[1 + largest]
            row[:] = column + left, line + top, areas[largest] / areas.sum()

    def close(self) -> None:
        """Look no more; twice is legal."""
        self._closed = True
