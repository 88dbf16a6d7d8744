"""The picture of a movement preview: image with pose and circles, the signal of the last seconds, body parts."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from analysis.preview_images import in_colour, whole_shares
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
from analysis.preview_pose_text import (
    MOST_ROWS,
    BodyPart,
    body_parts,
    head_line,
    limit_of,
    movement_of,
    part_names,
    signal_text,
    start_text,
    table,
)
from analysis.roi_labels import place_labels
from analysis.session_panels import FAIL, SUCCESS
from behavior.settings import RewardBy, TrialStart
from brain.exposure import saturation_counts
from roi_manager import Circle
from session.preview import Sight
from session.settings import Settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

POINT, CONTROL, BAD = "#56b4e9", "#e69f00", FAIL
LARGEST_IN = (9.6, 7.2)
"""Most width and height of the image, in."""
FOOT_IN, ROW_IN, TRACE_IN, WORDS_IN, LINE_IN = 0.7, 0.215, 2.2, 1.6, 0.19
TRACE_S = 20.0
"""So much of the signal is shown, s."""
LETTERS = 50
"""Letters in a line of the right column."""
MOST_BAR = 1 / 3
"""Largest share of the image's width that the bar may take."""
PART_PX = 6.0
"""Radius round a body part that no name is to cover, px of the picture."""


class Layout(NamedTuple):
    """Sizes in inches, from the lower left corner.

    Attributes
    ----------
    height : float
        Of the picture.
    panel : (float, float)
        Width and height of the image.
    top : float
        Upper edge of image and right column.
    """

    height: float
    panel: tuple[float, float]
    top: float


def layout(width: int, height: int, n_parts: int) -> Layout:
    """Return the layout for an image of ``width`` x ``height`` px and a table of ``n_parts``."""
    inch = min(LARGEST_IN[0] / width, LARGEST_IN[1] / height)
    rows = 2 + min(n_parts, MOST_ROWS + 1)
    tall = max(height * inch, TRACE_IN + WORDS_IN + rows * ROW_IN)
    whole = HEAD_IN + tall + FOOT_IN + MARGIN_IN
    return Layout(whole, (width * inch, height * inch), whole - HEAD_IN)


class PosePreview(PreviewPage):
    """Draws one picture after another into one file. What does not change is made once.

    Parameters
    ----------
    settings : Settings
        Of a movement experiment.
    names : tuple of str
        Names of ``Sight.signal.parts``.
    frame_shape : (height, width, 3)
    path : Path
        The PNG.
    """

    def __init__(
        self, settings: Settings, names: tuple[str, ...], frame_shape: tuple[int, int, int], path: Path
    ) -> None:
        self._settings, self._names, self._movement = settings, names, movement_of(settings)
        self._size = (frame_shape[1], frame_shape[0])
        parts = part_names(names)
        self._layout = layout(*self._size, len(parts))
        super().__init__(path, self._layout.height, f"{settings.mouse}  ·  {settings.experiment}")
        self._px_per_px = self._layout.panel[1] * DPI / frame_shape[0]
        self._axis = self._panel()
        self._image = self._axis.imshow(np.zeros(frame_shape, np.uint8), interpolation="nearest", aspect="auto")
        _circles(self._axis, settings)
        _bar(self._axis, self._size, settings.geometry.ppmm)
        self._marks = {name: self._mark(name == self._movement.control_point) for name in parts}
        self._labels = {name: self._label(name == self._movement.control_point) for name in parts}
        self._past: deque[tuple[float, float]] = deque()
        self._trace_axis, self._trace = self._make_trace()
        self._make_texts()

    def draw(self, sight: Sight) -> None:
        """Draw and write the picture. Raises RecordingError where it cannot be written."""
        image = sight.frame.image
        top = saturation_counts(image)
        self._image.set_data(in_colour(image, top))
        saturated, dark = whole_shares(image, top)
        self._shares.set_text(f"{100 * saturated:.1f} % of the image is saturated, {100 * dark:.1f} % is dark")
        parts = body_parts(sight, self._names, self._movement.min_likelihood)
        self._draw_parts(parts)
        self._draw_trace(sight)
        self._draw_words(sight, parts)
        self._save()

    def _draw_parts(self, parts: list[BodyPart]) -> None:
        """Trusted parts are dots, others crosses; names stand where they hide none of them."""
        width, height = self._size
        inside = [part for part in parts if 0 <= part.x < width and 0 <= part.y < height]
        spots = {part.name: Circle(part.x + 0.5, part.y + 0.5, PART_PX / self._px_per_px) for part in inside}
        letter = (LETTER_PX[0] / self._px_per_px, LETTER_PX[1] / self._px_per_px)
        places = place_labels(spots, self._size, letter)
        for part in parts:
            mark, label = self._marks[part.name], self._labels[part.name]
            shown = part.name in places
            mark.set_visible(shown)
            label.set_visible(shown)
            if not shown:
                continue
            mark.set_data([part.x], [part.y])
            mark.set_marker("o" if part.trusted else "x")
            box = places[part.name]
            label.set_position(((box.x0 + box.x1 - 1) / 2, (box.y0 + box.y1 - 1) / 2))
            label.set_text(part.name)

    def _draw_trace(self, sight: Sight) -> None:
        """Bring the signal of the last seconds up to date."""
        sign = -1.0 if self._movement.reward_by is RewardBy.target else 1.0
        self._past.extend((time_s, sign * value) for time_s, value in sight.recent)
        while self._past and self._past[0][0] < sight.time_s - TRACE_S:
            self._past.popleft()
        times, values = np.array(self._past, np.float64).reshape(-1, 2).T
        self._trace.set_data(times - sight.time_s, values)
        known = values[np.isfinite(values)]
        limit = limit_of(self._settings)
        self._trace_axis.set_ylim(0, max(1.3 * limit, 1.05 * float(known.max()) if known.size else 0.0))

    def _draw_words(self, sight: Sight, parts: list[BodyPart]) -> None:
        self._head.set_text(head_line(sight))
        signal = fill(signal_text(sight, self._settings), LETTERS, max_lines=3)
        self._signal.set(text=signal, color=INK if sight.signal.valid else BAD)
        start = fill(start_text(sight), LETTERS, max_lines=3)
        self._start.set(text=start, color=BAD if sight.signal.waits else SUCCESS)
        _, y = self._at(0, self._words_in - LINE_IN * (1 + signal.count("\n")) - 0.08)
        self._start.set_y(y)
        rows = table(parts)
        # One text has one colour: two lie on each other, each with the other's lines left empty.
        for text, trusted in ((self._rows, True), (self._bad_rows, False)):
            text.set_text("\n".join(row if is_trusted is trusted else " " for row, is_trusted in rows))

    def _panel(self) -> Axes:
        """Add the axes of the image, whose coordinates are those of the pose: 0, 0 is the first pixel's centre."""
        width_in, height_in = self._layout.panel
        axis = self._figure.add_axes(
            (*self._at(MARGIN_IN, self._layout.top - height_in), *self._at(width_in, height_in))
        )
        axis.set(xlim=(-0.5, self._size[0] - 0.5), ylim=(self._size[1] - 0.5, -0.5), xticks=[], yticks=[])
        return axis

    def _mark(self, control: bool) -> Any:
        """Add the mark of a body part, that of the control point larger."""
        (mark,) = self._axis.plot([], [], "o", color=CONTROL if control else POINT, ms=11 if control else 7)
        mark.set(markeredgecolor=CONTROL if control else POINT, markeredgewidth=2, path_effects=halo(4), clip_on=True)
        return mark

    def _label(self, control: bool) -> Text:
        """Add the name of a body part, without a place yet."""
        style: dict[str, Any] = {"color": CONTROL if control else "white", "weight": "bold" if control else "normal"}
        return self._axis.text(0, 0, "", size=FONT_PT, ha="center", va="center", path_effects=halo(2.5), **style)

    @property
    def _right(self) -> float:
        """Where the right column begins, in."""
        return MARGIN_IN + LARGEST_IN[0] + GAP_IN

    def _make_trace(self) -> tuple[Axes, Any]:
        """Add the panel of the signal, with its threshold."""
        inset, bottom = 0.5, self._layout.top - TRACE_IN + 0.3
        size = self._at(WIDTH_IN - MARGIN_IN - self._right - inset, TRACE_IN - 0.5)
        axis = self._figure.add_axes((*self._at(self._right + inset, bottom), *size))
        axis.spines[["top", "right"]].set_visible(False)
        by_target = self._movement.reward_by is RewardBy.target
        unit = "to target (mm)" if by_target else "speed (mm/s)"
        axis.set_title(f"{unit}, last {TRACE_S:g} s; dashed: threshold", fontsize=FONT_PT, loc="left", color=INK)
        axis.axhline(limit_of(self._settings), color=FAIL, lw=1, ls="--")
        axis.set(xlim=(-TRACE_S, 0), xticks=np.arange(-TRACE_S, 1, 5))
        axis.tick_params(labelsize=FONT_PT - 1, colors=INK)
        (trace,) = axis.plot([], [], color=INK, lw=0.9)
        return axis, trace

    def _make_texts(self) -> None:
        """Add the words, to be filled in with each picture."""
        right = self._right
        self._words_in = self._layout.top - TRACE_IN - 0.2
        self._signal = self._write(right, self._words_in, "", weight="bold", linespacing=1.3)
        self._start = self._write(right, self._words_in, "", linespacing=1.3)
        y = self._layout.top - TRACE_IN - WORDS_IN
        self._rows = self._write(right, y, "", family="monospace", linespacing=1.4)
        self._bad_rows = self._write(right, y, "", family="monospace", linespacing=1.4, color=BAD, weight="bold")
        below = self._layout.top - self._layout.panel[1] - 0.12
        self._shares = self._write(MARGIN_IN, below, "")
        key = f"large: control point    cross: likelihood below {self._movement.min_likelihood:g}"
        self._write(
            MARGIN_IN, below - 0.22, f"{key}    bar: {bar_mm(self._size[0], self._settings.geometry.ppmm):g} mm"
        )


def bar_mm(width: int, ppmm: float) -> float:
    """Return the length of the bar in an image of this width, mm: 10, or 1 where that is too long."""
    return 10.0 if 10 * ppmm <= MOST_BAR * width else 1.0


def _bar(axis: Axes, size: tuple[int, int], ppmm: float) -> None:
    """Draw the bar into the lower left corner."""
    x, y, length = 0.04 * size[0], 0.96 * size[1], bar_mm(size[0], ppmm) * ppmm
    axis.plot([x, x + length], [y, y], color="white", linewidth=2.5, path_effects=halo(4), solid_capstyle="butt")


def _circles(axis: Axes, settings: Settings) -> None:
    """Draw the circles that play a part in the experiment: start and target."""
    from matplotlib.patches import Circle as Disc

    movement, ppmm = movement_of(settings), settings.geometry.ppmm
    start = ("start", movement.start_center, movement.start_radius_mm, "white", "--")
    target = ("target", movement.target_center, movement.target_radius_mm, SUCCESS, "-")
    used = [start] if movement.trial_start is TrialStart.start_roi else []
    used += [target] if movement.reward_by is RewardBy.target else []
    for name, centre, radius_mm, colour, dash in used:
        disc = Disc(centre, radius_mm * ppmm, fill=False, edgecolor=colour, linestyle=dash, linewidth=2)
        disc.set_path_effects(halo(3.5))
        axis.add_patch(disc)
        label = axis.annotate(
            name, (centre[0], centre[1] + radius_mm * ppmm), (0, -3), textcoords="offset points", color=colour,
            ha="center", va="top", size=FONT_PT,
        )  # fmt: skip
        label.set_path_effects(halo(2.5))
