"""What one page is made of: the sessions it shows, the programs it starts, the files it works on, and its routes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute

from core.clock import MonotonicClock
from dashboard.desk import Desk
from dashboard.desk_routes import desk_routes
from dashboard.hub import Hub
from dashboard.job_routes import job_routes
from dashboard.jobs import Jobs
from dashboard.lookback_routes import LookBack, lookback_routes
from dashboard.place_routes import PlaceRoutes
from session.live_wire import live_folder


@dataclass(frozen=True, slots=True)
class Page:
    """What a page works on.

    Attributes
    ----------
    config : Path
        The config.ini, absolute.
    data_root : str or None
        Where sessions are, in place of each mouse's own key.
    command : tuple of str
        What runs `rigloop`.
    program : Path
        The folder in which it runs.
    version : str
        Rigloop's.
    """

    config: Path
    data_root: str | None
    command: tuple[str, ...]
    program: Path
    version: str

    def about(self) -> dict[str, Any]:
        """Return what everybody is told with ``/api/state``."""
        return {"version": self.version, "config": str(self.config)}


@dataclass(frozen=True, slots=True)
class PageParts:
    """What serves a page; ``close`` lists what is to be closed at its end, in order."""

    hub: Hub
    routes: Sequence[BaseRoute]
    close: Sequence[Callable[[], Any]]


def parts_of(page: Page) -> PageParts:
    """Return the parts of a page. Raises RecordingError where there is no folder for what programs say."""
    hub = Hub()
    jobs = Jobs(page.command, page.program, live_folder(), hub.tell_all, hub.ask_end)
    hub.jobs = jobs.listed
    desk = Desk(page.config, page.data_root, MonotonicClock().wall_ns)
    look = LookBack(page.config, page.data_root)
    routes = [
        *job_routes(jobs, page.config, page.data_root),
        *desk_routes(desk),
        *PlaceRoutes(hub, page.config, page.data_root).routes(),
        *lookback_routes(look, jobs, page.config),
    ]
    return PageParts(hub, routes, (jobs.close, look.close))
