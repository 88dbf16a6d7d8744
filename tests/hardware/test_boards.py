"""Which board this computer is, and which library drives it."""

import sys
from pathlib import Path

import pytest

from core.errors import OutputError
from hardware.boards import FoundBoard, choose_kind, find_board, is_installed, load_gpio, make_board
from hardware.fake_gpio import FakeGpio
from hardware.gpio import GpioBoard
from hardware.gpio_library import found_source, library_of, removal
from hardware.settings import BoardKind, PinSettings

TREES = {
    "Pi 3": ("Raspberry Pi 3 Model B Plus Rev 1.3", ["raspberrypi,3-model-b-plus", "brcm,bcm2837"], "rpi_gpio"),
    "Pi 4": ("Raspberry Pi 4 Model B Rev 1.4", ["raspberrypi,4-model-b", "brcm,bcm2711"], "rpi_gpio"),
    "Zero 2": ("Raspberry Pi Zero 2 W Rev 1.0", ["raspberrypi,model-zero-2-w", "brcm,bcm2837"], "rpi_gpio"),
    "Pi 5": ("Raspberry Pi 5 Model B Rev 1.0", ["raspberrypi,5-model-b", "brcm,bcm2712"], "rpi_lgpio"),
    "CM5": ("Raspberry Pi Compute Module 5 Rev 1.0", ["raspberrypi,5-compute-module", "brcm,bcm2712"], "rpi_lgpio"),
    "Orin": (
        "NVIDIA Jetson Orin Nano Developer Kit",
        ["nvidia,p3768-0000+p3767-0005", "nvidia,tegra234"],
        "jetson_gpio",
    ),
    "Nano": ("NVIDIA Jetson Nano Developer Kit", ["nvidia,p3450-0000", "nvidia,tegra210"], "jetson_gpio"),
    "another": ("Pine64 RockPro64 v2.1", ["pine64,rockpro64", "rockchip,rk3399"], None),
}


@pytest.fixture
def tree(tmp_path):
    def write(model, compatible):
        (tmp_path / "model").write_bytes(model.encode() + b"\0")
        (tmp_path / "compatible").write_bytes(b"".join(text.encode() + b"\0" for text in compatible))
        return tmp_path

    return write


@pytest.mark.parametrize(("model", "compatible", "kind"), TREES.values(), ids=TREES.keys())
def test_boards_are_found(tree, model, compatible, kind):
    assert find_board(tree(model, compatible)) == FoundBoard(BoardKind[kind] if kind else None, model)


def test_a_computer_without_a_device_tree_is_none(tmp_path):
    assert find_board(tmp_path / "missing") == FoundBoard(None, "")


PI4 = FoundBoard(BoardKind.rpi_gpio, "Raspberry Pi 4 Model B Rev 1.4")
PI5 = FoundBoard(BoardKind.rpi_lgpio, "Raspberry Pi 5 Model B Rev 1.0")
ORIN = FoundBoard(BoardKind.jetson_gpio, "NVIDIA Jetson Orin Nano Developer Kit")
PC = FoundBoard(None, "")
CHOICES = {
    "auto, Pi 4": ("auto", PI4, {"RPi.GPIO"}, "rpi_gpio"),
    "auto, Pi 4 with neither": ("auto", PI4, set(), "rpi_gpio"),
    "auto, Pi 4 with rpi-lgpio": ("auto", PI4, {"rpi-lgpio"}, "rpi_lgpio"),
    "auto, Pi 5": ("auto", PI5, {"rpi-lgpio"}, "rpi_lgpio"),
    "auto, Jetson": ("auto", ORIN, {"Jetson.GPIO"}, "jetson_gpio"),
    "rpi-lgpio on a Pi 4": ("rpi_lgpio", PI4, {"rpi-lgpio"}, "rpi_lgpio"),
    "what nobody knows": ("rpi_lgpio", PC, {"rpi-lgpio"}, "rpi_lgpio"),
    "Arduino anywhere": ("arduino", PC, set(), "arduino"),
    "Arduino on a Pi": ("arduino", PI5, set(), "arduino"),
    "memory anywhere": ("memory", PI4, set(), "memory"),
}
WRONG = {
    "auto on a PC": (
        "auto",
        PC,
        "^output_board auto: this computer is no Raspberry Pi or Jetson; set output",
    ),
    "RPi.GPIO on a Pi 5": ("rpi_gpio", PI5, "RPi.GPIO does not know the Raspberry Pi 5 .*; set it to rpi_lgpio"),
    "Jetson.GPIO on a Pi": (
        "jetson_gpio",
        PI4,
        "output_board jetson_gpio: this is a Raspberry Pi 4 .*; set it to auto",
    ),
    "RPi.GPIO on a Jetson": ("rpi_gpio", ORIN, "this is a NVIDIA Jetson Orin"),
}


@pytest.mark.parametrize(("asked", "found", "has", "kind"), CHOICES.values(), ids=CHOICES.keys())
def test_a_kind_is_chosen(asked, found, has, kind):
    assert choose_kind(BoardKind[asked], found, has.__contains__) is BoardKind[kind]


@pytest.mark.parametrize(("imported", "kind"), [("RPi.GPIO", "rpi_gpio"), ("rpi-lgpio", "rpi_lgpio")])
def test_auto_takes_of_two_libraries_the_one_that_is_imported(imported, kind):
    assert choose_kind(BoardKind.auto, PI4, lambda name: True, lambda: imported) is BoardKind[kind]


@pytest.mark.parametrize(("asked", "found", "text"), WRONG.values(), ids=WRONG.keys())
def test_a_kind_that_cannot_work_is_refused(asked, found, text):
    with pytest.raises(OutputError, match=text):
        choose_kind(BoardKind[asked], found, lambda name: True)


def raising(error):
    def load(name):
        raise error

    return load


class Shim(FakeGpio):
    """What Jetson.GPIO installs as RPi.GPIO."""

    JETSON_INFO = ()


LOADS = {
    "rpi-lgpio in its place": ("rpi_gpio", {"rpi-lgpio"}, None, "rpi-lgpio is installed in place of RPi.GPIO; run"),
    "RPi.GPIO in its place": ("rpi_lgpio", {"RPi.GPIO"}, None, "RPi.GPIO is installed in place of rpi-lgpio; run"),
    "none": ("jetson_gpio", set(), None, r"Jetson.GPIO is not installed; run: make rig \(or .*pip install Jetson"),
    "broken": ("rpi_gpio", {"RPi.GPIO"}, ImportError("no _GPIO"), r"cannot be imported \(no _GPIO\); run: make rig"),
    "no Pi": (
        "rpi_gpio", {"RPi.GPIO"}, RuntimeError("This module can only be run on a Raspberry Pi!"),
        "^output_board rpi_gpio: this library does not know this computer; set output_board = auto",
    ),
    "no Jetson": ("jetson_gpio", {"Jetson.GPIO"}, Exception("Could not determine Jetson model"), "does not know this"),
    "no right": (
        "jetson_gpio", {"Jetson.GPIO"}, RuntimeError("The current user does not have permissions set to access"),
        r"usermod -aG gpio .*99-gpio\.rules",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "has", "error", "text"), LOADS.values(), ids=LOADS.keys())
def test_a_library_that_cannot_be_had_is_named_with_its_cure(kind, has, error, text):
    load = raising(error) if error else raising(AssertionError("must not be tried"))
    with pytest.raises(OutputError, match=text) as caught:
        load_gpio(BoardKind[kind], has.__contains__, load)
    assert "\n" not in str(caught.value)


def test_a_package_that_another_has_overwritten_is_seen():
    with pytest.raises(OutputError, match=r"Jetson\.GPIO has overwritten rpi-lgpio; run: .*pip uninstall"):
        load_gpio(BoardKind.rpi_lgpio, {"rpi-lgpio", "Jetson.GPIO"}.__contains__, lambda name: Shim(int))


SOURCES = {
    "RPi.GPIO": "from RPi._GPIO import *\n\nVERSION = '0.7.1'\n",
    "rpi-lgpio": "import os\n\nimport lgpio\n\nVERSION = '0.7.2'\n",
    "of nobody known": "VERSION = '9'\n",
}
"""How the module RPi.GPIO begins in each of the libraries that bring it."""


@pytest.fixture
def both(tmp_path):
    """Two libraries are installed; the module that is imported is one of them."""

    def load(imported, folder="site-packages"):
        source = tmp_path / folder / "RPi" / "GPIO" / "__init__.py"
        source.parent.mkdir(parents=True)
        source.write_text(SOURCES[imported])
        module = FakeGpio(int)
        module.__file__ = str(source)
        return module

    return load


@pytest.mark.parametrize(("kind", "imported"), [("rpi_gpio", "RPi.GPIO"), ("rpi_lgpio", "rpi-lgpio")])
def test_of_two_libraries_the_one_that_is_imported_counts(both, kind, imported):
    module = both(imported)
    assert load_gpio(BoardKind[kind], {"RPi.GPIO", "rpi-lgpio"}.__contains__, lambda name: module) is module


@pytest.mark.parametrize(
    ("kind", "imported", "text"),
    [
        ("rpi_lgpio", "RPi.GPIO", "RPi.GPIO is imported in place of rpi-lgpio (.*pip uninstall -y RPi.GPIO rpi-lgpio"),
        ("rpi_gpio", "rpi-lgpio", "rpi-lgpio is imported in place of RPi.GPIO (.*pip uninstall -y rpi-lgpio RPi.GPIO"),
        ("rpi_lgpio", "of nobody known", "RPi.GPIO is installed beside rpi-lgpio, and which is imported cannot be"),
    ],
)
def test_of_two_libraries_the_wrong_one_is_refused(both, kind, imported, text):
    module = both(imported)
    with pytest.raises(OutputError, match=text.replace("(", r"\(")) as caught:
        load_gpio(BoardKind[kind], {"RPi.GPIO", "rpi-lgpio"}.__contains__, lambda name: module)
    assert str(caught.value).count(sys.executable) == 2, "the pip of this environment, and of no other"


@pytest.mark.parametrize(("library", "package"), [("RPi.GPIO", "python3-rpi.gpio"), ("rpi-lgpio", "python3-rpi-lgpio")])
def test_a_library_of_the_system_is_removed_with_apt(library, package):
    source = Path("/usr/lib/python3/dist-packages/RPi/GPIO/__init__.py")
    assert removal(library, "the other", source) == f"run: sudo apt remove {package}"


def test_the_library_is_told_from_what_would_be_imported(both, tmp_path, monkeypatch):
    both("rpi-lgpio")
    monkeypatch.delitem(sys.modules, "RPi", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site-packages")])
    source = found_source()
    monkeypatch.delitem(sys.modules, "RPi", raising=False)
    assert library_of(source) == "rpi-lgpio"
    assert library_of(tmp_path / "nothing") == ""


@pytest.mark.parametrize(
    ("tree_of", "has", "module"),
    [("Pi 4", "RPi.GPIO", "RPi.GPIO"), ("Pi 5", "rpi-lgpio", "RPi.GPIO"), ("Orin", "Jetson.GPIO", "Jetson.GPIO")],
)
def test_auto_makes_the_board_that_is_there(tree, tmp_path, monkeypatch, tree_of, has, module):
    monkeypatch.setattr("recording.lock_file.SHARED_FOLDERS", (tmp_path,))
    asked = []
    board = make_board(
        PinSettings(),
        tree(*TREES[tree_of][:2]),
        {has}.__contains__,
        lambda name: (asked.append(name), FakeGpio(int))[1],
    )
    assert isinstance(board, GpioBoard)
    assert asked == [module]
    board.close()


@pytest.mark.parametrize(("has", "shared"), [("RPi.GPIO", False), ("rpi-lgpio", True)])
def test_only_where_the_kernel_does_not_see_to_it_are_the_pins_locked(tree, tmp_path, monkeypatch, has, shared):
    monkeypatch.setattr("recording.lock_file.SHARED_FOLDERS", (tmp_path,))

    def make():
        return make_board(PinSettings(), tree(*TREES["Pi 4"][:2]), {has}.__contains__, lambda name: FakeGpio(int))

    first = make()
    if shared:
        make().close()
    else:
        with pytest.raises(OutputError, match="another Rigloop drives this pin"):
            make()
    first.close()
    make().close()


def test_an_arduino_without_a_port_is_refused(tmp_path):
    pins = PinSettings(output_board=BoardKind.arduino)
    with pytest.raises(OutputError, match="serial_port is empty"):
        make_board(pins, tmp_path)


def test_what_is_installed_is_found_by_its_distribution():
    assert is_installed("pytest")
    assert not is_installed("a-distribution-that-nobody-has")
