"""What is known, or chosen, of the microscope over a simulated cortex."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

from core.errors import InputError


@dataclass(frozen=True, slots=True)
class OpticsSettings:
    """A widefield microscope over a cortex that expresses a green calcium indicator.

    Attributes
    ----------
    scatter_um : float
        Full width at half maximum of the light of a point in the cortex, um. Tian et al. 2011 (J. Biomed. Opt.
        16:016006, abstract) find by Monte Carlo simulation a resolution below 200 um for a numerical aperture up to
        0.2 or a focus up to 300 um deep, which is how such microscopes are used.
    arbor_um : float
        Full width at half maximum of a neuron's dendrites and local axon, um: most of widefield light comes from these
        and not from somata. Chosen because it is the order of a basal dendritic tree; and at least this much is needed
        for some tens of neurons to make an even patch.
    contrast : float
        dF/F that a region shows per dF/F of its neurons. Far below 1, since autofluorescence, silent cells and light
        from out of focus do not change. Chosen because neurons at dF/F 0.4 to 2 then give the 0.02 to 0.1 that
        thresholds of CLoPy's sessions are set in.
    roi_mm : float
        Side of the square, at the centre of a region, over which ``contrast`` holds, mm. CLoPy's ROIs are 0.3 mm.
    green_counts, blue_counts, red_counts : float
        Brightness at rest where there is neither vignette nor vessel, counts of 0 to 255; those of the synthetic scene.
    vignette : float
        Loss of light in the corners, 0 to 0.9; that of the synthetic scene.
    texture : float
        Standard deviation of the expression of the indicator from place to place, a fraction. Chosen because it is
        visible without hiding the vessels.
    vessel_darkness : float
        Light that the widest vessel takes at rest, a fraction. Chosen by eye.
    vessel_blood : float
        How much more than plain tissue the widest vessel follows the blood: by 1 + this. Chosen because artefacts are
        strongest over vessels and the midline (Valley et al. 2020, J. Neurophysiol. 123, abstract); the size is a
        guess.
    midline : float
        Where the sagittal sinus runs, as a fraction of the image's width.
    blue_absorption : float
        Loss of blue reflectance per fractional rise of total haemoglobin. Beer and Lambert:
        2.303 * extinction * concentration * path = 2.303 * 28 090 /cm/M * 100 uM * 0.0527 cm = 0.34. Extinction:
        Prahl's table at 470 nm (33 209 oxygenated, 16 156 not; omlc.org), at a saturation of 0.7; path: Ma et al. 2016
        (Phil. Trans. R. Soc. B 371:20150360), as the code of Q. Zhang gives it; 100 uM and 0.7 are chosen.
    green_absorption : float
        Loss of green fluorescence per fractional rise of total haemoglobin: half the reflectance's path at 470 nm on
        the way in, half of that at 515 nm on the way out (the same extinctions: 23 100 /cm/M; path about 0.05 cm,
        interpolated), 0.17 + 0.13 = 0.30. So blue dF/F taken off green dF/F removes the blood, and an eighth too much.
    electrons_per_count : float
        Photoelectrons per count. Chosen because a full well of some 10 000, usual for small pixels, fills 255 counts.
    read_noise_e : float
        Read noise, electrons rms. Chosen because it is usual for such sensors; here shot noise hides it.
    """

    scatter_um: float = 200.0
    arbor_um: float = 250.0
    contrast: float = 0.05
    roi_mm: float = 0.3
    green_counts: float = 120.0
    blue_counts: float = 100.0
    red_counts: float = 10.0
    vignette: float = 0.3
    texture: float = 0.04
    vessel_darkness: float = 0.45
    vessel_blood: float = 2.0
    midline: float = 0.5
    blue_absorption: float = 0.34
    green_absorption: float = 0.30
    electrons_per_count: float = 40.0
    read_noise_e: float = 5.0

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise InputError("optics: " + "; ".join(problems))

    def _problems(self) -> Iterator[str]:
        above = ("scatter_um", "contrast", "roi_mm", "electrons_per_count")
        ranges: dict[str, tuple[float, float]] = dict.fromkeys(("green_counts", "blue_counts", "red_counts"), (0, 255))
        ranges |= {"vignette": (0, 0.9), "texture": (0, 0.3), "vessel_darkness": (0, 0.95), "midline": (0, 1)}
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            low, high = ranges.get(name, (0, math.inf))
            if name in above and not 0 < value < math.inf:
                yield f"{name} is {value}; give a finite number above 0"
            elif high == math.inf and not 0 <= value < math.inf:
                yield f"{name} is {value}; give a finite number, 0 or more"
            elif not low <= value <= high:
                yield f"{name} is {value}; give {low} to {high}"
