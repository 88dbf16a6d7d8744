"""What was computed of each frame, in NWB: dF/F of the ROIs, the signal, its threshold, and the tone."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.errors import InputError
from recording.nwb_clock import SessionClock
from recording.nwb_images import NO_UNIT
from recording.nwb_pack import packed
from recording.recorded import RecordedSession
from recording.schema import ROI_PREFIX
from roi_manager import parse_roi


def add_signals(file: Any, module: Any, session: RecordedSession, clock: SessionClock, unit: str, about: str) -> None:
    """Add the signal and its threshold to ``module``, the tone to the stimuli.

    Parameters
    ----------
    unit : str
        Of the signal.
    about : str
        What the signal is, a sentence.
    """
    from pynwb.base import TimeSeries

    frames = session.frames

    def series(name: str, values: Any, what: str, its_unit: str) -> Any:
        return TimeSeries(
            name=name, data=packed(values), unit=its_unit, description=what, **clock.timing(frames.time_ns)
        )

    signal = series("FeedbackSignal", frames.signal, f"{about} nan: it had no value; the table frames says why.", unit)
    module.add(signal)
    clock.share(signal, frames.time_ns)
    module.add(series("RewardThreshold", frames.threshold, "The signal that earns water, at each frame.", unit))
    tone = "Frequency of the tone that the mouse heard from this frame on; 0 is silence."
    file.add_stimulus(series("Tone", frames.freq_hz, tone, "Hz"))


def add_rois(module: Any, session: RecordedSession, clock: SessionClock, plane: Any, reference: Any) -> None:
    """Add the ROIs as pixel masks, and their dF/F. Sessions without ROIs get neither."""
    from pynwb.ophys import DfOverF, ImageSegmentation, RoiResponseSeries

    names = session.part_names
    if not names:
        return
    segmentation = ImageSegmentation(name="ImageSegmentation")
    module.add(segmentation)
    masks = {name: _pixels(session, name) for name in names}
    known = all(mask is not None for mask in masks.values())
    about = "ROIs of the rule. In pixel_mask x is the column and y the row, from 0 in the upper left corner."
    table = segmentation.create_plane_segmentation(
        name="PlaneSegmentation",
        description=about if known else "ROIs of the rule; where they lie was not recorded.",
        imaging_plane=plane,
        reference_images=reference,
    )
    table.add_column(name="roi_name", description="Name of the ROI in the rule.")
    table.add_column(name="shape", description="The ROI as config.ini has it, px.")
    for name in names:
        mask = masks[name]
        text = _text_of(session, name)
        table.add_roi(pixel_mask=[(0, 0, 0.0)] if mask is None else mask, roi_name=name, shape=text or "not recorded")
    rois = table.create_roi_table_region(
        description="All ROIs, in the order of the columns.", region=list(range(len(names)))
    )
    dff = DfOverF(name="DfOverF")
    module.add(dff)
    dff.add_roi_response_series(
        RoiResponseSeries(
            name="RoiResponseSeries",
            description="dF/F of each ROI as the loop computed it (0.05 is 5 %); nan: it had none.",
            data=packed(session.frames.parts),
            unit=NO_UNIT,
            rois=rois,
            **clock.timing(session.frames.time_ns),
        )
    )


def _text_of(session: RecordedSession, name: str) -> str:
    settings = session.meta.get("settings")
    text = settings.get(ROI_PREFIX + name) if isinstance(settings, dict) else None
    return text if isinstance(text, str) else ""


def _pixels(session: RecordedSession, name: str) -> list[tuple[int, int, float]] | None:
    """Return (column, row, 1) of each pixel of an ROI, None where the session does not say where it lay."""
    text = _text_of(session, name)
    if not text:
        return None
    try:
        shape = parse_roi(text)
        x0, y0, _, _ = shape.bounds()
        if min(x0, y0) < 0:
            raise ValueError(f"it reaches to column {x0}, row {y0}, outside the image")
    except ValueError as error:
        raise InputError(f"{session.folder}: session.json: {ROI_PREFIX}{name}: {error}; restore it") from error
    rows, columns = np.nonzero(shape.mask())
    return [(int(x) + x0, int(y) + y0, 1.0) for y, x in zip(rows, columns, strict=True)]
