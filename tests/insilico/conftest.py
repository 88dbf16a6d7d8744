"""Brian2 for tests that build networks in this process."""

import pytest

from tests.support.quick_start import quick_start as quick_start


@pytest.fixture
def brian():
    """Brian2 with the numpy target, its random numbers seeded and its clock as it was."""
    import brian2 as b2

    from insilico.brian import quiet_brian

    quiet_brian("numpy", 1)
    dt = b2.defaultclock.dt
    yield b2
    b2.defaultclock.dt = dt
