"""What is needed to place ROIs on the same cortex again: the first day's picture, the field of view, the exposure.

================================= ======================================================================================
GET /api/mice/ID/first            ``session`` (below the data root), ``date``, ``kind``, ``image`` [width, height], how
                                  many ``images`` it is the mean of, ``ppmm``, ``bregma``, ``rois`` of that day;
                                  where there is none, ``session`` is null and nothing else is there
GET /api/mice/ID/first.png        the picture
GET /api/mice/ID/view?live=NAME   how the live image lies against it: ``shift_px`` and ``shift_mm`` [x, y],
                                  ``rotation_deg`` clockwise, ``match``, ``known``, ``same``, ``text``. The first day's
                                  picture lies on the live one after CSS's ``translate(x, y) rotate(deg)``
GET /api/live/NAME/exposure       ``rois``, ``outside``, ``image``, ``advice`` of the newest image. ``?roi.NAME=SHAPE``,
                                  once or more, judges these shapes in place of the session's
GET /api/live/NAME/saturated.png  its saturated pixels vermillion and its dark ones sky blue, all else transparent
GET /api/scale                    ``?from=X,Y&to=X,Y&mm=D``: ``ppmm`` of two points of a picture that lie D mm apart,
                                  and ``share``, by which it is uncertain if each is read to 1 px
================================= ======================================================================================

All of them read only. ``?experiment=SECTION`` chooses what kind of session the first day is of, in place of the mouse's
own experiment.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from brain.field_of_view import Grey, compare_views, grey_of, is_same, view_text
from core.errors import InputError
from core.values import Image
from dashboard.feed import Feed
from dashboard.hub import Hub
from dashboard.live_exposure import exposure_told, saturated_png
from dashboard.places import FirstDay, FirstDays, compared_channels
from session.calibration_camera import px_per_mm, scale_error
from session.config_file import read_config
from session.data_root import find_data_root

LOOKS = 8
"""Live images whose mean is compared with the first day's, since one alone is noisy."""
LOOK_S = 1 / 15
MAX_PPMM = 10_000.0
"""As that of ``brain.settings.GeometrySettings.ppmm``."""


class PlaceRoutes:
    """The routes, with what they look into.

    Parameters
    ----------
    hub : Hub
    config : Path
    data_root : str or None
        In place of each mouse's own.
    """

    def __init__(self, hub: Hub, config: Path, data_root: str | None) -> None:
        self._hub = hub
        self._config = config
        self._data_root = data_root
        self._first_days = FirstDays()
        # One after the other: each reads a disk and computes, and a session may run on this machine.
        self._turn = asyncio.Lock()
        # Another, since bars of exposure shall not wait for a disk.
        self._judging = asyncio.Lock()

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            Route("/api/mice/{mouse}/first", self._first),
            Route("/api/mice/{mouse}/first.png", self._picture),
            Route("/api/mice/{mouse}/view", self._view),
            Route("/api/live/{name}/exposure", self._exposure),
            Route("/api/live/{name}/saturated.png", self._saturated),
            Route("/api/scale", _scale),
        ]

    async def _first(self, request: Request) -> Response:
        # No first day is an answer, too: a page asks before it asks for the picture.
        found = await self._first_day_or_none(request)
        return JSONResponse({"session": None} if found is None else found.facts())

    async def _picture(self, request: Request) -> Response:
        return Response((await self._first_day(request)).png, media_type="image/png")

    async def _view(self, request: Request) -> Response:
        feed = self._feed(request.query_params.get("live", ""))
        mouse = request.path_params["mouse"]
        if feed.about["mouse"].lower() != mouse.lower():
            raise InputError(f"live = {feed.name}: is of mouse {feed.about['mouse']}, not {mouse}; choose its own")
        kind = feed.about["kind"]
        first = await self._first_day(request, kind)
        images = await _steady(feed)
        ppmm = feed.about["settings"].get("ppmm")
        async with self._turn:
            told = await asyncio.to_thread(_compared, first, images, kind, ppmm)
        return JSONResponse(told)

    async def _exposure(self, request: Request) -> Response:
        feed = self._feed(request.path_params["name"])
        shapes = {key: text for key, text in request.query_params.multi_items() if key.lower().startswith("roi.")}
        async with self._judging:
            told = await asyncio.to_thread(exposure_told, _newest(feed), feed.about, shapes)
        return JSONResponse(told)

    async def _saturated(self, request: Request) -> Response:
        feed = self._feed(request.path_params["name"])
        async with self._judging:
            png = await asyncio.to_thread(saturated_png, _newest(feed), feed.about)
        return Response(png, media_type="image/png")

    async def _first_day(self, request: Request, kind: str | None = None) -> FirstDay:
        """Return a mouse's first day. Raises HTTPException 404 where it has none."""
        found = await self._first_day_or_none(request, kind)
        if found is None:
            mouse = request.path_params["mouse"]
            raise _Nothing(f"mouse {mouse}: no session with images yet; its first one will be the first day's picture")
        return found

    async def _first_day_or_none(self, request: Request, kind: str | None = None) -> FirstDay | None:
        """Return a mouse's first day, None where it has none. Raises HTTPException 404 where there is no such mouse."""
        mouse = request.path_params["mouse"]
        experiment = request.query_params.get("experiment", "")
        async with self._turn:
            return await asyncio.to_thread(self._find, mouse, experiment, kind)

    def _find(self, mouse: str, experiment: str, kind: str | None) -> FirstDay | None:
        section = read_config(self._config).mice.get(mouse.lower())
        if section is None:
            raise _Nothing(f"mouse {mouse[:60]}: {self._config} has no such mouse; reload the page")
        named = section.entries.get("experiment")
        own = "" if named is None else named.value
        chosen = kind or (experiment or own)[:4].lower()
        title = section.title.removeprefix("mouse:")
        root = find_data_root(self._config, title) if self._data_root is None else Path(self._data_root)
        return self._first_days.find(root.expanduser().absolute(), title, chosen if chosen in ("clnf", "clmf") else "")

    def _feed(self, name: str) -> Feed:
        """Return a session that runs. Raises HTTPException 404."""
        feed = self._hub.feed(name)
        if feed is None:
            raise _Nothing(f"live = {name[:60]}: no such session runs now; choose one that does")
        return feed


class _Nothing(HTTPException):
    """There is no such thing, and this is why."""

    def __init__(self, text: str) -> None:
        super().__init__(404, text)


def _newest(feed: Feed) -> Image:
    """Return a session's newest image. Raises HTTPException 409 before the first."""
    if feed.newest is None:
        raise HTTPException(409, f"{feed.name}: no image has come yet; try again in a second")
    return feed.newest


async def _steady(feed: Feed) -> list[Image]:
    """Return a session's newest image and the next few; of one that stands still, that one alone."""
    seen = [_newest(feed)]
    for _ in range(2 * LOOKS):
        await asyncio.sleep(LOOK_S)
        if (newest := _newest(feed)) is not seen[-1]:
            seen.append(newest)
        if len(seen) == LOOKS:
            break
    return seen


def _compared(first: FirstDay, images: Sequence[Image], kind: str, ppmm: float | None) -> dict[str, Any]:
    """Return what a browser is told of a comparison. Raises InputError where the images are of different sizes."""
    channels = compared_channels(kind)
    now: Grey = np.zeros(images[0].shape[:2], np.float32)
    for image in images:
        now += grey_of(image, channels) / np.float32(len(images))
    if first.grey.shape != now.shape:
        (h0, w0), (h1, w1) = first.grey.shape, now.shape
        raise InputError(
            f"resolution = {w1}, {h1}: the first day's images of {first.row.path} are {w0} x {h0} px, and cannot be "
            "compared; set the resolution of that day"
        )
    try:
        view = compare_views(first.grey, now)
    except ValueError as error:
        raise InputError(f"the field of view: {error}") from error
    x, y = view.shift_px
    # 0 is added so that none is -0.
    return {
        "shift_px": [round(x, 2) + 0.0, round(y, 2) + 0.0],
        "shift_mm": None if not ppmm else [round(x / ppmm, 3) + 0.0, round(y / ppmm, 3) + 0.0],
        "rotation_deg": round(view.rotation_deg, 2) + 0.0,
        "match": round(view.match, 3),
        "known": view.known,
        "same": is_same(view, ppmm),
        "text": view_text(view, ppmm),
        "session": first.row.path,
        "date": first.row.day,
    }


async def _scale(request: Request) -> Response:
    query = request.query_params
    first, second = (_numbers(query, name, 2) for name in ("from", "to"))
    (mm,) = _numbers(query, "mm", 1)
    ppmm = px_per_mm((first[0], first[1]), (second[0], second[1]), mm)
    if not 0 < ppmm <= MAX_PPMM:
        raise InputError(
            f"ppmm = {ppmm:g}: give two points and a length that come to more than 0 and {MAX_PPMM:g} at most"
        )
    return JSONResponse({"ppmm": ppmm, "share": round(scale_error(ppmm * mm), 5)})


def _numbers(query: Mapping[str, str], name: str, count: int) -> list[float]:
    """Return the numbers of a key of the address. Raises InputError."""
    text = query.get(name, "")
    try:
        numbers = [float(part) for part in text.replace("_", "?").split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(math.isfinite(number) for number in numbers):
        raise InputError(f"{name} = {text[:60]}: give {'a number' if count == 1 else f'{count} numbers'}")
    return numbers
