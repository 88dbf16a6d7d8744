"""What a session comes to: the line of JSON, the summary row and the text on the screen are made from this."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from session.frame_tally import FrameTally, as_text
from session.second_folder import SecondCounts
from session.water_day import WaterToday

EXIT_CODES = {
    "complete": 0,
    "stopped": 0,
    "source_ended": 0,
    "no_start": 0,
    "aborted": 130,
    "failed": 3,
    "recovered": 0,
}
"""Exit code by outcome: done, hardware or run failed, interrupted."""


@dataclass(frozen=True, slots=True)
class SessionResult:
    """Counts and times of a session that has ended.

    Attributes
    ----------
    session : Path
        The session's folder.
    outcome : {"complete", "stopped", "source_ended", "no_start", "aborted", "failed", "recovered"}
        ``stopped``: a person asked for the end after a trial; ``aborted``: at once; ``no_start``: no trial could begin
        for ``max_start_wait_s``; ``recovered``: it was killed, and its folder finished later.
    error : str
        One line: what failed, empty if nothing did.
    trials, successes, rewards : int
        Trials that came to an outcome, those that were a success, and drops that they (or chance) earned.
    water : int
        Openings that were asked of the valve and not refused, free drops included; one that waited when a device was
        lost was not given (``water_cut`` in the events).
    frames, dropped, skipped : int
        Frames read, frames lost before the loop, and of those read the ones that were recorded and not judged.
    images, images_dropped : int
        Frames whose image is on disk (counted there, after closing), and images the recorder had no room for.
    duration_s : float
        From the first frame to the last, on the frames' clock.
    wall_s : float
        The same on the host's clock.
    latency_us : dict
        p50, p99, p999 and max from ``camera.read()`` returning to the last command issued.
    lateness_us : dict
        The same from a frame's capture to ``camera.read()`` returning; empty where frames keep no pace.
    interruptions : int
        How often a device was lost in mid-session.
    threshold : float
        At the end.
    water_today : WaterToday or None
        What the mouse has had today, drops given by hand included; None where no real water flowed.
    second_camera : SecondCounts or None
        What was recorded of a second camera; None without one.
    tally : FrameTally
        By cause: ``dropped``, ``skipped``, ``images_dropped``, and the frames that were given again.
    """

    session: Path
    outcome: str
    error: str
    trials: int
    successes: int
    rewards: int
    water: int
    frames: int
    dropped: int
    images: int
    images_dropped: int
    duration_s: float
    wall_s: float
    latency_us: dict[str, float] = field(hash=False)
    lateness_us: dict[str, float] = field(hash=False)
    interruptions: int
    threshold: float
    water_today: WaterToday | None = None
    skipped: int = 0
    second_camera: SecondCounts | None = None
    tally: FrameTally = field(default_factory=FrameTally)

    @property
    def exit_code(self) -> int:
        """Return the exit code this outcome stands for."""
        return EXIT_CODES[self.outcome]

    @property
    def real_time_factor(self) -> float:
        """Return session seconds per wall second, 0 for a session without frames."""
        return round(self.duration_s / self.wall_s, 2) if self.wall_s > 0 else 0.0

    def json(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "session": str(self.session),
            "trials": self.trials,
            "successes": self.successes,
            "rewards": self.rewards,
            "frames": self.frames,
            "dropped": self.dropped,
            "skipped": self.skipped,
            "duration_s": round(self.duration_s, 6),
            "wall_s": round(self.wall_s, 3),
            "real_time_factor": self.real_time_factor,
            "latency_us": self.latency_us,
            "lateness_us": self.lateness_us,
            "interruptions": self.interruptions,
            "outcome": self.outcome,
            "error": self.error,
            "water": self.water,
            "images": self.images,
            "images_dropped": self.images_dropped,
            "threshold": self.threshold,
            "water_today": None if self.water_today is None else self.water_today.json(),
            "second_camera": None if self.second_camera is None else self.second_camera.json(),
            "by_cause": self.tally.json(),
        }

    def text(self) -> list[str]:
        """Return the summary as lines for a person."""
        said = {
            "complete": "complete",
            "source_ended": "the recording ended before the last trial",
            "stopped": "stopped after a trial, before the last one",
            "no_start": "ended since no trial could begin for max_start_wait_s; see `start_waits` in events.csv",
            "aborted": "stopped before its end",
            "failed": f"FAILED: {self.error}",
            "recovered": "recovered: its program was killed, or the power failed",
        }[self.outcome]
        tally = self.tally
        skipped = f", skipped {self.skipped}{as_text(tally.skipped)}" if self.skipped else ""
        share = f" ({100 * self.successes / self.trials:.0f} %)" if self.trials else ""
        lines = [
            f"outcome     {said}",
            f"trials      {self.trials}, successes {self.successes}{share}, rewards {self.rewards}, drops {self.water}",
            f"frames      {self.frames}, lost {self.dropped}{as_text(tally.dropped)}{skipped}; images recorded "
            f"{self.images}, not recorded {self.images_dropped}{as_text(tally.images_dropped)}",
            f"time        {self.duration_s:.1f} s in {self.wall_s:.1f} s ({self.real_time_factor:g} x real time)",
            f"latency     {_percentiles(self.latency_us)} us from frame to last command",
        ]
        if tally.repeated:
            n_repeated = sum(tally.repeated.values())
            lines.append(f"repeated    {n_repeated} frames{as_text(tally.repeated)} came again, and are left out")
        if self.second_camera is not None:
            lines.append(self.second_camera.text())
        if self.water_today is not None:
            day = self.water_today
            lines.append(f"water       today {day.seconds:.3f} s: {day.reward_s:.3f} rewards, {day.free_s:.3f} by hand")
        if self.lateness_us:
            lines.append(f"lateness    {_percentiles(self.lateness_us)} us from capture to the loop")
        if self.interruptions:
            lines.append(f"lost        devices {self.interruptions} times; see `lost` in events.csv")
        return [*lines, f"threshold   {self.threshold:g} at the end", f"session     {self.session}"]


def _percentiles(us: dict[str, float]) -> str:
    """Return percentiles as text."""
    return f"p50 {us['p50']:g}, p99 {us['p99']:g}, p99.9 {us['p999']:g}, max {us['max']:g}"
