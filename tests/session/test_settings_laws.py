"""Laws: a resolved copy gives the same settings; no text gives anything but settings or a ConfigError."""

import dataclasses
import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.errors import ConfigError
from helper import SessionType
from session.config_keys import KINDS, all_keys, keys_of
from session.settings import Settings, check_config, load_settings
from tests.session.config_texts import CLMF, CONFIG, Probed, load


def outcome(load_it: Callable[[], Settings]) -> tuple[Settings | None, list[str]]:
    """Return the settings, or the problems; anything but a ConfigError comes out."""
    try:
        return load_it(), []
    except ConfigError as error:
        return None, error.problems


def again(made: Settings, path: Path) -> Settings:
    path.write_text(made.to_ini(), encoding="utf-8")
    return dataclasses.replace(load_settings(path, made.mouse), config_path=made.config_path)


@pytest.mark.parametrize("mouse", ["DEMO", "DEMO2", "REC1"])
def test_resolved_copy_of_a_shipped_mouse_gives_it_again(tmp_path: Path, mouse: str) -> None:
    made = load_settings(CONFIG, mouse)
    assert again(made, tmp_path / "elsewhere.ini") == made
    assert json.loads(json.dumps(made.flat())) == made.flat()
    assert set(made.flat()) == {*keys_of("clnf"), *(f"roi.{name}" for name in made.rois)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    threshold=st.floats(0.001, 1000),
    rests=st.floats(0, 3600),
    folder=st.text(min_size=1, max_size=20),
    kind=st.sampled_from(SessionType),
    corner=st.tuples(st.integers(0, 200), st.integers(0, 200)),
    radius=st.floats(1, 20),
)
def test_resolved_copy_gives_the_same_settings(
    tmp_path: Path,
    threshold: float,
    rests: float,
    folder: str,
    kind: SessionType,
    corner: tuple[int, int],
    radius: float,
) -> None:
    lines = f"roi_operation = 2*c + R\nroi.c = circle 100.25,99.5,{radius!r}\nroi.r = {corner[0]},{corner[1]},9,9"
    overrides = {"reward_threshold": repr(threshold), "fail_rest_dur": repr(rests), "session_type": kind.value}
    made, problems = outcome(lambda: load(tmp_path / "c.ini", lines, overrides={**overrides, "--data-root": folder}))
    if made is None:
        assert all(line.startswith("--data-root") for line in problems)
        return
    assert made.threshold.reward_threshold == threshold
    assert again(made, tmp_path / "copy.ini") == made


def test_resolved_copy_of_a_movement_section(tmp_path: Path) -> None:
    (tmp_path / "c.ini").write_text(CLMF.format(start="still", more="still_speed = 8.571428571428571"))
    made = load_settings(tmp_path / "c.ini", "A")
    assert again(made, tmp_path / "copy.ini") == made


def in_file_order(problems: list[str], path: Path) -> bool:
    """Return whether lines of the file come in order, and what stands on none of them last."""
    found = [re.match(rf"{re.escape(str(path))}:(\d+): ", problem) for problem in problems]
    places = [int(match[1]) if match else math.inf for match in found]
    return places == sorted(places)


ODD = ["1e308", "-1", "1,1,9,9", "replay", "M1_L", "x", "1", "-0.0"]
TEXTS = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.one_of(
            st.sampled_from(["[clnf_a]", "[clmf_a]", "[mouse:A]", "[seeds]", "experiment = clnf_a", "M1 = 1, 2"]),
            st.builds("{} = {}".format, st.sampled_from([*all_keys(), "roi.x", "M1"]), st.text(max_size=12)),
            st.builds("{} = {}".format, st.sampled_from([*all_keys(), "roi.x"]), st.sampled_from(ODD)),
            st.text(max_size=12),
        ),
        max_size=14,
    ).map("\n".join),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(TEXTS)
@example("[clnf_a]\nroi=x\nroi.x=1,1,9,9\nppmm=1e-300\n[mouse:A]\nexperiment=clnf_a")
@example("[clnf_a]\nroi=M1_L\nppmm=10000\nroi_size=100,100\n[mouse:A]\nexperiment=clnf_a\n[seeds]\nM1=20,20")
@example("[clnf_a]\ndata_root=~nobody_at_all/\0\n[mouse:A]\nexperiment=clnf_a")
def test_any_text_gives_settings_or_a_config_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fuzz.ini"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    made, problems = outcome(lambda: load_settings(path, "A", probe=lambda source, framerate: Probed()))
    if made is None:
        assert problems
        assert all(line and line.isprintable() for line in problems)
        assert in_file_order(problems, path)
    else:
        assert again(made, tmp_path / "copy.ini") == made
    assert in_file_order(check_config(path), path)


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=3))
def test_any_override_gives_settings_or_a_config_error(overrides: dict[str, str]) -> None:
    made, problems = outcome(lambda: load_settings(CONFIG, "DEMO", overrides=overrides))
    assert (made is None) == bool(problems)


def test_every_key_belongs_to_a_kind() -> None:
    assert set(all_keys()) == {name for kind in KINDS for name in keys_of(kind)}
    for key in all_keys().values():
        if key.default != "":
            assert key.read(key.write(key.default)) == key.default
