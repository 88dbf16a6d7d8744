"""What a session records: the rows, their columns, and the names of the files. The one place that knows the layout.

A session folder (``<data_root>/<mouse>/<YYYYmmddHHMMSS>/S1``) holds

==================== ==================================================================================================
session.json         who, what, when, versions, settings, counts and outcome ("running" until the end)
session.ini          the resolved config: with ``rigloop run --config`` and the same ``--seed`` the same session again
network.py           the file of a simulated mouse's own network, as it was
image_stream.hdf5    ``raw_images`` (frames, height, width, 3), the layout of CLoPy
frames.csv           a row per frame, all of it a function of the inputs: two equal sessions give equal bytes
timing.csv           a row per frame, host monotonic ns of each step: never the same twice
events.csv           trials, crossings, rewards, licks, drops, operator, failed outputs, with their times
inputs.csv           all that could influence a decision beside the frames: licks, wishes, lost devices, in their order
missing.csv          a row per number that the camera counted and no frame came of, with the cause
config.ini           CLoPy's copy of the config       (written at close)
VideoTimestamp.txt   CLoPy's log                      (written at close)
session.png          the figure
session.nwb          the session as NWB                (where the page was asked for it)
==================== ==================================================================================================
"""

from __future__ import annotations

from typing import NamedTuple

SCHEMA_VERSION = 3
"""3: inputs.csv has a text; 2: there are inputs.csv and missing.csv."""
WITH_INPUTS = 2
"""The first version whose sessions keep their inputs."""

SESSION_JSON = "session.json"
SESSION_INI = "session.ini"
FRAMES_CSV = "frames.csv"
TIMING_CSV = "timing.csv"
EVENTS_CSV = "events.csv"
INPUTS_CSV = "inputs.csv"
MISSING_CSV = "missing.csv"
FIGURE_PNG = "session.png"
SESSION_NWB = "session.nwb"
ERROR_TXT = "error.txt"
NETWORK_PY = "network.py"
CLOPY_CONFIG = "config.ini"
CLOPY_LOG = "VideoTimestamp.txt"
IMAGES = "raw_images"
RUNNING = "running"
"""Outcome that session.json has until its session ends."""
RECOVERABLE = (RUNNING, "failed")
"""Outcomes of sessions whose last rows and counts may not have been written."""
SECOND_FOLDER = "camera2"
"""Folder of a second camera inside a session's."""
ROI_PREFIX = "roi."
"""What comes before an ROI's name in the settings."""
DFF_PREFIX = "dff_"
POSE_PREFIX = "pose_"
PART_PREFIXES = (DFF_PREFIX, POSE_PREFIX)
"""What comes before a part's name in the header of frames.csv: ROIs of neurofeedback, values of movement feedback."""
SPEED, TARGET = "speed_mm_s", "target_mm"
"""The parts of a movement session's frames before those of the pose."""
POINT_COLUMNS = ("x", "y", "likelihood")
"""Columns of each body part, behind its name and ``_``."""


class FrameRow(NamedTuple):
    """One row of frames.csv; after ``signal`` comes a column ``dff_<NAME>`` or ``pose_<NAME>`` for each part.

    Attributes
    ----------
    frame : int
        The camera's number of the frame; gaps are lost frames.
    time_ns, sensor_ns : int
        As in ``core.values.Frame``.
    dropped : int
        Frames lost just before this one.
    image : int
        Index into ``raw_images``, -1 where the image was not kept (set by the writer).
    signal : float
    parts : tuple of float
    valid : bool
    reason : str
    threshold : float
        As the decision used it.
    freq_hz : float
        The tone from this frame on, 0 for silence.
    phase : str
        ``rest``, ``trial``, ``paused`` or ``done``: the phase this frame was judged in.
    trial : int
        Trial this frame belongs to, 0 in rest.
    audio : int
        1 in a trial that sounds.
    outcome : int
        On the last frame of a trial 1 (success) or -1 (fail), else 0.
    water : int
        1 on the frame that asked for a drop, which the valve did not refuse.
    licks : int
        Licks since the previous frame.
    """

    frame: int
    time_ns: int
    sensor_ns: int
    dropped: int
    image: int
    signal: float
    parts: tuple[float, ...]
    valid: bool
    reason: str
    threshold: float
    freq_hz: float
    phase: str
    trial: int
    audio: int
    outcome: int
    water: int
    licks: int


class TimingRow(NamedTuple):
    """One row of timing.csv. Host monotonic clock, ns.

    Attributes
    ----------
    frame : int
    read_ns : int
        ``camera.read()`` returned.
    signal_ns : int
        The pipeline was done.
    decision_ns : int
        The trial logic was done.
    command_ns : int
        The last command was issued.
    """

    frame: int
    read_ns: int
    signal_ns: int
    decision_ns: int
    command_ns: int


class EventRow(NamedTuple):
    """One row of events.csv.

    Attributes
    ----------
    time_ns : int
        On the frames' clock.
    kind : str
    trial : int
        0 in rest.
    detail : str
    """

    time_ns: int
    kind: str
    trial: int
    detail: str


class InputRow(NamedTuple):
    """One row of inputs.csv: with the frames, all that the trial logic was given. Frames and these replay a session.

    Attributes
    ----------
    frame : int
        Number of the frame it was given with; of ``cut`` and ``rest_from`` that of the newest frame before, 0 before
        the first.
    time_ns : int
        On the frames' clock: a lick's own time, the moment of a cut, the beginning of a rest, else that of the frame.
    kind : str
        ``lick``; a wish (a value of ``core.values.OperatorKind``); ``cut`` (a device was lost: a running trial was cut
        short) and ``rest_from`` (it was back, and the rest began), both between two frames; ``refused`` (the valve
        refused the drops of this frame from the ``value``-th on, counted from 0).
    value : float
        Of a wish, such as the new threshold; else 0.
    who : str
        Who wished it, or which device it was.
    text : str
        Of a wish: the key and its new value, or the note; else empty.
    """

    frame: int
    time_ns: int
    kind: str
    value: float
    who: str
    text: str = ""


class MissingRow(NamedTuple):
    """Numbers in succession that one cause has taken; a line each in missing.csv, where ``numbers`` has no column.

    Attributes
    ----------
    frame : int
        The first of the numbers.
    time_ns : int
        Time of the frame that came after them; of the last frame where none came.
    cause : str
        As the camera names it: ``transport``, ``late``, ``lost_camera``, ``recording`` (the replayed one has this gap)
        ..., ``unknown`` where it names none.
    numbers : int
        How many.
    """

    frame: int
    time_ns: int
    cause: str
    numbers: int = 1


SideRow = EventRow | InputRow | MissingRow
"""What is recorded beside frames and their times."""

TIMING_COLUMNS = TimingRow._fields
EVENT_COLUMNS = EventRow._fields
INPUT_COLUMNS = InputRow._fields
MISSING_COLUMNS = MissingRow._fields[:-1]
SIDE_TABLES: tuple[tuple[type[SideRow], str, tuple[str, ...]], ...] = (
    (EventRow, EVENTS_CSV, EVENT_COLUMNS),
    (InputRow, INPUTS_CSV, INPUT_COLUMNS),
    (MissingRow, MISSING_CSV, MISSING_COLUMNS),
)
"""Type, file and columns of each; the place in this tuple is what travels to the writer."""


def frame_columns(part_names: tuple[str, ...], prefix: str = DFF_PREFIX) -> tuple[str, ...]:
    """Return the header of frames.csv: ``parts`` becomes a column ``<prefix><NAME>`` per name.

    Parameters
    ----------
    part_names : tuple of str
    prefix : str
        One of ``PART_PREFIXES``.
    """
    columns: list[str] = []
    for field in FrameRow._fields:
        columns.extend(f"{prefix}{name}" for name in part_names) if field == "parts" else columns.append(field)
    return tuple(columns)
