"""Keys of config.ini that outputs and sensors read: bounds of the water, pins, sound, licks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from annotated_types import Ge, Gt, Le

from core.keys import Key

Pin = Annotated[int, Ge(0), Le(400)]
"""A pin's number on its board; 0 where nothing is connected."""


class OutputKind(Enum):
    """Whether commands reach real devices."""

    real = "real"
    fake = "fake"


class BoardKind(Enum):
    """What the output lines hang on."""

    auto = "auto"
    rpi_gpio = "rpi_gpio"
    rpi_lgpio = "rpi_lgpio"
    jetson_gpio = "jetson_gpio"
    arduino = "arduino"
    memory = "memory"


class Numbering(Enum):
    """How pins are counted: by the chip's line (bcm) or by their place on the header (board)."""

    bcm = "bcm"
    board = "board"


class LickKind(Enum):
    """What feels the tongue."""

    none = "none"
    mpr121 = "mpr121"
    beam = "beam"


class BeamLevel(Enum):
    """Level of a beam-break's line."""

    low = "low"
    high = "high"


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """Bounds of what may come out of the rig."""

    max_pulse_s: Annotated[
        float, Gt(0), Le(5), Key("s", "Longest single opening of the valve; a longer one is refused.")
    ] = 1.0
    max_session_water_s: Annotated[
        float, Gt(0), Le(3600), Key("s", "Valve-open time of one session; more is refused and the session ends.")
    ] = 60.0
    max_day_water_s: Annotated[
        float, Gt(0), Le(36_000), Key("s", "Valve-open time of one mouse in one day, whatever opened it.")
    ] = 120.0
    max_duty: Annotated[
        float, Gt(0), Le(1), Key("", "Largest share of any 10 s that the valve may be open; a drop waits for it.")
    ] = 0.5
    calibration_max_age_days: Annotated[
        float, Ge(0), Le(3650), Key("days", "An older calibration of the valve is warned of; 0: never.")
    ] = 30.0
    baseline_weight_g: Annotated[
        float, Ge(0), Le(2000), Key("g", "The mouse's weight before water restriction; 0: its first in weights.csv.")
    ] = 0.0
    rig: Annotated[str, Key("", "Name of this rig; one session at a time runs on it.")] = "rig1"
    min_pulse_gap_s: Annotated[
        float, Ge(0), Le(60), Key("s", "Shortest pause between two openings of the valve; a drop waits for it.")
    ] = 0.0


@dataclass(frozen=True, slots=True)
class PinSettings:
    """Where the output lines are connected. 0 is: not connected."""

    output_board: Annotated[
        BoardKind, Key("", "Board of the output lines; auto finds it; memory has no wires, for rehearsing a rig.")
    ] = BoardKind.auto
    pin_numbering: Annotated[Numbering, Key("", "How pins are counted: bcm or board (an Arduino has its own).")] = (
        Numbering.bcm
    )
    serial_port: Annotated[str, Key("", "Serial port of the Arduino, such as /dev/ttyACM0.")] = ""
    pin_valve: Annotated[Pin, Key("", "Pin of the water valve; 0: not connected.")] = 27
    pin_success_led: Annotated[Pin, Key("", "Pin of the LED that is lit with the water; 0: not connected.")] = 0
    pin_fail_led: Annotated[Pin, Key("", "Pin of the LED that is lit after a failed trial; 0: not connected.")] = 12
    pin_light: Annotated[Pin, Key("", "Pin of the excitation light; 0: not connected.")] = 21
    pin_behaviour_ttl: Annotated[Pin, Key("", "Pin that triggers the behaviour camera; 0: not connected.")] = 17
    pin_brain_ttl: Annotated[Pin, Key("", "Pin that triggers the brain camera; 0: not connected.")] = 0
    pin_sync: Annotated[Pin, Key("", "Pin of pulses at random intervals, to align other recordings; 0: none.")] = 0
    sync_interval_s: Annotated[
        tuple[Annotated[float, Ge(0.05), Le(600)], Annotated[float, Ge(0.05), Le(600)]],
        Key("s", "Shortest and longest interval between two sync pulses."),
    ] = (0.5, 1.5)


@dataclass(frozen=True, slots=True)
class SoundSettings:
    """The speaker."""

    sound_device: Annotated[
        str, Key("", "Part of the sound card's name (rigloop doctor lists them); empty: default.")
    ] = ""
    sample_rate: Annotated[
        int,
        Ge(0),
        Le(192_000),
        Key("Hz", "Sample rate of the sound card; 0: the first that it takes of 48000, 44100, 96000."),
    ] = 0
    sound_block: Annotated[int, Ge(16), Le(8192), Key("samples", "Samples that the card asks for at a time.")] = 128
    loudness: Annotated[float, Gt(0), Le(1), Key("", "Amplitude of a tone, 1 = the card's largest.")] = 0.5
    sound_gains: Annotated[
        str, Key("", "CSV of loudness by frequency; empty: what rigloop calibrate speaker stored for this rig.")
    ] = ""
    tone_ramp_s: Annotated[
        float, Ge(0.0005), Le(0.1), Key("s", "Time in which a tone swells and fades (raised cosine), without a click.")
    ] = 0.005


@dataclass(frozen=True, slots=True)
class LickSettings:
    """The lick sensor."""

    lick_sensor: Annotated[LickKind, Key("", "What feels licks: none, mpr121 (touch, on I2C) or beam (a GPIO).")] = (
        LickKind.none
    )
    lick_i2c_bus: Annotated[int, Ge(0), Le(255), Key("", "I2C bus of the MPR121.")] = 1
    lick_i2c_address: Annotated[int, Ge(0x5A), Le(0x5D), Key("", "I2C address of the MPR121: 90 (0x5A) to 93.")] = 90
    lick_channel: Annotated[int, Ge(0), Le(11), Key("", "Channel of the MPR121 that the spout is connected to.")] = 0
    lick_touch: Annotated[int, Ge(1), Le(255), Key("", "Change of the MPR121's reading that begins a lick.")] = 12
    lick_release: Annotated[int, Ge(1), Le(255), Key("", "Change that ends it; smaller than lick_touch.")] = 6
    lick_pin: Annotated[
        Pin, Key("", "Pin of the beam-break, or of the MPR121's interrupt line; 0: the MPR121 is polled.")
    ] = 0
    lick_beam_broken: Annotated[
        BeamLevel, Key("", "Level of the beam-break's line while the beam is broken: low or high (with a pull-up).")
    ] = BeamLevel.low
    lick_poll_s: Annotated[float, Ge(0.001), Le(0.1), Key("s", "Time between two looks at a polled MPR121.")] = 0.004
    lick_debounce_s: Annotated[
        float, Ge(0), Le(0.5), Key("s", "A lick that begins this soon after the last one ended is the same lick.")
    ] = 0.02


@dataclass(frozen=True, slots=True)
class FaultSettings:
    """What is done when a device is lost in mid-session, and how the session's processes are scheduled."""

    lost_camera: Annotated[bool, Key("", "1: reconnect a camera that is lost and go on; 0: end the session.")] = True
    lost_sound: Annotated[bool, Key("", "1: reopen a sound card that is lost and go on; 0: end the session.")] = True
    lost_board: Annotated[
        bool, Key("", "1: restart lost output lines or a lick sensor and go on; 0: end the session.")
    ] = True
    reconnect_s: Annotated[float, Ge(0), Le(3600), Key("s", "A lost device is tried for this long.")] = 60.0
    realtime_priority: Annotated[
        int,
        Ge(0),
        Le(59),
        Key(
            "",
            "SCHED_FIFO priority of the loop, where allowed, below sound (60) and guardian (80); 0: none.",
        ),
    ] = 50
    loop_core: Annotated[int, Ge(-1), Le(255), Key("", "Processor core the loop is kept on; -1: any.")] = -1
