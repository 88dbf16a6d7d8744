"""How a settings dataclass describes one key of config.ini: its unit and what it does, beside its type and bounds.

A field reads ``max_trial_dur: Annotated[float, Ge(0), Key("s", "Longest duration of a trial.")] = 30.0``. Bounds come
from ``annotated_types`` (a vocabulary of types without code), so that the same line serves pydantic, the reference page
and a reader.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """Unit and meaning of one key.

    Attributes
    ----------
    unit : str
        Unit as a person writes it (``"s"``, ``"Hz"``, ``"mm"``, ``"px"``, ``"dF/F"``), empty where there is none.
    text : str
        One sentence: what the key does.
    """

    unit: str
    text: str
