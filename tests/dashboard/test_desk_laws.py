"""Laws of saving: what was accepted is read back as it was meant; what was not leaves every byte of config.ini."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ConfigError, RigError
from session.config_file import read_config
from session.config_keys import all_keys
from session.settings import load_settings
from tests.dashboard.desk import CONFIG, Room

GOOD = {
    "iso": ["100", "0"],
    "colour_gains": ["1.5, 2", "0,0"],
    "bregma": ["100, 120", "140.5,128"],
    "ppmm": ["20", "2.5e1"],
    "roi_size": ["0.5, 0.5", "0.1,0.2"],
    "roi": ["M1_R", "spot", "BC_L"],
    "roi.spot": ["1,2,8,8", "BC_R", "circle 30,30,5"],
    "roi.New": ["polygon 5,5 20,5 20,25", "9,9,4,4", None],
    "reward_threshold": ["0.2", "0.06", None],
    "tone_floor": ["0.01", "-1"],
    "max_trial_dur": ["12.5", "1", None],
    "reward_dur": ["0.1", ".25"],
    "session_type": ["no_audio_normal_reward", "CONTINUOUS_REWARDS"],
    "lab": ["Lab ; of # mice", '"quoted', "Zoë", "", "a=b"],
}
"""Values that any others of these leave good."""
OTHER = {
    "iso": ["6401", "1_0"],
    "roi": ["New", "", "nowhere"],
    "roi_operation": ["BC_L - SPOT", "(new+M1_L)/2", ""],
    "roi.spot": ["250,250,9,9", None],
    "roi.shared": [None],
    "reward_threshold": ["-0.5", "2000"],
    "adaptive_threshold": ["1", "yes"],
    "reward_dur": ["2.5"],
    "lab": ['"quoted"', 'a" ; b'],
    "pin_valve": ["5"],
    "data_root": ["elsewhere"],
}


def sampled(table):
    return st.sampled_from([(key, value) for key, values in table.items() for value in values])


ANY = st.tuples(st.sampled_from([*OTHER, *all_keys(), "roi.", "roi.é"]) | st.text(max_size=9), st.text(max_size=20))
SOME = st.one_of(sampled(GOOD), sampled(GOOD), sampled(OTHER), ANY)
CHANGES = st.lists(sampled(GOOD), max_size=6).map(dict) | st.lists(SOME, max_size=3).map(dict)


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    return Room(tmp_path_factory.mktemp("desk"))


def others(text):
    """Return the lines of all sections but the mouse's."""
    before, _, rest = text.partition("[mouse:A]")
    return before, rest.partition("\n\n")[2]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANGES)
def test_what_was_saved_is_read_back_and_what_was_not_leaves_every_byte(room, changes):
    room.path.write_text(CONFIG, encoding="utf-8")
    (room.root / "page-changes.jsonl").unlink(missing_ok=True)
    given_keys = [key.strip().lower() for key in changes]
    try:
        as_given = load_settings(room.path, "A", overrides={k: v for k, v in changes.items() if v is not None})
    except ConfigError:
        as_given = None
    try:
        saved = room.desk.save("A", changes, "anna")["saved"]
    except RigError:
        assert room.text == CONFIG
        assert room.log() == []
        return
    now = load_settings(room.path, "A")
    if None not in changes.values():
        assert as_given == now
    assert others(room.text) == others(CONFIG)
    own = read_config(room.path).mice["a"].entries
    for key, value in zip(given_keys, changes.values(), strict=True):
        assert (own[key].value if key in own else None) == (value.strip() if value is not None else None)
    assert [row["key"] for row in room.log()] == saved
    assert set(saved) <= set(given_keys)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANGES)
def test_a_check_writes_nothing_and_says_what_a_save_would_be_refused_for(room, changes):
    room.path.write_text(CONFIG, encoding="utf-8")
    try:
        problems = room.desk.check("A", changes)["problems"]
        room.desk.save("A", changes, "anna")
    except RigError:
        refused = True
    else:
        refused = False
    assert refused == bool(problems)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANGES)
def test_rois_come_back_from_a_check_as_from_the_saved_file(room, changes):
    room.path.write_text(CONFIG, encoding="utf-8")
    try:
        checked = room.desk.check("A", changes)
        room.desk.save("A", changes, "anna")
    except RigError:
        return
    told = room.desk.mouse("A")
    assert (told["rois"], told["seed_rois"]) == (checked["rois"], checked["seed_rois"])
    used = {name: roi["text"] for name, roi in told["rois"].items() if roi["used"]}
    assert used == {name: shape.text() for name, shape in load_settings(room.path, "A").rois.items()}
