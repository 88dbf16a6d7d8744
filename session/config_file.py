"""config.ini as text: its sections and keys with their lines, and the problems of its form.

The form is the part of configparser's in which every line stands for itself: ``[section]``, ``key = value``, comments
after ``;`` or ``#`` (at the start of a line or after a blank), no continuation lines, no interpolation. configparser
itself stops at the first duplicate and keeps no line numbers; a test holds that both read the same. One thing is
added: a value in double quotes may hold a blank followed by ``;`` or ``#``, as names of folders do.

A line with a problem still says, as far as it can be seen, which section or key it is meant for. So nothing is said of
the rest of the file that only follows from a problem that has been told.
"""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from core.errors import ConfigError
from session.config_entries import ConfigFile, Entry, Problem, Section

MAX_BYTES = 4 << 20
"""Chosen because a configuration is a few kB, and a recording given by mistake should not be read whole."""
EXPERIMENT = re.compile(r"cl[nm]f[a-z0-9_-]{0,60}")
SAFE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SECTION = re.compile(r"\[\s*([^\[\]]*?)\s*\]")
_COMMENT = re.compile(r"\s[;#]")


def shown(text: object, limit: int = 80) -> str:
    """Return ``text`` fit for a problem line: one line, printable, not too long."""
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
    return line if len(line) <= limit else line[: limit - 3] + "..."


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like ``name``, or None if none is like it."""
    options = {option.lower(): option for option in known}
    found = difflib.get_close_matches(name.lower()[:80], list(options), 1, 0.6)
    return options[found[0]] if found else None


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean X?`` for the known name most like ``name``, or nothing."""
    found = closest(name, known)
    return f"; did you mean {shown(found)}?" if found is not None else ""


def may_be_lost(file: ConfigFile, name: str) -> bool:
    """Return whether a header whose problem has been told may be that of section ``name`` (in lower case)."""
    word = re.compile(rf"(?<![a-z0-9_-]){re.escape(name.removeprefix('mouse:'))}(?![a-z0-9_-])")
    return closest(name, file.lost) is not None or any(word.search(header) for header in file.lost)


def odd_character(text: str) -> int | None:
    """Return the place of the first character that no configuration may hold (control, separator), or None."""
    for place, character in enumerate(text):
        if character != "\t" and unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            return place
    return None


def split_comment(text: str) -> tuple[str, str]:
    """Split what follows ``=`` into the value and the comment with the blanks before it.

    Raises ValueError if a quote is not closed or something but a comment follows it.
    """
    value = text.strip()
    if value.startswith('"'):
        end = value.find('"', 1)
        comment = value[end + 1 :]
        if end < 0:
            raise ValueError("the value begins with a quote that is not closed; add a closing quote")
        if comment.strip() and not re.match(r"\s+[;#]", comment):
            raise ValueError("something follows the closing quote; delete it")
        return value[1:end], comment
    # As in configparser, a = ;b has a comment and a =;b has not.
    found = _COMMENT.search(text)
    if found is None:
        return value, ""
    bare = text[: found.start()].rstrip()
    return bare.lstrip(), text[len(bare) :]


def write_value(value: str) -> str:
    """Return ``value`` as it is written after ``=``, in quotes where it must be.

    Raises ValueError if no way of writing is read back as the same value.
    """
    if odd_character(value) is not None:
        raise ValueError("it holds a character that a configuration cannot hold; rename it")
    if value == value.strip() and not value.startswith(('"', ";", "#")) and not _COMMENT.search(value):
        return value
    if '"' in value:
        raise ValueError('a configuration cannot hold both " and a blank with ; or #; rename it')
    return f'"{value}"'


def read_config(path: Path) -> ConfigFile:
    """Read a file. Raises ConfigError only if there is no text to read; all else is in ``problems``."""
    return scan(path, decode(path, read_bytes(path)))


def read_bytes(path: Path) -> bytes:
    """Return what a file holds. Raises ConfigError."""
    label = shown(path, 300)
    try:
        # O_NONBLOCK: a pipe given by mistake must not make the session wait for ever.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as file:
            data = file.read(MAX_BYTES + 1) or b""
    except FileNotFoundError:
        raise ConfigError([f"{label}: there is no such file; give the right one with --config"]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError([f"{label}: cannot be read ({shown(reason)}); give a readable file with --config"]) from None
    if len(data) > MAX_BYTES:
        raise ConfigError([f"{label}: larger than {MAX_BYTES >> 20} MiB, so no configuration; give another file"])
    return data


def decode(path: Path, data: bytes) -> str:
    """Return a file's text, lines ended by ``\\n``. Raises ConfigError."""
    label = shown(path, 300)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        raise ConfigError([f"{label}:{line}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8"]) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def scan(path: Path, text: str) -> ConfigFile:
    """Read the text of a file. Never raises."""
    scanner = _Scanner(ConfigFile(path))
    for number, line in enumerate(text.split("\n"), 1):
        scanner.take(number, line)
    for first, again in scanner.doubles:
        first.entries |= {key: entry for key, entry in again.entries.items() if key not in first.entries}
    return scanner.file


def unsafe_mouse(mouse: str) -> str:
    """Return what is wrong with an ID that cannot be the name of a folder."""
    return f"mouse ID {shown(mouse)!r} cannot name a folder; use 1 to 64 letters, digits, _ and -"


class _Scanner:
    """Takes the lines of a file one after the other.

    Attributes
    ----------
    file : ConfigFile
        What they have given.
    doubles : list of (Section, Section)
        Sections that were given twice; a key of the second counts where the first has none.
    """

    def __init__(self, file: ConfigFile) -> None:
        self.file = file
        self.doubles: list[tuple[Section, Section]] = []
        self._base = Path(os.path.abspath(file.path)).parent
        self._section: Section | None = None
        self._line = 0
        self._told = False

    def take(self, number: int, line: str) -> None:
        """Take the next line."""
        self._line, self._told = number, False
        if (place := odd_character(line)) is not None:
            self._tell(f"unprintable character {line[place]!a} in column {place + 1}; delete it")
            line = "".join(each for each in line if odd_character(each) is None)
        body = _without_comment(line.strip())
        if not body or body[0] in ";#":
            return
        indented = line[0].isspace()
        if indented:
            self._tell(f"{shown(body)}: begins with a blank; move it to the left edge (a value is one line)")
        if _is_header(body):
            self._section = self._take_header(split_comment(body)[0])
        elif indented and "=" not in body:
            self._take_continuation()
        else:
            self._take_entry(body)

    @property
    def _where(self) -> str:
        return f"{shown(self.file.path, 300)}:{self._line}"

    def _tell(self, text: str, head: str = "") -> None:
        """Take a problem of this line, unless it has one: the second may follow from the first."""
        if not self._told:
            self.file.problems.append(Problem(self._line, f"{head or self._where}: {text}"))
        self._told = True

    def _take_header(self, text: str) -> Section:
        """Take a section's line. What cannot be a section swallows its keys, so that one mistake is one problem."""
        match = _SECTION.fullmatch(text)
        if match is None:
            self._tell(f"{shown(text)}: not a section; write [name]")
        title = _mouse_title(match[1]) if match else _meant(text)
        name = title.lower()
        section = Section(title, self._where, f"{self._where}: [{shown(title)}]", self._line)
        if name in self.file.sections:
            first = self.file.sections[name]
            self._tell(f"given twice (first at {first.where}); merge the two", section.head)
            self.doubles.append((first, section))
        elif _names_section(name):
            self.file.sections[name] = section
        else:
            self.file.lost.append(name)
            self._tell(self._unknown_section(title), section.head)
        return section

    def _unknown_section(self, title: str) -> str:
        if title.lower().startswith("mouse:"):
            return unsafe_mouse(title[6:])
        near = nearest(title, ["seeds", "mouse:ID", *self.file.experiments])
        return f"unknown section; sections are [clnf...] and [clmf...] (experiments), [mouse:ID] and [seeds]{near}"

    def _take_continuation(self) -> None:
        """Take a line that was meant to go on with the value before it, which is thus not whole."""
        if self._section is not None and self._section.entries:
            entries = self._section.entries
            last = next(reversed(entries))
            entries[last] = replace(entries[last], told=True)

    def _take_entry(self, body: str) -> None:
        """Take a key's line."""
        key, equals, rest = (part.strip() for part in body.partition("="))
        if not equals or not key:
            self._tell(f"{shown(body)}: neither [section] nor key = value; write one, or ; before it")
            key, rest = ("" if equals else re.split(r"[\s:;#]", body)[0]), ""
        section = self._section
        if section is None:
            self._tell(f"{shown(body)}: stands before the first [section]; move it into one")
            return
        try:
            value, _ = split_comment(body.partition("=")[2])
        except ValueError as error:
            self._tell(f"[{shown(section.title)}] {shown(body)}: {error}")
            value = rest
        head = f"{self._where}: [{shown(section.title)}] {shown(key)} = {shown(value)}"
        first = section.entries.get(key.lower())
        if first is not None and not first.told:
            self._tell(f"given twice (first at {first.where}); delete one", head)
            return
        rank = int(section.title.startswith("mouse:"))
        entry = Entry(key.lower(), value, self._where, head, self._base, self._line, rank, self._told)
        section.entries[key.lower()] = entry


def _without_comment(body: str) -> str:
    """Return a line without a comment that begins before any ``=``."""
    found = _COMMENT.search(body.partition("=")[0])
    return body if found is None else body[: found.start()].rstrip()


def _mouse_title(title: str) -> str:
    """Return a title with ``mouse:`` as we write it."""
    return re.sub(r"^(?i:mouse)\s*:\s*", "mouse:", title)


def _meant(text: str) -> str:
    """Return the title that a header with missing or wrong brackets was meant to have."""
    return _mouse_title(re.split(r"[\])}>]", text.lstrip("[({< \t"))[0].strip())


def _names_section(name: str) -> bool:
    """Return whether a section may have this lower-case name."""
    if name.startswith("mouse:"):
        return SAFE_NAME.fullmatch(name[6:]) is not None
    return name == "seeds" or EXPERIMENT.fullmatch(name) is not None


def _is_header(body: str) -> bool:
    """Return whether a line is meant to be a section's, brackets or not."""
    if body[0] == "[":
        return True
    return body[0] != '"' and "=" not in body and _names_section(_meant(split_comment(body)[0]).lower())
