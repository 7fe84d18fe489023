"""A short soak; ``python -m tests.world.soak`` is the long one."""

from tests.world.deployed import Project
from tests.world.soak.soak import Soak

SEED = 20181112
SECONDS = 15


def test_the_random_mixture_leaves_no_difference(warehouse: Project) -> None:
    soak = Soak(warehouse, SEED, print)
    found = soak.run(SECONDS)
    assert not found, "\n".join([*found, "what was done:", *soak.journal])
    assert soak.ended["loaded"]
