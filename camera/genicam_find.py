"""Which of the GenICam cameras that answer is the one that config.ini names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from core.errors import CameraError


class Found(NamedTuple):
    """A camera that answered. ``device_id`` is its library's name for it; ``address`` an IP address, or a USB port."""

    device_id: str
    vendor: str
    model: str
    serial: str
    address: str

    @property
    def identity(self) -> str:
        """Maker, model and serial number, or the library's name for a camera without one."""
        return f"{self.vendor} {self.model} {self.serial or self.device_id}"


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


def pick_again(cameras: Sequence[Found], camera_id: str, lost: Found | None) -> Found:
    """Return the camera that was lost, wherever it answers now; as ``pick`` where none has been opened before.

    Raises CameraError when it does not answer, naming it and those that do: they are not so much as opened, as they may
    be another rig's.
    """
    if lost is None or not cameras:
        return pick(cameras, camera_id)
    same = [each for each in cameras if each.identity == lost.identity]
    if not same:
        there = ", ".join(each.identity for each in cameras)
        raise CameraError(
            f"genicam camera: {lost.identity} was lost; {there} answers, which is another camera and not taken; see "
            f"to the power and cable of {lost.identity}"
        )
    return same[0]
