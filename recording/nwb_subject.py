"""The mouse and the people in NWB."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from core.errors import InputError
from recording.nwb_text import storable
from recording.subject import SubjectSettings, age_days, check_subject_text, missing


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """What is known of the mouse.

    Attributes
    ----------
    settings : SubjectSettings
        Of the session, and what its mouse's section says by now.
    weight_g : float or None
        The day's weight, g.
    """

    settings: SubjectSettings
    weight_g: float | None = None


def check_complete(mouse: str, settings: SubjectSettings, *, imaged: bool) -> None:
    """Raise InputError, with the keys to add, where an archive would not take the file."""
    if lacking := missing(settings, imaged=imaged):
        raise InputError(
            f"mouse {mouse}: {', '.join(lacking)} not given; add them to [mouse:{mouse}], or to its experiment, in "
            "config.ini, or export with --allow-incomplete"
        )


def check_values(mouse: str, facts: SubjectFacts) -> SubjectFacts:
    """Return the facts with clean texts. Raises InputError for a value that no key has; session.json may be damaged."""
    settings = facts.settings
    texts: dict[str, Any] = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        try:
            if isinstance(field.default, str):
                texts[field.name] = _as_text(value)
                check_subject_text(field.name, texts[field.name])
            else:
                _check_number(value)
        except ValueError as error:
            raise InputError(
                f"mouse {mouse}: {field.name} {value!r}: {error}; it stands in session.json, or in config.ini"
            ) from None
    return replace(facts, settings=replace(settings, **texts))


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return storable(value)
    raise ValueError("no text")


def _check_number(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not (math.isfinite(value) and value >= 0):
        raise ValueError("no wavelength; give nm")


def subject(mouse: str, facts: SubjectFacts, start: datetime) -> Any:
    """Return the Subject. Raises InputError for a mouse that was not born yet."""
    from pynwb.file import Subject

    known = facts.settings
    born = None
    age = None
    if known.date_of_birth:
        born = datetime.fromisoformat(known.date_of_birth).replace(tzinfo=start.tzinfo)
        try:
            age = f"P{age_days(known.date_of_birth, start.date())}D"
        except ValueError as error:
            raise InputError(f"mouse {mouse}: {error}") from None
    return Subject(
        subject_id=mouse,
        species=known.species or None,
        sex=known.sex or None,
        age=age,
        date_of_birth=born,
        strain=known.strain or None,
        genotype=known.genotype or None,
        description=known.subject_description or f"Mouse {mouse}.",
        weight=None if facts.weight_g is None else f"{facts.weight_g:g} g",
    )
