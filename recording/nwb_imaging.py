"""Neurofeedback images in NWB: an imaging plane and a series for each wavelength."""

from __future__ import annotations

import math
from typing import Any

from recording.nwb_clock import SessionClock
from recording.nwb_images import BLUE, GREEN, NO_UNIT, ImagePlan, NwbImages, kept_rows, placeholder
from recording.recorded import RecordedSession
from recording.subject import SubjectSettings

REAL_CAMERAS = ("pi", "genicam", "jetson", "usb")
"""Values of ``vid_source`` whose exposure and binning are those of a sensor."""
AXES = "Axes: frame, row from the top, column from the left."
GREEN_SERIES, BLUE_SERIES = "OnePhotonSeriesGreen", "OnePhotonSeriesBlue"
DORSAL_CORTEX = "Isocortex"
"""What is seen from above, by its name in the Allen atlas."""
_UNKNOWN = "unknown"


def add_planes(file: Any, session: RecordedSession, camera: Any, known: SubjectSettings) -> tuple[Any, Any]:
    """Add the two imaging planes; return that of fluorescence, that of reflectance."""
    lights = (known.excitation_nm, known.emission_nm), (known.reflectance_nm, known.reflectance_nm)
    green = _plane(file, session, camera, known, "Green", "Green fluorescence of the indicator", lights[0])
    blue = _plane(file, session, camera, known, "Blue", "Blue light that the cortex reflects, by its blood", lights[1])
    return green, blue


def _plane(
    file: Any,
    session: RecordedSession,
    camera: Any,
    known: SubjectSettings,
    colour: str,
    what: str,
    lights: tuple[float, float],
) -> Any:
    """Return a plane; ``lights`` are the wavelengths that go in and come out, nm, 0 where they are not known."""
    from pynwb.ophys import OpticalChannel

    channel = OpticalChannel(
        name=f"OpticalChannel{colour}", description=f"{what}.", emission_lambda=float(lights[1] or math.nan)
    )
    return file.create_imaging_plane(
        name=f"ImagingPlane{colour}",
        description=f"{what}; the cortex from above.",
        optical_channel=channel,
        device=camera,
        excitation_lambda=float(lights[0] or math.nan),
        indicator=known.indicator or _UNKNOWN,
        location=known.imaging_location or DORSAL_CORTEX,
        **_grid(session),
    )


def _grid(session: RecordedSession) -> dict[str, Any]:
    """Return where the images lie on the cortex, in metres from bregma, if the session says so."""
    settings = session.meta.get("settings") or {}
    ppmm, bregma = settings.get("ppmm"), settings.get("bregma")
    if not isinstance(ppmm, (int, float)) or not 0 < ppmm < math.inf:
        return {}
    metres = 1e-3 / float(ppmm)
    grid: dict[str, Any] = {"grid_spacing": [metres, metres], "grid_spacing_unit": "meters"}
    if isinstance(bregma, list) and len(bregma) == 2 and all(isinstance(each, (int, float)) for each in bregma):
        row, column = bregma
        grid |= {
            "origin_coords": [-float(column) * metres, -float(row) * metres],
            "origin_coords_unit": "meters",
            "reference_frame": "Bregma. x along columns, to the animal's right; y along rows, to its back. The "
            "origin is the outer corner of the upper left pixel.",
        }
    return grid


def add_series(
    file: Any, session: RecordedSession, clock: SessionClock, planes: tuple[Any, Any], images: NwbImages
) -> tuple[Any, ImagePlan | None]:
    """Add a series for each wavelength, without its images; return that of fluorescence, and what is to be put in.

    None and None where there are no images.
    """
    from pynwb.ophys import OnePhotonSeries

    rows = kept_rows(session)
    if not len(rows):
        return None, None
    time_ns = session.frames.time_ns[rows]
    made = {}
    for name, channel, plane in ((GREEN_SERIES, GREEN, planes[0]), (BLUE_SERIES, BLUE, planes[1])):
        series = OnePhotonSeries(
            name=name,
            description=f"Channel {channel} of the frames that were recorded, as the camera gave it. {AXES}",
            imaging_plane=plane,
            data=placeholder(session, len(rows), channel, images),
            unit=NO_UNIT,
            **_sensor(session),
            **clock.timing(time_ns),
        )
        file.add_acquisition(series)
        clock.share(series, time_ns)
        made[name] = series
    channels: dict[str, int | None] = {
        f"acquisition/{name}/data": channel for name, channel in ((GREEN_SERIES, GREEN), (BLUE_SERIES, BLUE))
    }
    return made[GREEN_SERIES], ImagePlan(session, session.frames.image[rows], channels)


def _sensor(session: RecordedSession) -> dict[str, Any]:
    """Return exposure and binning of a real camera; of other frames they mean nothing."""
    settings = session.meta.get("settings") or {}
    if settings.get("vid_source") not in REAL_CAMERAS:
        return {}
    found: dict[str, Any] = {}
    shutter, binning = settings.get("shutter_speed"), settings.get("camera_binning")
    if isinstance(shutter, (int, float)) and shutter > 0:
        found["exposure_time"] = shutter / 1e6
    if settings.get("vid_source") == "genicam" and isinstance(binning, int) and binning > 0:
        found["binning"] = binning
    return found


def add_frames(
    file: Any, session: RecordedSession, clock: SessionClock, name: str, camera: Any, images: NwbImages
) -> tuple[Any, ImagePlan | None]:
    """Add a camera's whole frames as one series, without its images; as ``add_series`` else."""
    from pynwb.image import ImageSeries

    rows = kept_rows(session)
    if not len(rows):
        return None, None
    series = ImageSeries(
        name=name,
        description=f"The frames that were recorded. {AXES} The last axis is blue, green, red.",
        data=placeholder(session, len(rows), None, images),
        unit=NO_UNIT,
        device=camera,
        **clock.timing(session.frames.time_ns[rows]),
    )
    file.add_acquisition(series)
    return series, ImagePlan(session, session.frames.image[rows], {f"acquisition/{name}/data": None})
