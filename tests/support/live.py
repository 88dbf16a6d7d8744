"""A session's link and a page's end of it, in one process and one thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from dashboard.live_reader import LiveReader

ABOUT = {"wire": 1, "shape": (4, 6, 3), "dtype": "uint8", "names": ("M1_L", "M1_R"), "mouse": "M"}


def connect(name, look):
    """Return a reader of the session ``name``, whose own ``look`` lets it in meanwhile."""
    with ThreadPoolExecutor(1) as other:
        coming = other.submit(LiveReader, name)
        while not coming.done():
            look()
        return coming.result()
