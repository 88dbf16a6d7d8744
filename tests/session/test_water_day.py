"""Where the water of a mouse's day is written, and what counts of it."""

from pathlib import Path

import pytest

from core.clock import MonotonicClock
from core.errors import InputError
from hardware.ledger import Ledger, Opening
from hardware.ledger_rows import Purpose
from session.water_day import memory_path, state_folder, water_ledgers, water_path, water_today
from tests.session.config_texts import load

NOW_NS = MonotonicClock().wall_ns()
HOME = Path("~/.local/state/rigloop").expanduser()
PLACES = {
    "chosen": ({"RIGLOOP_STATE": "/chosen", "XDG_STATE_HOME": "/state"}, Path("/chosen")),
    "XDG": ({"XDG_STATE_HOME": "/state"}, Path("/state/rigloop")),
    "XDG, relative": ({"XDG_STATE_HOME": "state"}, HOME),
    "neither": ({}, HOME),
    "empty": ({"RIGLOOP_STATE": "", "XDG_STATE_HOME": ""}, HOME),
}
KINDS = {"rpi_lgpio": 0.25, "auto": 0.25, "memory": 1.0}
"""Water of a day of which 0.25 s were given and 1 s was rehearsed, by ``output_board``."""


def write(path, *seconds, what=Purpose.reward):
    ledger = Ledger(path)
    for each in seconds:
        ledger.add(Opening(NOW_NS, what, each))
    ledger.close()


@pytest.mark.parametrize(("environment", "folder"), PLACES.values(), ids=PLACES.keys())
def test_the_shared_folder_is_the_one_asked_for(environment, folder):
    assert state_folder(environment) == folder


def test_a_user_without_a_home_is_told_what_to_give(monkeypatch):
    def no_home(self):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", no_home)
    with pytest.raises(InputError, match="give a folder with RIGLOOP_STATE=DIR"):
        state_folder({})


@pytest.mark.parametrize(
    ("shared", "beside", "total"), [((0.3, 0.4), (0.3,), 0.7), ((), (0.3,), 0.3), ((0.2,), (), 0.2)]
)
def test_the_ledger_that_has_more_counts(tmp_path, own_state, shared, beside, total):
    """A row that a kill kept out of one; a ledger that was lost; what was given before there was a shared one."""
    settings = load(tmp_path / "c.ini", f"data_root = {tmp_path / 'data'}")
    write(own_state / "water" / "A.csv", *shared)
    write(water_path(tmp_path / "data", "A"), *beside)
    assert water_today(settings, NOW_NS).seconds == pytest.approx(total)
    assert water_today(settings, NOW_NS + 2 * 86_400 * 10**9).seconds == 0


def test_lines_in_memory_touch_no_shared_ledger(tmp_path, own_state):
    settings = load(tmp_path / "c.ini", f"data_root = {tmp_path / 'data'}\noutput_board = memory")
    assert water_ledgers(settings) == (tmp_path / "data" / "A" / "water-memory.csv", None)
    write(own_state / "water" / "A.csv", 1.0)
    assert water_today(settings, NOW_NS).seconds == 0


def test_what_was_rehearsed_in_memory_takes_nothing_off_the_real_day(tmp_path, own_state):
    root = tmp_path / "data"
    write(memory_path(root, "A"), 1.0)
    write(own_state / "water" / "A.csv", 0.25)
    settings = {kind: load(tmp_path / "c.ini", f"data_root = {root}\noutput_board = {kind}") for kind in KINDS}
    assert {kind: water_today(each, NOW_NS).seconds for kind, each in settings.items()} == KINDS


def test_a_state_folder_of_a_person_is_under_their_home():
    assert state_folder({"RIGLOOP_STATE": "~/x"}) == Path.home() / "x"


@pytest.mark.parametrize("chosen", ["x", "./x", "~no-such-user/x"])
def test_a_relative_state_folder_is_refused(chosen):
    with pytest.raises(InputError, match=r"RIGLOOP_STATE=.*: is no absolute path; give one"):
        state_folder({"RIGLOOP_STATE": chosen})
