"""The trial state machine: examples by table, whole sessions, and CLoPy's faults by name."""

from dataclasses import replace

import pytest

from core.schedule import ScheduleSettings
from core.threshold import ThresholdSettings
from core.tones import ToneSettings
from core.trial import Phase
from core.values import WARM_UP, Line, Pulse, Signal
from helper import SessionType
from tests.support.trials import QUICK, make_plan, play, pulses_at

# QUICK at 10 frames/s: rest 0..9, trial 1 from frame 10, time-out at frame 40, reward_delay 5 frames.


def test_a_session_without_crossings_fails_every_trial_and_ends():
    story = play(make_plan(), lambda k: 0.0)
    assert story.outcomes == [-1, -1, -1]
    assert story.water == []
    assert [k for k, _ in story.marks("trial_start")] == [10, 60, 110]
    assert [k for k, _ in story.marks("fail")] == [40, 90, 140]
    assert story.fail_leds == [40, 90, 140]
    assert story.state.phase is Phase.DONE
    assert len(story.verdicts) == 146, "0.5 s of final rest after frame 140"


def test_a_crossing_pays_after_the_delay_and_the_tone_goes_on_until_then():
    story = play(make_plan(), pulses_at(20))
    assert [k for k, _ in story.marks("crossing")] == [20]
    assert story.water == [25]
    assert story.verdicts[25].outcome == 1
    assert all(freq > 0 for freq in story.freqs[10:25])
    assert story.freqs[25] == 0.0
    assert story.marks("trial_start")[1][0] == 35, "1 s of rest after a success"


@pytest.mark.parametrize(("frame", "outcome"), [(10, 1), (39, 1), (40, 1), (41, -1)])
def test_a_crossing_counts_from_the_first_frame_to_max_trial_dur(frame, outcome):
    assert play(make_plan(), pulses_at(frame)).outcomes[0] == outcome


def test_clopy_fault_03_a_crossing_within_reward_delay_of_time_out_is_a_success():
    story = play(make_plan(), pulses_at(39))
    assert story.outcomes[0] == 1
    assert story.water[0] == 44


def test_clopy_fault_03_a_crossing_late_in_rest_is_not_rewarded_in_the_next_trial():
    late_in_rest = play(make_plan(), pulses_at(8, 9))
    still_high = play(make_plan(), lambda k: 0.2 if 8 <= k < 14 else 0.0)
    assert late_in_rest.water == still_high.water == []


def test_a_signal_that_was_high_must_fall_and_rise_again():
    story = play(make_plan(), lambda k: 0.2 if 8 <= k < 14 or k == 16 else 0.0)
    assert [k for k, _ in story.marks("crossing")] == [16]


@pytest.mark.parametrize("delay", [0.0, 0.5, 1.0])
def test_clopy_fault_04_with_zero_rest_one_crossing_pays_once_and_the_session_ends(delay):
    trial = replace(
        QUICK, initial_rest_dur=0, success_rest_dur=0, fail_rest_dur=0, final_rest_dur=0, reward_delay=delay
    )
    story = play(make_plan(trial, schedule=ScheduleSettings(5)), lambda k: 0.2 if 5 <= k < 30 else 0.0)
    assert len(story.water) == 1
    assert story.state.phase is Phase.DONE
    assert len(story.outcomes) == 5


def test_clopy_fault_04_zero_initial_rest_begins_on_the_first_frame():
    story = play(make_plan(replace(QUICK, initial_rest_dur=0)), lambda k: 0.0)
    assert story.verdicts[0].trial == 1


def test_clopy_fault_05_no_trial_begins_after_the_last_one_and_nothing_sounds():
    story = play(make_plan(), lambda k: 0.05)
    last = story.marks("fail")[-1][0]
    assert len(story.marks("trial_start")) == 3
    assert all(v.trial == 0 for v in story.verdicts[last + 1 :])
    assert all(freq == 0 for freq in story.freqs[last:])


def test_clopy_fault_02_the_threshold_does_not_adapt_in_rest():
    threshold = ThresholdSettings(0.1, True, 0.002, 30.0, 0.01, 0.5)
    resting = play(make_plan(replace(QUICK, initial_rest_dur=300.0), threshold), lambda k: 0.0)
    first_trial = resting.marks("trial_start")[0][0]
    assert {v.threshold for v in resting.verdicts[: first_trial + 1]} == {0.1}


def test_the_threshold_adapts_down_when_trials_earn_nothing():
    threshold = ThresholdSettings(0.1, True, 0.002, 5.0, 0.01, 0.5)
    story = play(make_plan(threshold=threshold, schedule=ScheduleSettings(10)), lambda k: 0.0)
    assert story.verdicts[-1].threshold == pytest.approx(0.1 - 0.002 * 6), "30 s of trial time are 6 epochs of 5 s"
    assert len(story.marks("threshold")) == 6


def test_clopy_fault_09_no_trial_begins_while_the_baseline_warms_up():
    warming = Signal(0.9, False, WARM_UP, (0.9,))
    story = play(make_plan(), lambda k: warming if k < 50 else 0.0)
    assert story.marks("trial_start")[0][0] == 50
    assert story.water == []


def test_a_dark_roi_does_not_hold_the_session_in_rest():
    dark = Signal(float("nan"), False, "dark ROI M1_L")
    story = play(make_plan(), lambda k: dark)
    assert [k for k, _ in story.marks("trial_start")] == [10, 60, 110]
    assert story.outcomes == [-1, -1, -1]
    assert story.state.phase is Phase.DONE


def test_clopy_fault_12_an_invalid_signal_is_silent_and_earns_nothing():
    lost = Signal(0.9, False, "dark ROI M1_L", (0.9,))
    story = play(make_plan(), lambda k: lost if 15 <= k < 20 else 0.05)
    assert story.water == []
    assert story.freqs[15:20] == [0.0] * 5
    assert story.freqs[20] > 0


def test_the_tone_follows_the_signal_audio_delay_later():
    ramp = [0.0] * 10 + [0.1 * i / 30 for i in range(30)] + [0.0] * 200
    direct = play(make_plan(replace(QUICK, audio_delay=0.0)), ramp)
    delayed = play(make_plan(replace(QUICK, audio_delay=0.7)), ramp)
    assert delayed.freqs[17:40] == direct.freqs[10:33]
    assert delayed.freqs[10:17] == [0.0] * 7


def test_no_reward_types_still_count_the_success():
    story = play(make_plan(schedule=ScheduleSettings(3, SessionType.normal_audio_no_reward)), pulses_at(20))
    assert story.outcomes == [1, -1, -1]
    assert story.state.rewards == 0


def test_single_audio_plays_one_tone_whatever_the_signal():
    schedule = ScheduleSettings(1, SessionType.single_audio_normal_reward)
    story = play(make_plan(schedule=schedule, tones=ToneSettings(single_freq=4000.0)), lambda k: 0.001 * (k % 90))
    assert set(story.freqs[10:40]) == {4000.0}


def test_continuous_rewards_pays_every_crossing_and_lasts_the_whole_trial():
    plan = make_plan(schedule=ScheduleSettings(1, SessionType.continuous_rewards))
    story = play(plan, pulses_at(12, 20, 30))
    assert story.water == [17, 25, 35]
    assert story.outcomes == [1]
    assert story.marks("success")[0][0] == 40


def test_behavior_recording_rests_for_its_minutes():
    schedule = ScheduleSettings(5, SessionType.behavior_recording)
    story = play(make_plan(replace(QUICK, spont_sess_duration=0.1), schedule=schedule), lambda k: 0.2 * (k % 2))
    assert len(story.verdicts) == 61
    assert {v.trial for v in story.verdicts} == {0}
    assert story.commands[-1][1].kind == "session_end"


def test_random_water_does_not_look_at_the_signal():
    schedule = ScheduleSettings(20, SessionType.no_audio_random_reward, random_reward_rate=0.5)
    quiet = play(make_plan(schedule=schedule, seed=4), lambda k: 0.0)
    busy = play(make_plan(schedule=schedule, seed=4), lambda k: 0.2 * (k % 2))
    assert quiet.water == busy.water != []
    assert quiet.marks("crossing") == busy.marks("crossing") == []
    assert len(quiet.marks("chance")) == len(quiet.water)


def test_a_signal_that_was_lost_between_below_and_above_has_crossed():
    lost = Signal(float("nan"), False, "dark ROI")
    story = play(make_plan(), lambda k: lost if 15 <= k < 20 else 0.2 if k == 20 else 0.0)
    assert [k for k, _ in story.marks("crossing")] == [20]


ADAPTIVE = ThresholdSettings(0.1, True, 0.002, 5.0, 0.01, 0.5)


def test_only_time_in_trials_makes_an_epoch():
    """Trial 1 is frames 10 to 40 (3 s); the 5 s are full 2 s into trial 2, which begins at frame 60."""
    story = play(make_plan(threshold=ADAPTIVE), lambda k: 0.0)
    assert [k for k, _ in story.marks("threshold")] == [80]


def test_chance_does_not_teach_the_threshold():
    schedule = ScheduleSettings(20, SessionType.normal_audio_random_reward, random_reward_rate=1.0)
    story = play(make_plan(threshold=ADAPTIVE, schedule=schedule), lambda k: 0.0)
    assert {verdict.threshold for verdict in story.verdicts} == {0.1}


def test_a_threshold_that_falls_to_the_signal_has_been_reached():
    threshold = ThresholdSettings(0.1, True, 0.002, 1.0, 0.01, 0.5)
    story = play(make_plan(threshold=threshold), lambda k: 0.0985)
    first = story.marks("crossing")[0][0]
    assert story.verdicts[first].threshold == pytest.approx(0.098)
    assert story.outcomes[0] == 1


def test_the_success_led_is_lit_with_the_water():
    schedule = ScheduleSettings(1)
    story = play(make_plan(replace(QUICK, success_led_dur=0.25), schedule=schedule), pulses_at(20))
    lit = [(k, c.line, c.duration_s) for k, c in story.commands if isinstance(c, Pulse)]
    assert lit == [(25, Line.SUCCESS_LED, 0.25)]


def test_random_water_comes_when_chance_said():
    schedule = ScheduleSettings(20, SessionType.no_audio_random_reward, random_reward_rate=0.5)
    plan = make_plan(replace(QUICK, reward_delay=0.0), schedule=schedule, seed=4)
    story = play(plan, lambda k: 0.0)
    expected = []
    for (start, _), wait in zip(story.marks("trial_start"), plan.water_after_ns, strict=True):
        frame = start + -(-wait // 100_000_000)
        if frame <= start + 30:
            expected.append(frame)
    assert story.water == expected != []


def test_a_drop_waits_for_the_one_before_it_and_none_is_lost():
    trial = replace(QUICK, reward_dur=1.0, reward_delay=0.0, max_trial_dur=20.0, final_rest_dur=4.0)
    plan = make_plan(trial, schedule=ScheduleSettings(1, SessionType.continuous_rewards), pulse_gap_s=2.0)
    story = play(plan, pulses_at(20, 25, 35, 90))
    assert story.water == [20, 50, 90], "the crossing at 25 is paid when 1 s of water and 2 s of pause are over"
    assert len(story.marks("crossing")) == 3, "the one at 35 met a drop that was due"
