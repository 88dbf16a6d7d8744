"""The key of config.ini that names a second camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from core.keys import Key


@dataclass(frozen=True, slots=True)
class SecondCameraSettings:
    """A camera that is recorded beside the session's own, and drives nothing."""

    second_camera: Annotated[
        str,
        Key("", "Experiment section whose camera is recorded as well, such as clnf_1roi; empty: one camera."),
    ] = ""
