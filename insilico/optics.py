"""What a widefield microscope sees of a simulated cortex: dF/F of neurons becomes a frame of a colour camera.

Without noise, a pixel is

- green = rest_green * (1 + contrast * sum_n w_n dff_n) * (1 - green_absorption * blood * vascular)
- blue = rest_blue * (1 - blue_absorption * blood * vascular)
- red = rest_red

where ``w_n`` is the footprint of neuron n (``insilico.footprints``), ``rest`` holds illumination, expression and
vessels, and ``vascular`` is 1 in tissue and more over a vessel. Photons then have shot noise, the sensor read noise.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InputError
from insilico.footprints import Square, fwhm_px, make_footprints
from insilico.optics_settings import OpticsSettings
from insilico.resting_light import draw_texture, resting_light
from insilico.vessels import draw_vessels

__all__ = ["OpticsSettings", "Square", "Widefield"]

TAPE_BITS = 18
"""Numbers on the noise tape, as a power of two: 1 MiB stays in a processor's cache."""

Float32 = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float32] | npt.NDArray[np.float64]


class Widefield:
    """Renders frames of a simulated cortex. One thread at a time: it has scratch memory.

    Parameters
    ----------
    settings : OpticsSettings
    shape : (height, width)
        Of the frames, px.
    neurons_px : (n, 2) float64
        Row and column of each neuron; the centre of the first pixel is (0, 0). Outside the image they show with the
        tails of their footprints, or not at all. n may be 0.
    region : (n,) int32
        The region of each neuron, any whole numbers.
    ppmm : float
        Pixels per mm.
    rng : numpy.random.Generator
        Draws vessels, texture and noise; it belongs to this object from now on. Equal states give equal bytes.

    Raises
    ------
    InputError
        If sizes do not fit each other, a place is not finite, or a region shows nothing at its centre.

    Attributes
    ----------
    fwhm_px : float
        Full width of a neuron's footprint at half maximum, px.
    rest : (3, height, width) float32
        Blue, green and red at rest, without noise, counts.
    vascular : (height, width) float32
        How much more than plain tissue a pixel follows the blood; 1 in tissue.
    """

    def __init__(
        self,
        settings: OpticsSettings,
        shape: tuple[int, int],
        neurons_px: npt.NDArray[np.float64],
        region: npt.NDArray[np.int32],
        ppmm: float,
        rng: np.random.Generator,
    ) -> None:
        places, labels = np.asarray(neurons_px, np.float64), np.asarray(region)
        _check(shape, places, labels, ppmm)
        # numba takes half a second to import; `rigloop --help` must not wait for it.
        from insilico.optics_kernel import load_kernels

        self.settings = settings
        self.shape = (int(shape[0]), int(shape[1]))
        self.fwhm_px = fwhm_px((settings.scatter_um, settings.arbor_um), ppmm)
        self._feet = make_footprints(self.shape, places, labels, self.fwhm_px, settings.roi_mm, ppmm)
        dark = draw_vessels(self.shape, ppmm, settings.midline * (self.shape[1] - 1), rng)
        self.rest: Float32 = resting_light(settings, dark, draw_texture(self.shape, ppmm, rng))
        self.vascular: Float32 = 1 + np.float32(settings.vessel_blood) * dark
        self._tape, self._starts = _noise(self.shape, rng)
        self._rng = rng
        self._gain = self._feet.gain * np.float32(settings.contrast)
        self._amounts = np.zeros(len(places), np.float32)
        self._activity = np.zeros(self.shape, np.float32)
        self._line = np.zeros((3, self.shape[1]), np.uint8)
        self._gather, self._expose = load_kernels()
        per_count = settings.electrons_per_count
        self._shot = np.float32(1 / per_count)
        self._read = np.float32((settings.read_noise_e / per_count) ** 2)

    def render(self, dff: FloatArray, blood: float, out: npt.NDArray[np.uint8]) -> None:
        """Write the next frame. It allocates no array; each call draws noise of its own.

        Parameters
        ----------
        dff : (n,) float32 or float64
            dF/F of each neuron relative to its mean state, a fraction; it may be negative.
        blood : float
            Fractional change of total haemoglobin, about 0.01; see ``insilico.haemodynamics``.
        out : (height, width, 3) uint8
            Result, BGR; C order.

        Raises
        ------
        ValueError
            If ``dff`` or ``out`` has another shape or dtype.
        """
        if out.shape != (*self.shape, 3) or out.dtype != np.uint8 or not out.flags.c_contiguous:
            raise ValueError(
                f"a frame of shape {out.shape} and dtype {out.dtype} cannot be written; give a contiguous "
                f"{(*self.shape, 3)} uint8 array"
            )
        self._see(dff)
        settings = self.settings
        self._expose(
            self._activity,
            self.rest,
            self.vascular,
            self._tape,
            self._starts,
            self._rng.integers(0, 2**64, dtype=np.uint64),
            np.float32(settings.green_absorption * blood),
            np.float32(settings.blue_absorption * blood),
            self._shot,
            self._read,
            self._line,
            out,
        )

    def truth(self, dff: FloatArray, roi_mask: npt.NDArray[np.bool_]) -> float:
        """Return the exact green dF/F in an ROI: the mean over its pixels, without noise and without blood.

        Parameters
        ----------
        dff : (n,) float32 or float64
            As for ``render``.
        roi_mask : (height, width) bool

        Raises
        ------
        ValueError
            If the mask has another shape, or no pixel.
        """
        if roi_mask.shape != self.shape or not roi_mask.any():
            raise ValueError(f"an ROI mask of shape {roi_mask.shape} needs shape {self.shape} and a pixel that is True")
        self._see(dff)
        return float(self._activity[roi_mask].mean(dtype=np.float64))

    def square(self, region: int) -> Square:
        """Return the ROI of ``roi_mm`` at the centre of a region, in which ``contrast`` holds. Raises KeyError."""
        return self._feet.squares[region]

    def _see(self, dff: FloatArray) -> None:
        """Set ``_activity`` to the dF/F of every pixel."""
        if dff.shape != self._amounts.shape:
            raise ValueError(f"dF/F of shape {dff.shape} does not fit {self._amounts.size} neurons; give one for each")
        np.multiply(dff, self._gain, out=self._amounts, casting="same_kind")
        self._gather(self._amounts, self._feet.boxes, self._feet.rows, self._feet.cols, self._activity)


def _check(shape: tuple[int, int], places: npt.NDArray[np.float64], labels: npt.NDArray[Any], ppmm: float) -> None:
    if len(shape) != 2 or min(shape) < 1:
        raise InputError(f"optics: shape is {tuple(shape)}; give (height, width), each 1 or more")
    if places.ndim != 2 or places.shape[1] != 2 or not np.isfinite(places).all():
        raise InputError(f"optics: neurons_px of shape {places.shape} must be (n, 2) and finite; give row and column")
    if labels.shape != places.shape[:1] or (labels.size and labels.dtype.kind not in "iu"):
        raise InputError(
            f"optics: region has shape {labels.shape} and dtype {labels.dtype}; give a whole number for each of the "
            f"{len(places)} neurons"
        )
    if not 0 < ppmm < math.inf:
        raise InputError(f"optics: ppmm is {ppmm}; give pixels per mm above 0")


def _noise(shape: tuple[int, int], rng: np.random.Generator) -> tuple[Float32, npt.NDArray[np.uint64]]:
    """Return the noise tape and the numbers that tell the lines of a frame apart; see ``optics_kernel._expose``.

    The tape is a ring, its end repeats its beginning, and its mean is 0 and variance 1: so a pixel, which meets every
    place of it equally often, has neither offset nor pattern. Drawing noise afresh takes ten times as long.
    """
    size = 2**TAPE_BITS
    tape = rng.standard_normal(size)
    tape = (tape - tape.mean()) / tape.std()
    starts = rng.integers(0, 2**64, (3, shape[0]), dtype=np.uint64)
    return np.resize(tape, size + shape[1]).astype(np.float32), starts
