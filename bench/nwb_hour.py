"""A long session made quickly, and what its export to NWB takes: time, memory, room."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.brain_session import FORMULA, ROIS, SIDE
from bench.processes import peak_mb
from core.clock import MonotonicClock
from core.values import as_ns

ROOT = Path(__file__).resolve().parent.parent
FPS = 15.0
TRIAL_S, REST_S, FIRST_REST_S = 8.0, 2.0, 5.0
LOOK_S = 0.05

CONFIG = """\
[clnf_hour]
vid_source = synthetic
resolution = {side}, {side}
framerate = {fps}
roi_operation = {formula}
{rois}
dff_history = 6
reward_threshold = 0.03
session_type = continuous_rewards
total_trials = {trials}
initial_rest_dur = {first}
max_trial_dur = {trial}
success_rest_dur = {rest}
fail_rest_dur = {rest}
max_session_water_s = 3600
data_root = data

[mouse:HOUR]
experiment = clnf_hour
"""


@dataclass(frozen=True, slots=True)
class Export:
    """What an export came to.

    Attributes
    ----------
    minutes : float
        Of the session.
    frames, recorded_mb : float
        Of the session folder.
    recording_s, export_s : float
        Time that passed.
    peak_mb : float
        Most memory resident in the exporting process at any moment.
    nwb_mb : float
        Size of the file.
    """

    minutes: float
    frames: float
    recorded_mb: float
    recording_s: float
    export_s: float
    peak_mb: float
    nwb_mb: float


def export_session(folder: Path, minutes: float) -> Export:
    """Run a session of about ``minutes`` of its own time as fast as it goes, and export it; all into ``folder``.

    Raises SystemExit where either fails; the command has said why.
    """
    folder.mkdir(parents=True)
    session, told = run_session(folder, minutes)
    file = folder / "session.nwb"
    words = ("export", str(session), "--nwb", str(file), "--allow-incomplete", "--config", str(folder / "config.ini"))
    export_s, peak, _ = watch(words)
    return Export(
        minutes=float(told["duration_s"]) / 60,
        frames=float(told["frames"]),
        recorded_mb=sum(path.stat().st_size for path in session.iterdir()) / 1e6,
        recording_s=float(told["wall_s"]),
        export_s=export_s,
        peak_mb=peak,
        nwb_mb=file.stat().st_size / 1e6,
    )


def run_session(folder: Path, minutes: float) -> tuple[Path, dict[str, float]]:
    """Run the session: two ROIs of the synthetic scene, with tones, water and images; return its folder and result."""
    config = folder / "config.ini"
    config.write_text(session_config(minutes), encoding="utf-8")
    _, _, said = watch(("run", "--mouse", "HOUR", "--config", str(config), "--seed", "1", "--json"))
    result = json.loads(said.splitlines()[-1])
    return Path(result["session"]), result


def session_config(minutes: float) -> str:
    """Return the config of a session that takes ``minutes`` at most, a trial at least."""
    trials = max(1, int((60 * minutes - FIRST_REST_S) / (TRIAL_S + REST_S)))
    rois = "\n".join(f"roi.{name} = {roi.x},{roi.y},{roi.w},{roi.h}" for name, roi in ROIS.items())
    return CONFIG.format(
        side=SIDE, fps=FPS, formula=FORMULA, rois=rois, trials=trials, first=FIRST_REST_S, trial=TRIAL_S, rest=REST_S
    )


def watch(words: Sequence[str]) -> tuple[float, float, str]:
    """Run a ``rigloop`` command to its end; return its duration, s, its peak memory, MB, and what it printed."""
    clock = MonotonicClock()
    start_ns, peak = clock.now_ns(), 0.0
    child = subprocess.Popen(  # noqa: S603 - our own command
        (sys.executable, "-m", "cli.main", *words), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        while child.poll() is None:
            peak = max(peak, peak_mb(child.pid))
            clock.sleep_until_ns(clock.now_ns() + as_ns(LOOK_S))
        seconds = (clock.now_ns() - start_ns) / 1e9
        said, _ = child.communicate(timeout=60)
    finally:
        child.kill()
    if child.returncode:
        raise SystemExit(f"bench_recording: rigloop {words[0]} ended with {child.returncode}; its message stands above")
    return seconds, peak, said
