"""The doctor: each thing that is missing is told with its cure; what the section asks for decides the exit code."""

from dataclasses import replace

import pytest

from camera import factory
from camera.settings import CameraKind
from core.errors import CameraError, OutputError
from session.doctor import examine
from session.findings import State, exit_code
from session.locks import rig_locks
from session.machine import Machine, this_machine
from session.settings import load_settings
from tests.session.config_texts import load

PI_RIG = "vid_source = pi"
PACKAGES = dict.fromkeys(
    ("numpy", "numba", "h5py", "opencv-python-headless", "av", "matplotlib", "pydantic", "brian2", "PyAudio",
     "smbus2", "rpi-lgpio", "deeplabcut-live"), "1.0"
)  # fmt: skip
BOTH_LIBRARIES = {**PACKAGES, "RPi.GPIO": "1.0"}
OLD_LIBRARY = {**PACKAGES, "rpi-lgpio": "", "RPi.GPIO": "1.0"}


def failing(error):
    def call(*args):
        raise error

    return call


@pytest.fixture
def good(tmp_path):
    """A Raspberry Pi 4 that has all."""
    root = tmp_path / "root"
    for path, text in {
        "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
        "proc/device-tree/compatible": "raspberrypi,4-model-b\0brcm,bcm2711\0",
        "dev/gpiochip0": "",
        "dev/i2c-1": "",
        "dev/video0": "",
        "sys/devices/platform/soc/soc:firmware/get_throttled": "0",
        "sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs": "N",
        "sys/devices/system/clocksource/clocksource0/current_clocksource": "arch_sys_counter",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Machine(
        root=root,
        has=lambda module: True,
        version=lambda name: PACKAGES.get(name, ""),
        sound=lambda: ["USB Audio"],
        lacking=lambda kind, library: None,
        camera=lambda settings: "imx219",
        lick_chip=lambda settings: "MPR121 at 0x5A",
        realtime_priority=lambda: 99,
        user="anna",
        locked_bytes=lambda: -1,
        may_use=lambda path: path.exists(),
        gpio_library=lambda: "rpi-lgpio",
    )


def remove(machine, path):
    (machine.root / path).unlink()
    return machine


def write(machine, path, text):
    (machine.root / path).parent.mkdir(parents=True, exist_ok=True)
    (machine.root / path).write_text(text)
    return machine


def refusing(machine, path):
    """A machine with a device that this user may not use."""
    write(machine, path, "")
    return replace(machine, may_use=lambda asked: asked != machine.root / path)


def without(machine, package):
    return replace(machine, version=lambda name: "" if name == package else PACKAGES.get(name, ""))


def test_a_good_rig_has_nothing_to_cure(good, tmp_path):
    findings = examine(good, load(tmp_path / "c.ini", f"{PI_RIG}\nlick_sensor = mpr121"))
    assert [each.line() for each in findings if each.state is not State.found] == []
    assert exit_code(findings) == 0
    text = "\n".join(each.line() for each in findings)
    for words in ("Raspberry Pi 4 Model B", "rpi-lgpio 1.0", "pi: imx219", "USB Audio", "/dev/i2c-1", "MPR121 at 0x5A",
                  "drops an output", "SCHED_FIFO up to 99", "GB are free", "arch_sys_counter"):  # fmt: skip
        assert words in text


BROKEN = {
    "no GPIO library": (lambda m: without(m, "rpi-lgpio"), "output lines", "RPi.GPIO is not installed", "make rig", 3),
    "no Raspberry Pi": (lambda m: remove(remove(m, "proc/device-tree/model"), "proc/device-tree/compatible"),
                        "output lines", "no Raspberry Pi or Jetson", "set output_board", 3),
    "outputs are kept": (lambda m: write(m, "sys/module/pinctrl_bcm2835/parameters/persist_gpio_outputs", "Y"),
                         "killed guardian", "keeps an output high", "strict_gpiod", 0),
    "outputs of a Pi 5 are kept": (lambda m: write(m, "sys/module/pinctrl_rp1/parameters/persist_gpio_outputs", "Y"),
                                   "killed guardian", "keeps an output high", "strict_gpiod", 0),
    "outputs past the kernel": (lambda m: replace(m, version=OLD_LIBRARY.get), "killed guardian",
                                "RPi.GPIO drives its lines past the kernel", "rpi_lgpio", 0),
    "two libraries, the right one": (lambda m: replace(m, version=lambda name: BOTH_LIBRARIES.get(name, "")),
                                     "GPIO libraries", "rpi-lgpio is the one that is imported", "remove RPi.GPIO", 0),
    "no right to the chip": (lambda m: refusing(m, "dev/gpiochip4"), "output lines", "may not use /dev/gpiochip4",
                             "usermod -aG gpio $USER, then log in again", 3),
    "no camera library": (lambda m: replace(m, lacking=lambda kind, library: "no picamera2; apt-get it"
                                            if kind is CameraKind.pi else None), "camera", "no picamera2",
                          "apt-get it", 3),
    "no camera": (lambda m: replace(m, camera=failing(CameraError("no camera; connect it"))), "camera",
                  "pi: no camera", "connect it", 3),
    "another camera's library": (lambda m: replace(m, lacking=lambda kind, library: "no gi; apt-get it"
                                                   if kind is CameraKind.jetson else None), "camera", "no gi",
                                 "apt-get it", 0),
    "no PyAudio": (lambda m: replace(m, sound=failing(OutputError("speaker: no PyAudio; run make rig"))), "sound",
                   "no PyAudio", "make rig", 3),
    "no sound output": (lambda m: replace(m, sound=lambda: []), "sound", "no sound output", "connect a card", 3),
    "no I2C": (lambda m: remove(m, "dev/i2c-1"), "I2C", "no /dev/i2c-*", "raspi-config", 3),
    "no chip": (lambda m: replace(m, lick_chip=failing(OutputError("nothing answers; check power"))), "lick sensor",
                "nothing answers", "check power", 3),
    "no real time": (lambda m: replace(m, realtime_priority=lambda: 0), "real time", "to priority 0",
                     "write 'anna - rtprio 90'", 0),
    "no locked memory": (lambda m: replace(m, locked_bytes=lambda: 8 << 20), "locked memory", "8 MiB", "memlock", 0),
    "throttled": (lambda m: write(m, "sys/devices/platform/soc/soc:firmware/get_throttled", "1"), "power and heat",
                  "below 4.63 V", "power supply", 0),
    "no numpy": (lambda m: without(m, "numpy"), "Python", "numpy is not installed", "make setup", 3),
    "no brian2": (lambda m: without(m, "brian2"), "Python", "brian2 is not installed", "simulated mice", 0),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_missing_is_told_with_its_cure(good, tmp_path, name):
    breaking, what, text, cure, code = BROKEN[name]
    findings = examine(breaking(good), load(tmp_path / "c.ini", f"{PI_RIG}\nlick_sensor = mpr121"))
    bad = [each for each in findings if each.state is not State.found]
    told = [each for each in bad if each.what == what and text in each.text]
    assert len(told) == 1, [each.line() for each in findings]
    assert cure in told[0].cure or cure in told[0].text
    assert exit_code(findings) == code
    assert len(bad) == 1 or name in ("no Raspberry Pi", "no I2C"), [each.line() for each in bad]


@pytest.mark.parametrize("name", [name for name, broken in BROKEN.items() if "numpy" not in name])
def test_nothing_is_needed_by_a_mouse_without_a_rig(good, tmp_path, name):
    broken = BROKEN[name][0](good)
    assert exit_code(examine(broken, load(tmp_path / "c.ini", "vid_source = synthetic"))) == 0
    assert exit_code(examine(broken, None)) == 0


def test_a_sound_device_that_is_configured_must_be_there(good, tmp_path):
    findings = examine(good, load(tmp_path / "c.ini", f"{PI_RIG}\nsound_device = HiFi"))
    [told] = [each for each in findings if each.state is State.missing]
    assert "use part of one of: USB Audio" in told.cure
    assert exit_code(findings) == 3


def test_an_arduino_must_be_where_the_section_says(good, tmp_path):
    lines = f"{PI_RIG}\noutput_board = arduino\nserial_port = /dev/ttyACM0"
    write(good, "dev/ttyUSB0", "")
    findings = examine(good, load(tmp_path / "c.ini", lines))
    [told] = [each for each in findings if each.state is State.missing]
    assert "choose one of: /dev/ttyUSB0" in told.cure
    write(good, "dev/ttyACM0", "")
    assert exit_code(examine(good, load(tmp_path / "c.ini", lines))) == 0


def test_a_ledger_that_cannot_be_used_is_missing(good, tmp_path, own_state, monkeypatch):
    settings = load(tmp_path / "c.ini", PI_RIG)
    [told] = [each for each in examine(good, settings) if each.what == "water of the day"]
    assert (told.state, str(own_state / "water" / "A.csv") in told.text) == (State.found, True)
    assert not own_state.exists()
    with monkeypatch.context() as read_only:
        read_only.setattr("os.access", lambda path, mode: False)
        findings = examine(good, settings)
    [told] = [each for each in findings if each.state is State.missing]
    assert (told.what, told.text) == ("water of the day", f"{own_state / 'water' / 'A.csv'} cannot be written")
    assert "RIGLOOP_STATE" in told.cure
    assert exit_code(findings) == 3
    (own_state / "water").mkdir(parents=True)
    (own_state / "water" / "A.csv").write_text("nonsense\n")
    [told] = [each for each in examine(good, settings) if each.state is State.missing]
    assert "line 1 is damaged" in told.text


def test_a_serial_port_that_this_user_may_not_use(good, tmp_path):
    machine = refusing(good, "dev/ttyACM0")
    findings = examine(
        machine, load(tmp_path / "c.ini", f"{PI_RIG}\noutput_board = arduino\nserial_port = /dev/ttyACM0")
    )
    [told] = [each for each in findings if each.state is State.missing]
    assert (told.what, told.text) == ("output lines", "this user may not use /dev/ttyACM0")
    assert told.cure == "sudo usermod -aG dialout $USER, then log in again"
    assert exit_code(findings) == 3


def test_rpi_gpio_needs_the_memory_of_the_lines_and_not_the_chip(good, tmp_path):
    machine = replace(good, version=lambda name: OLD_LIBRARY.get(name, ""), gpio_library=lambda: "RPi.GPIO")
    settings = load(tmp_path / "c.ini", PI_RIG)
    assert exit_code(examine(refusing(machine, "dev/gpiochip0"), settings)) == 0
    findings = examine(refusing(machine, "dev/gpiomem"), settings)
    [told] = [each for each in findings if each.state is State.missing]
    assert told.text == "this user may not use /dev/gpiomem"
    assert exit_code(findings) == 3


@pytest.mark.parametrize(("imported", "said"), [("RPi.GPIO", "is imported in place of"), ("", "cannot be told")])
def test_of_two_libraries_the_wrong_one_is_missing_the_right_one(good, tmp_path, imported, said):
    machine = replace(good, version=lambda name: BOTH_LIBRARIES.get(name, ""), gpio_library=lambda: imported)
    settings = load(tmp_path / "c.ini", f"{PI_RIG}\noutput_board = rpi_lgpio")
    findings = examine(machine, settings)
    [told] = [each for each in findings if each.what == "GPIO libraries"]
    assert said in told.text
    assert "uninstall -y RPi.GPIO rpi-lgpio" in told.cure
    assert exit_code(findings) == 3


def test_a_check_that_fails_is_a_finding(good):
    findings = examine(replace(good, sound=failing(ZeroDivisionError("oops"))), None)
    [told] = [each for each in findings if "ZeroDivisionError" in each.text]
    assert told.what == "sound"
    assert any(each.what == "Python" for each in findings)


def test_a_genicam_camera_is_looked_for_with_the_library_that_drives_it(good, tmp_path, monkeypatch):
    """A rig with Sentech's own library needs no Aravis, and one with Aravis no stapipy."""
    monkeypatch.setattr(factory, "STAPI", replace(factory.STAPI, lacking=lambda: ""))
    drivers = {kind: replace(driver, lacking=lambda: "Aravis is not here") for kind, driver in factory.DRIVERS.items()}
    monkeypatch.setattr(factory, "DRIVERS", drivers)
    machine = replace(good, lacking=this_machine().lacking)
    rig = "vid_source = genicam\ngenicam_library = {}"

    def lacks(library):
        findings = examine(machine, load(tmp_path / "c.ini", rig.format(library)))
        return [each.text for each in findings if each.what == "camera" and each.text.startswith("genicam")]

    assert lacks("stapi") == ["genicam: imx219"]
    assert ["Aravis is not here" in text for text in lacks("aravis")] == [True]


def test_a_library_that_breaks_hides_no_other_camera(good, tmp_path):
    def lacking(kind, library):
        if kind is CameraKind.genicam:
            raise SystemError("corrupt")

    findings = examine(replace(good, lacking=lacking), load(tmp_path / "c.ini", PI_RIG))
    assert [each.text for each in findings if each.what == "camera" and each.state is State.missing] == [
        "genicam: could not be looked at: SystemError: corrupt"
    ]
    assert sum(each.what == "camera" for each in findings) == len(CameraKind)
    assert exit_code(findings) == 0


def test_a_rig_in_a_session_is_not_disturbed(good, tmp_path):
    machine = replace(good, camera=failing(AssertionError), lick_chip=failing(AssertionError))
    settings = load(tmp_path / "c.ini", f"{PI_RIG}\nlick_sensor = mpr121")
    with rig_locks(settings.outputs.rig, "other")[0]:
        findings = examine(machine, settings)
    [told] = [each for each in findings if each.state is not State.found]
    assert (told.what, told.state) == ("rig", State.warning)
    assert "its camera and lick sensor were not opened" in told.line()
    assert exit_code(findings) == 0


MOVEMENT = """\
[clmf_a]
resolution = 320, 160
ppmm = 8
start_center = 130, 115
target_center = 160, 60
{more}
[mouse:A]
experiment = clmf_a
"""


def movement(tmp_path, more):
    path = tmp_path / "clmf.ini"
    path.write_text(MOVEMENT.format(more=more), encoding="utf-8")
    return load_settings(path, "A")


def test_markers_need_nothing_more(good, tmp_path):
    told = examine(good, movement(tmp_path, "pose_backend = markers\nmarkers = fl_l green"))
    assert [each.text for each in told if each.what == "pose"] == ["markers: fl_l green"]


def test_a_pose_model_that_is_not_there_is_told(good, tmp_path):
    told = examine(good, movement(tmp_path, "pose_backend = dlc\ndlc_model_path = nowhere.pt"))
    pose = next(each for each in told if each.what == "pose")
    assert (pose.state, pose.needed) == (State.missing, True)
    assert "nowhere.pt" in pose.text
    assert exit_code(told) == 3


def test_the_library_of_a_second_camera_is_looked_for(good, tmp_path):
    more = "pose_backend = markers\nmarkers = fl_l green\nsecond_camera = clmf_b\n[clmf_b]\nvid_source = usb\n"
    lacking = replace(good, lacking=lambda kind, library: "vid_source = usb: no v4l2; load it" * (kind.value == "usb"))
    told = examine(lacking, movement(tmp_path, more))
    second = next(each for each in told if each.what == "second camera")
    assert (second.state, second.needed) == (State.missing, True)
