"""Whether a function that a user gives can be called as it will be."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def takes_one(call: Callable[..., Any]) -> bool:
    """Return whether ``call(x)`` is possible; of what is written in C and tells nothing, that it is."""
    try:
        inspect.signature(call).bind(None)
    except TypeError:
        return False
    except ValueError:
        return True
    return True
