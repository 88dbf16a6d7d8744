"""The sheet that a preview's picture is drawn on: sizes in inches from the lower left corner, words, and its file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from recording.folder import replace_bytes

WIDTH_IN, DPI = 15.0, 100
MARGIN_IN, GAP_IN, HEAD_IN = 0.3, 0.35, 1.15
FONT_PT = 10
LETTER_PX = (0.65 * FONT_PT * DPI / 72, 1.3 * FONT_PT * DPI / 72)
"""Width and height of a letter of a name on an image, px of the picture."""
INK = "#222222"


class PreviewPage:
    """A white sheet with a head of two lines, written into one file again and again.

    Parameters
    ----------
    path : Path
        The PNG; replaced as a whole, so that a viewer never sees half of one.
    height_in : float
    title : str
        First line of the head. The second, ``_head``, is filled in with each picture.
    """

    def __init__(self, path: Path, height_in: float, title: str) -> None:
        from matplotlib.figure import Figure

        self._path, self._height = path, height_in
        self._figure = Figure(figsize=(WIDTH_IN, height_in), dpi=DPI, facecolor="white")
        top = height_in - MARGIN_IN
        self._write(MARGIN_IN, top, title, size=FONT_PT + 4, weight="bold")
        self._head = self._write(MARGIN_IN, top - 0.3, "", size=FONT_PT + 1)

    def _at(self, x_in: float, y_in: float) -> tuple[float, float]:
        """Return a place in inches as a share of the picture."""
        return x_in / WIDTH_IN, y_in / self._height

    def _write(self, x_in: float, y_in: float, words: str, **style: Any) -> Any:
        """Add a text whose upper left corner is there."""
        style = {"size": FONT_PT, "color": INK, "va": "top", "ha": "left", **style}
        return self._figure.text(*self._at(x_in, y_in), words, **style)

    def _save(self) -> None:
        """Write the picture. Raises RecordingError where it cannot be written."""
        picture = io.BytesIO()
        # Quickly rather than small: a picture lives for a second.
        self._figure.savefig(picture, format="png", dpi=DPI, pil_kwargs={"compress_level": 1})
        replace_bytes(self._path, picture.getvalue(), sync=False, chosen=True)


def halo(width_pt: float) -> list[Any]:
    """Return a black edge, so that what is white can be seen on white."""
    from matplotlib import patheffects

    return [patheffects.withStroke(linewidth=width_pt, foreground="black")]
