"""What the benchmark of the pose measures in a process of its own: the bare model, and a plain loop of DLCLive's.

PyTorch is loaded there, so that the process of the loop is without it, as in a session.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from analysis.pose_training_net import as_input, build_model, export_bytes, make_config
from behavior.dlc import WARM_UPS, DlcModel, DlcOptions, wait_asleep
from bench.drawn import Drawn, Images
from bench.report import side_by_side
from camera.pace import Paced
from core.clock import MonotonicClock
from core.values import black
from insilico.limb_settings import NAMES

MOST_ROUNDS, LEAST_ROUNDS = 300, 3
READ_S = 5.0


def as_pose_process() -> None:
    """Be as the pose process is: its threads wait alike, and what a library prints is for the screen."""
    wait_asleep()
    sys.stdout = sys.stderr
    os.dup2(2, 1)


def write_model(net: str, path: Path) -> None:
    """Write an untrained network as DeepLabCut exports one; its speed is that of a trained one."""
    config = make_config(net, NAMES, {"trained": False})
    path.write_bytes(export_bytes(config, build_model(config, seed=1)))


def load_live(path: Path, shape: tuple[int, ...]) -> Any:
    """Return DLCLive with a model, warmed up with black frames of a shape."""
    from dlclive import DLCLive

    live = DLCLive(path, model_type="pytorch", device="auto", single_animal=True)
    live.init_inference(black(shape[0], shape[1]))
    for _ in range(WARM_UPS):
        live.get_pose(black(shape[0], shape[1]))
    return live


def inference_us(path: Path, images: Images, seconds: float) -> dict[str, list[float]]:
    """Return durations, us, of calls in turn: ours, DLCLive's own, and the model on a tensor that is ready for it.

    Parameters
    ----------
    path : Path
        Of the model.
    images : ndarray, (frames, height, width, 3) uint8
    seconds : float
        About how long to go on.
    """
    import torch

    shape = images.shape[1:]
    live, plain = load_live(path, shape), load_live(path, shape)
    # As ``load_dlc`` sets it.
    live.resize = 1
    ours = DlcModel(live, NAMES, {}, DlcOptions(path), (shape[0], shape[1], 3))
    model = live.runner.model
    tensor = as_input(images[:1], live.runner.device).contiguous()
    laid_out = tensor.contiguous(memory_format=torch.channels_last)

    def bare(ready: torch.Tensor) -> None:
        with torch.inference_mode():
            model(ready)
        if ready.is_cuda:
            torch.cuda.synchronize()

    cases = {
        "ours": lambda: ours.estimate(images[0]),
        "DLCLive.get_pose": lambda: plain.get_pose(images[0]),
        "bare model": lambda: bare(tensor),
        "bare model, channels last": lambda: bare(laid_out),
    }
    # The first of all are slow.
    side_by_side(cases, 1)
    once_us = sum(durations[0] for durations in side_by_side(cases, 1).values())
    rounds = int(np.clip(seconds * 1e6 / once_us, LEAST_ROUNDS, MOST_ROUNDS))
    return side_by_side(cases, rounds)


def plain_loop_ms(path: Path, images: Images, framerate: float, seconds: float) -> list[float]:
    """Return latencies, ms, of a loop of one process: from the frame in hand to a value set after ``get_pose``.

    What scripts do that use DLCLive directly; nothing is recorded, no trial is kept.
    """
    live = load_live(path, images.shape[1:])
    clock = MonotonicClock()
    camera = Paced(Drawn(images, framerate), clock)
    line = np.zeros(1, np.uint8)
    latencies: list[float] = []
    camera.start()
    end_ns = clock.now_ns() + round(seconds * 1e9)
    while clock.now_ns() < end_ns or not latencies:
        image = camera.read(READ_S).image
        read_ns = clock.now_ns()
        pose = live.get_pose(image)
        line[0] = pose[0, 2] > 0.5
        latencies.append((clock.now_ns() - read_ns) / 1e6)
    camera.close()
    return latencies
