"""The picture of a preview: image with ROIs, dF/F map, saturation, and what is to be said of each ROI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from analysis.preview_images import DARK_RGB, SATURATED_RGB, Clipped, as_seen, box_px, clipping, map_limit, smooth
from analysis.preview_page import (
    DPI,
    FONT_PT,
    GAP_IN,
    HEAD_IN,
    INK,
    LETTER_PX,
    MARGIN_IN,
    WIDTH_IN,
    PreviewPage,
    halo,
)
from analysis.preview_text import MOST_ROWS, by_roi, head_line, is_good, table
from analysis.roi_labels import Box, place_labels
from brain.exposure import saturation_counts, used_channels
from brain.settings import DffMode
from roi_manager import Circle, Rect, Shape
from session.preview import Sight
from session.settings import Settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage
    from matplotlib.patches import Patch
    from matplotlib.text import Text

FOOT_IN, ROW_IN = 0.75, 0.215
LARGEST_PANEL_IN = 6.0
"""Most height of a panel, in: a picture of a tall image must still fit a screen."""
CROSS_PT = 11
GOOD, BAD = "#ffffff", "#e69f00"
SATURATED, DARK = (tuple(part / 255 for part in colour) for colour in (SATURATED_RGB, DARK_RGB))


class Layout(NamedTuple):
    """Sizes in inches, from the lower left corner.

    Attributes
    ----------
    height : float
        Of the picture.
    panel : (float, float)
        Width and height of a panel.
    foot : float
        Where the panels begin.
    """

    height: float
    panel: tuple[float, float]
    foot: float


def layout(width: int, height: int, n_rois: int) -> Layout:
    """Return the layout for an image of ``width`` x ``height`` px and a table of ``n_rois``."""
    side = (WIDTH_IN - 2 * MARGIN_IN - 2 * GAP_IN) / 3
    tall = min(side * height / width, LARGEST_PANEL_IN)
    rows = 1 + min(n_rois, MOST_ROWS + 1)
    foot = MARGIN_IN + rows * ROW_IN + FOOT_IN
    return Layout(HEAD_IN + tall + foot, (tall * width / height, tall), foot)


class PreviewFigure(PreviewPage):
    """Draws one picture after another into one file. What does not change is made once.

    Parameters
    ----------
    settings : Settings
    names : tuple of str
        Names of ``Sight.signal.parts``.
    frame_shape : (height, width, 3)
    path : Path
        The PNG; replaced as a whole, so that a viewer never sees half of one.
    """

    def __init__(
        self, settings: Settings, names: tuple[str, ...], frame_shape: tuple[int, int, int], path: Path
    ) -> None:
        self._settings, self._names = settings, names
        self._channels = used_channels(settings.dff.dff_mode)
        self._layout = layout(frame_shape[1], frame_shape[0], len(settings.rois))
        super().__init__(path, self._layout.height, f"{settings.mouse}  ·  {settings.experiment}")
        axes = [self._panel(number, title) for number, title in enumerate(_titles(settings, frame_shape[1]))]
        self._images = [_image(axis, frame_shape) for axis in axes]
        scale = self._layout.panel[1] * DPI / frame_shape[0]
        self._outlines = [_outline(axis, settings, frame_shape, scale) for axis in axes]
        _mark(axes[0], settings)
        self._no_baseline = axes[1].text(
            0.5, 0.5, "no baseline yet", ha="center", va="center", color=INK, transform=axes[1].transAxes
        )
        self._colour_bar()
        self._make_texts()

    def draw(self, sight: Sight) -> None:
        """Draw and write the picture. Raises RecordingError where it cannot be written."""
        image, dff = sight.frame.image, smooth(sight.dff)
        top = saturation_counts(image)
        shown, shares = clipping(image, top, self._channels)
        for panel, data in zip(
            self._images, (as_seen(image, top, self._settings.dff.dff_mode), 100 * dff, shown), strict=True
        ):
            panel.set_data(data)
        limit = 100 * map_limit(dff)
        self._images[1].set_clim(-limit, limit)
        self._no_baseline.set_visible(bool(np.isnan(dff).all()))
        self._draw_outlines(sight)
        self._draw_words(sight, shares)
        self._save()

    def _draw_outlines(self, sight: Sight) -> None:
        """Bad ROIs are orange and bold, good ones white."""
        rois = by_roi(sight.exposures)
        for outline in self._outlines:
            for name, (patch, label) in outline.items():
                good = is_good(rois.get(name, ()))
                patch.set(edgecolor=GOOD if good else BAD, linewidth=1.5 if good else 2.5)
                label.set(color=GOOD if good else BAD, weight="normal" if good else "bold")

    def _draw_words(self, sight: Sight, shares: list[Clipped]) -> None:
        self._head.set_text(head_line(sight, self._settings.formula))
        rows = table(sight, self._names)
        # One text has one colour: two lie on each other, each with the other's lines left empty.
        for text, good in ((self._rows, True), (self._bad_rows, False)):
            text.set_text("\n".join(row if is_row_good is good else " " for row, is_row_good in rows))
        for text, word, field in ((self._saturated, "saturated", "saturated"), (self._dark, "dark", "dark")):
            parts = ", ".join(f"{share.channel.name} {100 * getattr(share, field):.1f} %" for share in shares)
            text.set_text(f"{word}: {parts} of the image")

    def _left(self, number: int) -> float:
        """Return where a panel's column begins, in."""
        return MARGIN_IN + number * ((WIDTH_IN - 2 * MARGIN_IN - 2 * GAP_IN) / 3 + GAP_IN)

    def _panel(self, number: int, title: str) -> Axes:
        """Add the axes of one image."""
        size = self._at(*self._layout.panel)
        axis = self._figure.add_axes((*self._at(self._left(number), self._layout.foot), *size))
        axis.set_title(title, fontsize=FONT_PT + 1, loc="left", color=INK)
        axis.set_xticks([])
        axis.set_yticks([])
        return axis

    def _colour_bar(self) -> None:
        """Add the scale of dF/F below its map."""
        from matplotlib.ticker import FuncFormatter, LinearLocator

        left, bottom = self._at(self._left(1), self._layout.foot - 0.22)
        bar = self._figure.add_axes((left, bottom, *self._at(self._layout.panel[0], 0.12)))
        ticks, words = LinearLocator(5), FuncFormatter(lambda percent, _: f"{percent:+g} %" if percent else "0 %")
        self._figure.colorbar(self._images[1], cax=bar, orientation="horizontal", ticks=ticks, format=words)
        bar.tick_params(labelsize=FONT_PT - 1, colors=INK)

    def _make_texts(self) -> None:
        """Add the words, most of them to be filled in with each picture."""
        below = self._layout.foot - 0.12
        self._write(self._left(0), below, "cross: bregma    bar: 1 mm    bold: saturated or dark ROI")
        self._saturated = self._key(below, SATURATED)
        self._dark = self._key(below - 0.22, DARK)
        under = self._layout.foot - FOOT_IN
        self._rows = self._write(MARGIN_IN, under, "", family="monospace", linespacing=1.4)
        self._bad_rows = self._write(
            MARGIN_IN, under, "", family="monospace", linespacing=1.4, color=SATURATED, weight="bold"
        )

    def _key(self, y_in: float, colour: Any) -> Any:
        """Add a line of the saturation panel's key; return its text."""
        self._write(self._left(2), y_in, "■", color=colour)
        return self._write(self._left(2) + 0.2, y_in, "")


def _titles(settings: Settings, width: int) -> tuple[str, str, str]:
    green = settings.dff.dff_mode is DffMode.green
    seen, change = ("image, green channel", "green") if green else ("image", "green - blue")
    side = box_px(width)
    box = f", boxes of {side} px" if side > 1 else ""
    return seen, f"dF/F {change}{box}, baseline {settings.dff.dff_history:g} s", "saturation"


def _image(axis: Axes, frame_shape: tuple[int, int, int]) -> AxesImage:
    """Add an image whose axes are those of ``roi_manager``: continuous px, the first pixel from 0 to 1."""
    height, width, _ = frame_shape
    colours = np.zeros((height, width), np.float32)
    return axis.imshow(colours, cmap="RdBu_r", extent=(0, width, height, 0), interpolation="nearest", aspect="auto")


def _outline(
    axis: Axes, settings: Settings, frame_shape: tuple[int, int, int], px_per_px: float
) -> dict[str, tuple[Patch, Text]]:
    """Add the outline and the name of each ROI; return both, whose colour follows the verdict."""
    rois, (row, column) = settings.rois, settings.geometry.bregma
    letter = (LETTER_PX[0] / px_per_px, LETTER_PX[1] / px_per_px)
    reach = CROSS_PT * DPI / 72 / px_per_px / 2
    bregma = Box(column - reach, row - reach, column + reach, row + reach)
    outlines = {}
    for name, box in place_labels(rois, (frame_shape[1], frame_shape[0]), letter, [bregma]).items():
        patch = axis.add_patch(_patch(rois[name]))
        patch.set(fill=False, edgecolor=GOOD, linewidth=1.5, path_effects=halo(4))
        middle = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
        label = axis.text(*middle, name, size=FONT_PT, color=GOOD, ha="center", va="center", path_effects=halo(2.5))
        outlines[name] = patch, label
    return outlines


def _patch(shape: Shape) -> Patch:
    """Return a shape as matplotlib draws it."""
    from matplotlib import patches

    if isinstance(shape, Rect):
        return patches.Rectangle((shape.x, shape.y), shape.w, shape.h)
    if isinstance(shape, Circle):
        return patches.Circle((shape.x, shape.y), shape.r)
    return patches.Polygon(shape.points)


def _mark(axis: Axes, settings: Settings) -> None:
    """Mark bregma, where it is in the image, and draw a bar of 1 mm in the lower left corner."""
    row, column = settings.geometry.bregma
    (width, height), ppmm = settings.camera.resolution, settings.geometry.ppmm
    x, y = 0.04 * width, 0.96 * height
    axis.plot([column], [row], "+", color=GOOD, markersize=CROSS_PT, markeredgewidth=1.5, path_effects=halo(4))
    axis.plot([x, x + ppmm], [y, y], color=GOOD, linewidth=2.5, path_effects=halo(4), solid_capstyle="butt")
    axis.set(xlim=(0, width), ylim=(height, 0))
