"""The mouse and the people in NWB."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.errors import InputError
from recording.subject import SubjectSettings, age_days, missing


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
