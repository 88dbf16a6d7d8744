"""Keys of config.ini that tell who the mouse is, who worked with it and what was imaged: for files that are shared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Annotated, Any

from annotated_types import Ge, Le

from core.keys import Key

SEXES = ("M", "F", "U", "O")
_SPECIES = re.compile(r"[A-Z][a-z]+ [a-z]+")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_PERSON = re.compile(r"[\w\s\-.']+,\s+[\w\s\-.']+")
_AND = "&"

OWN = frozenset({"sex", "date_of_birth", "subject_description"})
"""What is one animal's alone: a section copied for another mouse has these no more."""


@dataclass(frozen=True, slots=True)
class SubjectSettings:
    """What no camera sees. Nothing here changes a session; empty and 0 stand for not given."""

    species: Annotated[str, Key("", "Species, in Latin: Mus musculus.")] = ""
    sex: Annotated[str, Key("", "Sex of the mouse: M, F, U (unknown) or O (other).")] = ""
    date_of_birth: Annotated[str, Key("", "When the mouse was born, YYYY-MM-DD.")] = ""
    strain: Annotated[str, Key("", "Strain, such as C57BL/6J.")] = ""
    genotype: Annotated[str, Key("", "Genotype, such as Thy1-GCaMP6s/wt.")] = ""
    subject_description: Annotated[str, Key("", "What else is to be known of the mouse.")] = ""
    experimenter: Annotated[str, Key("", "Who did the experiment: Last, First; several with & between.")] = ""
    lab: Annotated[str, Key("", "Laboratory.")] = ""
    institution: Annotated[str, Key("", "Institution.")] = ""
    indicator: Annotated[str, Key("", "Indicator in the imaged cortex, such as GCaMP6s.")] = ""
    imaging_location: Annotated[
        str, Key("", "What is imaged, by its name in the Allen atlas, such as VISp; empty: Isocortex.")
    ] = ""
    excitation_nm: Annotated[float, Ge(0), Le(2000), Key("nm", "Wavelength that excites it; 0: unknown.")] = 0
    emission_nm: Annotated[float, Ge(0), Le(2000), Key("nm", "Wavelength of the green fluorescence; 0: unknown.")] = 0
    reflectance_nm: Annotated[float, Ge(0), Le(2000), Key("nm", "Wavelength of the blue reflectance; 0: unknown.")] = 0


NAMES = tuple(field.name for field in fields(SubjectSettings))
IMAGING = frozenset({"indicator", "imaging_location", "excitation_nm", "emission_nm", "reflectance_nm"})
"""Of these, what only neurofeedback images have."""
REQUIRED = ("species", "sex", "date_of_birth")
REQUIRED_IMAGING = ("indicator", "excitation_nm", "emission_nm", "reflectance_nm")


def check_subject_text(name: str, text: str) -> None:
    """Raise ValueError, with the cure, for a text that no such key can have; an empty one is none."""
    if not text:
        return
    if name == "species" and _SPECIES.fullmatch(text) is None:
        raise ValueError("no species in Latin; give two words, such as Mus musculus")
    if name == "sex" and text not in SEXES:
        raise ValueError(f"no sex; give one of {', '.join(SEXES)}")
    if name == "date_of_birth":
        _read_date(text)
    if name == "experimenter":
        experimenters(text)


def experimenters(text: str) -> list[str]:
    """Return the names in ``experimenter``, each ``Last, First``. Raises ValueError with the cure."""
    names = [" ".join(name.split()) for name in text.split(_AND)] if text.strip() else []
    if all(_PERSON.fullmatch(name) for name in names):
        return names
    raise ValueError(f"not Last, First; give it so, and several with {_AND} between")


def age_days(born: str, on: date) -> int:
    """Return how many days old a mouse born on ``YYYY-MM-DD`` is. Raises ValueError where it was not born yet."""
    days = (on - _read_date(born)).days
    if days < 0:
        raise ValueError(f"date_of_birth {born} is after the session's day, {on}; correct it")
    return days


def _read_date(text: str) -> date:
    # Python 3.11 takes more forms than 3.10.
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise ValueError("no day of the calendar; give YYYY-MM-DD, such as 2026-03-01")


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of ``values`` that are keys of ``SubjectSettings`` and say something."""
    return {name: values[name] for name in NAMES if values.get(name)}


def missing(subject: SubjectSettings, *, imaged: bool) -> tuple[str, ...]:
    """Return the keys without which an archive takes no file; ``imaged``: of cortex, through the rig's filters."""
    wanted = REQUIRED + (REQUIRED_IMAGING if imaged else ())
    return tuple(name for name in wanted if not getattr(subject, name))
