"""Stories that a reader of the SQL told, in which rows were lost or a load was stuck: what became of each."""

from __future__ import annotations

import threading
from typing import Any
from unittest import mock

from tests.stateful.worlds import new_world
from tests.world.executions import Execution
from tests.world.files import DAY, Event, File
from tests.world.simulator import World, load_id_of

A, B = "log_data/a.json", "log_data/b.json"


def put(world: World, key: str, *events: Event, event: bool = True) -> str:
    """Uploads a log file; the id of its load, if its event is heard."""
    world.upload(key, File(key, events).body, event=event)
    world.work()
    return load_id_of(world.executions.all[-1]) if event else ""


def run(world: World, document: dict[str, Any]) -> Execution:
    execution = world.start(document)
    world.work()
    return execution


def plays(world: World) -> list[tuple[Any, ...]]:
    """User, item and level of each play of these stories: a new world has others, of user 4."""
    (rows,) = world.warehouse.query(
        "SELECT user_id, item_in_session, level FROM sparkify.songplays WHERE user_id < 4 ORDER BY 1, 2"
    )
    return [tuple(row) for row in rows]


def test_an_undo_takes_what_another_undo_brings_back_meanwhile() -> None:
    """A's play of day 20 is B's when the undo of A looks, and A's again when it has the lock."""
    with new_world() as world:
        late = Event(user=1, item=1, at=20 * DAY, level="paid")
        first = put(world, A, Event(user=1, item=0, at=5 * DAY, level="paid"), late)
        second = put(world, B, Event(user=1, item=1, at=20 * DAY, level="free"))
        assert plays(world) == [(1, 0, "paid"), (1, 1, "free")]
        send = world.boundary.send
        undone: list[Execution] = []

        def between(around: Any, env: Any, call: Any, request: Any) -> Any:
            body = request.body or b""
            body = body if isinstance(body, bytes) else str(body).encode()
            if b"LOCK" in body and f"undo {first}".encode() in body and not undone:
                undone.append(world.start({"undo": second}))
                other = threading.Thread(
                    target=lambda: world.executions.run(undone[0], parallel=True)
                )
                other.start()
                other.join()
            return send(around, env, call, request)

        with mock.patch.object(world.boundary, "send", between):
            execution = run(world, {"undo": first})
        assert undone[0].report["status"] == execution.report["status"] == "undone"
        assert plays(world) == []
        (users,) = world.warehouse.query("SELECT COUNT(*) FROM sparkify.users WHERE user_id < 4")
        assert users[0][0] == 0


def test_undo_of_a_reload_is_refused_where_it_took_over_a_play_of_another_batch() -> None:
    """b.json's play, in a batch of its own, would go with the reload of a.json, though b.json stays loaded."""
    with new_world(parameters={"BatchFiles": "1"}) as world:
        put(world, A, Event(user=1, item=0, level="paid"), Event(user=1, item=8), event=False)
        put(world, B, Event(user=1, item=0, level="free"), Event(user=1, item=9), event=False)
        assert run(world, {}).report["files"]["loaded"] == 2
        before = plays(world)
        reload = run(world, {"reload": True, "keys": [A]})
        assert reload.report["status"] == "loaded"
        undo = run(world, {"undo": load_id_of(reload)})
        assert undo.report["status"] == "failed"
        assert "Undo these first" in undo.report["cause"]
        assert len(plays(world)) == len(before)


def test_a_reload_takes_no_play_away_that_it_does_not_replace() -> None:
    """b.json says of a's play's key that it is a Home event: whichever comes later, the play stays."""
    with new_world() as world:
        put(world, A, Event(user=1, item=0), Event(user=1, item=1, at=6 * DAY))
        put(world, B, Event(user=1, item=0, page="Home"), Event(user=1, item=2, at=7 * DAY))
        before = plays(world)
        assert run(world, {"reload": True, "keys": [B]}).report["status"] == "loaded"
        assert plays(world) == before
        last = put(world, "log_data/c.json", Event(user=2, at=4 * DAY), Event(user=2, at=8 * DAY))
        assert run(world, {"undo": last}).report["status"] == "undone"
        assert plays(world) == before


def test_the_loaders_own_schema_comes_back_by_itself() -> None:
    """Nothing of it is data, so nothing is lost with it."""
    with new_world() as world:
        put(world, A, Event(user=1))
        world.warehouse.execute("DROP SCHEMA sparkify_loader CASCADE")
        put(world, B, Event(user=2))
        assert world.executions.all[-1].report["status"] == "loaded"
        assert len(plays(world)) == 2
        (held,) = world.warehouse.query("SELECT COUNT(*) FROM sparkify_loader.publish_lock")
        assert held[0][0] == 1


def test_the_locks_row_comes_back_by_itself() -> None:
    """Nothing is published without it, for two publishers would not notice each other."""
    with new_world() as world:
        load = put(world, A, Event(user=1))
        world.warehouse.execute("DELETE FROM sparkify_loader.publish_lock")
        second = put(world, B, Event(user=2))
        assert world.executions.all[-1].report["status"] == "loaded"
        (held,) = world.warehouse.query("SELECT holder FROM sparkify_loader.publish_lock")
        assert [row[0] for row in held] == [second]
        world.warehouse.execute("DELETE FROM sparkify_loader.publish_lock")
        assert run(world, {"undo": load}).report["status"] == "undone"
        assert plays(world) == [(2, 0, "free")]
