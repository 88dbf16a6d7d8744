"""The page's tokens, and the file in which they stay the same from one start to the next."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from core.errors import InputError
from dashboard.access import Role

SHORTEST = 16


def new_tokens() -> dict[str, Role]:
    """Return a token for each role, which nobody can guess."""
    return {secrets.token_urlsafe(24): role for role in Role}


def read_tokens(path: Path) -> dict[str, Role]:
    """Return the tokens of a file, which is made, readable by nobody else, if it is not there.

    Each line is a role and its token, such as ``operator 3f...``; several of a role may stand there.

    Raises
    ------
    InputError
        Others may read it, it cannot be read or made, or a line is something else.
    """
    try:
        if not path.exists():
            _write(path, new_tokens())
        if path.stat().st_mode & 0o077:
            raise InputError(f"--token-file {path}: others may read it; chmod 600 it")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--token-file {path}: cannot be used ({error}); give another") from error
    tokens: dict[str, Role] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        role, _, token = line.strip().partition(" ")
        if role not in Role.__members__ or len(token.strip()) < SHORTEST:
            raise InputError(
                f"--token-file {path} line {number}: write operator or viewer, a blank, and a token of {SHORTEST} "
                "characters or more"
            )
        tokens[token.strip()] = Role[role]
    if Role.operator not in tokens.values():
        raise InputError(f"--token-file {path}: has no operator's token; add a line, or remove the file for a new one")
    return tokens


def _write(path: Path, tokens: Mapping[str, Role]) -> None:
    """Make the file. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "w", encoding="utf-8") as file:
        file.writelines(f"{role.value} {token}\n" for token, role in tokens.items())
