"""How bright a simulated cortex is at rest: illumination, expression of the indicator, and vessels."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from insilico.optics_settings import OpticsSettings

TEXTURE_MM = 0.6
"""Size of the patches in which expression varies; chosen by eye."""
RED_ABSORPTION = 0.3
"""Of a vessel, relative to blue and green: haemoglobin lets red through. Chosen by eye."""

Float32 = npt.NDArray[np.float32]


def resting_light(settings: OpticsSettings, dark: Float32, texture: Float32) -> Float32:
    """Return blue, green and red at rest; (3, height, width) float32, counts."""
    row = np.linspace(-1, 1, dark.shape[0])[:, None]
    col = np.linspace(-1, 1, dark.shape[1])[None, :]
    light = 1 - settings.vignette * (row**2 + col**2) / 2
    seen = light * (1 - settings.vessel_darkness * dark)
    red = light * (1 - settings.vessel_darkness * RED_ABSORPTION * dark)
    expression = np.maximum(1 + settings.texture * texture, 0)
    planes = (settings.blue_counts * seen, settings.green_counts * seen * expression, settings.red_counts * red)
    light_at_rest: Float32 = np.stack(planes).astype(np.float32)
    return light_at_rest


def draw_texture(shape: tuple[int, int], ppmm: float, rng: np.random.Generator) -> Float32:
    """Return a smooth random field of mean 0 and standard deviation 1; (height, width) float32."""
    step = TEXTURE_MM * ppmm
    along = []
    for size in shape:
        knots = np.arange(-1, math.ceil(size / step) + 2) * step
        weight = np.exp(-0.5 * ((np.arange(size)[:, None] - knots) / step) ** 2)
        along.append(weight / np.sqrt((weight**2).sum(axis=1, keepdims=True)))
    rows, cols = along
    field: Float32 = (rows @ rng.standard_normal((rows.shape[1], cols.shape[1])) @ cols.T).astype(np.float32)
    return field
