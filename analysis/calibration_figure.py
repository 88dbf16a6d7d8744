"""The picture of a valve's calibration: drops against opening time, the line, and what is left."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from analysis.session_panels import FAIL, INK, WATER
from recording.folder import replace_bytes
from session.calibration_valve import LARGEST_RESIDUAL, ValveCalibration


def draw_valve(found: ValveCalibration, path: Path) -> Path:
    """Write the picture, about 700 x 600 px. Raises RecordingError where it cannot be written."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 6), layout="constrained")
    axis, rest = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    ms = np.array([each.duration_ms for each in found.weighings])
    ul = np.array([each.drop_ul for each in found.weighings])
    ends = np.array(found.range_ms)
    axis.plot(ends, found.offset_ul + found.ul_per_ms * ends, color=INK, lw=1, label="line")
    axis.plot(ms, ul, "o", color=WATER, label="weighed")
    axis.set_ylabel("one drop (ul)")
    axis.legend(frameon=False, loc="upper left")
    far = np.abs(found.residuals_ul) > LARGEST_RESIDUAL * ul
    rest.axhline(0, color=INK, lw=1)
    rest.vlines(ms, 0, found.residuals_ul, colors=np.where(far, FAIL, WATER))
    rest.plot(ms[~far], np.array(found.residuals_ul)[~far], "o", color=WATER)
    rest.plot(ms[far], np.array(found.residuals_ul)[far], "o", color=FAIL)
    rest.set_ylabel("off the line (ul)")
    rest.set_xlabel("opening time (ms)")
    for each in (axis, rest):
        each.spines[["top", "right"]].set_visible(False)
    figure.suptitle(
        f"{found.rig}  ·  {found.date[:10]}  ·  {found.ul_per_ms:.4g} ul/ms, offset {found.offset_ul:+.3g} ul, "
        f"r2 {found.r2:.4f}",
        fontsize=11,
        x=0.01,
        ha="left",
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=100, format="png")
    replace_bytes(path, buffer.getvalue(), sync=False)
    return path
