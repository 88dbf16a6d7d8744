"""The script that has a Raspberry Pi's kernel let go of outputs, on a folder that stands for the system."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hardware.persist import Persist, read_persist

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "strict_gpio.sh"
LINE = "dtparam=strict_gpiod"


def run(root):
    return subprocess.run(["bash", SCRIPT, root], capture_output=True, text=True, check=False, timeout=30)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "boot/firmware").mkdir(parents=True)
    for driver in ("bcm2835", "rp1"):
        folder = tmp_path / f"sys/module/pinctrl_{driver}/parameters"
        folder.mkdir(parents=True)
        (folder / "persist_gpio_outputs").write_text("Y\n")
    return tmp_path


@pytest.mark.parametrize("folder", ["boot/firmware", "boot"])
@pytest.mark.parametrize("text", ["", "[pi4]\narm_boost=1\n", "camera_auto_detect=1", f"#{LINE}\n"])
def test_it_sets_now_and_from_the_next_start_on(root, folder, text):
    config = root / folder / "config.txt"
    config.write_text(text)
    done = run(root)
    assert done.returncode == 0, done.stderr
    assert read_persist(root / "sys/module") is Persist.dropped
    lines = config.read_text().splitlines()
    assert lines[: len(text.splitlines())] == text.splitlines()
    # For every model, whatever section the file ended in.
    assert lines[-3] == "[all]"
    assert lines[-1] == LINE
    assert [path.name for path in config.parent.iterdir() if path.is_file()] == ["config.txt"]


@pytest.mark.parametrize("given", [LINE, f"{LINE}=off", "dtparam=i2c_arm=on,strict_gpiod"])
def test_a_line_that_is_there_is_left_as_it_is(root, given):
    config = root / "boot/firmware/config.txt"
    config.write_text(f"{given}\n")
    assert run(root).returncode == 0
    assert config.read_text() == f"{given}\n"


def test_a_second_time_changes_nothing(root):
    config = root / "boot/firmware/config.txt"
    config.write_text("dtparam=audio=on\n")
    run(root)
    before = config.read_text()
    assert run(root).returncode == 0
    assert config.read_text() == before


def test_a_system_without_the_file_is_told_so(root):
    done = run(root)
    assert done.returncode == 0
    assert f"add the line {LINE}" in done.stderr
