"""A device that is lost in mid-session: outputs silent, the trial cut short, opened again or ended, nothing lost."""

from dataclasses import replace
from itertools import count

import pytest

from core.clock import VirtualClock
from core.errors import CameraError, OutputError
from core.values import Level, Line, as_ns
from session.silence import LOOK_S
from tests.support.flaky import (
    MIDDLE_OF_FIRST_TRIAL,
    NEVER,
    SETTLED,
    DyingKeeper,
    Flaky,
    FlakySpeaker,
    Keeper,
    QuietKeeper,
    events,
    kinds,
    rig_with,
)
from tests.support.sessions import LIVE, Exposed, StopAfter, rows, run, settings_for


@pytest.mark.parametrize("error", [None, "the cable is out"])
def test_a_camera_that_comes_back_costs_its_trial_and_nothing_else(tmp_path, parts_of, error):
    clock = VirtualClock()
    parts_of(lambda parts: replace(parts, camera=Flaky(parts.camera, clock, MIDDLE_OF_FIRST_TRIAL, 3, error)))
    result = run(settings_for(tmp_path, camera_timeout_s="2", **NEVER), clock=clock)
    assert (result.outcome, result.interruptions) == ("complete", 1)
    assert result.trials == 3, "one of four was cut short, which is no outcome"
    assert kinds(result, "cut_short", "operator") == [("operator", "abort_trial camera"), ("cut_short", "")]
    lost, back = kinds(result, "lost", "back")
    assert lost[1].startswith("camera: ")
    assert back[1].startswith("camera after ")
    assert result.images == result.frames, "what was recorded is whole"


def test_outputs_are_silent_before_the_camera_is_tried_again(tmp_path, parts_of):
    clock = VirtualClock()
    rig = rig_with()
    seen = []

    class Camera(Flaky):
        def reconnect(self):
            seen.append((rig.speaker.freq_hz, rig.lines.levels[Line.LIGHT], clock.now_ns()))
            super().reconnect()

    parts_of(lambda parts: replace(parts, rig=rig, camera=Camera(parts.camera, clock, MIDDLE_OF_FIRST_TRIAL)))
    before = clock.now_ns()
    run(settings_for(tmp_path, camera_timeout_s="2", **NEVER), clock=clock)
    assert [(freq, light) for freq, light, _ in seen] == [(0.0, False)]
    assert seen[0][2] - before <= as_ns(2.0), "within camera_timeout_s"
    assert any(freq > 0 for _, freq in rig.speaker.tones), "a tone had been playing"
    lights = [entry[2] for entry in rig.lines.log if entry[1] is Line.LIGHT]
    assert lights == [True, False, True], "light on again"


def test_a_camera_that_stays_away_ends_the_session_after_reconnect_s(tmp_path, parts_of):
    clock = VirtualClock()
    parts_of(lambda parts: replace(parts, camera=Flaky(parts.camera, clock, 40, 10**9, "the cable is out")))
    before = clock.now_ns()
    result = run(settings_for(tmp_path, reconnect_s="7", **NEVER), clock=clock)
    assert (result.outcome, result.exit_code) == ("failed", 3)
    assert result.error == (
        "camera lost: the cable is out; it did not come back within 7 s, reconnect_s (still unplugged); "
        "see to its cable and power"
    )
    assert as_ns(7) <= clock.now_ns() - before <= as_ns(8)
    assert result.images == result.frames == 39
    assert kinds(result, "cut_short") == [("cut_short", "")]


def test_where_config_says_so_a_lost_camera_ends_the_session(tmp_path, parts_of):
    clock = VirtualClock()
    camera = []

    def change(parts):
        camera.append(Flaky(parts.camera, clock, 40, 1, "the cable is out"))
        return replace(parts, camera=camera[0])

    parts_of(change)
    result = run(settings_for(tmp_path, lost_camera="0", **NEVER), clock=clock)
    assert (result.outcome, result.error) == ("failed", "the cable is out")
    assert camera[0].tries == 1


def test_a_stop_is_heard_while_a_camera_is_tried(tmp_path, parts_of):
    clock = VirtualClock()
    stop = StopAfter(10**6)

    class Camera(Flaky):
        def reconnect(self):
            stop.request("SIGINT")
            raise CameraError("still unplugged")

    parts_of(lambda parts: replace(parts, camera=Camera(parts.camera, clock, 40, 1, "the cable is out")))
    result = run(settings_for(tmp_path), stop=stop, clock=clock)
    assert (result.outcome, result.exit_code) == ("aborted", 130)


def test_a_sound_card_that_comes_back_costs_its_trial(tmp_path, parts_of):
    speaker = FlakySpeaker(MIDDLE_OF_FIRST_TRIAL, tries=3)
    parts_of(lambda parts: replace(parts, rig=rig_with(speaker)))
    result = run(settings_for(tmp_path, **NEVER))
    assert (result.outcome, result.interruptions, result.trials) == ("complete", 1, 3)
    assert [detail.split(":")[0] for kind, detail in kinds(result, "lost")] == ["sound"]
    assert ("underflow", "1") in kinds(result, "underflow")
    assert result.images == result.frames


def test_loss_return_and_cut_carry_the_times_at_which_they_were(tmp_path, parts_of):
    clock = VirtualClock(as_ns(1000))
    parts_of(lambda parts: replace(parts, rig=rig_with(FlakySpeaker(MIDDLE_OF_FIRST_TRIAL, tries=11))))
    settings = settings_for(tmp_path, fail_rest_dur="5", **NEVER)
    result = run(settings, LIVE, clock=clock)
    assert (result.outcome, result.interruptions) == ("complete", 1)
    at = {}
    for event in events(result):
        at.setdefault(event["kind"], []).append(int(event["time_ns"]))
    [lost], [cut], [back] = at["lost"], at["cut_short"], at["back"]
    frames = [int(row["time_ns"]) for row in rows(result.session / "frames.csv")]
    assert max(time for time in frames if time <= lost) <= lost == cut
    assert back - lost == 10 * as_ns(LOOK_S), "ten tries in vain, a look apart"
    assert as_ns(5) <= at["trial_start"][1] - back < as_ns(5.2), "the rest begins when the card is back"
    of_frames_that_waited = ("underflow", "drop")
    written = [int(event["time_ns"]) for event in events(result) if event["kind"] not in of_frames_that_waited]
    assert written == sorted(written)


def test_the_end_of_a_session_is_not_before_the_loss_that_ended_it(tmp_path, parts_of):
    parts_of(lambda parts: replace(parts, rig=rig_with(FlakySpeaker(MIDDLE_OF_FIRST_TRIAL, tries=10**9))))
    settings = settings_for(tmp_path, reconnect_s="7", **NEVER)
    result = run(settings, LIVE, clock=VirtualClock(as_ns(1000)))
    assert result.outcome == "failed"
    kept = [event for event in events(result) if event["kind"] in ("lost", "cut_short", "session_end")]
    assert [event["kind"] for event in kept] == ["lost", "cut_short", "session_end"]
    assert kept[0]["time_ns"] == kept[1]["time_ns"] == kept[2]["time_ns"]


def test_where_config_says_so_a_lost_sound_card_ends_the_session_with_its_frame_on_record(tmp_path, parts_of):
    parts_of(lambda parts: replace(parts, rig=rig_with(FlakySpeaker(MIDDLE_OF_FIRST_TRIAL + SETTLED))))
    result = run(settings_for(tmp_path, lost_sound="0", **NEVER))
    assert (result.outcome, result.error) == ("failed", "sound: the card is gone; plug it in again")
    assert result.frames == result.images == len(rows(result.session / "frames.csv")) == MIDDLE_OF_FIRST_TRIAL


def test_a_lost_board_is_restarted_and_told_all_the_while_that_the_runner_lives(tmp_path, parts_of):
    keeper = Keeper(MIDDLE_OF_FIRST_TRIAL)
    rig = rig_with(keeper=keeper)
    parts_of(lambda parts: replace(parts, rig=rig))
    result = run(settings_for(tmp_path, **NEVER))
    assert (result.outcome, keeper.restarts, keeper.closed) == ("complete", 1, True)
    assert keeper.lives >= result.frames
    lights = [entry[2] for entry in rig.lines.log if entry[1] is Line.LIGHT]
    assert lights == [True, False, True]
    assert keeper.dropped == 1, "no more water, although the keeper is the one that is lost"


@pytest.mark.parametrize("kind", ["lines_low", "hushed"])
def test_outputs_that_fell_since_the_loop_had_stalled_cost_the_trial_and_come_on_again(tmp_path, parts_of, kind):
    rig = rig_with(keeper=QuietKeeper(MIDDLE_OF_FIRST_TRIAL, kind))
    parts_of(lambda parts: replace(parts, rig=rig))
    result = run(settings_for(tmp_path, **NEVER))
    assert (result.outcome, result.interruptions, result.trials) == ("complete", 1, 3)
    assert [detail for _, detail in kinds(result, "lost")] == [
        "loop: the loop stalled, and outputs fell: no sign of life for 1 s"
    ]
    lights = [entry[2] for entry in rig.lines.log if entry[1] is Line.LIGHT]
    assert lights == [True, False, True]


def test_lines_that_fell_with_their_guardian_are_the_boards_loss(tmp_path, parts_of):
    keeper = DyingKeeper(MIDDLE_OF_FIRST_TRIAL)
    parts_of(lambda parts: replace(parts, rig=rig_with(keeper=keeper)))
    result = run(settings_for(tmp_path, **NEVER))
    assert (result.outcome, result.interruptions, keeper.restarts) == ("complete", 1, 1)
    assert [detail.split(":")[0] for _, detail in kinds(result, "lost")] == ["board"]


def test_what_fell_before_the_session_is_no_loss(tmp_path, parts_of):
    parts_of(lambda parts: replace(parts, rig=rig_with(keeper=QuietKeeper(1, "lines_low"))))
    result = run(settings_for(tmp_path, **NEVER))
    assert (result.outcome, result.interruptions) == ("complete", 0)


@pytest.mark.parametrize("lost", ["sound", "board"])
def test_a_device_that_is_lost_before_the_first_frame_is_opened_again(tmp_path, parts_of, lost):
    speaker = FlakySpeaker(1, tries=3) if lost == "sound" else None
    rig = rig_with(speaker, Keeper(1 if lost == "board" else 0))
    parts_of(lambda parts: replace(parts, rig=rig))
    result = run(settings_for(tmp_path, **NEVER))
    assert (result.outcome, result.interruptions, result.trials) == ("complete", 1, 4)
    assert [kind for kind, _ in kinds(result, "lost", "back", "trial_start", "cut_short")][:3] == [
        "lost", "back", "trial_start"
    ]  # fmt: skip
    assert kinds(result, "lost")[0][1].startswith(f"{lost}: ")
    assert [entry[2] for entry in rig.lines.log if entry[1] is Line.LIGHT][:2] == [False, True]


def test_lines_that_are_lost_as_they_rise_are_the_boards_loss(tmp_path, parts_of):
    rig = rig_with(keeper=Keeper(2))
    set_line, fails = rig.lines.set, [OutputError("board: it takes no commands")]

    def refuse_once(level, time_ns):
        if fails:
            raise fails.pop()
        set_line(level, time_ns)

    rig.lines.set = refuse_once
    parts_of(lambda parts: replace(parts, rig=rig))
    result = run(settings_for(tmp_path, **NEVER))
    assert (result.outcome, result.interruptions) == ("complete", 1)
    assert [detail.split(":")[0] for _, detail in kinds(result, "lost", "back")] == ["board", "board after 0.0 s"]


def test_a_camera_that_is_lost_in_the_first_look_is_opened_again(tmp_path, parts_of):
    clock = VirtualClock()
    parts_of(lambda parts: replace(parts, camera=Flaky(parts.camera, clock, 1, 3, "the cable is out")))
    result = run(settings_for(tmp_path, **NEVER), clock=clock)
    assert (result.outcome, result.interruptions, result.trials) == ("complete", 1, 4)
    assert [kind for kind, _ in kinds(result, "lost", "back")] == ["lost", "back"]


def test_a_dark_image_of_a_light_that_its_lost_board_let_go_out_is_not_judged(tmp_path, parts_of):
    rig = rig_with(keeper=Keeper(2))
    looks = count(1)

    def change(image):
        return image if rig.lines.levels[Line.LIGHT] and next(looks) > 1 else image * 0

    parts_of(lambda parts: replace(parts, rig=rig, camera=Exposed(parts.camera, change)))
    result = run(settings_for(tmp_path, **NEVER))
    assert (result.outcome, result.interruptions) == ("complete", 1)
    assert kinds(result, "exposure") == []


@pytest.mark.parametrize(("key", "lost"), [("lost_sound", "sound"), ("lost_board", "board")])
def test_where_config_says_so_a_device_that_is_lost_before_the_first_frame_ends_the_session(
    tmp_path, parts_of, key, lost
):
    rig = rig_with(FlakySpeaker(1) if lost == "sound" else None, Keeper(1 if lost == "board" else 0))
    parts_of(lambda parts: replace(parts, rig=rig))
    result = run(settings_for(tmp_path, **{key: "0"}, **NEVER))
    assert (result.outcome, result.exit_code, result.interruptions) == ("failed", 3, 0)


def test_hush_reaches_every_output_whichever_is_lost():
    rig = rig_with(FlakySpeaker(1))
    rig.start(1)
    rig.reports()
    rig.hush(2)
    assert not any(rig.lines.levels.values())
    rig.lines.set(Level(Line.FAIL_LED, True), 3)
    assert rig.lost
