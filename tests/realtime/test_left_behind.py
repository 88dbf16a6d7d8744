"""A process that nothing ends, as one that hangs in the kernel: nobody waits for it, and no exit code is changed by it.

Here it is one that Python's kill does not reach; a process cannot be made to hang in the kernel on request.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

CONTROLLER = """
import sys, time
from functools import partial
from multiprocessing.process import BaseProcess
from core.clock import MonotonicClock
from hardware import lick, speaker_link
from hardware.fake_mpr121 import FakeMpr121
from hardware.lick import LickReader
from hardware.settings import LickKind, LickSettings, PinSettings
from hardware.steps import to_the_end
from hardware.speaker_process import SpeakerSpec
from hardware.settings import SoundSettings

def stay(link, spec):
    from recording.child import stand_alone
    stand_alone()
    if isinstance(spec, SpeakerSpec):
        link.send(b'{"ready": {"device": "none", "rate_hz": 48000}}')
    else:
        from hardware.lick_wire import Ready, pack
        link.send(pack(Ready("a chip")))
    while True:
        time.sleep(1)

def licks():
    lick.run_licks = stay
    reader = LickReader(LickSettings(lick_sensor=LickKind.mpr121), PinSettings(), open_bus=FakeMpr121)
    reader.start()
    return reader

def speaker():
    from hardware.speaker import ProcessSpeaker
    speaker_link.run_speaker = stay
    made = ProcessSpeaker(SoundSettings())
    made.start()
    return made

if __name__ == "__main__":
    device = {"licks": licks, "speaker": speaker}[sys.argv[1]]()
    print(device.pid, flush=True)
    BaseProcess.kill = lambda self: None
    begin = time.monotonic()
    device.close()
    print(round(time.monotonic() - begin, 1), *[f"{told.kind}: {told.detail}" for told in device.left_behind()])
    sys.stdout.flush()
    sys.exit(7)
"""


@pytest.mark.parametrize("device", ["licks", "speaker"])
def test_it_is_left_behind_and_told_and_the_exit_code_is_the_controllers(tmp_path, device):
    script = tmp_path / "controller.py"
    script.write_text(CONTROLLER, encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, str(script), device], env=env, stdout=subprocess.PIPE, text=True) as ran:
        pid = int(ran.stdout.readline())
        try:
            begin = time.monotonic()
            said = ran.stdout.readline()
            code = ran.wait(30)
        finally:
            os.kill(pid, signal.SIGKILL)
            ran.kill()
    assert time.monotonic() - begin < 20
    assert f"{'licks' if device == 'licks' else 'sound'}_stuck: " in said
    assert f"process {pid} hangs in the kernel and was left behind" in said
    assert code == 7
