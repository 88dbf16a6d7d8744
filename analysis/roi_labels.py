"""Where the names of ROIs stand in a picture, so that none covers another or an ROI. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from roi_manager import Shape


class Box(NamedTuple):
    """A rectangle of continuous px: ``x0 <= x < x1``, ``y0 <= y < y1``."""

    x0: float
    y0: float
    x1: float
    y1: float

    def meets(self, other: Box) -> bool:
        """Return whether the two have a common area."""
        return self.x0 < other.x1 and other.x0 < self.x1 and self.y0 < other.y1 and other.y0 < self.y1

    def within(self, width: float, height: float) -> bool:
        """Return whether it lies in an image of this size."""
        return self.x0 >= 0 and self.y0 >= 0 and self.x1 <= width and self.y1 <= height


def place_labels(
    rois: Mapping[str, Shape],
    frame_size: tuple[int, int],
    letter_size: tuple[float, float],
    keep_clear: Sequence[Box] = (),
) -> dict[str, Box]:
    """Return the box of each ROI's name: beside the ROI, further off where it is crowded.

    Parameters
    ----------
    rois : mapping of str to Rect, Circle or Polygon
    frame_size : (width, height)
        Of the image, px.
    letter_size : (width, height)
        Of one letter, px of the image.
    keep_clear : sequence of Box
        What else is drawn there.

    Returns
    -------
    dict of str to Box
        A name for which no free place is found near its ROI stands above it, whatever lies there.
    """
    taken = [*keep_clear, *(Box(*map(float, shape.bounds())) for shape in rois.values())]
    places: dict[str, Box] = {}
    for name, shape in rois.items():
        size = (letter_size[0] * len(name), letter_size[1])
        around = list(_around(Box(*map(float, shape.bounds())), size))
        free = (box for box in around if box.within(*frame_size) and not any(box.meets(other) for other in taken))
        places[name] = next(free, around[0])
        taken.append(places[name])
    return places


def _around(roi: Box, size: tuple[float, float]) -> Iterator[Box]:
    """Give boxes of a size around an ROI, nearest first: above, below, to its sides, at its corners."""
    width, height = size
    middle, centre = (roi.x0 + roi.x1 - width) / 2, (roi.y0 + roi.y1 - height) / 2
    for step in range(4):
        gap = height * (0.25 + step)
        left, right, above, below = roi.x0 - gap - width, roi.x1 + gap, roi.y0 - gap - height, roi.y1 + gap
        sides = ((middle, above), (middle, below), (left, centre), (right, centre))
        corners = ((left, above), (right, above), (left, below), (right, below))
        for x, y in (*sides, *corners):
            yield Box(x, y, x + width, y + height)
