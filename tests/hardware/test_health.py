"""What a computer says of its power, heat and clock, from folders that stand for its /sys."""

import pytest

from hardware.health import clock_warnings, governors, power_warnings, throttled_bits, undervoltage_alarm, zones

PI4 = "sys/devices/platform/soc/soc:firmware/get_throttled"
PI5 = "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"


def put(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


@pytest.mark.parametrize("place", [PI4, PI5])
@pytest.mark.parametrize(
    ("bits", "said"),
    [
        ("0\n", []),
        ("50005\n", ["below 4.63 V;", "it is throttled;", "was below 4.63 V since", "it was throttled since"]),
        ("50000", ["was below 4.63 V since it was switched on; use the board's own power supply", "was throttled"]),
        ("80008", ["is at its soft heat limit; mount", "was at its soft heat limit"]),
        ("garbage", []),
    ],
)
def test_throttling(tmp_path, place, bits, said):
    lines = power_warnings(put(tmp_path, {place: bits}))
    assert len(lines) == len(said)
    for line, words in zip(lines, said, strict=True):
        assert words in line


@pytest.mark.parametrize(("alarm", "known", "lines"), [("0\n", False, 0), ("1\n", True, 1), (None, None, 0)])
def test_undervoltage_alarm_of_the_voltage_monitor(tmp_path, alarm, known, lines):
    files = {"sys/class/hwmon/hwmon0/name": "cpu_thermal\n", "sys/class/hwmon/hwmon1/name": "rpi_volt\n"}
    put(tmp_path, files | ({} if alarm is None else {"sys/class/hwmon/hwmon1/in0_lcrit_alarm": alarm}))
    assert undervoltage_alarm(tmp_path) is known
    assert len(power_warnings(tmp_path)) == lines


def test_undervoltage_is_told_once(tmp_path):
    put(tmp_path, {PI4: "10000", "sys/class/hwmon/hwmon1/name": "rpi_volt",
                   "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1"})  # fmt: skip
    assert len(power_warnings(tmp_path)) == 1


def test_heat(tmp_path):
    zone = "sys/class/thermal/thermal_zone"
    put(tmp_path, {f"{zone}0/type": "cpu-thermal\n", f"{zone}0/temp": "81250\n", f"{zone}1/type": "gpu",
                   f"{zone}1/temp": "45000", f"{zone}2/type": "off", f"{zone}2/temp": "-273150",
                   f"{zone}3/temp": "??"})  # fmt: skip
    assert [(each.name, each.celsius) for each in zones(tmp_path)] == [("cpu-thermal", 81.25), ("gpu", 45.0)]
    [line] = power_warnings(tmp_path)
    assert line.startswith("cpu-thermal is at 81 C; ")


def test_a_governor_that_lets_the_processor_sleep(tmp_path):
    cpu = "sys/devices/system/cpu/cpu"
    put(tmp_path, {f"{cpu}0/cpufreq/scaling_governor": "ondemand\n", f"{cpu}1/cpufreq/scaling_governor": "ondemand\n",
                   f"{cpu}2/cpufreq/scaling_governor": "performance\n"})  # fmt: skip
    assert governors(tmp_path) == ("ondemand", "performance")
    [line] = clock_warnings(tmp_path)
    assert "governor is ondemand" in line


@pytest.mark.parametrize(("source", "lines"), [("tsc", 0), ("arch_sys_counter", 0), ("hpet", 1), ("acpi_pm", 1)])
def test_a_slow_clock(tmp_path, source, lines):
    put(tmp_path, {"sys/devices/system/clocksource/clocksource0/current_clocksource": f"{source}\n"})
    assert len(clock_warnings(tmp_path)) == lines


def test_a_computer_that_tells_nothing_has_no_fault(tmp_path):
    assert throttled_bits(tmp_path) is None
    assert power_warnings(tmp_path) == clock_warnings(tmp_path) == []
