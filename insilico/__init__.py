"""The simulated mouse: a spiking network in Brian2 behind the camera, the speaker and the water spout.

What a network of one's own needs of Rigloop is here: ``build(preparation)`` returns a ``Tissue``.
"""

from insilico.indicator import IndicatorSettings
from insilico.licks import LickSettings
from insilico.optics_settings import OpticsSettings
from insilico.preparation import Preparation, Tissue

__all__ = ["IndicatorSettings", "LickSettings", "OpticsSettings", "Preparation", "Tissue"]
