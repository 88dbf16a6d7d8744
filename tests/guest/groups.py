"""The groups of checks that run in the guest. A check is a function ``check_*`` of the group's module.

The list of what is expected is read from the source on the host, and what came out of the guest is held against it: a
check that did not run is a failure like one that failed.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
PI = {"RPI_LGPIO_REVISION": "c03114", "RPI_LGPIO_CHIP": "0"}
"""What rpi-lgpio takes for a Raspberry Pi 4 whose pins are the first chip."""
JETSON = {"JETSON_MODEL_NAME": "JETSON_ORIN_NANO"}


class Group(NamedTuple):
    """Checks that share a process.

    Attributes
    ----------
    module : str
        In ``tests.guest``.
    libraries : tuple of str
        Folders of the cache that are put on the path.
    environment : dict
    limit_s : float
        Longest run of the process.
    """

    module: str
    libraries: tuple[str, ...] = ("common",)
    environment: dict[str, str] = {}  # noqa: RUF012 - read only
    limit_s: float = 240.0


GROUPS = (
    Group("checks_devices"),
    Group("checks_licks"),
    Group("checks_beam", ("common", "lgpio"), PI),
    Group("checks_gpio", ("common", "lgpio"), PI),
    Group("checks_gpio_board", ("common", "lgpio"), PI),
    Group("checks_guardian", ("common", "lgpio"), PI),
    Group("checks_usb"),
    Group("checks_jetson", ("common", "jetson"), JETSON),
)


def checks_of(module: str, folder: Path = HERE) -> list[str]:
    """Return the names of the checks of a module, in order, as ``module.check_x``, without importing it."""
    tree = ast.parse((folder / f"{module}.py").read_text(encoding="utf-8"))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("check_")]
    return [f"{module}.{name}" for name in names]


def chosen(only: str = "") -> list[Group]:
    """Return the groups whose module is named ``only``, all where it is empty."""
    return [group for group in GROUPS if only in ("", group.module)]


def expected(only: str = "") -> list[str]:
    """Return every check that must come out of the guest."""
    return [check for group in chosen(only) for check in checks_of(group.module)]
