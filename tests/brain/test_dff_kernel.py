"""What the compiled part of dF/F is given, and when it is compiled; what is refused before a session."""

import math
import subprocess
import sys

import numpy as np
import pytest

from brain.dff import StreamingDff, pixel_runs
from brain.settings import DffSettings
from roi_manager import Rect
from tests.brain.streams import FRAME_SHAPE, HEIGHT, PERIOD, RATE, SHAPES, WIDTH, make, make_images


def test_any_memory_layout_gives_the_same_and_nothing_of_an_image_is_kept():
    images = make_images(6, 30, "uint16")
    plain, others = make(SHAPES, dtype="uint16"), make(SHAPES, dtype="uint16")
    for number, image in enumerate(images):
        padded = np.zeros((2 * HEIGHT, 2 * WIDTH, 3), np.uint16)
        raw = np.zeros(image.nbytes + 1, np.uint8)
        unaligned = raw[1:].view(np.uint16).reshape(FRAME_SHAPE)
        fixed = image.copy()
        layouts = [image.copy(), np.asfortranarray(image), padded[::2, ::2], unaligned, fixed]
        layout = layouts[number % len(layouts)]
        layout[...] = image
        fixed.flags.writeable = False
        expected = plain.update(image, number * PERIOD)
        assert repr(others.update(layout, number * PERIOD)) == repr(expected)
        if layout.flags.writeable:
            layout[...] = 65535


@pytest.mark.parametrize("view", ["unaligned", "strided", "fortran", "subclass"])
def test_the_kernel_is_given_plain_aligned_memory(view):
    """Compiled code may crash on, or misread, what x86 forgives."""
    image = make_images(6, 1, "uint16")[0]
    raw = np.zeros(image.nbytes + 1, np.uint8)
    images = {
        "unaligned": raw[1:].view(np.uint16).reshape(FRAME_SHAPE),
        "strided": np.zeros((HEIGHT, 2 * WIDTH, 3), np.uint16)[:, ::2],
        "fortran": np.asfortranarray(image),
        "subclass": image.view(np.recarray),
    }
    images[view][...] = image
    dff = make(SHAPES, dtype="uint16")
    given_to, run = [], dff._step

    def spy(pixels, *rest):
        given_to.append(pixels)
        return run(pixels, *rest)

    dff._step = spy
    dff.update(images[view], 0)
    dff.update(image, PERIOD)
    copied, passed_on = given_to
    assert type(copied) is np.ndarray
    assert copied.flags.aligned
    assert copied.flags.c_contiguous
    assert (copied == image).all()
    assert passed_on is image


def test_runs_cover_the_masks_in_order():
    runs, starts = pixel_runs(SHAPES)
    first = 0
    pixels = [(row, column + k) for row, column, length in runs.tolist() for k in range(length)]
    for shape, start, end in zip(SHAPES, starts, starts[1:], strict=False):
        assert start == first
        x0, y0, _, _ = shape.bounds()
        wanted = [(int(row) + y0, int(column) + x0) for row, column in np.argwhere(shape.mask())]
        assert pixels[start:end] == wanted
        first = int(end)
    assert first == len(pixels)


@pytest.mark.parametrize(
    ("change", "cure"),
    [
        ({"shapes": []}, "at least one"),
        ({"shapes": [Rect(15, 0, 6, 6)]}, "move it inside"),
        ({"shapes": [Rect(-1, 0, 6, 6)]}, "move it inside"),
        ({"dtype": "float32"}, "uint8 or uint16"),
        ({"framerate": 0.0}, "above 0"),
        ({"framerate": math.nan}, "above 0"),
        ({"framerate": 1.0}, "make it longer"),
        ({"frame_shape": (12, 20, 1)}, "is needed"),
        ({"frame_shape": (12, 20)}, "is needed"),
    ],
)
def test_what_cannot_be_is_said_before_the_session(change, cure):
    arguments = {
        "shapes": SHAPES,
        "settings": DffSettings(0.5),
        "framerate": RATE,
        "frame_shape": FRAME_SHAPE,
        "dtype": "uint8",
    }
    with pytest.raises(ValueError, match=cure):
        StreamingDff(**arguments | change)


def test_nothing_is_compiled_in_the_loop():
    from brain.kernel import load_step

    make(SHAPES)
    step = load_step("uint8")
    assert len(step.signatures) == 1
    with pytest.raises(TypeError):
        step(1, 2)
    assert len(step.signatures) == 1


@pytest.mark.parametrize(
    "error", [RuntimeError("no locator available"), OSError(28, "disk full"), EOFError(), ValueError()]
)
def test_without_a_cache_it_compiles_anyway(monkeypatch, error):
    import numba

    from brain import kernel

    compile_ = numba.njit

    def refuse(*args, **options):
        if options.pop("cache", False):
            raise error
        return compile_(*args, **options)

    monkeypatch.setattr(numba, "njit", refuse)
    assert len(kernel.load_step.__wrapped__("uint8").signatures) == 1


def test_importing_is_quick():
    code = "import sys, brain.dff, brain.pipeline; print([m for m in ('numba', 'cv2', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
