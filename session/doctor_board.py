"""The doctor's look at what the output lines hang on: board, library, rights, and what a killed guardian leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.errors import RigError
from hardware.boards import GPIO_KINDS, choose_kind, find_board
from hardware.gpio_library import RPI_GPIO, RPI_LGPIO, found_source, removal
from hardware.persist import Persist, describe_persist, read_persist
from hardware.settings import BoardKind
from session.findings import Finding, found, missing, warning
from session.machine import Machine
from session.needs import Needs


def check_board(machine: Machine, needs: Needs) -> Iterator[Finding]:
    """The computer, and what its output lines hang on."""
    board = find_board(machine.root / "proc/device-tree")
    yield found("computer", board.model or "no Raspberry Pi or Jetson (no device tree)")
    asked = BoardKind.auto if needs.settings is None else needs.settings.pins.output_board
    try:
        kind = _choose(asked, machine)
    except RigError as error:
        yield missing("output lines", str(error), needs.outputs)
        return
    package = GPIO_KINDS.get(kind)
    if package is None:
        yield from _other_board(machine, kind, needs)
        return
    if not machine.version(package):
        yield missing("output lines", f"{package} is not installed; run: make rig", needs.outputs)
    elif not sorted(machine.root.glob("dev/gpiochip*")) and kind is not BoardKind.rpi_gpio:
        yield missing("output lines", f"{package}: there is no /dev/gpiochip*; update the kernel", needs.outputs)
    else:
        yield found("output lines", f"{package} {machine.version(package)} ({kind.value})")
        devices = "gpiomem*" if kind is BoardKind.rpi_gpio else "gpiochip*"
        yield from _forbidden(machine, sorted(machine.root.glob(f"dev/{devices}")), "gpio", needs)
    yield from _two_libraries(machine, package, needs)


def _choose(asked: BoardKind, machine: Machine) -> BoardKind:
    """Return the board's kind. Raises OutputError."""
    board = find_board(machine.root / "proc/device-tree")
    return choose_kind(asked, board, lambda name: bool(machine.version(name)), machine.gpio_library)


def _forbidden(machine: Machine, devices: list[Path], group: str, needs: Needs) -> Iterator[Finding]:
    """Devices of the board that are there, but that this user may not read and write."""
    closed = [f"/{path.relative_to(machine.root)}" for path in devices if not machine.may_use(path)]
    if closed:
        cure = f"sudo usermod -aG {group} $USER, then log in again"
        yield missing("output lines", f"this user may not use {', '.join(closed)}; {cure}", needs.outputs)


def _two_libraries(machine: Machine, package: str, needs: Needs) -> Iterator[Finding]:
    """RPi.GPIO and rpi-lgpio side by side: only one of them is imported."""
    other = {RPI_GPIO: RPI_LGPIO, RPI_LGPIO: RPI_GPIO}.get(package, "")
    if not (other and machine.version(other) and machine.version(package)):
        return
    text = f"{RPI_GPIO} and {RPI_LGPIO} are both installed, and "
    imported = machine.gpio_library()
    if imported == package:
        yield warning("GPIO libraries", f"{text}{imported} is the one that is imported; remove {other} all the same")
    else:
        cure = removal(other, package, found_source() or Path())
        what = f"{other} is imported in place of {package}" if imported else "which is imported cannot be told"
        yield missing("GPIO libraries", f"{text}{what}; {cure}", needs.outputs)


def _other_board(machine: Machine, kind: BoardKind, needs: Needs) -> Iterator[Finding]:
    port = "" if needs.settings is None else needs.settings.pins.serial_port
    if kind is BoardKind.arduino and not (port and (machine.root / port.lstrip("/")).exists()):
        ports = ", ".join(f"/dev/{path.name}" for path in sorted(machine.root.glob("dev/tty[AU][CS][MB]*"))) or "none"
        text = f"serial_port {port or '(not set)'} is not there; connect the Arduino, or choose one of: {ports}"
        yield missing("output lines", text, needs.outputs)
        return
    yield found("output lines", f"{kind.value} {port}".strip())
    if kind is BoardKind.arduino:
        yield from _forbidden(machine, [machine.root / port.lstrip("/")], "dialout", needs)


def check_persist(machine: Machine, needs: Needs) -> Iterator[Finding]:
    """Whether a killed guardian would leave the valve open."""
    state = read_persist(machine.root / "sys/module")
    if _is_mapped(machine, needs):
        yield warning("killed guardian", describe_persist(state, mapped=True).replace(": ", "; ", 1))
    elif state is Persist.kept:
        yield warning("killed guardian", describe_persist(state).replace(": ", "; ", 1))
    elif state is Persist.dropped:
        yield found("killed guardian", describe_persist(state))


def _is_mapped(machine: Machine, needs: Needs) -> bool:
    """Whether the section's outputs go past the kernel."""
    if needs.settings is None or not needs.outputs:
        return False
    try:
        kind = _choose(needs.settings.pins.output_board, machine)
    except RigError:
        return False
    return kind is BoardKind.rpi_gpio and bool(machine.version(GPIO_KINDS[kind]))
