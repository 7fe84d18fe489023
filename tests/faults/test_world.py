"""The world itself does what AWS does, where the faults rely on it."""

from __future__ import annotations

import json

import pytest

from fakeshift import Isolation
from tests.world.boundary import Place
from tests.world.recordings import FILES, LOGS, OLD, new_world, some, upload
from tests.world.sandbox import FunctionError
from tests.world.simulator import Expected
from tests.world.uploads import Message

# The functions say so to Python, which pytest does not keep from one test to the next.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


def test_a_message_that_nobody_understands_ends_in_the_dead_letter_queue_and_holds_up_no_other() -> (
    None
):
    with new_world() as world:
        world.queue.messages.append(Message("odd", json.dumps({"no": "event"}), world.clock.time()))
        upload(world, some(LOGS[1]))
        world.settle()
        world.check(Expected.of(OLD | some(LOGS[1])))
        assert [(message.id, message.received) for message in world.queue.dead] == [("odd", 5)]


def test_what_the_trigger_may_not_start_for_an_hour_is_loaded_by_the_sweep() -> None:
    with new_world() as world:
        world.boundary.storm("refused", lambda call: call.place.caller == "trigger")
        upload(world, some(LOGS[1]))
        for _ in range(6):
            world.work()
            world.clock.advance(world.stack.source.visibility)
        world.work()
        assert len(world.queue.dead) == 1
        assert not world.queue.messages
        world.boundary.lift()
        world.settle()
        world.check(Expected.of(OLD | some(LOGS[1])))


def test_a_killed_function_leaves_nothing_to_the_next_invocation() -> None:
    """Its process has ended: the next one begins with modules of its own, and what it still tried was not done."""
    with new_world() as world:
        sweep = world.stack.function("SweepFunction")
        world.upload(LOGS[1], FILES[LOGS[1]], event=False)
        world.boundary.arm(Place("sweep", "s3.PutObject", 1), "killed-before")
        with pytest.raises(FunctionError, match=r"Runtime\.ExitError"):
            world.invoke(sweep, {})
        assert not world.executions.waiting()
        assert world.boundary.calls[-1].place.operation == "s3.PutObject"
        world.invoke(sweep, {})
        assert len(world.executions.waiting()) == 1


@pytest.mark.parametrize("isolation", ["snapshot", "serializable"])
def test_executions_that_run_together_load_each_file_once(isolation: Isolation) -> None:
    """Each upload its own load, two by hand over all of them, in threads."""
    files = {key: body for key, body in FILES.items() if key not in OLD}
    with new_world(isolation=isolation) as world:
        world.queue.group = lambda found: [[message] for message in found]
        upload(world, files)
        world.start({})
        world.start({"prefixes": ["log_data/"]})
        world.work(together=True)
        assert {e.status for e in world.executions.all} == {"SUCCEEDED"}, [
            e.cause for e in world.executions.all
        ]
        world.settle()
        world.check(Expected.of(FILES))
