"""What stands in a session folder beside the recorder's files: who, what, which versions; and at the end the summary.

Each step of the end is done whatever the step before it did: a summary row is worth more than a CLoPy log, and both
more than an exception.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from core.errors import RigError
from insilico.settings import split_network
from recording.clopy import write_clopy_files
from recording.folder import read_session_json, replace_file, write_session_json
from recording.index import update_index
from recording.reader import open_session
from recording.schema import NETWORK_PY, SCHEMA_VERSION, SESSION_INI
from recording.summary import SummaryRow, append_summary
from session.build import Options, Parts
from session.calibration import calibration_facts
from session.parts import part_facts
from session.provenance import config_sha256, host, software
from session.result import SessionResult
from session.settings import Settings


def note_start(folder: Path, settings: Settings, options: Options, started_ns: int, parts: Parts) -> None:
    """Write session.ini, session.json ("running" until the end) and a user's network. Raises RecordingError."""
    again = f"rigloop run --config {SESSION_INI} --mouse {settings.mouse} --seed {options.seed}"
    config = settings.to_ini()
    said = f"The same session again: {again}" if options.resumes is None else f"Goes on with ../{options.resumes.name}"
    replace_file(folder / SESSION_INI, f"; {said}\n{config}")
    if settings.simulation.network:
        source = Path(split_network(settings.simulation.network)[0])
        replace_file(folder / NETWORK_PY, source.read_text(encoding="utf-8"))
    write_session_json(
        folder,
        {
            "schema": SCHEMA_VERSION,
            "mouse": settings.mouse,
            "experiment": settings.experiment,
            "kind": settings.kind,
            "formula": settings.formula,
            "outcome": "running",
            "started_wall_ns": started_ns,
            "started_by": options.started_by,
            "seed": options.seed,
            "pace": "real" if options.live else "max",
            "outputs": options.outputs.value,
            "rig": settings.outputs.rig,
            "simulation": dict(parts.about),
            "devices": parts.devices,
            "calibration": calibration_facts(settings.valve),
            "settings": settings.flat(),
            "seeds": {name: {"ML": seed.ml_mm, "AP": seed.ap_mm} for name, seed in settings.seeds.items()},
            "config_path": str(settings.config_path),
            "config_sha256": config_sha256(config),
            "software": software(),
            "host": host(),
        }
        | part_facts(settings, options),
    )


def finish(result: SessionResult, settings: Settings, wall_start_ns: int, first_frame_ns: int) -> SessionResult:
    """Write the end of session.json, the summary row and CLoPy's files.

    Parameters
    ----------
    wall_start_ns : int
        ns since 1970 when the first frame was asked for.
    first_frame_ns : int
        Time of the first frame on the frames' clock, -1 if none came.

    Returns
    -------
    SessionResult
        As given, or failed if something could not be written.
    """
    steps: tuple[Callable[[], object], ...] = (
        lambda: end_session_json(result, wall_start_ns, first_frame_ns),
        lambda: append_summary(
            Path(settings.recording.data_root) / settings.recording.summary_file,
            summary_row(result, settings, wall_start_ns),
        ),
        lambda: write_clopy(result.session),
        # Of what the index lacks, the next `rigloop sessions` finds the folder.
        lambda: update_index(Path(settings.recording.data_root), result.session),
    )
    errors = []
    for step in steps:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - the steps after it are done all the same
            errors.append(str(error) if isinstance(error, RigError | OSError) else f"{type(error).__name__}: {error}")
    if not errors:
        return result
    failed = replace(result, outcome="failed", error="; ".join(filter(None, [result.error, *errors])))
    # If the folder cannot be written at all, which is what the error says, the screen is what is left.
    with suppress(RigError, OSError):
        end_session_json(failed, wall_start_ns, first_frame_ns)
    return failed


def end_session_json(result: SessionResult, wall_start_ns: int, first_frame_ns: int) -> None:
    """Add what only the end knows."""
    meta = read_session_json(result.session)
    counts = result.json()
    meta.update(
        outcome=result.outcome,
        error=result.error,
        started_wall_ns=wall_start_ns,
        first_frame_ns=first_frame_ns,
        latency_us=counts.pop("latency_us"),
        lateness_us=counts.pop("lateness_us"),
        counts={key: counts[key] for key in counts if key not in ("session", "outcome", "error")},
    )
    write_session_json(result.session, meta)


def summary_row(result: SessionResult, settings: Settings, wall_start_ns: int) -> SummaryRow:
    """Return the session's row of the summary table."""
    fps = (result.frames - 1) / result.duration_s if result.duration_s > 0 else 0.0
    movement = settings.movement
    return SummaryRow(
        mouse_id=settings.mouse,
        session=result.session.name,
        data_path=str(result.session),
        start_wall_ns=wall_start_ns,
        end_wall_ns=wall_start_ns + round(result.wall_s * 1e9),
        duration_s=result.duration_s,
        fps=fps,
        dff_history_s=settings.dff.dff_history,
        framerate=settings.camera.framerate,
        n_tones=settings.tones.n_tones,
        reward_threshold=result.threshold,
        rewards=result.rewards,
        audio=settings.schedule.audio,
        session_type=settings.schedule.session_type.value,
        outcome=result.outcome,
        water_s=_water_s(result, settings),
        day_water_s=None if result.water_today is None else result.water_today.seconds,
        kind=settings.kind,
        start_radius_px=movement.start_radius_mm * settings.geometry.ppmm if movement else 0.0,
        target_radius_px=movement.target_radius_mm * settings.geometry.ppmm if movement else 0.0,
    )


def _water_s(result: SessionResult, settings: Settings) -> float:
    """Return the time the valve was open: what the ledger has of it, and where no real water flowed what was asked."""
    if result.water_today is not None:
        return result.water_today.session_s
    # Every drop of a session, free ones too, opens the valve for reward_dur.
    return result.water * settings.trial.reward_dur


def write_clopy(folder: Path) -> None:
    """Write CLoPy's log and config copy into the folder."""
    with open_session(folder) as session:
        write_clopy_files(session, folder)
