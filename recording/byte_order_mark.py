"""Text files of other programs and hands, decoded by the byte order mark that they begin with."""

from __future__ import annotations

import codecs
from pathlib import Path

_MARKS = (
    # The mark of UTF-32 begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


def decoded(data: bytes) -> str:
    """Return the text of a file: by its byte order mark, which is no part of it, else UTF-8; U+FFFD where neither."""
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    return data.decode(encoding, errors="replace")


def read_text(path: Path) -> str:
    r"""Return the text of a file as ``decoded`` does, each line ended by ``\n``. Raises OSError."""
    return decoded(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
