"""Which board this computer is, and the lines of the board that config.ini names."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import OutputError
from hardware.board import Board
from hardware.gpio import GpioBoard
from hardware.gpio_errors import gpio_error
from hardware.gpio_library import JETSON_GPIO, RPI_GPIO, RPI_LGPIO, imported_library, library_of, pip, removal
from hardware.memory_board import TRACE_VARIABLE, MemoryBoard
from hardware.pin_locks import PinLocks
from hardware.settings import BoardKind, PinSettings

DEVICE_TREE = Path("/proc/device-tree")

Has = Callable[[str], bool]
"""Whether a distribution (``"rpi-lgpio"``) is installed."""
Load = Callable[[str], Any]
"""Imports a module by its name."""

GPIO_KINDS = {BoardKind.rpi_gpio: RPI_GPIO, BoardKind.rpi_lgpio: RPI_LGPIO, BoardKind.jetson_gpio: JETSON_GPIO}
"""Kind to the distribution that it needs."""


class FoundBoard(NamedTuple):
    """What the device tree says.

    Attributes
    ----------
    kind : BoardKind or None
        The kind that drives its header: RPi.GPIO up to the Raspberry Pi 4, rpi-lgpio from the 5 on, Jetson.GPIO.
    model : str
        Such as ``Raspberry Pi 5 Model B Rev 1.0``; empty on a computer without a device tree.
    """

    kind: BoardKind | None
    model: str


def find_board(root: Path = DEVICE_TREE) -> FoundBoard:
    """Return which board this computer is; ``root`` is where the kernel shows its device tree."""
    model = (_texts(root / "model") or [""])[0]
    compatible = _texts(root / "compatible")
    if any(text.startswith(("nvidia,tegra", "nvidia,jetson")) for text in compatible) or "Jetson" in model:
        return FoundBoard(BoardKind.jetson_gpio, model)
    if "brcm,bcm2712" in compatible:
        return FoundBoard(BoardKind.rpi_lgpio, model)
    if any(text.startswith("raspberrypi,") for text in compatible) or model.startswith("Raspberry Pi"):
        return FoundBoard(BoardKind.rpi_lgpio if "Pi 5" in model else BoardKind.rpi_gpio, model)
    return FoundBoard(None, model)


def _texts(path: Path) -> list[str]:
    """Return the strings of a device-tree file, which end with a zero byte each."""
    try:
        return [text for text in path.read_bytes().decode("utf-8", "replace").split("\0") if text]
    except OSError:
        return []


def is_installed(distribution: str) -> bool:
    """Return whether pip or the system has installed it for this interpreter."""
    try:
        importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def make_board(
    pins: PinSettings, root: Path = DEVICE_TREE, has: Has = is_installed, load: Load = importlib.import_module
) -> Board:
    """Return the board of ``pins.output_board``, its connected lines low. Called inside the guardian's process.

    Raises OutputError (which line, what is wrong, the cure). An Arduino takes up to 4 s to start.
    """
    kind = choose_kind(pins.output_board, find_board(root), has)
    if kind is BoardKind.memory:
        return _memory_board(pins)
    if kind is BoardKind.arduino:
        from hardware.arduino_board import ArduinoBoard

        return ArduinoBoard(pins)
    # RPi.GPIO maps the chip's registers, past the kernel; for the others the kernel holds each line for one program.
    locks = PinLocks() if kind is BoardKind.rpi_gpio else None
    return GpioBoard(pins, load_gpio(kind, has, load), locks)


def preload(pins: PinSettings) -> None:
    """Import what ``make_board`` will need, so that it is quick when it is needed; touches no line, raises nothing."""
    with contextlib.suppress(OutputError):
        kind = choose_kind(pins.output_board, find_board())
        if kind in GPIO_KINDS:
            load_gpio(kind)
        elif kind is BoardKind.arduino:
            importlib.import_module("hardware.arduino_board")


def _memory_board(pins: PinSettings) -> Board:
    trace = os.environ.get(TRACE_VARIABLE)
    return MemoryBoard(pins, Path(trace) if trace else None)


def choose_kind(
    asked: BoardKind, found: FoundBoard, has: Has = is_installed, imported: Callable[[], str] = imported_library
) -> BoardKind:
    """Return the kind that is used where ``asked`` stands in config.ini. Raises OutputError where it cannot work."""
    if asked is BoardKind.auto:
        return _found_kind(found, has, imported)
    if asked is BoardKind.rpi_gpio and found.kind is BoardKind.rpi_lgpio:
        raise OutputError(f"output_board rpi_gpio: RPi.GPIO does not know the {found.model}; set it to rpi_lgpio")
    is_pi = found.kind in (BoardKind.rpi_gpio, BoardKind.rpi_lgpio)
    if (asked is BoardKind.jetson_gpio and is_pi) or (
        asked in (BoardKind.rpi_gpio, BoardKind.rpi_lgpio) and found.kind is BoardKind.jetson_gpio
    ):
        raise OutputError(f"output_board {asked.value}: this is a {found.model}; set it to auto")
    return asked


def _found_kind(found: FoundBoard, has: Has, imported: Callable[[], str]) -> BoardKind:
    if found.kind is None:
        name = f" ({found.model})" if found.model else ""
        raise OutputError(
            f"output_board auto: this computer{name} is no Raspberry Pi or Jetson; set output_board to arduino "
            "(with serial_port), or to memory to rehearse without wires"
        )
    # rpi-lgpio drives the older boards too; what is there is used, of two the one that is imported.
    if found.kind is BoardKind.rpi_gpio and has(RPI_LGPIO) and (not has(RPI_GPIO) or imported() == RPI_LGPIO):
        return BoardKind.rpi_lgpio
    return found.kind


@contextlib.contextmanager
def _folder_of_its_own() -> Iterator[None]:
    """Import lgpio here: it makes and opens a pipe, .lgd-nfy0, in the working folder.

    It would lie about there, and two processes in one folder (guardian and lick sensor) could open each other's.
    """
    before = os.getcwd()
    folder = tempfile.mkdtemp(prefix="rigloop-gpio-")
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        shutil.rmtree(folder, ignore_errors=True)


def load_gpio(kind: BoardKind, has: Has = is_installed, load: Load = importlib.import_module) -> Any:
    """Return the GPIO module of a kind: what ``GpioBoard`` and a beam-break need. Raises OutputError with the cure.

    Where RPi.GPIO and rpi-lgpio are both there, the one that is imported has to be the right one.
    """
    needed = GPIO_KINDS[kind]
    other = {RPI_GPIO: RPI_LGPIO, RPI_LGPIO: RPI_GPIO}.get(needed, "")
    where = f"output_board {kind.value}"
    if not has(needed):
        if other and has(other):
            cure = f"run: {pip()} uninstall -y {other} && {pip()} install {needed}"
            raise OutputError(f"{where}: {other} is installed in place of {needed}; {cure}")
        raise OutputError(f"{where}: {needed} is not installed; run: make rig (or {pip()} install {needed})")
    try:
        with _folder_of_its_own():
            module = load("Jetson.GPIO" if kind is BoardKind.jetson_gpio else "RPi.GPIO")
    except ImportError as error:
        raise OutputError(f"{where}: {needed} cannot be imported ({error}); run: make rig") from error
    except Exception as error:
        raise gpio_error(where, error) from error
    if kind is not BoardKind.jetson_gpio:
        _refuse_another(where, needed, other, module, has)
    return module


def _refuse_another(where: str, needed: str, other: str, module: Any, has: Has) -> None:
    """Raise OutputError where what was imported is another library than the one that is needed."""
    if hasattr(module, "JETSON_INFO"):
        cure = f"run: {pip()} uninstall -y {JETSON_GPIO} && {pip()} install --force-reinstall {needed}"
        raise OutputError(f"{where}: Jetson.GPIO has overwritten {needed}; {cure}")
    source = Path(getattr(module, "__file__", None) or "")
    imported = library_of(source)
    if imported and imported != needed:
        raise OutputError(
            f"{where}: {imported} is imported in place of {needed} ({source}); {removal(imported, needed, source)}"
        )
    if not imported and has(other):
        raise OutputError(
            f"{where}: {other} is installed beside {needed}, and which is imported cannot be told ({source}); "
            f"{removal(other, needed, source)}"
        )
