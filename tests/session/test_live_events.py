"""Which events of a session a page is told, and which it still finds that comes late."""

import pytest

from recording.schema import EventRow, InputRow
from session.live_link import EVENTS
from session.live_wire import LASTING, UNTOLD
from tests.support.shown_session import folder as folder
from tests.support.shown_session import session as session

pytestmark = pytest.mark.usefixtures("folder")


def told_to(session, page):
    """Return the events that a page is told until there are no more."""
    told = []
    for _ in range(60):
        session.look()
        news, _ = page.read()
        told += news.events if news else []
    return told


def test_events_are_told_once_and_in_order_and_the_newest_are_kept_for_who_comes_late(session):
    events = [EventRow(k, "mark", k % 3, f"number {k}") for k in range(EVENTS + 10)]
    session.link.note([*events, InputRow(1, 1, "lick", 0.0, "")])
    told = told_to(session, session.page())
    assert [event[0] for event in told] == list(range(11, EVENTS + 11))
    assert told[-1][1:] == [EVENTS + 9, "mark", (EVENTS + 9) % 3, f"number {EVENTS + 9}"]


def test_what_people_changed_and_what_was_lost_is_kept_whatever_came_since(session):
    lasting = [EventRow(k, kind, 1, kind) for k, kind in enumerate(sorted(LASTING))]
    session.link.note([*lasting, *(EventRow(k, "mark", 1, "") for k in range(EVENTS + 5))])
    late = told_to(session, session.page())
    assert [event[2] for event in late] == [*sorted(LASTING), *["mark"] * EVENTS]
    session.link.note([EventRow(1, "set", 2, "max_trial_dur = 7")])
    assert [event[2:] for event in told_to(session, session.page())][-1] == ["set", 2, "max_trial_dur = 7"]


def test_licks_and_lost_frames_are_told_by_rows_alone(session):
    page = session.page()
    session.link.note([EventRow(k, kind, 1, "") for k, kind in enumerate([*sorted(UNTOLD), "note"] * 9)])
    assert [event[2] for event in told_to(session, page)] == ["note"] * 9


def test_notes_of_any_script_reach_a_page_that_comes_late(session):
    """Fifty of them would be longer than a message may be."""
    for k in range(60):
        session.link.note([EventRow(k, "note", 0, "\u4e2d" * 500)])
    page = session.page()
    told = []
    for _ in range(60):
        session.look()
        news, _ = page.read()
        told += [event[0] for event in news.events] if news is not None else []
    assert told == list(range(1, 61))
