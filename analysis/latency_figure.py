"""The picture of a latency test: where the time goes, and how it is spread end to end."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analysis.session_panels import FAIL, INK, SUCCESS, TONE, WATER
from recording.folder import replace_bytes
from session.latency_result import LatencyResult, durations_ms

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WHOLE = {"light_to_edge": WATER, "light_to_sound": TONE}
PARTS = {
    "light_to_capture": "#999999",
    "capture_to_read": "#56b4e9",
    "read_to_decision": SUCCESS,
    "decision_to_edge": WATER,
    "decision_to_sound": TONE,
}
LINES = (("p50", "-"), ("p99", "--"), ("p999", ":"))


def draw_latency(result: LatencyResult, path: Path) -> Path:
    """Write the picture, about 1100 x 800 px. Raises RecordingError where it cannot be written."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 8), layout="constrained")
    stages = result.stages()
    whole = [stage for stage in WHOLE if stage in stages]
    parts = [stage for stage in PARTS if stage in stages]
    if not stages:
        figure.text(0.5, 0.5, "no flash was answered", ha="center", color="#999999")
    else:
        grid = figure.add_gridspec(2, 1, height_ratios=(1.5, 1))
        top = grid[0].subgridspec(1, max(1, len(whole)))
        for column, stage in enumerate(whole):
            _whole(figure.add_subplot(top[0, column]), result, stage)
        bottom = grid[1].subgridspec(1, max(1, len(parts)))
        for column, stage in enumerate(parts):
            _part(figure.add_subplot(bottom[0, column]), result, stage)
    about = result.about
    figure.suptitle(
        f"{about.get('rig', '')}  ·  {str(about.get('date', ''))[:16]}  ·  {about.get('camera', '')} "
        f"{about.get('framerate', 0):g} frames/s  ·  bench {about.get('bench', '')}  ·  {len(result.flashes)} flashes, "
        f"{result.missed} without answer",
        fontsize=11,
        x=0.01,
        ha="left",
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=100, format="png")
    replace_bytes(path, buffer.getvalue(), sync=False, chosen=True)
    return path


def _whole(axis: Axes, result: LatencyResult, stage: str) -> None:
    """One end-to-end latency: histogram, percentiles and the maximum."""
    values = durations_ms(result.flashes, stage)
    told = result.stages()[stage]
    axis.hist(values, bins=_bins(values, 40), color=WHOLE[stage], alpha=0.75)
    for name, style in LINES:
        axis.axvline(told[name], color=INK, lw=1, ls=style, label=f"{_label(name)}  {told[name]:.2f} ms")
    axis.axvline(told["max"], color=FAIL, lw=1, label=f"max  {told['max']:.2f} ms")
    axis.set_xlim(left=0)
    axis.set_title(f"{stage.replace('_', ' ')}  (n = {told['n']:g})", loc="left", fontsize=11)
    axis.set_xlabel("ms")
    axis.set_ylabel("flashes")
    axis.legend(frameon=False, fontsize=9)
    _plain(axis)


def _part(axis: Axes, result: LatencyResult, stage: str) -> None:
    """One step of the way."""
    values = durations_ms(result.flashes, stage)
    told = result.stages()[stage]
    axis.hist(values, bins=_bins(values, 24), color=PARTS[stage], alpha=0.85)
    axis.set_title(
        f"{stage.replace('_', ' ')}\np50 {told['p50']:.3g}  p99 {told['p99']:.3g} ms", loc="left", fontsize=9
    )
    axis.set_xlabel("ms")
    axis.tick_params(labelsize=8)
    _plain(axis)


def _bins(values: list[float], most: int) -> list[float]:
    """Return bins over what there is; equal values get one bin of a width that can be seen."""
    low, high = min(values), max(values)
    if high - low < 1e-6:
        low, high = low - 0.5, high + 0.5
    return [float(edge) for edge in np.linspace(low, high, min(most, max(8, len(values) // 3)) + 1)]


def _label(name: str) -> str:
    return {"p999": "p99.9"}.get(name, name)


def _plain(axis: Axes) -> None:
    axis.spines[["top", "right"]].set_visible(False)
