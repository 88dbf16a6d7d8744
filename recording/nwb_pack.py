"""Columns of a table, and arrays, as HDF5 stores them small."""

from __future__ import annotations

from typing import Any

import numpy as np

PACK_BYTES = 1 << 16
"""Smaller arrays stay as they are: a compressed one costs a chunk of its own."""
_KINDS = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.int64)


def packed(array: Any) -> Any:
    """Return an array of numbers, compressed where it is worth it."""
    from hdmf.backends.hdf5 import H5DataIO

    if array.nbytes < PACK_BYTES:
        return array
    return H5DataIO(array, compression="gzip", compression_opts=4, shuffle=True)


def small(values: Any) -> Any:
    """Return whole numbers in the smallest type that holds them all."""
    numbers = np.asarray(values, np.int64)
    low, high = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, 0)
    kind = next(kind for kind in _KINDS if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
    return numbers.astype(kind)


def column(name: str, description: str, data: Any) -> Any:
    """Return a column of a table: an array of numbers, or a list of texts."""
    from pynwb.core import VectorData

    return VectorData(
        name=name, description=description, data=data if isinstance(data, list) else packed(np.asarray(data))
    )


def object_name(text: str) -> str:
    """Return a name as HDF5 has it in a path: without its two separators."""
    return text.replace("/", "-").replace(":", "-")


def ids(numbers: Any) -> Any:
    """Return the ``id`` column of a table."""
    from hdmf.common import ElementIdentifiers

    return ElementIdentifiers(name="id", data=np.asarray(numbers, np.int64))
