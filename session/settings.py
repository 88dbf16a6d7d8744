"""The settings of one session: config.ini's sections put on top of each other, checked, and written back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from behavior.pose_settings import PoseSettings
from behavior.settings import MovementSettings
from brain.settings import DffSettings, GeometrySettings, RuleSettings
from camera.second_settings import SecondCameraSettings
from camera.settings import CameraSettings
from core.errors import ConfigError
from core.schedule import ScheduleSettings
from core.threshold import ThresholdSettings
from core.tones import ToneSettings
from core.trial import TrialSettings
from hardware.settings import FaultSettings, LickSettings, OutputSettings, PinSettings, SoundSettings
from helper import Seed
from insilico.settings import SimulationSettings
from recording.settings import RecordingSettings
from recording.subject import SubjectSettings
from roi_manager import Shape
from session.calibration_valve import ValveCalibration
from session.compose import Composition
from session.config_entries import ConfigFile, Entry, Problem, Section, in_order
from session.config_file import read_config, shown, write_value
from session.config_frames import Probe
from session.config_keys import keys_of
from session.config_rois import PREFIX, read_seeds
from session.mouse_draft import Missing, MouseDraft, alone, draft_mouse, find_own, named
from session.second_section import SecondSection, find_second, named_as_second


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a session is told.

    Attributes
    ----------
    mouse, experiment : str
        As they are spelled in the file.
    kind : {"clnf", "clmf"}
    camera ... subject
        The settings of each part. In clmf experiments ``threshold.reward_threshold`` is the ``speed_threshold``.
    movement : MovementSettings or None
    pose : PoseSettings or None
        Only in clmf experiments.
    seeds : dict
        Upper-case name to Seed.
    rois : dict
        Upper-case name to shape in px: those the rule names, in its order.
    formula : str
        The ROI's name, or the operation; empty in clmf experiments.
    config_path : Path
        The file it came from.
    valve : ValveCalibration or None
        What turned ``trial.reward_ul`` into ``trial.reward_dur``; None where no volume is asked for.
    camera2 : SecondSection or None
        The camera that is recorded as well, of the section that ``second.second_camera`` names.
    """

    mouse: str
    experiment: str
    kind: str
    camera: CameraSettings
    second: SecondCameraSettings
    simulation: SimulationSettings
    geometry: GeometrySettings
    rule: RuleSettings
    dff: DffSettings
    movement: MovementSettings | None
    pose: PoseSettings | None
    tones: ToneSettings
    threshold: ThresholdSettings
    schedule: ScheduleSettings
    trial: TrialSettings
    outputs: OutputSettings
    pins: PinSettings
    sound: SoundSettings
    licks: LickSettings
    faults: FaultSettings
    recording: RecordingSettings
    subject: SubjectSettings
    seeds: Mapping[str, Seed]
    rois: Mapping[str, Shape]
    formula: str
    config_path: Path
    valve: ValveCalibration | None = None
    camera2: SecondSection | None = None

    def flat(self) -> dict[str, Any]:
        """Return every key with its value as JSON has it, and each ROI as ``roi.NAME``.

        A second camera's keys are ``second_camera.NAME``.
        """
        flat = {name: key.plain(getattr(getattr(self, key.group), name)) for name, key in keys_of(self.kind).items()}
        second = {} if self.camera2 is None else self.camera2.flat()
        return flat | second | {PREFIX + name: shape.text() for name, shape in self.rois.items()}

    def to_ini(self) -> str:
        """Return a config.ini that gives these settings again (``config_path`` apart), wherever it lies.

        A reward asked for by volume is written as the opening it came to: the rig's calibration lies elsewhere, and may
        be another one by then.
        """
        keys = keys_of(self.kind)
        values = {name: key.write(getattr(getattr(self, key.group), name)) for name, key in keys.items()}
        values["reward_ul"] = "0"
        rois = {PREFIX + name: shape.text() for name, shape in self.rois.items()}
        seeds = {name: f"{seed.ap_mm!r}, {seed.ml_mm!r}" for name, seed in self.seeds.items()}
        sections = {
            self.experiment: {name: value for name, value in values.items() if value} | rois,
            f"mouse:{self.mouse}": {"experiment": self.experiment},
        }
        if self.camera2 is not None:
            sections[self.camera2.section] = self.camera2.entries()
        if seeds:
            sections["seeds"] = seeds
        return "\n".join(ini_section(title, entries) for title, entries in sections.items())


def ini_section(title: str, entries: Mapping[str, str]) -> str:
    """Return a section as text, its ``=`` aligned. Raises ValueError on a value that cannot be written."""
    width = max((len(name) for name in entries), default=0)
    lines = [f"{name:{width}} = {write_value(value)}\n" for name, value in entries.items()]
    return f"[{title}]\n{''.join(lines)}"


def load_settings(
    path: Path,
    mouse: str,
    *,
    experiment: str | None = None,
    overrides: Mapping[str, str] | None = None,
    probe: Probe | None = None,
) -> Settings:
    """Read the settings of a mouse.

    Parameters
    ----------
    path : Path
        config.ini.
    mouse : str
        Its ID, in either case.
    experiment : str, optional
        Takes the place of the experiment its section names (``--experiment``).
    overrides : mapping of str to str, optional
        Config keys (``--set``), and ``"--camera"``, ``"--source"``, ``"--data-root"``, to their values.
    probe : callable, optional
        ``probe(path, framerate)`` looks into a recording to replay.

    Raises
    ------
    ConfigError
        With every problem that concerns this session, a line each, in the order of the file; those of the command line
        come last.
    """
    return settings_from(draft_mouse(read_config(path), mouse, experiment, overrides, probe))


def settings_from(draft: MouseDraft) -> Settings:
    """Return the settings of a mouse whose keys have been put on top of each other. Raises ConfigError."""
    if draft.problems or draft.section is None or draft.own is None or draft.made is None:
        raise ConfigError(in_order(draft.problems))
    return Settings(
        mouse=draft.section.title[6:],
        experiment=draft.own.title,
        kind=draft.made.kind,
        seeds=draft.made.table.seeds,
        rois=draft.made.rois,
        formula=draft.made.formula,
        config_path=Path(draft.path),
        valve=draft.made.valve,
        camera2=draft.camera2,
        **draft.made.groups(),
    )


def check_config(path: Path, mouse: str | None = None, probe: Probe | None = None) -> list[str]:
    """Return the problems of a whole file, or of what one mouse needs. A shared section's problem comes once.

    An experiment that mice name may leave to them its rule and its recording, and one that others name for its camera
    needs no rule; any other is checked as it stands.
    """
    try:
        if mouse is not None:
            load_settings(path, mouse, probe=probe)
            return []
        file = read_config(path)
    except ConfigError as error:
        return error.problems
    problems = list(file.problems)
    used = named_as_second(file)
    for section in file.mice.values():
        own = find_own(file, section, None)
        if isinstance(own, Missing):
            problems += alone(file, section, None)
            problems = own.beside(problems)
            continue
        used.add(own.title.lower())
        problems += _problems(file, own, [own.entries, named(section)], probe)
    for own in file.experiments.values():
        if own.title.lower() in used:
            problems += alone(file, own, own.title[:4].lower())
        else:
            problems += _problems(file, own, [own.entries], probe)
    problems += read_seeds(file)[1]
    if not file.experiments and not problems:
        problems.append(Problem(0, f"{shown(path, 300)}: no experiment; add a section such as [clnf_1roi]"))
    return in_order(problems)


def _problems(file: ConfigFile, own: Section, layers: list[Mapping[str, Entry]], probe: Probe | None) -> list[Problem]:
    """Return the problems of an experiment under these layers, and of its second camera."""
    made = Composition(file, own, layers, probe)
    return [*made.draft.problems, *find_second(file, made.draft, made.table, probe)[1]]
