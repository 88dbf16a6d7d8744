"""The two changes Rigloop makes to a user's config.ini, only when asked: a new mouse, and keys of a mouse.

Lines are inserted or one value is replaced; every other line stays as it is, comments, alignment and line ends
included (ConfigUpdater would lose the alignment, and takes the comment above a section for a part of the section
before it). The file is replaced in one step, so that a reader or a power failure sees the old one or the new one; a
file that somebody saved in the meantime is not overwritten.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import ChangedError, ConfigError, InputError
from recording.subject import OWN
from session.config_entries import ConfigFile, Section, in_order
from session.config_file import (
    SAFE_NAME,
    decode,
    nearest,
    read_bytes,
    scan,
    shown,
    split_comment,
    unsafe_mouse,
    write_value,
)
from session.config_rois import PREFIX

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(r"\r\n|\r|\n")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,80}")


Check = Callable[[ConfigFile, ConfigFile], None]
"""Is given the file as it is and as it would be; what it raises leaves the file as it is."""


@dataclass(slots=True)
class _Edit:
    """A file that is being changed.

    Attributes
    ----------
    file : ConfigFile
        What it says.
    real : Path
        What is replaced: where a link leads to, not the link.
    before : bytes
        What it holds.
    lines, ends : list of str
        Its lines, and the end of each but the last, which has none.
    """

    file: ConfigFile
    real: Path
    before: bytes
    lines: list[str]
    ends: list[str]

    def insert(self, after: int, lines: list[str]) -> None:
        """Put new lines behind line number ``after`` (from 1), with the same end as that one."""
        self.lines[after:after] = lines
        near = self.ends[:after][-1:] or ["\n"]
        self.ends[after:after] = near * len(lines)

    def remove(self, number: int) -> None:
        """Take out line ``number`` (from 1), with its end."""
        del self.lines[number - 1]
        del self.ends[min(number, len(self.ends)) - 1]

    def data(self) -> bytes:
        """Return the whole file."""
        text = "".join(line + end for line, end in zip(self.lines, [*self.ends, ""], strict=True))
        return (_BOM if self.before.startswith(_BOM) else b"") + text.encode()

    def changed(self) -> ConfigFile:
        """Return what the file would say. Raises InputError where that has problems of form."""
        after = scan(self.file.path, "\n".join(self.lines))
        if after.problems:
            raise InputError(f"{after.problems[0].text}; nothing was changed")
        return after

    def mouse(self, mouse: str) -> Section:
        """Return a mouse's section. Raises InputError."""
        found = self.file.mice.get(mouse.lower())
        if found is None:
            known = [each.title[6:] for each in self.file.mice.values()]
            there = f"; there are {', '.join(known[:20])}" if known else "; there is none yet"
            near = nearest(mouse, known) or there
            raise InputError(f"{shown(self.file.path, 300)}: there is no mouse {shown(mouse)!r}{near}")
        return found


def add_mouse(path: Path, new_id: str, from_id: str) -> None:
    """Copy ``[mouse:FROM]`` under a new ID, after the last mouse of the file, but for what is that animal's alone.

    Raises
    ------
    InputError
        If the ID cannot name a folder or is taken, if there is no mouse ``from_id``, or if the file has problems of
        form, cannot be written, or was changed meanwhile.
    """
    if SAFE_NAME.fullmatch(new_id) is None:
        raise InputError(unsafe_mouse(new_id))
    edit = _open(path)
    taken = edit.file.mice.get(new_id.lower())
    if taken is not None:
        raise InputError(f"{taken.where}: there is a mouse {taken.title[6:]!r} already; choose another ID")
    source = edit.mouse(from_id)
    own = {source.entries[name].line for name in OWN & set(source.entries)}
    lines = range(source.line + 1, _last_line(source) + 1)
    body = [edit.lines[number - 1] for number in lines if number not in own]
    end = max(_last_line(each) for each in edit.file.mice.values())
    edit.insert(end, ["", f"[mouse:{new_id}]", *body])
    _save(edit)


def set_mouse_key(path: Path, mouse: str, key: str, value: str) -> None:
    """Set one key in a mouse's section, as ``set_mouse_keys``."""
    set_mouse_keys(path, mouse, {key: value})


def set_mouse_keys(path: Path, mouse: str, changes: Mapping[str, str | None], check: Check | None = None) -> None:
    """Set keys in a mouse's section, or take them out (None), all or none; comments behind old values stay.

    Values are written as given: check them with ``load_settings`` first, or in ``check``.

    Parameters
    ----------
    path : Path
    mouse : str
    changes : dict
        Key to value; None takes its line out, with what stands behind the value. An ROI that goes while one comes with
        the same value is given another name: its line stays where it is.
    check : callable or None
        As ``Check`` has it.

    Raises
    ------
    InputError
        If there is no such mouse, if a value cannot be written on one line, or if the file has problems of form or
        cannot be written; ChangedError if it was changed meanwhile.
    """
    edit = _open(path)
    _set_keys(edit, mouse, changes)
    _save(edit, check)


def with_mouse_keys(path: Path, mouse: str, changes: Mapping[str, str | None]) -> ConfigFile:
    """Return what the file would say after ``set_mouse_keys``, whose errors it raises; nothing is written."""
    edit = _open(path)
    _set_keys(edit, mouse, changes)
    return edit.changed()


def _set_keys(edit: _Edit, mouse: str, changes: Mapping[str, str | None]) -> None:
    written = {key: None if value is None else written_value(key, value) for key, value in changes.items()}
    section = edit.mouse(mouse)
    gone = []
    for new, old in _renamed(section, changes).items():
        place = section.entries[old.lower()].line - 1
        edit.lines[place] = _with_key(edit.lines[place], new)
        del written[new], written[old]
    # New keys go behind the section's last one, each before those that are there already.
    for key, value in reversed(written.items()):
        entry = section.entries.get(key.lower())
        if entry is None and value is not None:
            _add_key(edit, section, key, value)
        elif entry is not None and value is not None:
            edit.lines[entry.line - 1] = _with_value(edit.lines[entry.line - 1], value)
        elif entry is not None:
            gone.append(entry.line)
    # Last, and from the end, so that no line number changes before it is used.
    for line in sorted(gone, reverse=True):
        edit.remove(line)


def _renamed(section: Section, changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return the new key of each ROI that only is given another name, with the old one."""
    entries = section.entries
    rois = {key: value for key, value in changes.items() if key.lower().startswith(PREFIX)}
    gone = [key for key, value in rois.items() if value is None and key.lower() in entries]
    renamed: dict[str, str] = {}
    for new, value in rois.items():
        same = (old for old in gone if entries[old.lower()].value == value and old not in renamed.values())
        if value is not None and new.lower() not in entries and (old := next(same, None)) is not None:
            renamed[new] = old
    return renamed


def written_value(key: str, value: str) -> str:
    """Return a key's value as it is written. Raises InputError for a key or a value that cannot be."""
    if _KEY.fullmatch(key) is None:
        raise InputError(f"{shown(key)!r} cannot be a key; use letters, digits, _ and .")
    try:
        return write_value(value)
    except ValueError as error:
        raise InputError(f"{shown(key)} = {shown(value)}: {error}") from None


def _add_key(edit: _Edit, section: Section, key: str, written: str) -> None:
    """Put a key behind a section's last one, aligned with the line above where that has been aligned."""
    end = _last_line(section)
    before = edit.lines[end - 1].partition("=")[0]
    width = len(before.rstrip()) if end == section.line else len(before) - 1
    edit.insert(end, [f"{key:{max(width, 0)}} = {written}" if end > section.line else f"{key} = {written}"])


def _with_value(line: str, written: str) -> str:
    """Return a line with another value; a comment keeps its column where there is room."""
    name, _, rest = line.partition("=")
    comment = split_comment(rest)[1]
    blank = rest[: len(rest) - len(rest.lstrip())] or " "
    start = f"{name}={blank}{written}"
    if not comment.strip():
        return start
    column = len(line.rstrip()) - len(comment.strip())
    return f"{start:{column - 1}} {comment.strip()}"


def _with_key(line: str, key: str) -> str:
    """Return a line with another key, aligned as it was where there is room."""
    name, _, rest = line.partition("=")
    width = len(name) - 1 if name.endswith((" ", "\t")) else 0
    return f"{key:{width}}{' ' if width else ''}={rest}"


def _last_line(section: Section) -> int:
    """Return the number of a section's last key's line, or of its header."""
    return max([section.line, *(entry.line for entry in section.entries.values())])


def _open(path: Path) -> _Edit:
    """Read a file that is to be changed. Raises InputError."""
    real = Path(os.path.realpath(path))
    before = read_bytes(real)
    text = decode(path, before)
    file = scan(path, text)
    if file.problems:
        raise ConfigError(in_order(file.problems))
    return _Edit(file, real, before, text.split("\n"), _LINE_END.findall(before.decode("utf-8-sig")))


def _save(edit: _Edit, check: Check | None = None) -> None:
    """Check a changed file and put it in the place of the old one; keep its mode."""
    after = edit.changed()
    if check is not None:
        check(edit.file, after)
    path, temporary = edit.real, ""
    try:
        mode = os.stat(path).st_mode & 0o7777
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with open(handle, "wb") as file:
            file.write(edit.data())
            file.flush()
            os.fsync(handle)
        os.chmod(temporary, mode)
        _replace(edit, temporary)
        temporary = ""
    except OSError as error:
        where = shown(edit.file.path, 300)
        raise InputError(f"{where}: cannot be written ({error.strerror}); nothing was changed") from None
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _replace(edit: _Edit, temporary: str) -> None:
    """Replace a file that still is what was changed. Raises ChangedError, and OSError where it cannot be replaced."""
    meanwhile = f"{shown(edit.file.path, 300)}: somebody changed the file meanwhile; nothing was saved, try again"
    with open(edit.real, "rb") as old:
        try:
            # Of two that save at once, one waits for nothing, and looks again.
            fcntl.flock(old, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ChangedError(meanwhile) from None
        except OSError:
            # A file system without locks, as some network shares are: the look at the file has to do.
            pass
        if read_bytes(edit.real) != edit.before:
            raise ChangedError(meanwhile)
        os.replace(temporary, edit.real)
