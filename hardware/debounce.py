"""When a touch of the spout is a lick. Pure: touches and releases in, onsets out."""

from __future__ import annotations

from typing import NamedTuple


class Touch(NamedTuple):
    """The tongue came or went.

    Attributes
    ----------
    time_ns : int
        When, on the host's monotonic clock.
    touching : bool
        Whether it touches from then on.
    """

    time_ns: int
    touching: bool


class Contact(NamedTuple):
    """What is known of the tongue.

    Attributes
    ----------
    touching : bool
    ended_ns : int or None
        End of the last touch; None before the first one ended.
    """

    touching: bool = False
    ended_ns: int | None = None


def step(contact: Contact, touch: Touch, debounce_ns: int) -> tuple[Contact, bool]:
    """Take the next touch or release; whether it begins a lick.

    A touch that begins sooner than ``debounce_ns`` after the last one ended belongs to the same lick, which goes on
    then: a chain of bounces is one lick, however long. So two onsets are never closer than ``debounce_ns``. What says
    nothing new (a second touch without a release) changes nothing.
    """
    if touch.touching == contact.touching:
        return contact, False
    if not touch.touching:
        return Contact(False, touch.time_ns), False
    bounced = contact.ended_ns is not None and touch.time_ns - contact.ended_ns < debounce_ns
    return Contact(True, contact.ended_ns), not bounced
