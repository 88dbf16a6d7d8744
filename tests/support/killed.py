"""Does to the folder of a session that ended what a kill of its processes does to one that runs."""

from pathlib import Path

import numpy as np

from recording.files import ImageFile
from recording.folder import read_session_json, write_session_json
from recording.reader import open_session
from recording.schema import EVENTS_CSV, FIGURE_PNG, FRAMES_CSV, INPUTS_CSV, MISSING_CSV, TIMING_CSV
from recording.video_read import is_video

ENDS = ("error", "first_frame_ns", "latency_us", "lateness_us", "counts")
"""What session.json has at a session's end alone."""


def leave_marked(path, images):
    """Write images as the recorder does, and leave the file as it is when its writer is killed then."""
    source = path.with_name(f"{path.name}.source")
    file = ImageFile(source, images.shape[1:], str(images.dtype))
    for image in images:
        file.append(image, 0)
    file.flush()
    path.unlink(missing_ok=True)
    path.write_bytes(source.read_bytes())
    file.close()
    source.unlink()


def as_killed(session, rows=None, marked=True):
    """Undo the end of a session, as if it had been killed after so many rows; return its session.json as it was."""
    before = _as_begun(session)
    for name in [*session.glob("*.txt"), session / "config.ini", *session.glob("*_config.ini"), session / FIGURE_PNG]:
        name.unlink(missing_ok=True)
    for summary in session.parents[2].glob("*.csv"):
        lines = summary.read_text().splitlines(keepends=True)
        summary.write_text("".join(line for line in lines if str(session) not in line))
    _cut_recording(session, rows, marked)
    if (session / "camera2").is_dir():
        _as_begun(session / "camera2")
        _cut_recording(session / "camera2", None, marked)
    return before


def _as_begun(folder):
    """Take out of session.json what its end put in; return it as it was."""
    before = read_session_json(folder)
    write_session_json(folder, {k: v for k, v in before.items() if k not in ENDS} | {"outcome": "running"})
    return before


def _cut_recording(folder, rows, marked):
    with open_session(folder) as session:
        frames, path = session.frames, session.image_path
        images = np.array(session.images()[:]) if session.has_images and not is_video(path) else None
    rows = len(frames) if rows is None else rows
    last_ns = int(frames.time_ns[rows - 1]) if rows else -1
    for name in (FRAMES_CSV, TIMING_CSV):
        _keep(folder / name, lambda at, cells: at < rows)
    _keep(folder / EVENTS_CSV, lambda at, cells: int(cells[0]) <= last_ns)
    for name in (INPUTS_CSV, MISSING_CSV):
        _keep(folder / name, lambda at, cells: int(cells[1]) <= last_ns)
    if images is not None and marked:
        leave_marked(path, images[: int(frames.image[:rows].max(initial=-1)) + 1])


def _keep(path: Path, wanted):
    head, *lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([head, *(line for at, line in enumerate(lines) if wanted(at, line.split(",")))]))
