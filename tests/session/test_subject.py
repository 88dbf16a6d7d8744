"""Who the mouse is: keys of config.ini, completed after the session, and not copied to another mouse."""

from datetime import date

import pytest

from core.errors import ConfigError
from recording.subject import SubjectSettings, age_days, experimenters, missing
from session.config_edit import add_mouse
from session.settings import load_settings
from session.subject_now import complete_subject, weight_on
from session.weights import Weight, append_weight
from tests.session.config_texts import BASE

NOW = """\
[clnf_a]
roi = M1_L
species = Mus musculus
indicator = GCaMP6s
strain = C57BL/6J
[mouse:A]
experiment = clnf_a
sex = F
strain = BALB/c
excitation_nm = 470
[seeds]
M1 = 0.6, 1.8
"""


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("species = mouse", "in Latin.*Mus musculus"),
        ("sex = female", "one of M, F, U, O"),
        ("date_of_birth = 20260301", "YYYY-MM-DD"),
        ("date_of_birth = 2026-02-30", "no day of the calendar"),
        ("experimenter = Jane Doe", "Last, First"),
        ("experimenter = Doe, Jane and Roe, Richard", "Last, First"),
        ("excitation_nm = 3000", "from 0 to 2000"),
        ("species = ", None),
        ("experimenter = Doe, Jane & van der Roe, R. B.", None),
    ],
)
def test_what_a_key_may_be(tmp_path, line, says):
    path = tmp_path / "c.ini"
    path.write_text(BASE.format(mouse=line), encoding="utf-8")
    if says is None:
        load_settings(path, "A")
        return
    with pytest.raises(ConfigError, match=says):
        load_settings(path, "A")


def test_names_and_age():
    assert experimenters("Doe, Jane  &  Roe, R.") == ["Doe, Jane", "Roe, R."]
    assert experimenters("") == []
    assert age_days("2026-02-27", date(2026, 3, 1)) == 2
    with pytest.raises(ValueError, match="after the session's day"):
        age_days("2026-03-02", date(2026, 3, 1))


def test_what_is_missing():
    assert missing(SubjectSettings(species="Mus musculus", sex="U"), imaged=False) == ("date_of_birth",)
    assert missing(SubjectSettings(), imaged=True)[3:] == (
        "indicator",
        "excitation_nm",
        "emission_nm",
        "reflectance_nm",
    )


def test_what_was_recorded_counts_and_the_file_completes_it(tmp_path):
    path = tmp_path / "c.ini"
    path.write_text(NOW, encoding="utf-8")
    recorded = {"genotype": "wt", "species": "", "excitation_nm": 488.0, "emission_nm": 0, "other": 1}
    made = complete_subject(recorded, path, "a", "clnf_a")
    assert made == SubjectSettings(
        species="Mus musculus", indicator="GCaMP6s", sex="F", strain="BALB/c", genotype="wt", excitation_nm=488.0
    )
    assert complete_subject({}, path, "gone", "") == SubjectSettings()
    path.write_text(NOW.replace("sex = F", "sex = X"), encoding="utf-8")
    with pytest.raises(ConfigError, match="sex = X: no sex"):
        complete_subject({}, path, "A", "")


def test_the_weight_of_a_day(tmp_path):
    for time, grams in (("2026-03-01T08:00:00", 22.0), ("2026-03-01T17:00:00", 23.5), ("2026-03-02T08:00:00", 24.0)):
        append_weight(tmp_path, Weight(time, grams))
    assert weight_on(tmp_path, "2026-03-01") == 23.5
    assert weight_on(tmp_path, "2026-03-03") is None


def test_another_mouse_has_its_own_birth(tmp_path):
    path = tmp_path / "c.ini"
    own = "date_of_birth = 2026-03-01\nstrain = C57BL/6J\nsex = M"
    path.write_text(BASE.format(mouse=own), encoding="utf-8")
    add_mouse(path, "B", "A")
    subject = load_settings(path, "B").subject
    assert (subject.strain, subject.sex, subject.date_of_birth) == ("C57BL/6J", "", "")
    assert "date_of_birth = 2026-03-01" in path.read_text(encoding="utf-8")
