"""A session's images in NWB: a series per wavelength, the whole frames of another camera, or a video beside the file.

pynwb writes each series without its images; they are put in afterwards, block by block, so that memory does not grow
with the session, or as an HDF5 virtual dataset that shows those of the recording itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InputError, RigError, SourceError
from recording.nwb_clock import SessionClock
from recording.problems import FILE_ERRORS, describe
from recording.recorded import RecordedSession, count_images
from recording.schema import IMAGES
from recording.tables import Ints

GREEN, BLUE = 1, 0
"""Channels of a frame, (height, width, 3) BGR: fluorescence and reflectance."""
CHUNK_BYTES = 1 << 20
"""Raw size of a compressed chunk; chosen so that a program that wants one frame decodes a dozen at most."""
BLOCK_BYTES = 1 << 25
"""Raw size of what is read at a time."""
GZIP_LEVEL = 1
"""Sensor noise does not compress: a higher level takes longer, for a few per cent."""
NO_UNIT = "n.a."


class NwbImages(Enum):
    """What becomes of the images."""

    link = "link"
    compress = "compress"
    none = "none"


@dataclass(frozen=True, slots=True)
class ImagePlan:
    """Images that are still to be put into a file.

    Attributes
    ----------
    session : RecordedSession
        Whose they are.
    index : (n,) int64
        Their places in its file of images.
    channels : dict
        Path of a dataset in the NWB file to the channel it takes, None for all three.
    """

    session: RecordedSession
    index: Ints
    channels: dict[str, int | None]


def kept_rows(session: RecordedSession) -> Ints:
    """Return the rows of frames whose image can be read, in the order of the images. Raises SourceError."""
    count = count_images(session)
    image = session.frames.image
    rows = np.flatnonzero((image >= 0) & (image < count))
    ordered: Ints = rows[np.argsort(image[rows], kind="stable")]
    return ordered


def placeholder(session: RecordedSession, n: int, channel: int | None, images: NwbImages) -> Any:
    """Return a dataset of the shape that ``n`` images will have, which takes no room yet."""
    from hdmf.backends.hdf5 import H5DataIO

    source = session.images()
    if source.shape[-1] != 3 or not all(source.shape[1:]) or source.dtype.kind not in "ui":
        raise SourceError(
            f"{session.image_path}: {source.dtype} of shape {source.shape} are no images (frames, height, width, 3); "
            "restore it from a copy"
        )
    shape = source.shape[1:3] if channel is not None else source.shape[1:]
    if images is NwbImages.link:
        return H5DataIO(shape=(n, *shape), dtype=source.dtype)
    frames = min(n, max(1, CHUNK_BYTES // (int(np.prod(shape)) * source.dtype.itemsize)))
    return H5DataIO(
        shape=(n, *shape),
        dtype=source.dtype,
        chunks=(frames, *shape),
        compression="gzip",
        compression_opts=GZIP_LEVEL,
        shuffle=source.dtype.itemsize > 1,
    )


def video_series(
    session: RecordedSession, name: str, about: str, clock: SessionClock, folder: Path, device: Any
) -> Any:
    """Return a video as an ImageSeries that names its file, relative to ``folder``. Decodes nothing."""
    from pynwb.image import ImageSeries

    rows = kept_rows(session)
    height, width = session.images().shape[1:3]
    timing = clock.timing(session.frames.time_ns[rows])
    return ImageSeries(
        name=name,
        description=f"{about} The times are those of the frames; the video's own are rounded.",
        unit=NO_UNIT,
        format="external",
        external_file=[Path(os.path.relpath(session.image_path.resolve(), folder.resolve())).as_posix()],
        starting_frame=[0],
        dimension=[int(width), int(height)],
        device=device,
        **({"num_samples": len(rows)} if "rate" in timing else {}),
        **timing,
    )


def put_images(
    path: Path, plans: list[ImagePlan], images: NwbImages, progress: Callable[[int, int], None] | None = None
) -> None:
    """Put the planned images into the file that pynwb has written. Raises what h5py raises.

    Parameters
    ----------
    path : Path
    plans : list of ImagePlan
    images : NwbImages
        ``compress`` or ``link``.
    progress : callable
        ``progress(done, total)`` in images, now and then.
    """
    import h5py

    total = sum(len(plan.index) for plan in plans)
    done = 0
    tell = progress or (lambda *_: None)
    tell(done, total)
    with h5py.File(path, "r+", locking=False) as file:
        for plan in plans:
            if images is NwbImages.link:
                _link(file, plan, path.parent)
                tell(done := done + len(plan.index), total)
                continue
            for at, block in _blocks(plan):
                for name, channel in plan.channels.items():
                    file[name][at : at + len(block)] = block if channel is None else block[..., channel]
                tell(done := done + len(block), total)


def check_link(session: RecordedSession) -> None:
    """Raise InputError for a file of images that HDF5 would not open by a link, and show as zeros."""
    from recording.hdf5 import open_finished

    try:
        open_finished(session.image_path).close()
    except FILE_ERRORS:
        raise InputError(
            f"--images link: {session.image_path} was never closed, and programs would not open it; copy them with "
            "--images compress"
        ) from None


def _blocks(plan: ImagePlan) -> Iterator[tuple[int, Any]]:
    """Yield (place in the series, images), a few at a time."""
    source = plan.session.images()
    frame_bytes = int(np.prod(source.shape[1:])) * source.dtype.itemsize
    # Whole chunks, so that none is compressed twice.
    chunk = max(1, CHUNK_BYTES // (frame_bytes if None in plan.channels.values() else frame_bytes // 3))
    step = max(1, BLOCK_BYTES // frame_bytes // chunk) * chunk
    for at in range(0, len(plan.index), step):
        wanted = plan.index[at : at + step]
        try:
            if np.all(np.diff(wanted) == 1):
                block = source[int(wanted[0]) : int(wanted[-1]) + 1]
            else:
                block = np.stack([source[int(i)] for i in wanted])
        except FILE_ERRORS as error:
            if isinstance(error, RigError):
                raise
            raise SourceError(describe("read", plan.session.image_path, error)) from error
        yield at, block


def _link(file: Any, plan: ImagePlan, folder: Path) -> None:
    """Replace each dataset by a virtual one that shows the images of the recording."""
    import h5py

    source = plan.session.images()
    name = Path(os.path.relpath(plan.session.image_path.resolve(), folder.resolve())).as_posix()
    shown = h5py.VirtualSource(name, IMAGES, shape=source.shape, dtype=source.dtype)
    for path, channel in plan.channels.items():
        old = file[path]
        attributes = dict(old.attrs)
        layout = h5py.VirtualLayout(shape=old.shape, dtype=old.dtype)
        for at, first, last in _runs(plan.index):
            part = slice(at, at + last - first)
            layout[part] = shown[first:last] if channel is None else shown[first:last, :, :, channel]
        parent, leaf = old.parent, path.rpartition("/")[2]
        del old, file[path]
        new = parent.create_virtual_dataset(leaf, layout)
        for key, value in attributes.items():
            new.attrs[key] = value


def _runs(index: Ints) -> Iterator[tuple[int, int, int]]:
    """Yield (place, first, last + 1) of each stretch of numbers in succession."""
    ends = [0, *(np.flatnonzero(np.diff(index) != 1) + 1).tolist(), len(index)]
    for at, end in pairwise(ends):
        if end > at:
            yield at, int(index[at]), int(index[end - 1]) + 1
