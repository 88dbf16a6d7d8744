"""What the desk saves: lines of one mouse, if all is well with it then, and a note of who did it; else not one byte."""

import pytest

from core.errors import ChangedError, InputError
from dashboard.desk import RefusedError
from session.config_edit import set_mouse_keys
from session.config_file import read_config
from session.settings import load_settings
from tests.dashboard.desk import CONFIG, Room
from tests.session.config_texts import CONFIG as SHIPPED


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def keyed(problems):
    return {each["key"]: each["text"] for each in problems}


class TestSave:
    def test_lines_of_the_mouse_change_and_no_others(self, room):
        changes = {"Reward_Threshold": " 0.25 ", "roi.SPOT": None, "roi.two": "polygon 1,1 9,1 9,9", "roi": "two"}
        told = room.desk.save("a", changes, "anna")
        assert told["saved"] == ["reward_threshold", "roi.spot", "roi.two", "roi"]
        assert told["note"] == ""
        assert room.text == CONFIG.replace("= 0.1      ;", "= 0.25     ;").replace(
            "roi.spot         = 20,30,8,8 ; near the edge\n",
            "roi.TWO          = polygon 1,1 9,1 9,9\nroi              = two\n",
        )
        assert load_settings(room.path, "A").rois["TWO"].text() == "polygon 1,1 9,1 9,9"

    def test_who_changed_what_and_when_is_noted(self, room):
        room.desk.save("A", {"iso": "500", "roi.spot": None}, "anna at 10.0.0.2")
        room.desk.save("A", {"iso": "600"}, "Zoë")
        facts = [(row["who"], row["mouse"], row["key"], row["old"], row["new"]) for row in room.log()]
        assert facts == [
            ("anna at 10.0.0.2", "A", "iso", None, "500"),
            ("anna at 10.0.0.2", "A", "roi.spot", "20,30,8,8", None),
            ("Zoë", "A", "iso", "500", "600"),
        ]
        assert all(row["time"].startswith("2023-11-1") for row in room.log())

    def test_a_line_that_a_power_failure_cut_short_swallows_none(self, room):
        room.root.mkdir()
        (room.root / "page-changes.jsonl").write_text('{"time": "20')
        room.desk.save("A", {"iso": "500"}, "anna")
        assert (room.root / "page-changes.jsonl").read_text().startswith('{"time": "20\n{"time": "2023')

    def test_a_note_that_cannot_be_written_is_told_and_the_change_holds(self, room):
        room.root.write_text("a file where a folder should be")
        told = room.desk.save("A", {"iso": "500"}, "anna")
        assert told["saved"] == ["iso"]
        assert "saved, but not noted who did it" in told["note"]
        assert load_settings(room.path, "A").camera.iso == 500

    def test_without_a_data_root_it_is_noted_in_the_mouse_s(self, room):
        room.desk._data_root = None
        room.desk.save("A", {"iso": "500"}, "anna")
        assert (room.path.parent / "data" / "page-changes.jsonl").exists()

    def test_what_is_as_it_was_is_not_written(self, room):
        before = room.path.stat()
        told = room.desk.save("A", {"reward_threshold": "0.1", "iso": None, "roi.none": None}, "anna")
        assert (told["saved"], room.log()) == ([], [])
        assert room.path.stat() == before

    @pytest.mark.parametrize(
        ("changes", "key", "fragment"),
        {
            "out of range": ({"iso": "-1"}, "iso", "out of range"),
            "no value": ({"iso": ""}, "iso", "no value"),
            "unknown": ({"isso": "100"}, "isso", "did you mean iso"),
            "of the other kind": ({"control_point": "fl_l"}, "control_point", "it belongs to clmf"),
            "a pin": ({"pin_valve": "0"}, "pin_valve", "wired"),
            "a bound of water": ({"MAX_DAY_WATER_S": "9999"}, "max_day_water_s", "bounds the water"),
            "a folder": ({"data_root": "/"}, "data_root", "names a file or folder"),
            "a program": ({"network": "evil.py:run"}, "network", "names a file or folder"),
            "a camera": ({"camera_pipeline": "filesrc"}, "camera_pipeline", "which camera"),
            "an experiment": ({"experiment": "clnf_2roi"}, "experiment", "what the mouse is trained on"),
            "a seed": ({"BC": "1, 1"}, "bc", "all mice share"),
            "a seed, with its section": ({"seeds.BC": "1, 1"}, "seeds.bc", "all mice share"),
            "an ROI of the experiment": ({"roi.shared": None}, "roi.shared", "is placed by [clnf_1roi]"),
            "an ROI that is used": ({"roi": "SPOT", "roi.spot": None}, "roi", "there is no seed SPOT"),
            "two rules": ({"roi": "SPOT", "roi_operation": "SPOT-M1_L"}, "roi_operation", "delete one of the two"),
            "a newline": ({"iso": "100\n[mouse:B]"}, "iso", "or a line end"),
            "a line's direction": ({"lab": "\u202ebal"}, "lab", r"\u202ebal: holds a character that cannot be seen"),
            "a NUL": ({"lab": "a\x00"}, "lab", "cannot be seen"),
            "a newline in the key": ({"iso\n[mouse:B]": "1"}, "iso\n[mouse:b]", "cannot be a key"),
            "a section": ({"[mouse:B]": "1"}, "[mouse:b]", "cannot be a key"),
            "a comment and a quote": ({"lab": 'a" ; b'}, "lab", "cannot hold both"),
            "no ASCII": ({"iso": "४००x"}, "iso", "not a whole number"),
            "no ASCII in the key": ({"ısο": "1"}, "ısο", "cannot be a key"),
            "nothing": ({"": "1"}, "", "cannot be a key"),
            "a name of 40 characters": ({"roi." + "x" * 40: "1,1,8,8"}, "roi." + "x" * 40, "not a name of an ROI"),
            "an ROI of no pixel": ({"roi.x": "circle 5,5,0.1"}, "roi.x", "covers no pixel"),
        }.values(),
    )  # fmt: skip
    def test_what_is_wrong_leaves_every_byte(self, room, changes, key, fragment):
        with pytest.raises(RefusedError) as caught:
            room.desk.save("A", {"dff_history": "3", **changes}, "anna")
        assert fragment in keyed(caught.value.problems)[key]
        assert (room.text, room.log()) == (CONFIG, [])
        assert sorted(path.name for path in room.path.parent.iterdir()) == ["config.ini"]

    def test_a_key_twice_in_other_cases(self, room):
        with pytest.raises(InputError, match="ISO: is given twice"):
            room.desk.save("A", {"iso": "500", "ISO": "600"}, "anna")

    def test_a_semicolon_is_quoted(self, room):
        room.desk.save("A", {"lab": "Müller; Sons ; Co", "subject_description": "; fed"}, "anna")
        subject = load_settings(room.path, "A").subject
        assert (subject.lab, subject.subject_description) == ("Müller; Sons ; Co", "; fed")

    def test_a_mouse_is_mended_on_the_page(self, tmp_path):
        room = Room(tmp_path, CONFIG.replace("= 0.1 ", "= much "))
        with pytest.raises(RefusedError):
            room.desk.save("A", {"iso": "500"}, "anna")
        assert room.desk.save("A", {"iso": "500", "reward_threshold": "0.1"}, "anna")["saved"] == [
            "iso",
            "reward_threshold",
        ]

    def test_a_file_with_problems_of_form_is_not_touched(self, tmp_path):
        room = Room(tmp_path, CONFIG.replace("; mice", "what"))
        with pytest.raises(RefusedError, match=r"config.ini:16: what: neither"):
            room.desk.save("A", {"iso": "500"}, "anna")

    def test_who_saw_an_older_file_is_told_and_another_mouse_s_line_does_not_matter(self, room):
        seen = room.desk.mouse("A")["stamp"]
        room.path.write_text(CONFIG + "; a note\n", encoding="utf-8")
        assert room.desk.save("A", {"iso": "500"}, "anna", seen)["saved"] == ["iso"]
        with pytest.raises(ChangedError, match="was changed since this page read it"):
            room.desk.save("A", {"iso": "600"}, "eve", seen)
        assert load_settings(room.path, "A").camera.iso == 500

    def test_the_stamp_that_comes_back_is_the_next_one(self, room):
        stamp = room.desk.save("A", {"iso": "500"}, "anna", room.desk.mouse("A")["stamp"])["stamp"]
        assert stamp == room.desk.mouse("A")["stamp"]
        assert room.desk.save("A", {"iso": "600"}, "anna", stamp)["saved"] == ["iso"]

    def test_a_line_of_this_mouse_that_changes_while_it_is_saved(self, room, monkeypatch):
        def somebody_saves_first(*args):
            room.path.write_text(CONFIG.replace("0.1 ", "0.3 "), encoding="utf-8")
            set_mouse_keys(*args)

        monkeypatch.setattr("dashboard.desk.set_mouse_keys", somebody_saves_first)
        with pytest.raises(ChangedError):
            room.desk.save("A", {"reward_threshold": "0.2"}, "anna")
        assert "= 0.3 " in room.text


def test_a_file_is_as_before_for_a_scan(tmp_path):
    """The shipped file takes an ROI and gives it back: every byte is as it was."""
    text = SHIPPED.read_text(encoding="utf-8")
    room = Room(tmp_path, text)
    room.desk.save("REC1", {"roi.two": "1,1,8,8", "iso": "100"}, "anna")
    assert not read_config(room.path).problems
    room.desk.save("REC1", {"roi.two": None, "iso": None}, "anna")
    assert room.text == text
