"""Images to store: brain images with their noise, and a mouse on video, with and without noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.brain_session import SIDE, draw
from bench.pose_frames import draw as draw_limb
from core.values import Image
from recording.video_read import VideoImages

VIDEO = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "openfield" / "m3v1mp4.mp4"
"""A real mouse's video, where this machine has it."""
BITS, NOISE = 12, 1.5
"""Of the wide sensor; its noise in counts of 8 bits, as that of ``camera.scene``."""
CAMERA_NOISE = 3.0
"""Noise of a dim camera, grey values; as in the decision on the behaviour video."""
FPS = 100.0
BRAIN = f"brain, {SIDE}x{SIDE}"


def brain(frames: int) -> list[Image]:
    """Return images of the synthetic cortex, (256, 256, 3) uint8."""
    return list(draw(FPS, frames))


def wide_brain(frames: int) -> list[Image]:
    """Return the same from a sensor of 12 bits, (256, 256, 3) uint16: what 8 bits round away is noise here."""
    rng = np.random.default_rng(2)
    scale = 2.0 ** (BITS - 8)
    rest = np.mean(draw(FPS, 64), axis=0) * scale
    wide = (rest + rng.normal(0.0, NOISE * scale, rest.shape) for _ in range(frames))
    return [np.clip(image, 0, 2**BITS - 1).round().astype(np.uint16) for image in wide]


def mouse(frames: int) -> list[Image]:
    """Return the mouse's video, smooth as its own compression made it; a drawn limb where the video is not there."""
    if not VIDEO.is_file():
        return list(draw_limb(320, 640, frames))
    video = VideoImages(VIDEO)
    try:
        return [video.get(index).copy() for index in range(min(frames, len(video)))]
    finally:
        video.close()


def noisy(images: list[Image]) -> list[Image]:
    """Return images with a camera's noise added."""
    rng = np.random.default_rng(3)
    return [
        np.clip(image + rng.normal(0.0, CAMERA_NOISE, image.shape), 0, 255).round().astype(np.uint8) for image in images
    ]


def materials(frames: int, quick: bool) -> dict[str, list[Image]]:
    """Return all of them by name; two of them for a quick look."""
    video = mouse(frames)
    height, width = video[0].shape[:2]
    name = f"{'mouse' if VIDEO.is_file() else 'drawn limb'}, {width}x{height} uint8"
    found = {f"{BRAIN}, uint8": brain(frames)}
    if not quick:
        found.update({f"{BRAIN}, 12 bits in uint16": wide_brain(frames), name: video})
    found[f"{name}, noise"] = noisy(video)
    return found
