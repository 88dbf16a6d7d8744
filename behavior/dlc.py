"""A DeepLabCut model at work, in the process that ``behavior.pose_process`` runs: the real deeplabcut-live.

Only here are ``dlclive`` and ``torch`` imported. DeepLabCut-Live loads the model and does the inference; which part of
a frame it gets is ``behavior.pose_view``'s.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Protocol

import numpy as np

from behavior.dlc_model import NOT_INSTALLED
from behavior.pose_points import Points, Shape, tidy
from behavior.pose_text import Window
from behavior.pose_view import around, in_frame, inside, resized
from core.errors import InputError, MissingError
from core.values import Image, black

WARM_UPS = 3
"""Black frames before the first real one: the first inference of all takes a second, the next two are still slow."""
_EXPORT = "export it with DeepLabCut 3: deeplabcut.export_model(config)"


@dataclass(frozen=True, slots=True)
class DlcOptions:
    """What a model is asked to do.

    Attributes
    ----------
    path : Path
        The exported ``.pt`` file.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    precision : str
        ``FP32`` or ``FP16``.
    resize : float
    cropping : Window or None
        The part of the frame that the model may see.
    dynamic : bool
    dynamic_likelihood : float
    dynamic_margin : int
        px of the frame.
    threads : int
        Of the processor; 0: as many as PyTorch takes by itself, one for each core.
    """

    path: Path
    device: str = "auto"
    precision: str = "FP32"
    resize: float = 1.0
    cropping: Window | None = None
    dynamic: bool = False
    dynamic_likelihood: float = 0.5
    dynamic_margin: int = 20
    threads: int = 0


class Live(Protocol):
    """What is asked of ``dlclive.DLCLive``."""

    def get_pose(self, frame: Image) -> Any:
        """Return (parts, 3 or more) of column, row and likelihood in a BGR image, in px of that image."""


class DlcModel:
    """Finds body parts in whole frames.

    Parameters
    ----------
    live : Live
        A model that is loaded.
    names : tuple of str
        Its body parts.
    facts : dict
        For the session's record.
    options : DlcOptions
    shape : (int, int, int)
        Of the frames.
    """

    def __init__(
        self, live: Live, names: tuple[str, ...], facts: dict[str, object], options: DlcOptions, shape: Shape
    ) -> None:
        self.names = names
        self.facts = facts
        self._live = live
        self._options = options
        self._bounds = inside(options.cropping, shape[0], shape[1])
        self._last: Points | None = None

    def estimate(self, image: Image, _number: int = 0) -> Points:
        """Return the (parts, 3) float64 points in an image, (height, width, 3) uint8 BGR, in px of all of it."""
        options, window = self._options, self._bounds
        if options.dynamic:
            window = around(self._last, options.dynamic_likelihood, options.dynamic_margin, window, options.resize)
        seen = image[window.y1 : window.y2, window.x1 : window.x2]
        size = resized(window, options.resize)
        if size != seen.shape[:2]:
            import cv2

            seen = cv2.resize(seen, size[::-1])
        self._last = in_frame(tidy(self._live.get_pose(seen)), window, size)
        return self._last.copy()

    def forget(self) -> None:
        """Forget the last pose: the next frame is seen whole."""
        self._last = None


def load_dlc(options: DlcOptions, shape: Shape, say: Callable[[str], None]) -> DlcModel:
    """Load a model and have it look at black frames of ``shape``.

    Parameters
    ----------
    options : DlcOptions
    shape : (int, int, int)
    say : callable
        Is told what is being done.

    Raises
    ------
    MissingError
        deeplabcut-live or PyTorch cannot be imported.
    InputError
        The file is no model that they can run, or the device is not there.
    """
    say("loading PyTorch")
    torch, live = _make_live(options)
    say("loading the model")
    names = _load(live, options)
    facts: dict[str, object] = {
        "backend": "dlc",
        "model": options.path.name,
        "device": str(live.runner.device),
        "precision": options.precision,
        "bodyparts": list(names),
        "resize": options.resize,
        "dlclive": metadata.version("deeplabcut-live"),
        "torch": str(torch.__version__),
        "torch_threads": torch.get_num_threads(),
    }
    model = DlcModel(live, names, facts, options, shape)
    say("first inference")
    _warm_up(model, options, shape)
    return model


def wait_asleep() -> None:
    """Have PyTorch's threads wait for each other asleep, where the environment says nothing else; before its import.

    By default they spin (libgomp). As soon as another program has a core, each of a network's layers then waits for a
    thread that does not run, for as long as the scheduler's slices: on two busy cores a pose took ten times as long.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _make_live(options: DlcOptions) -> tuple[Any, Any]:
    wait_asleep()
    try:
        import torch
        from dlclive import DLCLive
    except ImportError as error:
        raise MissingError(f"pose_backend = dlc: {NOT_INSTALLED} ({error})") from error
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(f"dlc_device = {options.device}: PyTorch finds no GPU it can use; set it to auto or cpu")
    if (number := int(options.device.partition(":")[2] or 0)) and number >= torch.cuda.device_count():
        there = f"there are {torch.cuda.device_count()} GPUs, counted from 0"
        raise InputError(f"dlc_device = {options.device}: {there}; set it to cuda:0 or auto")
    if options.threads:
        torch.set_num_threads(options.threads)
    live = DLCLive(
        options.path, model_type="pytorch", precision=options.precision, device=options.device, single_animal=True
    )
    # DLCLive's own default, None, is taken for a factor that is not 1, and then left alone.
    live.resize = 1
    if options.precision == "FP16" and not str(live.runner.device).startswith("cuda"):
        raise InputError("dlc_precision = fp16: only a GPU has it, and there is none; set it to fp32")
    return torch, live


def _load(live: Any, options: DlcOptions) -> tuple[str, ...]:
    """Load the model; return the names of its body parts."""
    try:
        live.runner.load_model()
        names = tuple(str(name) for name in live.cfg["metadata"]["bodyparts"])
    except FileNotFoundError as error:
        raise InputError(f"dlc_model_path = {options.path}: there is no such file") from error
    except Exception as error:
        text = f"{type(error).__name__}: {_first_sentence(error)}"
        raise InputError(
            f"dlc_model_path = {options.path}: no model that DeepLabCut-Live can load ({text}); {_EXPORT}"
        ) from error
    if not names:
        raise InputError(f"dlc_model_path = {options.path}: its metadata names no body parts; {_EXPORT}")
    return names


def _first_sentence(error: BaseException) -> str:
    """Return what an error of a library says first; PyTorch's go on for pages."""
    # Of a text, the first of its characters is taken for an instruction of pickle's, by number.
    if isinstance(error, EOFError | UnpicklingError) or (
        isinstance(error, KeyError) and isinstance(error.args[0], int)
    ):
        return "it is no file that PyTorch wrote"
    return " ".join(str(error).split()).partition(". ")[0][:160]


def _warm_up(model: DlcModel, options: DlcOptions, shape: Shape) -> None:
    try:
        for _ in range(WARM_UPS):
            points = model.estimate(black(*shape[:2]))
            model.forget()
    except Exception as error:
        text = f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
        raise InputError(
            f"dlc_model_path = {options.path}: it cannot look at frames of {shape[1]}x{shape[0]} px with dlc_resize "
            f"{options.resize:g} ({text}); try another dlc_resize or dlc_cropping, or export the model anew"
        ) from error
    if np.shape(points) != (len(model.names), 3):
        raise InputError(
            f"dlc_model_path = {options.path}: it gives {len(points)} points, and its metadata names "
            f"{len(model.names)} body parts; {_EXPORT}"
        )
