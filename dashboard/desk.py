"""The desk: the mice of config.ini, their settings with what is wrong with them, and changes that are saved there.

Each method reads the file anew, so that what is edited by hand shows as well. Called from threads, several at once.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from camera.find_source import probe_source
from core.errors import ChangedError, ConfigError, InputError
from dashboard.desk_facts import Told, in_short, mouse_facts, problems_told, roi_facts, stamp_of, values_of
from dashboard.desk_keys import is_roi, refusal
from dashboard.desk_log import Change, append_changes
from session.config_edit import set_mouse_keys, with_mouse_keys, written_value
from session.config_entries import ConfigFile, Section, in_order
from session.config_file import decode, read_bytes, read_config, shown
from session.config_rois import PREFIX, read_seeds
from session.mouse_draft import MouseDraft, draft_mouse
from session.settings import settings_from

Changes = Mapping[str, str | None]
_BEHIND = re.compile(r"\[[^\]]*\]\s+[;#]+\s*(\S.*)")


class NoMouseError(InputError):
    """There is no such mouse, or no such experiment."""


class RefusedError(InputError):
    """A change that leaves something wrong; ``problems`` tells what, as ``desk_facts.Told``."""

    def __init__(self, problems: list[Told]) -> None:
        self.problems = problems
        lines = [f"{shown(each['key'])}: {each['text']}" if each["key"] else each["text"] for each in problems]
        super().__init__("; ".join(lines))


class Desk:
    """See the module.

    Parameters
    ----------
    config : Path
        config.ini, absolute.
    data_root : str or None
        In place of each mouse's own key.
    wall_ns : callable
        The time of day, ns since 1970.
    """

    def __init__(self, config: Path, data_root: str | None, wall_ns: Callable[[], int]) -> None:
        self._config = config
        self._data_root = data_root
        self._wall_ns = wall_ns
        self._saving = threading.Lock()

    def mice(self) -> dict[str, Any]:
        """Return all mice and experiments. What is wrong with the file as a whole is told once, beside them.

        ``mouse`` tells that, too, in the same words: it keeps this mouse from a session.
        """
        try:
            file = read_config(self._config)
            comments = _comments(self._config)
        except ConfigError as error:
            return {"mice": [], "experiments": [], "problems": error.problems}
        common = in_order([*file.problems, *read_seeds(file)[1]])
        return {
            "mice": [_listed(file, section, common, comments) for section in file.mice.values()],
            "experiments": [
                {"section": own.title, "kind": own.title[:4].lower(), "about": comments.get(own.line, "")}
                for own in file.experiments.values()
            ],
            "problems": [in_short(text, file.path) for text in common],
        }

    def mouse(self, mouse: str, experiment: str = "") -> dict[str, Any]:
        """Return a mouse's settings, under its own experiment or another. Raises InputError."""
        file = read_config(self._config)
        title = _known(file, mouse)
        if experiment and experiment.lower() not in file.experiments:
            raise NoMouseError(f"there is no experiment {shown(experiment)!r} in {file.path.name}; reload the page")
        return mouse_facts(draft_mouse(file, title, experiment or None, probe=probe_source))

    def check(self, mouse: str, changes: Changes) -> dict[str, Any]:
        """Return what would be wrong with a mouse after changes, and its ROIs. Writes nothing. Raises InputError."""
        file = read_config(self._config)
        title = _known(file, mouse)
        good, refused = _sorted_out(changes, draft_mouse(file, title))
        if not file.problems:
            file = with_mouse_keys(self._config, title, _named(good))
        draft = draft_mouse(file, title, probe=probe_source)
        rois = {"rois": {}, "seed_rois": {}} if draft.made is None else roi_facts(draft.made)
        return {"problems": [*refused, *problems_told(draft.problems, draft)], **rois}

    def save(self, mouse: str, changes: Changes, who: str, stamp: str | None = None) -> dict[str, Any]:
        """Write changes into a mouse's section, if nothing is wrong with it then, and note who did it.

        Parameters
        ----------
        mouse : str
        changes : dict
            Key to text; None takes the key out of the mouse's section.
        who : str
        stamp : str or None
            What ``mouse`` gave: whoever saw something else than is there now changes nothing.

        Returns
        -------
        dict
            ``saved``: the keys that are not as they were; ``note``: why it was not noted, mostly empty; ``stamp``.

        Raises
        ------
        RefusedError, NoMouseError, ChangedError, InputError
        """
        with self._saving:
            file = read_config(self._config)
            title = _known(file, mouse)
            draft = draft_mouse(file, title)
            new = _wanted(file, draft, title, changes)
            _check_stamp(draft, stamp)
            if not new:
                return {"saved": [], "note": "", "stamp": stamp_of(draft)}
            after: list[MouseDraft] = []

            def check(now: ConfigFile, changed: ConfigFile) -> None:
                _check_stamp(draft_mouse(now, title), stamp_of(draft))
                after.append(draft_mouse(changed, title, probe=probe_source))
                if after[-1].problems:
                    raise RefusedError(problems_told(after[-1].problems, after[-1]))

            set_mouse_keys(self._config, title, _named({key: text for key, (_, text) in new.items()}), check)
            return {"saved": list(new), "note": self._note(after[-1], who, new), "stamp": stamp_of(after[-1])}

    def _note(self, draft: MouseDraft, who: str, changes: Mapping[str, Change]) -> str:
        settings = settings_from(draft)
        root = Path(self._data_root or settings.recording.data_root)
        return append_changes(root, who, settings.mouse, changes, self._wall_ns())


def _known(file: ConfigFile, mouse: str) -> str:
    """Return a mouse's ID as the file writes it. Raises NoMouseError."""
    section = file.mice.get(mouse.lower())
    if section is None:
        raise NoMouseError(f"there is no mouse {shown(mouse)!r} in {file.path.name}; reload the page")
    return section.title[6:]


def _listed(file: ConfigFile, section: Section, common: list[str], comments: Mapping[int, str]) -> dict[str, Any]:
    """Return a mouse as the list has it."""
    draft = draft_mouse(file, section.title[6:], probe=probe_source)
    named = section.entries.get("experiment")
    return {
        "mouse": section.title[6:],
        "experiment": draft.own.title if draft.own is not None else named.value if named is not None else "",
        "kind": draft.made.kind if draft.made is not None else None,
        "rig": values_of(draft.made)["rig"] if draft.made is not None else None,
        "about": comments.get(section.line, ""),
        "problems": problems_told([each for each in draft.problems if each.text not in common], draft),
    }


def _wanted(file: ConfigFile, draft: MouseDraft, title: str, changes: Changes) -> dict[str, Change]:
    """Return what is to be changed, old and new. Raises RefusedError where any may not be, or the file is bad."""
    if file.problems:
        raise RefusedError(problems_told(file.problems, draft))
    good, refused = _sorted_out(changes, draft)
    if refused:
        raise RefusedError(refused)
    own = file.mice[title.lower()].entries
    was = {key: own[key].value if key in own else None for key in good}
    return {key: (was[key], text) for key, text in good.items() if text != was[key]}


def _sorted_out(changes: Changes, draft: MouseDraft) -> tuple[dict[str, str | None], list[Told]]:
    """Return the changes that may be tried, keys in lower case, and what is wrong with the others.

    Raises InputError for a key that is given twice.
    """
    seeds = draft.made.table.seeds if draft.made is not None else {}
    good: dict[str, str | None] = {}
    problems: list[Told] = []
    for given, value in changes.items():
        key = given.strip().lower()
        if key in good or any(key == each["key"] for each in problems):
            raise InputError(f"{shown(given)}: is given twice; give a key once, in whatever case")
        text = value.strip() if value is not None else None
        if wrong := refusal(key, seeds) or _unwritable(key, text) or _not_taken_out(key, text, draft):
            problems.append({"key": key, "text": wrong})
        else:
            good[key] = text
    return good, problems


def _named(changes: Changes) -> dict[str, str | None]:
    """Return changes with the keys as they are written where they are new: an ROI's name is in upper case."""
    return {PREFIX + key[len(PREFIX) :].upper() if is_roi(key) else key: text for key, text in changes.items()}


def _unwritable(key: str, text: str | None) -> str:
    """Return why a value cannot stand in a file, empty where it can."""
    if text is not None and not text.isprintable():
        # A file may hold such as a line's direction, in a comment say; nobody who reads a value would see it.
        return f"{shown(text)}: holds a character that cannot be seen, or a line end; delete it"
    try:
        written_value(key, text or "")
    except InputError as error:
        return str(error)
    return ""


def _not_taken_out(key: str, text: str | None, draft: MouseDraft) -> str:
    """Return why an ROI cannot be taken out, empty where it can or is not to be."""
    own = draft.own
    if text is not None or not is_roi(key) or own is None or draft.section is None:
        return ""
    if key in draft.section.entries or key not in own.entries:
        return ""
    return f"is placed by [{own.title}] for all its mice; the page does not change it: edit config.ini"


def _comments(path: Path) -> dict[int, str]:
    """Return what is written behind the header of each section, by its line."""
    lines = decode(path, read_bytes(path)).split("\n")
    found = ((number, _BEHIND.match(line)) for number, line in enumerate(lines, 1))
    return {number: match[1].strip() for number, match in found if match is not None}


def _check_stamp(draft: MouseDraft, stamp: str | None) -> None:
    """Raise ChangedError where somebody else changed what concerns this mouse."""
    if stamp is not None and stamp != stamp_of(draft):
        raise ChangedError(
            f"{draft.path.name} was changed since this page read it; nothing was saved: reload the mouse, and change "
            "it again"
        )
