"""What a session is replayed with: its own settings, the changes that can still be made to them, and its plan."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.errors import InputError
from core.trial import SessionPlan
from hardware.settings import OutputKind
from insilico.settings import split_network
from recording.recorded import RecordedSession
from recording.schema import FRAMES_CSV, INPUTS_CSV, NETWORK_PY, SCHEMA_VERSION, SESSION_INI, SESSION_JSON, WITH_INPUTS
from session.build import Options, draw_plan
from session.config_keys import all_keys
from session.config_rois import PREFIX
from session.recorded_meta import WHO, check_meta, load_recorded, trials_before
from session.second_folder import RECORDED_ONLY
from session.second_section import KEY as SECOND_KEY
from session.settings import Settings

CHANGEABLE = frozenset({"rule", "dff", "movement", "tones", "threshold", "schedule", "trial"})
"""Groups of keys that decide what is made of frames."""
SIGNAL_GROUPS = frozenset({"rule", "dff"})
"""Groups whose change makes another signal of the images."""
OUTPUTS_THAT_DECIDE = frozenset({"min_pulse_gap_s", "max_pulse_s", "max_session_water_s"})
"""Keys of the outputs by which a drop is refused, so that they decide all the same."""
FIXED: Mapping[str, str] = MappingProxyType(
    {
        "camera": "frames are as they were recorded",
        "second": "a second camera is recorded only, and decides nothing",
        "simulation": "what a simulated mouse did is as it was recorded",
        "pose": "poses are as they were recorded; `rigloop run --camera replay` finds them anew in the recorded video",
        "outputs": "it has no part in what the loop decides",
        "pins": "it has no part in what the loop decides",
        "sound": "it has no part in what the loop decides",
        "licks": "licks are as they were recorded",
        "faults": "what was lost, and came back, is as it was recorded",
        "recording": "a replay records nothing",
        "subject": "it has no part in what the loop decides",
    }
)
"""Why keys of the other groups cannot be changed afterwards."""


def check_replayable(session: RecordedSession) -> None:
    """Raise InputError for a session that lacks what an exact replay needs."""
    folder, meta = session.folder, session.meta
    again = "`rigloop run --camera replay --source SESSION` replays its frames alone"
    if not (folder / FRAMES_CSV).is_file():
        raise InputError(f"{folder}: a session of CLoPy, which records no licks, wishes and seed; {again}")
    if not len(session.frames):
        raise InputError(f"{folder} has no frames, so that there is nothing to replay; give another session")
    if not session.part_names and (session.frames.reason == RECORDED_ONLY).all():
        raise InputError(f"{folder}: what a second camera recorded decides nothing; give {folder.parent}")
    if session.inputs is None and meta.get("schema", SCHEMA_VERSION) < WITH_INPUTS:
        raise InputError(
            f"{folder}: recorded by a version that kept no {INPUTS_CSV}, so that licks and wishes cannot be given "
            f"again; {again}"
        )
    for name in (INPUTS_CSV, SESSION_INI, SESSION_JSON):
        if not (folder / name).is_file():
            raise InputError(f"{folder} has no {name}, which a replay needs; restore it from a copy")
    check_meta(folder, meta, {"seed": int, **WHO, "settings": dict})


def refuse_fixed(changes: Mapping[str, str], kind: str) -> None:
    """Raise InputError for a key of ``--set`` that cannot be changed once the frames are recorded."""
    for given in changes:
        name = given.strip().lower()
        key = all_keys().get(name)
        if key is None or key.group in CHANGEABLE or name in OUTPUTS_THAT_DECIDE:
            # What no experiment has is told by the settings' own check.
            reason = "a volume needs the rig's calibration of that day; set reward_dur" if name == "reward_ul" else ""
        elif key.group == "geometry":
            in_px = f"the session's ROIs are in px; set {PREFIX}NAME = x, y, width, height"
            reason = "" if kind == "clmf" and name == "ppmm" else in_px
        else:
            reason = FIXED[key.group]
        if reason:
            raise InputError(f"--set {given}: cannot be changed afterwards: {reason}")


def changes_signal(changes: Mapping[str, str]) -> bool:
    """Whether another signal is to be made of the images."""
    keys = all_keys()
    names = [name.strip().lower() for name in changes]
    return any(name.startswith(PREFIX) or (name in keys and keys[name].group in SIGNAL_GROUPS) for name in names)


def recorded_settings(session: RecordedSession, changes: Mapping[str, str]) -> Settings:
    """Return the settings of a session, with these keys changed.

    What the frames came from need not be there any more: no recording, network or second camera is looked for.

    Raises
    ------
    SourceError
        ``session.ini`` is missing, cut or changed, or session.json does not tell whose it is.
    ConfigError
        It, or a change, is not right.
    """
    offline = {SECOND_KEY: ""}
    network = session.meta.get("settings", {}).get("network")
    if network and (session.folder / NETWORK_PY).is_file():
        offline["network"] = f"{session.folder / NETWORK_PY}:{split_network(network)[1]}"
    return load_recorded(session.folder, session.meta, {**offline, **changes})


def recorded_plan(session: RecordedSession, settings: Settings) -> SessionPlan:
    """Return the plan of a session: what chance decided is drawn from its seed again.

    Raises
    ------
    InputError
        A further part of a session would have no trial left, or session.json does not tell how many it had.
    """
    done = trials_before(session.folder, session.meta)
    if done >= settings.schedule.total_trials:
        raise InputError(
            f"--set total_trials={settings.schedule.total_trials}: {session.folder} goes on after {done} trials; give "
            "more than those"
        )
    return draw_plan(
        settings, Options(seed=session.meta["seed"], live=False, outputs=OutputKind.fake, skip_trials=done)
    )
