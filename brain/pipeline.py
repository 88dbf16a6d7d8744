"""Frame -> Signal: dF/F of the rule's ROIs, then the rule."""

from __future__ import annotations

import math
from collections.abc import Mapping

from brain.dff import StreamingDff
from brain.rule import Rule
from brain.settings import DffSettings
from core.values import Frame, Signal
from roi_manager import Shape


class BrainPipeline:
    """The signal of an imaging session; implements ``core.ports.Pipeline``.

    Its signal is valid when the dF/F of every ROI in the rule is, and the rule's value is finite. The reason is the one
    of ``DffStep``, headed by the ROI's name where one is the cause (``"BC_L: dark ROI"``).

    Parameters
    ----------
    rule : Rule
    rois : mapping of str to Rect, Circle or Polygon
        Names in either case; more than the rule's are ignored.
    dff : DffSettings
    framerate : float
        Nominal frame rate, Hz.
    frame_shape : (height, width, 3)
    dtype : {"uint8", "uint16"}

    Raises
    ------
    ValueError
        If an ROI of the rule is not defined, or as ``StreamingDff``.
    """

    def __init__(
        self,
        rule: Rule,
        rois: Mapping[str, Shape],
        dff: DffSettings,
        framerate: float,
        frame_shape: tuple[int, int, int],
        dtype: str,
    ) -> None:
        known = {name.upper(): shape for name, shape in rois.items()}
        missing = [name for name in rule.names if name not in known]
        if missing:
            raise ValueError(
                f"rule {rule.text!r} names {', '.join(missing)}, which no ROI is called; "
                f"known are {', '.join(known) or 'none'}"
            )
        self._rule = rule
        self._dff = StreamingDff([known[name] for name in rule.names], dff, framerate, frame_shape, dtype)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the ROIs, in the order of ``Signal.parts``."""
        return self._rule.names

    def update(self, frame: Frame) -> Signal:
        """Take the next frame, return its signal. Never raises on a frame, however odd."""
        values, reason, roi = self._dff.update(frame.image, frame.time_ns)
        value = self._rule.evaluate(values)
        if roi >= 0:
            reason = f"{self._rule.names[roi]}: {reason}"
        if not math.isfinite(value):
            value = math.nan
            reason = reason or f"{self._rule.text} is not finite"
        return Signal(value, not reason, reason, values)
