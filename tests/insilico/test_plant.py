"""The plant, where it needs no process."""

import errno
from dataclasses import replace
from multiprocessing.context import SpawnProcess

import pytest

from core.errors import CameraError, InputError
from tests.support.mice import LIMB_SPEC, SPEC, make_plant


def test_a_process_that_cannot_be_started_is_one_line_and_all_is_closed(monkeypatch):
    def refuse(self):
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(SpawnProcess, "start", refuse)
    plant = make_plant()
    with pytest.raises(InputError, match="no process can be started \\(Resource temporarily unavailable\\)"):
        plant.prepare()
    plant.close()
    with pytest.raises(CameraError, match="closed"):
        plant.start()


def test_the_image_is_read_only_for_the_session():
    plant = make_plant()
    with pytest.raises(ValueError, match="read-only"):
        plant._image[0] = 1


@pytest.mark.parametrize(("spec", "name"), [(SPEC, "SIM1"), (LIMB_SPEC, "SIM2")])
def test_a_mouse_of_rigloops_own_is_named_in_its_errors(spec, name, monkeypatch):
    monkeypatch.setattr("insilico.plant.PREPARE_S", 0)
    plant = make_plant(replace(spec, network=""))
    with pytest.raises(InputError, match=f"the simulated mouse {name}: not ready after 0 s"):
        plant.prepare()
