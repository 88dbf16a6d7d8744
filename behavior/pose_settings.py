"""Keys of config.ini that the pose estimators read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from annotated_types import Ge, Gt, Le

from core.keys import Key


class PoseBackend(Enum):
    """What finds the body parts."""

    dlc = "dlc"
    markers = "markers"
    replay = "replay"


class Precision(Enum):
    """Precision of a DeepLabCut model's arithmetic."""

    fp32 = "fp32"
    fp16 = "fp16"


@dataclass(frozen=True, slots=True)
class PoseSettings:
    """What finds the body parts, and how."""

    pose_backend: Annotated[
        PoseBackend,
        Key("", "dlc (DeepLabCut-Live), markers (coloured paw markers) or replay (poses of a recorded log)."),
    ] = PoseBackend.dlc
    pose_timeout_s: Annotated[
        float, Ge(0.05), Le(30), Key("s", "A pose that takes longer counts as lost: the trial is cut short.")
    ] = 1.0
    lost_pose: Annotated[bool, Key("", "1: start a pose estimator that failed anew and go on; 0: end the session.")] = (
        True
    )
    dlc_model_path: Annotated[str, Key("", "Exported DeepLabCut model: its .pt file, or the folder it is in.")] = ""
    dlc_device: Annotated[str, Key("", "What the model runs on: auto, cpu, cuda or cuda:N.")] = "auto"
    dlc_precision: Annotated[Precision, Key("", "Precision of the model: fp32 or, on a GPU, fp16.")] = Precision.fp32
    dlc_threads: Annotated[
        int, Ge(0), Le(64), Key("", "Processor threads of a model on the CPU; 0: one for each core.")
    ] = 0
    dlc_cropping: Annotated[
        str, Key("px", "Part of the frame that the model sees: x1, x2, y1, y2, best multiples of 32; empty: all of it.")
    ] = ""
    dlc_dynamic: Annotated[
        bool, Key("", "1: the model sees only the surroundings of the last pose (dynamic cropping).")
    ] = False
    dlc_dynamic_likelihood: Annotated[
        float, Ge(0), Le(1), Key("", "Dynamic cropping follows the body parts that are trusted at least this much.")
    ] = 0.5
    dlc_dynamic_margin: Annotated[
        int, Ge(1), Le(10_000), Key("px", "Dynamic cropping leaves this much round them.")
    ] = 100
    dlc_resize: Annotated[
        float, Gt(0), Le(4), Key("", "Factor by which a frame is resized for the model, such as 0.5.")
    ] = 1.0
    pose_log: Annotated[
        str, Key("", "Recorded log for pose_backend = replay: a session folder of ours or of CLoPy's, or its .txt.")
    ] = ""
    markers: Annotated[
        str,
        Key("", "Body parts and the colour of their marker: fl_l green, fl_r 170-10 (hues of OpenCV, 0 to 179)."),
    ] = ""
    marker_saturation: Annotated[int, Ge(0), Le(255), Key("", "Least saturation of a marker's pixel, 0 to 255.")] = 100
    marker_value: Annotated[int, Ge(0), Le(255), Key("", "Least brightness (HSV value) of it, 0 to 255.")] = 60
    marker_area_px: Annotated[
        int, Ge(1), Le(1_000_000), Key("px", "A marker of fewer pixels than this is not seen.")
    ] = 6
