"""What is over the bound of loads at once is loaded once, with the tables as if each upload had had its own load."""

from __future__ import annotations

import pytest

from fakeshift import Isolation
from tests.world.recordings import FILES, OLD, new_world
from tests.world.simulator import Expected

# The functions say so to Python, which pytest does not keep from one test to the next.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


@pytest.mark.parametrize("isolation", ["snapshot", "serializable"])
def test_uploads_over_the_bound_are_loaded_together_and_once(isolation: Isolation) -> None:
    """Each upload is a window of its own, and each event comes twice; loads run in threads."""
    files = {key: body for key, body in FILES.items() if key not in OLD}
    with new_world(isolation=isolation, parameters={"MaxLoadsAtOnce": "1"}) as world:
        before = len(world.executions.all)
        world.queue.group = lambda found: [[message] for message in found]
        for key, body in files.items():
            world.queue.notify(world.upload(key, body))
        world.work(together=True)
        loads = world.executions.all[before:]
        assert {load.status for load in loads} == {"SUCCEEDED"}
        # One of each dataset at once; when they end, what waited: all of it, or what is left if the other ends first.
        assert len(loads) <= 4 < len(files)
        world.settle()
        assert world.queue.dead == []
        assert [
            key for key, _, _ in world._listed(world.stack.work_bucket) if "waiting" in key
        ] == []
        world.check(Expected.of(FILES))
