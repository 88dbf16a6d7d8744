"""Which of the GenICam cameras that answer is the one that config.ini names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from core.errors import CameraError


class Found(NamedTuple):
    """A camera that answered. ``device_id`` is Aravis' own name for it; ``address`` an IP address, or a USB port."""

    device_id: str
    vendor: str
    model: str
    serial: str
    address: str


def discover(aravis: Any) -> list[Found]:
    """Return every GigE Vision and USB3 Vision camera that answers within Aravis' second of waiting."""
    aravis.update_device_list()
    return [
        Found(
            *(
                str(get(i) or "")
                for get in (
                    aravis.get_device_id,
                    aravis.get_device_vendor,
                    aravis.get_device_model,
                    aravis.get_device_serial_nbr,
                    aravis.get_device_address,
                )
            )
        )
        for i in range(aravis.get_n_devices())
    ]


def pick(cameras: Sequence[Found], camera_id: str) -> Found:
    """Return the camera with this id, serial number, address or model; the first for "".

    Raises CameraError when there is none, or more than one, naming those there are.
    """
    if not cameras:
        raise CameraError(
            "genicam camera: none answers; see to its power and cable, put the computer's port into the camera's "
            "network (GigE), and let the firewall pass its answers (UDP from port 3956)"
        )
    if not camera_id:
        return cameras[0]
    matches = [each for each in cameras if camera_id in (each.device_id, each.serial, each.address, each.model)]
    if len(matches) == 1:
        return matches[0]
    listed = ", ".join(f"{each.vendor} {each.model} {each.serial} at {each.address}" for each in matches or cameras)
    trouble = "fits more than one camera" if matches else "fits no camera that answers"
    raise CameraError(
        f"genicam camera: camera_id = {camera_id} {trouble}: {listed}; set camera_id to the serial number of one"
    )
