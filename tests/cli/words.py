"""Words of a command line that several tests share."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
QUICK = ("--set", "total_trials=2", "--set", "initial_rest_dur=1", "--set", "dff_history=1", "--set", "max_trial_dur=2",
         "--set", "success_rest_dur=1", "--set", "fail_rest_dur=1", "--set", "reward_threshold=0.02")  # fmt: skip


def run_words(config, tmp_path, *words):
    return ("run", "--mouse", "DEMO", "--config", config, "--data-root", tmp_path / "data", *QUICK, *words)
