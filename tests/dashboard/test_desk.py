"""The desk: what it tells of the mice of config.ini, and what a change would come to."""

import pytest

from core.changes import KEYS
from core.errors import InputError
from dashboard.desk import NoMouseError
from dashboard.desk_keys import MOUSE, PICTURE, RIG, refusal
from session.config_keys import GROUPS, KINDS, all_keys, keys_of
from session.settings import load_settings
from tests.dashboard.desk import CONFIG, Room
from tests.session.config_texts import CONFIG as SHIPPED


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def keyed(problems):
    return {each["key"]: each["text"] for each in problems}


class TestMice:
    def test_each_with_its_experiment_and_what_is_written_behind_it(self, room):
        told = room.desk.mice()
        assert told["mice"] == [
            {"mouse": "A", "experiment": "clnf_1roi", "kind": "clnf", "rig": "rigA", "about": "the first",
             "problems": []},
            {"mouse": "Paw", "experiment": "clmf_speed", "kind": "clmf", "rig": "rig1", "about": "", "problems": []},
        ]  # fmt: skip
        assert told["experiments"] == [
            {"section": "clnf_1roi", "kind": "clnf", "about": "one region"},
            {"section": "clnf_2roi", "kind": "clnf", "about": ""},
            {"section": "clmf_speed", "kind": "clmf", "about": "a paw"},
        ]
        assert told["problems"] == []

    def test_of_the_shipped_file_all_are_good(self, tmp_path):
        told = Room(tmp_path, SHIPPED.read_text(encoding="utf-8")).desk.mice()
        assert [each["mouse"] for each in told["mice"]] == ["DEMO", "DEMO2", "SIM1", "PAW", "SIM2", "REC1"]
        assert not any(each["problems"] for each in told["mice"])
        assert all(each["about"] for each in [*told["mice"], *told["experiments"]])

    def test_a_problem_stands_with_the_mouse_and_the_key_that_it_is_about(self, tmp_path):
        text = CONFIG.replace("= 0.1 ", "= much ").replace("iso              = 400", "iso              = -1")
        [mouse, other] = Room(tmp_path, text).desk.mice()["mice"]
        assert mouse["problems"] == [
            {"key": "iso", "text": "out of range; give a whole number from 0 to 6400 (it stands in [clnf_1roi])"},
            {"key": "reward_threshold", "text": "not a number; give a number above -1000, up to 1000 (dF/F or mm/s)"},
        ]
        assert other["problems"] == []

    def test_what_is_wrong_with_all_is_told_once(self, tmp_path):
        room = Room(tmp_path, CONFIG.replace("BC = -1.7", "BC = x").replace("; mice", "what"))
        told = room.desk.mice()
        assert [line.partition(": ")[0] for line in told["problems"]] == ["config.ini:16", "config.ini:27"]
        assert [each["problems"] for each in told["mice"]] == [[], []]
        own = room.desk.mouse("A")["problems"]
        assert own == [{"key": None, "text": text} for text in told["problems"]]

    @pytest.mark.parametrize("data", [None, b"\xff", b"x" * (5 << 20)], ids=["none", "not text", "huge"])
    def test_a_file_that_cannot_be_read(self, room, data):
        room.path.unlink()
        if data is not None:
            room.path.write_bytes(data)
        told = room.desk.mice()
        assert (told["mice"], told["experiments"], len(told["problems"])) == ([], [], 1)
        with pytest.raises(InputError):
            room.desk.mouse("A")

    def test_a_mouse_of_an_experiment_that_is_not_there(self, tmp_path):
        room = Room(tmp_path, CONFIG.replace("experiment       = clnf_1roi", "experiment       = clnf_1"))
        listed = room.desk.mice()["mice"][0]
        assert (listed["experiment"], listed["kind"], listed["rig"]) == ("clnf_1", None, None)
        told = room.desk.mouse("A")
        assert told["problems"][0]["key"] == "experiment"
        assert told["values"] == {"reward_threshold": "0.1", "roi.spot": "20,30,8,8"}
        assert set(told) == set(Room(tmp_path).desk.mouse("A"))


class TestMouse:
    def test_values_are_its_own_then_its_experiments_then_the_default(self, room):
        told = room.desk.mouse("a")
        assert told["mouse"] == "A"
        assert told["own"] == ["reward_threshold", "roi.spot"]
        some = ("reward_threshold", "roi.spot", "fail_rest_dur", "iso", "shutter_speed", "roi", "data_root")
        assert [told["values"][key] for key in some] == ["0.1", "20,30,8,8", "7", "400", "60000", "M1_L", "data"]

    def test_values_are_what_config_takes(self, room):
        for mouse in ("A", "Paw"):
            settings = load_settings(room.path, mouse)
            for name, text in room.desk.mouse(mouse)["values"].items():
                key = keys_of(settings.kind).get(name)
                if key is not None and name != "data_root":
                    assert key.read(text) == getattr(getattr(settings, key.group), name), name

    def test_rois_in_px_and_who_put_them_there(self, room):
        told = room.desk.mouse("A")
        assert told["rois"] == {
            "M1_L": {"text": "77,115,8,8", "seed": "M1_L", "used": True, "key": None},
            "SHARED": {"text": "9,9,8,8", "seed": None, "used": False, "key": "roi.shared"},
            "SPOT": {"text": "20,30,8,8", "seed": None, "used": False, "key": "roi.spot"},
        }
        assert list(told["seed_rois"]) == ["M1_L", "M1_R", "BC_L", "BC_R"]
        assert told["seeds"]["BC"] == {"AP": -1.7, "ML": 3.4}
        assert (told["resolution"], told["ppmm"], told["bregma"]) == ([256, 256], 25.6, [135.0, 128.0])

    def test_under_another_experiment(self, room):
        told = room.desk.mouse("A", "CLNF_2ROI")
        assert told["experiment"] == "clnf_2roi"
        assert [name for name, roi in told["rois"].items() if roi["used"]] == ["BC_L", "M1_L"]
        assert keyed(room.desk.mouse("Paw", "clnf_2roi")["problems"]) == {}
        with pytest.raises(NoMouseError, match="no experiment 'clnf_9'"):
            room.desk.mouse("A", "clnf_9")

    def test_a_movement_mouse_has_no_cortex(self, room):
        told = room.desk.mouse("Paw")
        assert (told["kind"], told["bregma"], told["rois"], told["seed_rois"]) == ("clmf", None, {}, {})
        assert [told["changeable"][0][key] for key in ("key", "unit", "value")] == ["speed_threshold", "mm/s", "170"]

    def test_what_can_be_changed_live_and_the_picture_s_keys_come_with_bounds(self, room):
        told = room.desk.mouse("A")
        assert [each["key"] for each in told["changeable"]] == ["reward_threshold", *KEYS]
        trial = next(each for each in told["changeable"] if each["key"] == "max_trial_dur")
        assert trial == {
            "key": "max_trial_dur", "value": "30", "unit": "s", "text": "Longest duration of a trial.",
            "min": 0, "above": True, "max": 3600, "choices": [], "whole": False,
        }  # fmt: skip
        iso = told["camera"]["exposure_keys"]["iso"]
        assert (iso["value"], iso["min"], iso["max"], iso["whole"]) == ("400", 0, 6400, True)
        assert told["max_flush_s"] == 120

    def test_an_roi_that_cannot_be_made_is_told_and_left_out(self, tmp_path):
        told = Room(tmp_path, CONFIG.replace("20,30,8,8 ;", "20,30 ;")).desk.mouse("A")
        assert list(told["rois"]) == ["M1_L", "SHARED"]
        assert list(keyed(told["problems"])) == ["roi.spot"]

    def test_a_problem_of_the_second_camera_is_about_no_key_of_this_mouse(self, tmp_path):
        text = CONFIG.replace("rigA\n", "rigA\nsecond_camera = clmf_speed\n").replace(
            "# a paw\n", "# a paw\niso = -1\n"
        )
        [problem] = Room(tmp_path, text).desk.mouse("A")["problems"]
        assert problem["key"] is None
        assert "[clmf_speed] iso = -1" in problem["text"]

    @pytest.mark.parametrize("mouse", ["B", "", "../A", "A\n", "Ä" * 200, "\x00"])
    def test_one_that_is_not_there(self, room, mouse):
        for ask in (
            room.desk.mouse,
            lambda name: room.desk.check(name, {}),
            lambda name: room.desk.save(name, {}, "x"),
        ):
            with pytest.raises(NoMouseError, match="there is no mouse") as caught:
                ask(mouse)
            assert str(caught.value).isprintable()


class TestCheck:
    def test_rois_come_back_as_they_would_be(self, room):
        told = room.desk.check("A", {"roi.New": "circle 50,60,9.5", "roi.two": "bc_r", "roi": "new"})
        assert told["problems"] == []
        assert told["rois"]["NEW"] == {"text": "circle 50,60,9.5", "seed": None, "used": True, "key": "roi.new"}
        assert told["rois"]["TWO"]["seed"] == "BC_R"
        assert room.text == CONFIG

    def test_nothing_changed_is_the_mouse_as_it_is(self, room):
        told, now = room.desk.check("A", {}), room.desk.mouse("A")
        assert told == {key: now[key] for key in ("problems", "rois", "seed_rois")}

    def test_what_is_wrong_is_told_all_at_once_beside_its_key(self, room):
        wrong = {
            "roi": "NOWHERE",
            "iso": "x",
            "pin_valve": "4",
            "nothing": "1",
            "bregma": "",
        }
        told = keyed(room.desk.check("A", wrong)["problems"])
        assert set(told) == set(wrong)
        assert "unknown key nothing" in told["nothing"]
        assert told["pin_valve"].startswith("says what is wired to which pin; the page does not change it")

    def test_an_roi_outside_the_frame(self, room):
        told = room.desk.check("A", {"roi": "SPOT", "roi.SPOT": "250,250,50,50"})
        assert "lies outside the frame of 256 x 256 px" in keyed(told["problems"])["roi.spot"]
        assert told["rois"]["SPOT"]["text"] == "250,250,50,50"

    def test_a_file_with_problems_of_form(self, tmp_path):
        room = Room(tmp_path, CONFIG.replace("; mice", "what"))
        told = room.desk.check("A", {"iso": "500"})
        assert [each["key"] for each in told["problems"]] == [None]


def test_every_group_of_settings_is_the_mouse_s_or_the_rig_s():
    assert set(RIG) | MOUSE == set(GROUPS)
    assert not set(RIG) & MOUSE
    assert all(all_keys()[key].group == "camera" for key in PICTURE)


def test_no_key_that_guards_the_animal_is_changed_on_the_page():
    for name in ("max_pulse_s", "max_duty", "max_session_water_s", "max_day_water_s", "min_pulse_gap_s", "pin_valve"):
        assert refusal(name, ())
    editable = [name for kind in KINDS for name in keys_of(kind) if not refusal(name, ())]
    assert not any("path" in name or "root" in name or name.startswith("pin_") for name in editable)
