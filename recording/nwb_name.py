"""The name of an NWB file as the archive DANDI organises it: ``sub-ID/sub-ID_ses-ID_MODALITIES.nwb``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

SUFFIX = ".nwb"
_GENERIC = ("base", "device", "file", "misc")
"""Modules of pynwb whose types say nothing of a file's modality; by ``dandi organize``, version 0.81."""
_UNSAFE = re.compile(r"[_*\\/<>:|\"'?%@;,\s.]")


def dandi_folder(mouse: str) -> str:
    """Return the folder of a subject."""
    return f"sub-{sanitised(mouse)}"


def dandi_name(file: Any) -> str:
    """Return the name of an NWBFile in memory; its modalities are told from what is in it."""
    stem = f"sub-{sanitised(file.subject.subject_id)}_ses-{sanitised(file.session_id)}"
    kinds = modalities(file)
    return f"{stem}_{'+'.join(kinds)}{SUFFIX}" if kinds else f"{stem}{SUFFIX}"


def modalities(file: Any) -> tuple[str, ...]:
    """Return the modalities: the modules of pynwb that declare the types in the file, sorted."""
    from pynwb.core import NWBMixin

    modules = set()
    for each in file.objects.values():
        parts = type(each).__module__.split(".")
        if isinstance(each, NWBMixin) and len(parts) == 2 and parts[0] == "pynwb" and parts[1] not in _GENERIC:
            modules.add(parts[1])
    return tuple(sorted(modules))


def sanitised(text: str) -> str:
    """Return an ID as DANDI writes it: blanks, ``_`` and other signs become ``-``."""
    return _UNSAFE.sub("-", text)


def is_file_name(path: Path) -> bool:
    """Return whether a path names the NWB file itself, and not the folder it goes into."""
    return path.suffix == SUFFIX and not path.is_dir()
