"""The simulated mouse: a spiking network in Brian2 behind the camera, the speaker and the water spout.

What a network of one's own needs of Rigloop is here: ``build(preparation)`` returns a ``Tissue``, or a ``Body``.
"""

from insilico.indicator import IndicatorSettings
from insilico.licks import LickSettings
from insilico.limb import LimbSettings
from insilico.optics_settings import OpticsSettings
from insilico.preparation import Body, Preparation, Tissue

__all__ = ["Body", "IndicatorSettings", "LickSettings", "LimbSettings", "OpticsSettings", "Preparation", "Tissue"]
