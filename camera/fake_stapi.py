"""A module that stands for stapipy, with one Sentech camera behind it, on any clock.

Held to the samples of stapipy 1.2.2 that the maker's SDK brings: names, the order of the life cycle, and that all of it
comes from one thread. Where the real library aborts the process or waits for ever, the fake raises AssertionError.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import get_ident
from types import SimpleNamespace
from typing import Any

import numpy as np

from camera.fake_stapi_bench import Bench
from camera.fake_stapi_nodes import (
    CallbackType,
    Enumeration,
    FakeStError,
    InterfaceType,
    Node,
    NodeMap,
    Number,
    one_of,
)

READOUT_NS = 5_000_000
BUFFERS = 16
FREED = 0xAA
"""What the pixels of a buffer turn into when it goes back to StApi."""


def make_library(bench: Bench) -> Any:
    """Return what stands for the module stapipy."""

    def initialize() -> None:
        bench.thread = bench.thread or get_ident()
        bench.initialised = True
        bench.use("initialize")

    def terminate() -> None:
        bench.use("terminate")
        bench.initialised = False
        bench.thread = 0

    def create_system(vendor: object = None, interface_type: object = None) -> System:
        del vendor, interface_type
        bench.use("create_system")
        return System(bench)

    return SimpleNamespace(
        initialize=initialize,
        terminate=terminate,
        create_system=create_system,
        PyStError=FakeStError,
        PyIFloat=Number,
        PyIInteger=Number,
        PyIBoolean=Number,
        PyIEnumeration=Enumeration,
        PyIEnumEntry=lambda entry: entry,
        EGCInterfaceType=InterfaceType,
        EGCCallbackType=CallbackType,
    )


class System:
    """PyStSystem: one interface, on which the bench's cameras are."""

    interface_count = 1

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def update_interface_list(self) -> None:
        """Look again."""
        self._bench.use()

    def get_interface(self, index: int) -> Interface:
        """Return an interface."""
        self._bench.use()
        assert index == 0
        return Interface(self._bench)


class Interface:
    """PyStInterface."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    @property
    def device_count(self) -> int:
        """How many cameras there are."""
        return len(self._bench.serials)

    def update_device_list(self) -> None:
        """Look again."""
        self._bench.use()

    def get_device_info(self, index: int) -> Any:
        """Return what tells a camera from others, without opening it."""
        serial = self._bench.serials[index]
        return SimpleNamespace(
            device_id=f"SENTECH-{serial}", vendor="OMRON SENTECH", model="STC-MCS163", serial_number=serial,
            display_name=f"STC-MCS163({serial})",
        )  # fmt: skip

    def create_device_by_index(self, index: int) -> Device:
        """Take control of a camera."""
        self._bench.use("create_device")
        if self._bench.busy:
            raise FakeStError("GC_ERR_ACCESS_DENIED(-1005): the device is controlled by another application")
        return Device(self._bench, self.get_device_info(index))


class Device:
    """PyStDevice."""

    def __init__(self, bench: Bench, info: Any) -> None:
        self._bench = bench
        self.info = info
        self.remote_port = SimpleNamespace(nodemap=NodeMap(bench.nodes))
        self.lost_node = Node(InterfaceType.IInteger, 0)
        local = {
            "EventDeviceLost": self.lost_node,
            "EventSelector": one_of("DeviceLost", "DeviceLost"),
            "EventNotification": one_of("Off", "Off", "On"),
        }
        self.local_port = SimpleNamespace(nodemap=NodeMap(local if bench.events else {}))
        self.is_device_lost = False
        self.begun_ns: int | None = None
        self._events = False

    def start_event_acquisition(self) -> None:
        """Let events be told."""
        self._bench.use("start_event_acquisition")
        self._events = True

    def stop_event_acquisition(self) -> None:
        """No more events."""
        self._bench.use("stop_event_acquisition")
        self._events = False

    def create_datastream(self, index: int = 0) -> DataStream:
        """Return the stream of images."""
        self._bench.use("create_datastream")
        assert index == 0
        return DataStream(self._bench, self)

    def acquisition_start(self) -> None:
        """The camera begins to send."""
        self._bench.use("acquisition_start")
        assert self._bench.calls[-2] == "start_acquisition", "the host's side is started first"
        self.begun_ns = self._bench.clock.now_ns()

    def acquisition_stop(self) -> None:
        """The camera stops."""
        self._bench.use("acquisition_stop")
        self.begun_ns = None
        if self.is_device_lost:
            raise FakeStError("GC_ERR_IO(-1010)")

    def unplug(self) -> None:
        """The camera is gone; whoever listens is told."""
        if not self.is_device_lost:
            self.is_device_lost = True
            for callback, context in self.lost_node.callbacks if self._events else ():
                callback(self.lost_node, context)


class DataStream:
    """PyStDataStream."""

    def __init__(self, bench: Bench, device: Device) -> None:
        self._bench = bench
        self._device = device
        self._next = 0
        self.is_grabbing = False

    def start_acquisition(self, count: int = 0) -> None:
        """The host's side begins to receive."""
        self._bench.use("start_acquisition")
        assert count == 0
        self.is_grabbing = True

    def stop_acquisition(self) -> None:
        """The host's side stops; after the camera's."""
        self._bench.use("stop_acquisition")
        assert self._device.begun_ns is None, "the camera's side is stopped first"
        self.is_grabbing = False

    def retrieve_buffer(self, timeout: int = 0xFFFFFFFF) -> Buffer:
        """Return the oldest buffer that waits, or the next within ``timeout`` (ms). Raises PyStError when none came."""
        bench = self._bench
        bench.use()
        assert self.is_grabbing, "retrieve_buffer before start_acquisition"
        assert self._device.begun_ns is not None, "retrieve_buffer before acquisition_start"
        give_up_ns = bench.clock.now_ns() + timeout * 1_000_000
        interval_ns = round(1e9 / bench.nodes["AcquisitionFrameRate"].stored)
        while True:
            due_ns = self._device.begun_ns + (self._next + 1) * interval_ns + READOUT_NS
            if bench.gone_from is not None and self._next >= bench.gone_from:
                bench.clock.sleep_until_ns(min(due_ns, give_up_ns))
                self._device.unplug()
                raise FakeStError("GC_ERR_IO(-1010)")
            if bench.silent_from is not None and self._next >= bench.silent_from:
                assert timeout < 0xFFFFFFFF, "this would wait for ever"
                due_ns = give_up_ns + 1
            if due_ns > give_up_ns:
                bench.clock.sleep_until_ns(give_up_ns)
                raise FakeStError("GC_ERR_TIMEOUT(-1011): IStDataStream::RetrieveBuffer")
            frame, self._next = self._next, self._next + 1
            waited = (bench.clock.now_ns() - due_ns) // interval_ns
            if frame not in bench.lost and waited < BUFFERS:
                bench.clock.sleep_until_ns(due_ns)
                return Buffer(bench, frame, due_ns)


class Buffer:
    """PyStStreamBuffer: an image for the length of a ``with``."""

    def __init__(self, bench: Bench, frame: int, time_ns: int) -> None:
        self._bench = bench
        self._data: np.ndarray[Any, Any] = _draw(bench, frame)
        whole_image = frame not in bench.incomplete
        self.info = SimpleNamespace(
            frame_id=(bench.first_id + frame - 1) % 65535 + 1,
            timestamp=time_ns,
            is_image_present=frame not in bench.empty,
            is_incomplete=not whole_image,
        )

    def __enter__(self) -> Buffer:
        return self

    def __exit__(self, *_: object) -> None:
        self._data[:] = FREED

    def get_image(self) -> Any:
        """Return the image, which lies in the buffer."""
        nodes = self._bench.nodes
        return SimpleNamespace(
            width=nodes["Width"].stored,
            height=nodes["Height"].stored,
            pixel_format=nodes["PixelFormat"].stored,
            get_image_data=lambda: self._data.view(np.uint8),
        )


def _draw(bench: Bench, frame: int) -> Any:
    """Return the samples of frame number ``frame``: its number everywhere."""
    nodes = bench.nodes
    form = str(nodes["PixelFormat"].stored)
    samples = nodes["Width"].stored * nodes["Height"].stored * (3 if form == "BGR8" else 1)
    wide: Sequence[str] = ("10", "12", "16")
    return np.full(samples, frame % 256, np.uint16 if form.endswith(tuple(wide)) else np.uint8)
