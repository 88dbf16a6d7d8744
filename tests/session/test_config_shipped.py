"""The shipped config.ini and the reference page say what the settings dataclasses say."""

import importlib.util
import re
from pathlib import Path

import pytest

from session.config_file import read_config
from session.config_keys import all_keys, keys_of
from session.settings import check_config
from tests.session.config_texts import CONFIG

ROOT = CONFIG.parent
LINES = CONFIG.read_text(encoding="utf-8").split("\n")


def explanation(key: str) -> str:
    """Return the comment behind the first line that gives a key."""
    line = next(line for line in LINES if re.match(rf"{re.escape(key)}\s*=", line))
    return line.partition(" ;")[2].strip()


def test_shipped_file_is_right() -> None:
    assert check_config(CONFIG) == []
    assert [section.title for section in read_config(CONFIG).mice.values()] == [
        "mouse:DEMO",
        "mouse:DEMO2",
        "mouse:SIM1",
        "mouse:PAW",
        "mouse:SIM2",
        "mouse:REC1",
    ]


def test_every_key_and_nothing_else_is_in_the_shipped_file() -> None:
    file = read_config(CONFIG)
    given = set(file.sections["clnf_1roi"].entries) | set(file.sections["clnf_2roi"].entries)
    assert given == set(keys_of("clnf"))
    assert set(keys_of("clnf")) - set(file.sections["clnf_1roi"].entries) == {"roi_operation"}


@pytest.mark.parametrize("name", keys_of("clnf"))
def test_every_key_is_explained_with_its_unit(name: str) -> None:
    text = explanation(name)
    assert len(text) > 10
    unit = keys_of("clnf")[name].unit
    if unit:
        assert re.match(rf"{re.escape(unit.replace(' or mm/s', ''))}\b", text)


@pytest.mark.parametrize("name", ["resolution", "ppmm", "n_tones", "total_trials", "reward_threshold", "dff_mode"])
def test_first_section_shows_defaults(name: str) -> None:
    entry = read_config(CONFIG).sections["clnf_1roi"].entries[name]
    key = all_keys()[name]
    assert key.read(entry.value) == key.default


def test_lines_fit() -> None:
    assert max(len(line) for line in LINES) <= 120


def test_reference_page_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("make_config_reference", ROOT / "tools" / "make_config_reference.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    page = (ROOT / "docs" / "reference" / "config.md").read_text(encoding="utf-8")
    assert page == tool.render(), "run tools/make_config_reference.py"
    assert all(f"| `{name}` |" in page for name in all_keys())
    assert Path(tool.PAGE) == ROOT / "docs" / "reference" / "config.md"
