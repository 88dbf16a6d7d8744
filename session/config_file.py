"""config.ini as text: its sections and keys with their lines, and the problems of its form.

The form is the part of configparser's in which every line stands for itself: ``[section]``, ``key = value``, comments
after ``;`` or ``#`` (at the start of a line or after a blank), no continuation lines, no interpolation. configparser
itself stops at the first duplicate and keeps no line numbers; a test holds that both read the same. One thing is
added: a value in double quotes may hold a blank followed by ``;`` or ``#``, as names of folders do.
"""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import ConfigError

MAX_BYTES = 4 << 20
"""Chosen because a configuration is a few kB, and a recording given by mistake should not be read whole."""
SAFE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
EXPERIMENT = re.compile(r"cl[nm]f[a-z0-9_-]{0,60}")
_SECTION = re.compile(r"\[\s*([^\[\]]*?)\s*\]")
_COMMENT = re.compile(r"\s[;#]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One key and its value, and where they stand.

    Attributes
    ----------
    key : str
        In lower case.
    value : str
        Without comment, blanks around it, or quotes.
    where : str
        File and line; the option on the command line.
    head : str
        How a problem line begins, such as ``config.ini:12: [clnf_1roi] max_trial_dur = abc``.
    base : Path
        The folder from which a relative path in ``value`` counts.
    line : int
        Line number, from 1; 0 on the command line.
    rank : int
        0 in an experiment's section, 1 in a mouse's, 2 on the command line.
    """

    key: str
    value: str
    where: str
    head: str
    base: Path
    line: int = 0
    rank: int = 0

    def problem(self, text: str) -> str:
        """Return the problem line."""
        return f"{self.head}: {text}"


@dataclass(slots=True)
class Section:
    """A section.

    Attributes
    ----------
    title : str
        As it is written, such as ``mouse:DEMO``.
    where : str
        File and line.
    line : int
        Line number of its header, from 1.
    entries : dict
        Lower-case key to Entry.
    """

    title: str
    where: str
    line: int
    entries: dict[str, Entry] = field(default_factory=dict)

    @property
    def head(self) -> str:
        """How a problem of the whole section begins."""
        return f"{self.where}: [{shown(self.title)}]"

    def problem(self, text: str) -> str:
        """Return the problem line."""
        return f"{self.head}: {text}"


@dataclass(slots=True)
class ConfigFile:
    """What stands in a file.

    Attributes
    ----------
    path : Path
    sections : dict
        Lower-case name to Section.
    problems : list of str
        Problems of form: lines that cannot be read, duplicates, unknown sections.
    """

    path: Path
    sections: dict[str, Section] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def mice(self) -> dict[str, Section]:
        """Lower-case ID to section."""
        return {name[6:]: section for name, section in self.sections.items() if name.startswith("mouse:")}

    @property
    def experiments(self) -> dict[str, Section]:
        """Lower-case name to section."""
        return {name: section for name, section in self.sections.items() if EXPERIMENT.fullmatch(name)}


def shown(text: object, limit: int = 80) -> str:
    """Return ``text`` fit for a problem line: one line, printable, not too long."""
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
    return line if len(line) <= limit else line[: limit - 3] + "..."


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean X?`` for the known name most like ``name``, or nothing."""
    options = {option.lower(): option for option in known}
    found = difflib.get_close_matches(name.lower()[:80], list(options), 1, 0.6)
    return f"; did you mean {options[found[0]]}?" if found else ""


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
    file = ConfigFile(path)
    section: Section | None = None
    for number, line in enumerate(text.split("\n"), 1):
        where = f"{shown(path, 300)}:{number}"
        body = line.strip()
        if (place := odd_character(line)) is not None:
            what = f"unprintable character {line[place]!a} in column {place + 1}; delete it"
            file.problems.append(f"{where}: {what}")
        elif not body or body[0] in ";#":
            continue
        elif line[0].isspace():
            what = "begins with a blank; move it to the left edge (a value is one line)"
            file.problems.append(f"{where}: {shown(body)}: {what}")
        elif body[0] == "[":
            section = _scan_section(file, where, number, body)
        else:
            _scan_entry(file, section, where, number, body)
    return file


def _scan_section(file: ConfigFile, where: str, line: int, body: str) -> Section:
    """Take a section's line. What cannot be a section swallows its keys, so that one mistake is one problem."""
    match = _SECTION.fullmatch(split_comment(body)[0])
    if match is None:
        file.problems.append(f"{where}: {shown(body)}: not a section; write [name]")
        return Section(body, where, line)
    title = re.sub(r"^(?i:mouse)\s*:\s*", "mouse:", match[1])
    name = title.lower()
    section = Section(title, where, line)
    if name in file.sections:
        first = file.sections[name]
        file.problems.append(section.problem(f"given twice (first at {first.where}); merge the two"))
        return first
    if name.startswith("mouse:"):
        if SAFE_NAME.fullmatch(title[6:]) is None:
            file.problems.append(section.problem(unsafe_mouse(title[6:])))
    elif name != "seeds" and not EXPERIMENT.fullmatch(name):
        near = nearest(name, ["seeds", "mouse:ID", *file.experiments])
        cure = "sections are [clnf...] and [clmf...] (experiments), [mouse:ID] and [seeds]"
        file.problems.append(section.problem(f"unknown section; {cure}{near}"))
        return section
    file.sections[name] = section
    return section


def unsafe_mouse(mouse: str) -> str:
    """Return what is wrong with an ID that cannot be the name of a folder."""
    return f"mouse ID {shown(mouse)!r} cannot name a folder; use 1 to 64 letters, digits, _ and -"


def _scan_entry(file: ConfigFile, section: Section | None, where: str, line: int, body: str) -> None:
    """Take a key's line."""
    key, equals, rest = body.partition("=")
    key = key.strip()
    if not equals or not key:
        file.problems.append(f"{where}: {shown(body)}: neither [section] nor key = value; write one, or ; before it")
        return
    if section is None:
        file.problems.append(f"{where}: {shown(body)}: stands before the first [section]; move it into one")
        return
    try:
        value, _ = split_comment(rest)
    except ValueError as error:
        file.problems.append(f"{where}: [{shown(section.title)}] {shown(body)}: {error}")
        return
    head = f"{where}: [{shown(section.title)}] {shown(key)} = {shown(value)}"
    if (first := section.entries.get(key.lower())) is not None:
        file.problems.append(f"{head}: given twice (first at {first.where}); delete one")
        return
    rank = int(section.title.startswith("mouse:"))
    base = Path(os.path.abspath(file.path)).parent
    section.entries[key.lower()] = Entry(key.lower(), value, where, head, base, line, rank)
