"""The features of a camera as StApi gives them: nodes, which are cast to a kind before they can be read or written."""

from __future__ import annotations

from typing import Any

from core.errors import CameraError


class StapiNodes:
    """A node map by plain names and values.

    Parameters
    ----------
    library : module
        stapipy or its fake.
    node_map : PyINodeMap
    name : str
        The camera, for messages.
    """

    def __init__(self, library: Any, node_map: Any, name: str) -> None:
        self._st = library
        self._map = node_map
        self._name = name

    def has(self, name: str) -> bool:
        """Whether the camera has this feature, now."""
        return self._node(name) is not None

    def number(self, name: str) -> float:
        """Return a number."""
        return float(self._number(name).value)

    def bounds(self, name: str) -> tuple[float, float]:
        """Return the least and the most that a number may be."""
        node = self._number(name)
        return float(node.min), float(node.max)

    def unit(self, name: str) -> str:
        """Return a number's unit, empty where the camera tells none."""
        return str(getattr(self._number(name), "unit", "") or "")

    def set_number(self, name: str, value: float, key: str) -> None:
        """Set a number that config.ini's ``key`` asks for. Raises CameraError with the range."""
        node = self._number(name)
        try:
            node.value = type(node.value)(value)
        except Exception as error:
            raise CameraError(
                f"{self._name}: {key} asks for {name} = {value:g}, it allows {node.min:g} to {node.max:g} ({error}); "
                f"change {key}"
            ) from error

    def choice(self, name: str) -> str:
        """Return the symbol that an enumeration has."""
        enumeration = self._st.PyIEnumeration(self._required(name))
        for entry in enumeration.entries:
            if entry.is_available and self._st.PyIEnumEntry(entry).value == enumeration.value:
                return str(self._st.PyIEnumEntry(entry).symbolic_value)
        return ""

    def choices(self, name: str) -> list[str]:
        """Return the symbols that an enumeration may have now."""
        enumeration = self._st.PyIEnumeration(self._required(name))
        return [str(self._st.PyIEnumEntry(each).symbolic_value) for each in enumeration.entries if each.is_available]

    def choose(self, name: str, symbol: str) -> None:
        """Set an enumeration. Raises CameraError when that fails."""
        try:
            self._st.PyIEnumeration(self._required(name)).set_symbolic_value(symbol)
        except CameraError:
            raise
        except Exception as error:
            raise CameraError(
                f"{self._name}: {name} cannot be set to {symbol} ({error}); set it with the maker's StViewer"
            ) from error

    def truth(self, name: str, value: bool) -> bool:
        """Set a switch and return how it stands."""
        switch = self._st.PyIBoolean(self._required(name))
        switch.value = value
        return bool(switch.value)

    def _node(self, name: str) -> Any:
        try:
            node = self._map.get_node(name)
        except Exception:  # noqa: BLE001 - some versions raise for a name that the camera has not
            return None
        return node if node is not None and node.is_available else None

    def _required(self, name: str) -> Any:
        node = self._node(name)
        if node is None:
            raise CameraError(f"{self._name}: it has no feature {name}, which is needed; use a camera that has")
        return node

    def _number(self, name: str) -> Any:
        node = self._required(name)
        is_float = node.principal_interface_type == self._st.EGCInterfaceType.IFloat
        return self._st.PyIFloat(node) if is_float else self._st.PyIInteger(node)
