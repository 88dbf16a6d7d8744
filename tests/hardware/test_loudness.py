"""The table of loudness: interpolated, bounded, made from measured levels, read from a file."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from hardware.loudness import FLAT, MAX_CUT_DB, GainTable, read_table, table_from_levels, unevenness_db

FREQS = st.lists(st.integers(20, 90_000).map(float), min_size=1, max_size=12, unique=True)
LEVELS = st.floats(-60, 110)


@st.composite
def measured(draw):
    freqs = draw(FREQS)
    return freqs, [draw(LEVELS) for _ in freqs]


@given(measured(), st.floats(1, 96_000))
def test_no_gain_clips_and_none_mutes(levels, freq):
    assert 10 ** (-MAX_CUT_DB / 20) * (1 - 1e-9) <= table_from_levels(*levels).gain(freq) <= 1


@given(measured())
def test_all_are_as_loud_as_the_softest(levels):
    freqs, measured_db = levels
    table = table_from_levels(freqs, measured_db, max_cut_db=1000)
    assert unevenness_db(table, freqs, measured_db) == pytest.approx(0, abs=1e-6)
    after = measured_db[0] + 20 * math.log10(table.gain(freqs[0]))
    assert after == pytest.approx(min(measured_db), abs=1e-6)


@given(measured())
def test_one_deaf_spot_does_not_mute_the_rest(levels):
    freqs, measured_db = levels
    table = table_from_levels(freqs, measured_db)
    rest = max(measured_db) - min(measured_db) - MAX_CUT_DB
    assert unevenness_db(table, freqs, measured_db) == pytest.approx(max(0.0, rest), abs=1e-6)


def test_interpolation_is_in_db_along_the_octaves_and_flat_beyond():
    table = GainTable((1000.0, 4000.0), (-12.0, 0.0))
    for freq, gain_db in ((20, -12), (1000, -12), (2000, -6), (4000, 0), (90_000, 0)):
        assert 20 * math.log10(table.gain(freq)) == pytest.approx(gain_db)
    assert FLAT.gain(1000.0) == 1


@pytest.mark.parametrize(
    ("freqs", "gains", "said"),
    [
        ((1000.0,), (), "1 frequencies with 0 gains"),
        ((1000.0, 1000.0), (0.0, 0.0), "1000 after 1000"),
        ((2000.0, 1000.0), (0.0, 0.0), "1000 after 2000"),
        ((0.0,), (0.0,), "0 after 0"),
        ((math.nan,), (0.0,), "nan"),
        ((1000.0,), (0.1,), "would clip"),
        ((1000.0,), (math.nan,), "nan"),
        ((1000.0,), (-math.inf,), "inf"),
    ],
)
def test_tables_that_are_refused(freqs, gains, said):
    with pytest.raises(InputError, match=said):
        GainTable(freqs, gains)


def test_levels_that_are_refused():
    with pytest.raises(InputError, match="nothing was heard"):
        table_from_levels([1000.0, 2000.0], [60.0, -math.inf])
    with pytest.raises(InputError, match="measure one level each"):
        table_from_levels([1000.0], [])
    with pytest.raises(InputError, match="measure one level each"):
        table_from_levels([], [])
    with pytest.raises(InputError, match="1000 after 1000"):
        table_from_levels([1000.0, 1000.0], [60.0, 61.0])


@given(measured())
def test_a_table_is_read_as_it_was_written(tmp_path_factory, levels):
    table = table_from_levels(*levels)
    path = tmp_path_factory.mktemp("table") / "gains.csv"
    path.write_text("# measured at the head plate\n" + table.text(), encoding="utf-8")
    again = read_table(path)
    assert again.freqs_hz == pytest.approx(table.freqs_hz)
    assert again.gains_db == pytest.approx(table.gains_db, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the first line must be freq_hz,gain_db"),
        ("1000,0\n", "the first line must be freq_hz,gain_db"),
        ("freq_hz,gain_db\n", "holds no gain"),
        ("freq_hz,gain_db\n1000,0\n\n2000,loud\n", "gains.csv:4: 2000,loud is not"),
        ("freq_hz,gain_db\n1000\n", "gains.csv:2: 1000 is not"),
        ("freq_hz,gain_db\n1000,3\n", "gains.csv: gain_db 3 at 1000 Hz would clip"),
        ("freq_hz,gain_db\n2000,0\n1000,0\n", "gains.csv: freq_hz 1000 after 2000"),
        ("\xff", "cannot be read"),
    ],
)
def test_files_that_are_refused(tmp_path, text, said):
    path = tmp_path / "gains.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=said) as error:
        read_table(path)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="rigloop calibrate speaker"):
        read_table(tmp_path / "none.csv")
