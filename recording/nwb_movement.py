"""What was computed of behaviour video, in NWB: body parts with their skeleton, speed, distance to the target."""

from __future__ import annotations

from typing import Any

import numpy as np

from recording.nwb_clock import SessionClock
from recording.nwb_pack import object_name, packed
from recording.recorded import RecordedSession
from recording.schema import POINT_COLUMNS, SPEED, TARGET

_TRACKERS = {"dlc": "DeepLabCut-Live", "markers": "Rigloop, coloured markers", "replay": "an earlier session's poses"}
_VALUES = {
    SPEED: ("ControlPointSpeed", "mm/s", "Speed of the control point"),
    TARGET: ("TargetDistance", "mm", "Distance of the control point to the target's centre"),
}


def body_parts(session: RecordedSession) -> tuple[str, ...]:
    """Return the names of the body parts, in the order of the columns."""
    names = session.part_names
    return tuple(
        name.removesuffix("_x")
        for name in names
        if name.endswith("_x") and all(f"{name.removesuffix('_x')}_{column}" in names for column in POINT_COLUMNS)
    )


def add_movement(module: Any, session: RecordedSession, clock: SessionClock) -> None:
    """Add speed and distance of the control point."""
    from pynwb.base import TimeSeries
    from pynwb.behavior import BehavioralTimeSeries

    found = [name for name in _VALUES if name in session.part_names]
    if not found:
        return
    settings = session.meta.get("settings") or {}
    part = settings.get("control_point") or "of the pose"
    values = BehavioralTimeSeries(name="BehavioralTimeSeries")
    module.add(values)
    for name in found:
        title, unit, text = _VALUES[name]
        values.add_timeseries(
            TimeSeries(
                name=title,
                description=f"{text} ({part}); nan: not known.",
                data=packed(_column(session, name)),
                unit=unit,
                **clock.timing(session.frames.time_ns),
            )
        )


def add_pose(file: Any, module: Any, session: RecordedSession, clock: SessionClock, camera: Any, video: Any) -> None:
    """Add the body parts, if the session has any."""
    from ndx_pose import PoseEstimation, PoseEstimationSeries, Skeleton, Skeletons

    parts = body_parts(session)
    if not parts:
        return
    skeleton = Skeleton(name="Skeleton", nodes=list(parts), subject=file.subject)
    module.add(Skeletons(name="Skeletons", skeletons=[skeleton]))
    backend, version, model = _tracker(session)
    series = [
        PoseEstimationSeries(
            name=object_name(part),
            description=f"Where {part} was; nan, nan with confidence 0: not found.",
            data=packed(np.column_stack([_column(session, f"{part}_x"), _column(session, f"{part}_y")])),
            confidence=packed(_column(session, f"{part}_likelihood")),
            confidence_definition="Likelihood, as the pose estimator gives it.",
            unit="pixels",
            reference_frame="(0, 0) is the centre of the upper left pixel of the frame; x to the right, y down.",
            **clock.timing(session.frames.time_ns),
        )
        for part in parts
    ]
    module.add(
        PoseEstimation(
            name="PoseEstimation",
            description="Body parts, found in each frame while the session ran.",
            pose_estimation_series=series,
            skeleton=skeleton,
            device=camera,
            source_video=video,
            scorer=model or None,
            source_software=backend or None,
            source_software_version=version if backend and version else None,
        )
    )


def _tracker(session: RecordedSession) -> tuple[str, str, str]:
    """Return what found the body parts: software, its version, the model."""
    settings = session.meta.get("settings") or {}
    software = session.meta.get("software") or {}
    backend = str(settings.get("pose_backend") or "")
    packages = software.get("packages") or {}
    version = packages.get("deeplabcut-live") if backend == "dlc" else software.get("rigloop")
    model = str(settings.get("dlc_model_path") or "") if backend == "dlc" else ""
    return _TRACKERS.get(backend, backend), str(version or ""), model.replace("\\", "/").rpartition("/")[2]


def _column(session: RecordedSession, name: str) -> Any:
    return np.ascontiguousarray(session.frames.parts[:, session.part_names.index(name)])
