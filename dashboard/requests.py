"""Reading what a browser asks for: the body of a POST, and where it comes from."""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection, Request

from core.errors import InputError
from session.config_file import shown

BODY_S = 10.0
"""A body has come this long after its head."""
Kind = type | tuple[type, ...]


async def read_json(request: Request, keys: Mapping[str, Kind] | None = None) -> dict[str, Any]:
    """Return the body of a POST: an object, with these keys of these types and no other, if any are given.

    True and false are no numbers.

    Raises
    ------
    InputError
        It is not.
    """
    try:
        body = json.loads(await _whole(request), object_pairs_hook=_once)
        # Half a character, as "\ud800" is, cannot be written anywhere, not even into what is said of it.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise InputError("the request is no JSON of whole characters in which each key stands once") from None
    if not isinstance(body, dict):
        raise InputError("the request is JSON, and no object")
    if keys is None:
        return body
    if set(body) != set(keys):
        raise InputError(f"give {', '.join(keys)} and nothing else")
    for key, kind in keys.items():
        if not isinstance(body[key], kind) or (isinstance(body[key], bool) and kind is not bool):
            raise InputError(f"{key} = {shown(body[key])}: is of the wrong type")
    return body


async def _whole(request: Request) -> bytes:
    """Return a body. Raises HTTPException where it does not come."""
    try:
        return await asyncio.wait_for(request.body(), BODY_S)
    except asyncio.TimeoutError:
        raise HTTPException(408, f"the request did not come within {BODY_S:g} s", {"connection": "close"}) from None
    except ClientDisconnect:
        raise HTTPException(400, "the request was broken off") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; raises ValueError where a key stands twice, of which one would be taken for what was meant."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def address_of(connection: HTTPConnection) -> str:
    """Return where a browser is; empty for this computer."""
    host = connection.client.host if connection.client is not None else ""
    try:
        return "" if ipaddress.ip_address(host).is_loopback else host
    except ValueError:
        return host
