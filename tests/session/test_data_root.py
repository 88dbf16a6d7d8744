"""Where sessions are stored, by config.ini alone."""

import pytest

from core.errors import ConfigError, InputError
from session.data_root import find_data_root

FILE = """[clnf_a]
roi = M1_L
data_root = a
[clnf_b]
roi = M1_L
[mouse:M1]
experiment = clnf_a
[mouse:M2]
experiment = CLNF_B
[mouse:M3]
experiment = clnf_b
data_root = sub/../a   ; its own
max_trial_dur = nonsense
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.ini"
    path.write_text(FILE)
    return path


@pytest.mark.parametrize(("mouse", "root"), [("M1", "a"), ("m2", "data"), ("M3", "a")])
def test_a_mouse_has_its_own_or_its_experiments(config, tmp_path, mouse, root):
    assert find_data_root(config, mouse) == tmp_path / root


@pytest.mark.parametrize("mouse", [None, "GONE"])
def test_several_are_a_choice(config, tmp_path, mouse):
    with pytest.raises(InputError, match=r"several data roots \(.*a, .*data\); choose with --data-root DIR"):
        find_data_root(config, mouse)
    config.write_text(FILE.replace("[clnf_b]", "[clnf_b]\ndata_root = a"))
    assert find_data_root(config, mouse) == tmp_path / "a"


def test_without_mice_it_is_the_experiments(tmp_path):
    path = tmp_path / "config.ini"
    path.write_text("[clnf_a]\nroi = M1_L\ndata_root = /elsewhere\n")
    assert str(find_data_root(path)) == "/elsewhere"
    path.write_text("")
    assert find_data_root(path) == tmp_path / "data"


def test_a_file_that_cannot_be_read_whole_is_refused(config):
    config.write_text(f"{FILE}this is no line\n")
    with pytest.raises(ConfigError, match="--data-root DIR"):
        find_data_root(config)
