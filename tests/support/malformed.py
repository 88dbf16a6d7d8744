"""Messages and requests that no page of ours sends, drawn from a seed: each is wrong in at least one way."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

GOOD = (
    {"do": "pause"},
    {"do": "water"},
    {"do": "stop_after_trial"},
    {"do": "stop_now"},
    {"do": "note", "text": "grooms"},
    {"do": "set", "key": "reward_threshold", "value": "0.04"},
    {"do": "set", "key": "session_type", "value": "normal_audio_no_reward"},
)
NOT_TEXT = (None, True, False, 0, -1, 1.5, 10**400, [], ["water"], {}, {"do": "water"})
BAD_TEXT = ("", " ", "\n", "a\nb", "x\x00y", "\u202egnp", "\ud800", "w" * 5000, "’" * 700)
BAD_VALUES = ("", "high", "nan", "inf", "-inf", "1e400", "-1", "0x10", "0.04; do", "\t", "9" * 400, "1,5", "None", "[]")


def malformed(seed: int, live: str, number: int) -> Iterator[str | bytes]:
    """Yield ``number`` messages to the session ``live``."""
    rng = random.Random(seed)
    ways = (
        _no_json,
        _no_object,
        _lacks,
        _too_much,
        _wrong_type,
        _bad_text,
        _bad_value,
        _unknown,
        _elsewhere,
        _too_long,
    )
    for k in range(number):
        good = {"id": k, "who": "fuzz", "live": live, **rng.choice(GOOD)}
        yield ways[k % len(ways)](rng, good)


def _no_json(rng: random.Random, good: dict[str, Any]) -> str | bytes:
    text = json.dumps(good)
    cut = text[: rng.randrange(len(text))]
    raw = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 80)))
    return rng.choice([cut, raw, text.encode(), "[" * 3000, '{"a":' * 900, text.replace('"id": ', '"id": NaN, "x": ')])


def _no_object(rng: random.Random, good: dict[str, Any]) -> str:
    return json.dumps(rng.choice([None, 5, "water", [good], [], True, 1e300, json.dumps(good)]))


def _lacks(rng: random.Random, good: dict[str, Any]) -> str:
    del good[rng.choice([key for key in good if key != "id"])]
    return json.dumps(good)


def _too_much(rng: random.Random, good: dict[str, Any]) -> str:
    return json.dumps({**good, rng.choice(["amount", "value2", "__class__", "", "Do", "who "]): rng.choice(NOT_TEXT)})


def _wrong_type(rng: random.Random, good: dict[str, Any]) -> str:
    key = rng.choice([key for key in good if key != "id"])
    return json.dumps({**good, key: rng.choice(NOT_TEXT)})


def _bad_text(rng: random.Random, good: dict[str, Any]) -> str:
    key = rng.choice([key for key in good if key in ("who", "do", "live", "key", "text")])
    return json.dumps({**good, key: rng.choice(BAD_TEXT)})


def _bad_value(rng: random.Random, good: dict[str, Any]) -> str:
    key = rng.choice(["reward_threshold", "fail_rest_dur", "max_trial_dur", "session_type"])
    return json.dumps(
        {**good, "do": "set", "key": key, "value": rng.choice(BAD_VALUES), "text": "x"}
        if rng.random() < 0.1
        else {
            "id": good["id"],
            "who": "fuzz",
            "live": good["live"],
            "do": "set",
            "key": key,
            "value": rng.choice(BAD_VALUES),
        }
    )


def _unknown(rng: random.Random, good: dict[str, Any]) -> str:
    if rng.random() < 0.5:
        return json.dumps(
            {**good, "do": rng.choice(["dance", "abort_trial", "WATER", "set_threshold", "flush", "eval"])}
        )
    key = rng.choice(["reward_dur", "max_day_water_s", "data_root", "pin_valve", "__init__", "roi.SPOT"])
    return _set(good, key, "1")


def _elsewhere(rng: random.Random, good: dict[str, Any]) -> str:
    return json.dumps(
        {**good, "live": rng.choice(["session-0", "../session", good["live"] + "x", good["live"].upper()])}
    )


def _too_long(rng: random.Random, good: dict[str, Any]) -> str:
    return json.dumps({**good, rng.choice(["who", "text", "do"]): "x" * rng.randrange(4001, 9000)})


def _set(good: dict[str, Any], key: str, value: str) -> str:
    """Return a wish to set a key."""
    return json.dumps({"id": good["id"], "who": "fuzz", "live": good["live"], "do": "set", "key": key, "value": value})


def malformed_bodies(seed: int, good: dict[str, Any], number: int) -> Iterator[bytes]:
    """Yield ``number`` bodies of a POST that takes ``good``."""
    rng = random.Random(seed)
    ways = (_broken, _no_object, _short_of, _too_much, _of_wrong_type, _of_bad_text)
    for k in range(number):
        body = ways[k % len(ways)](rng, dict(good))
        yield body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")


def _broken(rng: random.Random, good: dict[str, Any]) -> str | bytes:
    text = json.dumps(good)
    raw = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 80)))
    return rng.choice([text[: rng.randrange(len(text))], raw, "[" * 3000, '{"a":' * 900, text + text])


def _short_of(rng: random.Random, good: dict[str, Any]) -> str:
    del good[rng.choice(list(good))]
    return json.dumps(good)


def _of_wrong_type(rng: random.Random, good: dict[str, Any]) -> str:
    key = rng.choice(list(good))
    kinds = {bool: (bool,), int: (int, float), float: (int, float)}.get(type(good[key]), (type(good[key]),))
    others = [each for each in (*NOT_TEXT, "1") if type(each) not in kinds]
    return json.dumps({**good, key: rng.choice(others)})


def _of_bad_text(rng: random.Random, good: dict[str, Any]) -> str:
    texts = [key for key, value in good.items() if isinstance(value, str) and value]
    return json.dumps({**good, rng.choice(texts): rng.choice(BAD_TEXT)}) if texts else _broken(rng, good)
