"""What every pipeline must do, whatever it makes its signal of. A new one is one more line in CASES."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from brain.pipeline import BrainPipeline
from brain.rule import parse_rule
from brain.settings import DffMode, DffSettings
from core.ports import Pipeline
from core.values import Frame, Image, Signal
from roi_manager import Circle, Rect

SHAPE = (30, 40, 3)
RATE = 10.0
PERIOD_NS = 100_000_000
ROIS = {"BC_L": Rect(2, 3, 8, 6), "BC_R": Circle(25, 10, 4), "ANT": Rect(30, 20, 3, 7)}


@dataclass(frozen=True)
class Case:
    """One implementation.

    Attributes
    ----------
    make : callable
        Makes a pipeline for frames of SHAPE at RATE with a second of history at most; two of them are alike.
    names : tuple of str
    dtype : str
    """

    make: Callable[[], Pipeline]
    names: tuple[str, ...]
    dtype: str = "uint8"


def brain(rule: str, mode: DffMode = DffMode.green_minus_blue, dtype: str = "uint8") -> Case:
    parsed = parse_rule(rule)
    return Case(
        lambda: BrainPipeline(parsed, ROIS, DffSettings(0.5, mode), RATE, SHAPE, dtype), tuple(parsed.names), dtype
    )


CASES = {
    "brain-roi": brain("BC_L"),
    "brain-formula": brain("(BC_L-BC_R)/(ANT+2)"),
    "brain-green": brain("BC_L-BC_R", DffMode.green),
    "brain-regressed": brain("BC_L-BC_R", DffMode.blue_regressed),
    "brain-uint16": brain("BC_L", dtype="uint16"),
}
N = 30


def constant(value: int) -> Callable[[np.dtype], Image]:
    return lambda dtype: np.full((N, *SHAPE), min(value, np.iinfo(dtype).max), dtype)


def noise(dtype: np.dtype) -> Image:
    return np.random.default_rng(3).integers(0, np.iinfo(dtype).max, (N, *SHAPE), dtype, endpoint=True)


def dark_in_the_middle(dtype: np.dtype) -> Image:
    images = noise(dtype)
    images[N // 3 : 2 * N // 3] = 0
    return images


FILMS = {
    "black": constant(0),
    "grey": constant(100),
    "saturated": constant(65_535),
    "noise": noise,
    "dark in the middle": dark_in_the_middle,
}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture(params=FILMS.values(), ids=FILMS.keys())
def film(request: pytest.FixtureRequest, case: Case) -> Image:
    return request.param(np.dtype(case.dtype))


def frame(images: Image, index: int) -> Frame:
    return Frame(images[index], index + 1, 7 + index * PERIOD_NS)


def signals(pipeline: Pipeline, images: Image) -> list[Signal]:
    return [pipeline.update(frame(images, index)) for index in range(len(images))]


def test_names_are_known_before_the_first_frame_and_stay(case: Case) -> None:
    pipeline = case.make()
    assert pipeline.names == case.names
    signals(pipeline, noise(np.dtype(case.dtype)))
    assert pipeline.names == case.names


def test_every_frame_gives_a_signal_that_is_whole(case: Case, film: Image) -> None:
    """Valid, finite and without a reason; or not valid, and with one. Nothing is raised on odd pixels."""
    for signal in signals(case.make(), film):
        assert [type(value) for value in (signal.value, signal.valid, signal.reason)] == [float, bool, str]
        assert signal.valid == (signal.reason == "")
        assert math.isfinite(signal.value) or not signal.valid
        assert len(signal.parts) == len(case.names)
        assert all(type(part) is float for part in signal.parts)


def test_light_that_does_not_change_becomes_valid(case: Case) -> None:
    assert signals(case.make(), constant(100)(np.dtype(case.dtype)))[-1] == Signal(
        0.0, True, "", (0.0,) * len(case.names)
    )


def test_black_frames_are_never_valid(case: Case) -> None:
    assert not any(signal.valid for signal in signals(case.make(), constant(0)(np.dtype(case.dtype))))


def test_its_signals_follow_from_its_frames_alone(case: Case, film: Image) -> None:
    one, other = case.make(), case.make()
    between = [(repr(one.update(frame(film, k))), repr(other.update(frame(film, k)))) for k in range(N)]
    assert all(a == b for a, b in between)
    assert [a for a, _ in between] == [repr(signal) for signal in signals(case.make(), film)]


def test_the_image_is_neither_written_nor_kept(case: Case, film: Image) -> None:
    """The camera may use the memory again after its next ``read``."""
    memory = np.empty(SHAPE, case.dtype)
    shown = memory.view()
    shown.flags.writeable = False
    pipeline = case.make()
    seen = []
    for index in range(N):
        memory[...] = film[index]
        seen.append(repr(pipeline.update(frame(film, index)._replace(image=shown))))
        assert np.array_equal(memory, film[index])
        memory[...] = 255 - memory
    assert seen == [repr(signal) for signal in signals(case.make(), film)]
