"""What a page may ask of a running session: each message becomes one wish of the trial logic, or is refused. Pure.

==================== ================ ==============================================================================
``do``               more keys        comes to
==================== ================ ==============================================================================
``pause``, ``resume``                 the session's time stops, and goes on
``water``                             one drop that no trial earned
``stop_after_trial``                  the running trial is the last
``stop_now``                          the session ends with the next frame
``set``              ``key, value``   a key of ``core.changes``, or ``reward_threshold`` (clmf: ``speed_threshold``)
``note``             ``text``         a line of the log
==================== ================ ==============================================================================

Every message has ``id``, a whole number, and ``who``; all others are texts. One with a key too few or too many is
refused. What is checked here is checked once more where the trial logic takes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from unicodedata import category

from core.changes import KEYS, check_bounds, check_change
from core.errors import InputError
from core.threshold import ThresholdSettings
from core.trial import Phase, SessionPlan, TrialState
from core.values import Operator, OperatorKind

WHO_CHARACTERS = 60
NOTE_CHARACTERS = 500
VALUE_CHARACTERS = 60
THRESHOLDS = ("reward_threshold", "speed_threshold")
STOP_NOW = "stop_now"

_PLAIN = {
    "pause": OperatorKind.PAUSE,
    "resume": OperatorKind.RESUME,
    "water": OperatorKind.FREE_WATER,
    "stop_after_trial": OperatorKind.STOP_AFTER_TRIAL,
    STOP_NOW: OperatorKind.STOP_NOW,
}
_MORE = {**dict.fromkeys(_PLAIN, ()), "set": ("key", "value"), "note": ("text",)}


def read_control(message: Mapping[str, Any], plan: SessionPlan, state: TrialState) -> Operator:
    """Return the wish.

    Parameters
    ----------
    message : dict
        As the module says.
    plan, state
        Of the session now.

    Raises
    ------
    InputError
        It is none, or cannot be had now; says what to do.
    """
    do = message.get("do")
    if not isinstance(do, str) or do not in _MORE:
        raise InputError(f"do = {_short(do)}: is none of {', '.join(_MORE)}")
    who = read_who(message, _MORE[do])
    if state.phase is Phase.DONE:
        raise InputError(f"{do}: the session is over")
    if do in _PLAIN:
        _check_phase(do, state)
        return Operator(_PLAIN[do], who=who)
    if do == "note":
        return Operator(OperatorKind.NOTE, who=who, text=_text(message, "text", NOTE_CHARACTERS))
    key, value = _text(message, "key", VALUE_CHARACTERS), _text(message, "value", VALUE_CHARACTERS)
    if key in THRESHOLDS:
        return Operator(OperatorKind.SET_THRESHOLD, _threshold(key, value, plan.tone_floor), who)
    if key not in KEYS:
        can = ", ".join((THRESHOLDS[0], *KEYS))
        raise InputError(f"{_short(key)} cannot be changed in a running session; what can is {can}")
    change = f"{key} = {value}"
    try:
        check_change(plan, change)
    except ValueError as error:
        raise InputError(str(error)) from None
    return Operator(OperatorKind.SET, who=who, text=change)


def read_who(message: Mapping[str, Any], more: Sequence[str] = ()) -> str:
    """Return who asks; the message must have ``do``, ``id``, ``who``, ``more`` and nothing else. Raises InputError."""
    do, wanted = message.get("do"), {"id", "do", "who", *more}
    if set(message) != wanted:
        raise InputError(f"{do}: give {', '.join(sorted(wanted))} and nothing else")
    if not isinstance(message["id"], int) or isinstance(message["id"], bool):
        raise InputError(f"{do}: id = {_short(message['id'])}: give a whole number")
    return check_who(message["who"])


def _check_phase(do: str, state: TrialState) -> None:
    """Raise InputError for what would change nothing."""
    paused = state.phase is Phase.PAUSED
    if do == "pause" and paused:
        raise InputError("pause: the session is paused already")
    if do == "resume" and not paused:
        raise InputError("resume: the session is not paused")
    if do == "stop_after_trial" and state.outcome == "stopped":
        raise InputError("stop_after_trial: the session ends after this trial already")


def _threshold(key: str, value: str, floor: float) -> float:
    """Return a threshold. Raises InputError."""
    try:
        number = float(value)
    except ValueError:
        raise InputError(f"{key} = {value}: is no number; give one") from None
    try:
        check_bounds(ThresholdSettings, THRESHOLDS[0], number)
    except ValueError as error:
        raise InputError(str(error).replace(THRESHOLDS[0], key, 1)) from None
    if number <= floor:
        raise InputError(f"{key} = {value}: is not above tone_floor, {floor:g}; give more")
    return number


def check_who(who: object) -> str:
    """Return who somebody is. Raises InputError where it is no name of one line."""
    return _text({"who": who}, "who", WHO_CHARACTERS)


def _text(message: Mapping[str, Any], key: str, most: int) -> str:
    """Return a text of one line that can be read. Raises InputError."""
    text = message[key]
    if isinstance(text, str):
        # Blanks of a fixed width, or as wide as a Chinese character, are typed without being seen.
        text = "".join(" " if category(character) == "Zs" else character for character in text)
    if not isinstance(text, str) or not text.strip() or len(text) > most or not text.isprintable():
        raise InputError(f"{key} = {_short(text)}: give one line of 1 to {most} characters")
    return text.strip()


def _short(value: object) -> str:
    text = repr(value) if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."
