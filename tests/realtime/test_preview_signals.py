"""A real ``rigloop preview`` ends on a signal as it should: exit 0, a whole picture, no session. Real processes."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_signal_ends_a_preview_with_its_picture_whole(tmp_path, number):
    picture = tmp_path / "data" / "preview-DEMO.png"
    command = [
        sys.executable, "-m", "cli.main", "preview", "--mouse", "DEMO", "--set", f"data_root={tmp_path / 'data'}",
        "--set", "rig=of-preview-tests",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 60
        while not picture.exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end, "waited in vain"
            # Whenever it is looked at, what is there is whole.
            time.sleep(0.01)
        assert cv2.imread(str(picture)) is not None
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert f"stopped by {number.name}" in out.splitlines()[-1]
    assert str(picture) in out.splitlines()[-1]
    assert cv2.imread(str(picture)).shape[1] == 1500
    assert list((tmp_path / "data").iterdir()) == [picture]
