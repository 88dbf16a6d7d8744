"""Imports point down the layers of DESIGN.md, module by module, on the syntax tree."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = {
    "helper": 0,
    "roi_manager": 1,
    "core": 2,
    "recording": 3,
    "brain": 4,
    "behavior": 4,
    "insilico": 5,
    "camera": 6,
    "hardware": 6,
    "session": 7,
    "envs": 8,
    "dashboard": 8,
    "analysis": 8,
    "cli": 9,
    "bench": 9,
}
NEVER = {"insilico": {"hardware"}, "analysis": {"hardware"}}
HEAVY = {"brian2", "cv2", "picamera2", "dlclive", "torch", "pynwb", "matplotlib", "pandas", "numba", "h5py"} | {
    "gi", "pyaudio", "smbus2", "serial", "RPi", "Jetson", "stapipy"
}  # fmt: skip
MAY_BE_HEAVY = {
    "brain/kernel.py": {"numba"},
    "insilico/optics_kernel.py": {"numba"},
    "insilico/networks/clustered.py": {"brian2"},
    "insilico/networks/eif_pair.py": {"brian2"},
}
"""Modules that are themselves imported where they are used: decorators that run on import, networks as users write."""
PURE = {"__future__", "collections", "dataclasses", "enum", "math", "typing"} | {"annotated_types", "numpy"}
"""All that core may import, itself and ``helper`` apart: what neither asks the world nor changes it."""
SCRIPTS = {"record_two_cameras.py"}
"""Experiment scripts, beside those that begin with ``cla_``: they stand in the layer of the command line."""
MAY_ASK_THE_TIME = {"core/clock.py": {"time", "datetime"}}


def modules():
    for path in sorted(ROOT.glob("*.py")) + sorted(p for name in LAYERS for p in (ROOT / name).rglob("*.py")):
        if not path.name.startswith("cla_") and path.name not in SCRIPTS:
            yield path.relative_to(ROOT)


def imports(source, path):
    """Yield (imported top-level name, line, whether it runs when the module is imported)."""
    tree = ast.parse(source, str(path))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    inside = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative imports hide the layer"
            names = [node.module]
        for name in names:
            yield name.split(".")[0], node.lineno, id(node) not in inside and id(node) not in typing_only


def violations(source, path):
    """Return every import of ``path`` that points up or sideways, or is heavy at the top."""
    package = path.parts[0].removesuffix(".py")
    level = LAYERS[package]
    for name, line, at_import in imports(source, path):
        if name in LAYERS and name != package and (LAYERS[name] >= level or name in NEVER.get(package, ())):
            yield f"{path}:{line}: {package} (layer {level}) imports {name} (layer {LAYERS[name]})"
        if name in HEAVY and at_import and name not in MAY_BE_HEAVY.get(path.as_posix(), ()):
            yield f"{path}:{line}: {name} is heavy; import it where it is used"
        if package == "core" and name not in PURE | {"core", "helper"} | MAY_ASK_THE_TIME.get(path.as_posix(), set()):
            yield f"{path}:{line}: core is pure, it has no {name}"


@pytest.mark.parametrize("path", list(modules()), ids=str)
def test_imports_point_down(path):
    assert list(violations((ROOT / path).read_text(encoding="utf-8"), path)) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("core/x.py", "from session.loop import Loop"),
        ("core/x.py", "def f():\n    import hardware.fake"),
        ("core/x.py", "import time"),
        ("core/x.py", "def f():\n    import subprocess"),
        ("core/x.py", "from concurrent.futures import ThreadPoolExecutor"),
        ("core/x.py", "import a_package_of_tomorrow"),
        ("core/clock.py", "import os"),
        ("brain/x.py", "import behavior.kinematics"),
        ("camera/x.py", "import hardware.rig"),
        ("analysis/x.py", "import hardware.rig"),
        ("recording/x.py", "import cv2"),
    ],
)
def test_this_test_sees_a_violation(path, source):
    assert list(violations(source, Path(path)))


def test_every_package_has_a_layer():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages <= set(LAYERS)


def test_help_is_instant_because_it_imports_nothing_heavy():
    import subprocess
    import sys

    code = (
        "import sys\nfrom cli.main import make_parser\nmake_parser().format_help()\n"
        f"print(sorted(set(sys.modules) & {HEAVY | {'numpy', 'pydantic'}!r}))"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
