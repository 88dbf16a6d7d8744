"""Trains a pose model of dlclive's own classes, and writes it as DeepLabCut exports one."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from analysis.pose_training_images import CANVAS, Augmentation, Sized, augment
from analysis.pose_training_maps import LOCREF_STD, Maps, make_maps
from behavior.dlc import wait_asleep
from core.errors import InputError, MissingError

if TYPE_CHECKING:
    import torch

BACKBONE_STRIDE = 16
STRIDE = 8
"""Of the model: the head doubles the backbone's rows and columns."""
WARM_UP = 0.1
"""Share of the training in which the step size rises; then it falls as half a cosine, to 0."""
LOCREF_WEIGHT = 10.0
"""Of the offsets' loss beside the heatmaps': drawn dots were found to 2.4 px with 1, to 1.5 px with 10."""
RARE = -4.0
"""The heatmaps' first bias: nearly every cell is without a body part, which need not be learnt."""


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How a model is trained."""

    net: str = "resnet10t"
    batch: int = 8
    step_size: float = 5e-3
    weight_decay: float = 1e-2
    seed: int = 1
    device: str = "auto"
    precision: str = "auto"
    """``fp32``; ``bf16``, twice as fast where the processor has it; ``auto``, which is ``bf16`` on such a processor."""
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the training is: ``done`` runs from 0 to 1."""

    done: float
    steps: int
    loss: float


def need_torch() -> None:
    """Raise MissingError where a library is not installed that models are made with; before any is imported."""
    wait_asleep()
    missing = [name for name in ("torch", "timm", "dlclive") if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingError(f"{', '.join(missing)}: not installed, and pose models are made with it; run `make pose`")


def make_config(net: str, parts: Sequence[str], about: dict[str, Any]) -> dict[str, Any]:
    """Return a model's configuration as dlclive 1.1.0 reads it; ``about`` is kept in it under ``rigloop``.

    Raises InputError for a network that dlclive's ResNet class cannot take.
    """
    import timm

    if net not in timm.list_models(module="resnet"):
        raise InputError(f"--net {net}: not a ResNet of timm; resnet10t is small, resnet18 and resnet50 are larger")
    features = timm.create_model(net, pretrained=False).num_features
    head = {"kernel_size": [3], "strides": [2]}
    return {
        "method": "bu",
        "net_type": net,
        "model": {
            "backbone": {
                "type": "ResNet",
                "model_name": net,
                "output_stride": BACKBONE_STRIDE,
                "freeze_bn_stats": False,
                "freeze_bn_weights": False,
                "pretrained": False,
            },
            "backbone_output_channels": features,
            "heads": {
                "bodypart": {
                    "type": "HeatmapHead",
                    "predictor": {
                        "type": "HeatmapPredictor",
                        "apply_sigmoid": True,
                        "clip_scores": True,
                        "location_refinement": True,
                        "locref_std": LOCREF_STD,
                    },
                    "heatmap_config": {"channels": [features, len(parts)], **head},
                    "locref_config": {"channels": [features, 2 * len(parts)], **head},
                }
            },
        },
        "metadata": {"bodyparts": list(parts), "individuals": ["animal"]},
        "data": {"inference": {"normalize_images": False}},
        "rigloop": about,
    }


def build_model(config: dict[str, Any], seed: int) -> Any:
    """Return dlclive's model of a configuration, with random weights."""
    import torch
    from dlclive.pose_estimation_pytorch.models import PoseModel

    torch.manual_seed(seed)
    model = PoseModel.build(config["model"])
    torch.nn.init.constant_(model.heads["bodypart"].heatmap_head.deconv_layers[-1].bias, RARE)
    return model


def train(
    config: dict[str, Any],
    sized: Sized,
    settings: TrainingSettings,
    done: Callable[[int], float],
    tell: Callable[[Progress], None],
) -> Any:
    """Train a model on all of ``sized`` until ``done(steps)`` is 1 or more; return it, on the CPU and ready to answer.

    Parameters
    ----------
    config : dict
        Of ``make_config``.
    sized : Sized
    settings : TrainingSettings
    done : callable
        Given the steps done, how much of the training is over: by time or by steps, as the caller likes.
    tell : callable
        Called after each step.
    """
    import torch

    device = settings.device if settings.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    brief = device == "cpu" and (settings.precision == "bf16" or (settings.precision == "auto" and has_bf16()))
    model = build_model(config, settings.seed).to(device=device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.step_size, weight_decay=settings.weight_decay)
    batches = draw_batches(sized, settings, np.random.default_rng(settings.seed))
    rows, columns = map_size(model, canvas_of(sized)[::-1], device)
    steps, loss = 0, float("nan")
    while (share := done(steps)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = settings.step_size * step_size_at(share)
        images, points = next(batches)
        maps = [make_maps(shift_to_dlclive(frame, sized.resize), rows, columns, STRIDE) for frame in points]
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=brief):
            outputs = model(as_input(images, device))
        error = loss_of(outputs, maps, device)
        error.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        steps += 1
        loss = error.item() if steps == 1 else 0.98 * loss + 0.02 * error.item()
        tell(Progress(share, steps, loss))
    return model.to("cpu", memory_format=torch.contiguous_format).eval()


def has_bf16() -> bool:
    """Return whether this processor multiplies bfloat16 itself; one that does not is slower with it than without."""
    import torch

    capable = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capable.get("avx512_bf16") or capable.get("amx_bf16"))


def step_size_at(done: float) -> float:
    """Return the share of the largest step size when ``done`` of the training is over: up, then down to 0."""
    if done < WARM_UP:
        return 0.05 + 0.95 * done / WARM_UP
    return float(0.5 + 0.5 * np.cos(np.pi * (done - WARM_UP) / (1 - WARM_UP)))


def shift_to_dlclive(points: npt.NDArray[np.float64], resize: float) -> npt.NDArray[np.float64]:
    """Return what the model must answer for ``points``, px of its image, so that DLCLive's answer is right.

    The centre of pixel x of the original lies at ``(x + 0.5) * resize - 0.5`` of the model's image, but DLCLive divides
    by ``resize`` without that half.
    """
    return points + 0.5 * (1 - resize)


def draw_batches(
    sized: Sized, settings: TrainingSettings, rng: np.random.Generator
) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]]:
    """Yield augmented (images, points) without end; every frame comes once before any comes again."""
    canvas, order = canvas_of(sized), list[int]()
    while True:
        while len(order) < settings.batch:
            order.extend(int(frame) for frame in rng.permutation(len(sized.images)))
        chosen, order = order[: settings.batch], order[settings.batch :]
        made = [
            augment(sized.images[frame], sized.points[frame], canvas, settings.augmentation, rng) for frame in chosen
        ]
        yield np.stack([image for image, _ in made]), np.stack([points for _, points in made])


def canvas_of(sized: Sized) -> tuple[int, int]:
    """Return (width, height) of what is learnt from at a time."""
    height, width = sized.images.shape[1:3]
    return min(width, CANVAS), min(height, CANVAS)


def map_size(model: Any, image_shape: tuple[int, ...], device: str) -> tuple[int, int]:
    """Return rows and columns of the model's heatmaps for images of (height, width)."""
    import torch

    with torch.no_grad():
        answer = model.eval()(torch.zeros((1, 3, *image_shape), device=device))
    model.train()
    rows, columns = answer["bodypart"]["heatmap"].shape[2:]
    return int(rows), int(columns)


def as_input(images: npt.NDArray[np.uint8], device: str) -> torch.Tensor:
    """Return (n, height, width, 3) uint8 images as a model's input: (n, 3, height, width) float32, 0 to 1."""
    import torch

    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float().div_(255)


def loss_of(outputs: dict[str, dict[str, torch.Tensor]], maps: Sequence[Maps], device: str) -> torch.Tensor:
    """Return the loss of a batch: binary cross-entropy of heatmaps per body part, and Huber's of offsets per cell.

    The cross-entropy, rather than the squared error, since nearly all cells are empty: the squared error of an answer
    that is 0 everywhere is small, and a network stays with it.
    """
    import torch
    from torch.nn import functional

    heat, offset, near = (torch.from_numpy(np.stack(stack)).to(device) for stack in zip(*maps, strict=True))
    answer = outputs["bodypart"]
    entropy = functional.binary_cross_entropy_with_logits(answer["heatmap"].float(), heat, reduction="sum")
    huber = functional.smooth_l1_loss(answer["locref"].float() * near, offset * near, reduction="sum", beta=0.1)
    return entropy / heat[:, :, 0, 0].numel() + LOCREF_WEIGHT * huber / near.sum().clamp(min=1)


def export_bytes(config: dict[str, Any], model: Any) -> bytes:
    """Return the content of a ``.pt`` file that DLCLive loads."""
    import torch

    content = io.BytesIO()
    torch.save({"config": config, "pose": model.state_dict()}, content)
    return content.getvalue()
