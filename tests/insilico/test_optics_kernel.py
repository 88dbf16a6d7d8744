"""When the compiled part of the rendering is compiled, and what it may not do to be fast."""

import subprocess
import sys

import pytest

from insilico.optics_kernel import load_kernels
from tests.insilico.cortices import frames, make


def test_nothing_is_compiled_in_the_loop():
    frames(make(), 2)
    for kernel in load_kernels():
        assert len(kernel.signatures) == 1
        with pytest.raises(TypeError):
            kernel(1, 2)


def test_no_order_of_operations_is_left_to_the_compiler():
    for kernel in load_kernels():
        assert not kernel.targetoptions.get("fastmath")
        assert not kernel.targetoptions.get("parallel")


def test_without_a_cache_it_compiles_anyway_and_gives_the_same_bytes(monkeypatch):
    import numba

    from insilico import optics_kernel

    compile_ = numba.njit

    def refuse(*args, **options):
        if options.pop("cache", False):
            raise OSError(28, "disk full")
        return compile_(*args, **options)

    cached = frames(make(), 2)
    monkeypatch.setattr(numba, "njit", refuse)
    fresh = optics_kernel.load_kernels.__wrapped__()
    monkeypatch.setattr(optics_kernel, "load_kernels", lambda: fresh)
    assert (frames(make(), 2) == cached).all()


def test_importing_is_quick():
    code = (
        "import sys, insilico.optics, insilico.haemodynamics; print([m for m in ('numba', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
