"""The features of the camera behind the module that stands for stapipy (``camera.fake_stapi``)."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from types import SimpleNamespace
from typing import Any


class FakeStError(Exception):
    """Stands for PyStError."""


class InterfaceType(Enum):
    """Stands for EGCInterfaceType."""

    IInteger = 2
    IBoolean = 3
    IFloat = 5
    IEnumeration = 9


class CallbackType(Enum):
    """Stands for EGCCallbackType."""

    InsideLock = 1
    OutsideLock = 2


class Node:
    """A feature of the camera."""

    def __init__(self, kind: InterfaceType, value: Any, least: float = 0, most: float = 0, unit: str = "") -> None:
        self.principal_interface_type = kind
        self.is_available = True
        self.stored = value
        self.least = least
        self.most = most
        self.unit = unit
        self.symbols: list[str] = []
        self.deaf = False
        self.callbacks: list[tuple[Callable[..., None], Any]] = []

    def register_callback(self, callback: Callable[..., None], context: Any, kind: CallbackType) -> object:
        """Have ``callback(node, context)`` called when the node changes."""
        assert isinstance(kind, CallbackType)
        self.callbacks.append((callback, context))
        return object()

    def store(self, value: Any) -> None:
        """Take a value, if the camera keeps it."""
        if not self.deaf:
            self.stored = value


def number(value: float, least: float, most: float, unit: str = "") -> Node:
    """Return a node of a real number."""
    return Node(InterfaceType.IFloat, float(value), least, most, unit)


def whole(value: int, least: int, most: int) -> Node:
    """Return a node of a whole number."""
    return Node(InterfaceType.IInteger, value, least, most)


def one_of(value: str, *symbols: str) -> Node:
    """Return a node of symbols."""
    node = Node(InterfaceType.IEnumeration, value)
    node.symbols = list(symbols)
    return node


def switch(value: bool) -> Node:
    """Return a node of a truth value."""
    return Node(InterfaceType.IBoolean, value)


def camera_nodes() -> dict[str, Node]:
    """Return the features of a colour camera of 1.6 megapixels, everything automatic, left in trigger mode."""
    return {
        "TriggerMode": one_of("On", "Off", "On"),
        "AcquisitionMode": one_of("SingleFrame", "Continuous", "SingleFrame"),
        "ExposureAuto": one_of("Continuous", "Off", "Once", "Continuous"),
        "GainAuto": one_of("Continuous", "Off", "Continuous"),
        "BalanceWhiteAuto": one_of("Continuous", "Off", "Continuous"),
        "PixelFormat": one_of("Mono8", "Mono8", "BayerRG8", "BayerRG12", "BGR8"),
        "OffsetX": whole(0, 0, 0),
        "OffsetY": whole(0, 0, 0),
        "Width": whole(1440, 16, 1440),
        "Height": whole(1080, 4, 1080),
        "BinningHorizontal": whole(1, 1, 4),
        "BinningVertical": whole(1, 1, 4),
        "ExposureTime": number(10_000, 30, 16_000_000, "us"),
        "AcquisitionFrameRate": number(60, 0.1, 78.0, "Hz"),
        "Gain": number(0, 0, 20.8, "dB"),
        "BalanceRatioSelector": one_of("Red", "Red", "Blue"),
        "BalanceRatio": number(1, 0.5, 4),
        "GammaEnable": switch(value=True),
    }


class Number:
    """A node as PyIFloat, PyIInteger or PyIBoolean."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.min = node.least
        self.max = node.most
        self.unit = node.unit

    @property
    def value(self) -> Any:
        """What it is."""
        return self._node.stored

    @value.setter
    def value(self, value: Any) -> None:
        node = self._node
        if type(value) is not type(node.stored):
            raise FakeStError(f"a {type(node.stored).__name__} is wanted")
        if node.principal_interface_type is not InterfaceType.IBoolean and not node.least <= value <= node.most:
            raise FakeStError(f"OutOfRangeException: {value} must be {node.least} to {node.most}")
        node.store(value)

    def set_value(self, value: Any) -> None:
        """As ``value``."""
        self.value = value


class Enumeration:
    """A node as PyIEnumeration."""

    def __init__(self, node: Node) -> None:
        assert node.principal_interface_type is InterfaceType.IEnumeration
        self._node = node

    @property
    def entries(self) -> list[Any]:
        """Its symbols; each is to be cast to PyIEnumEntry."""
        return [
            SimpleNamespace(symbolic_value=symbol, value=k, is_available=True)
            for k, symbol in enumerate(self._node.symbols)
        ]

    @property
    def value(self) -> int:
        """The number of the symbol it has."""
        return self._node.symbols.index(self._node.stored)

    def set_symbolic_value(self, symbol: str) -> None:
        """Set it."""
        if symbol not in self._node.symbols:
            raise FakeStError(f"InvalidArgumentException: no entry {symbol}")
        self._node.store(symbol)


class NodeMap:
    """Nodes by name."""

    def __init__(self, nodes: dict[str, Node]) -> None:
        self._nodes = nodes

    def get_node(self, name: str) -> Node | None:
        """Return a node, None where the camera has none of that name."""
        return self._nodes.get(name)
