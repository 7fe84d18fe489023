"""Loads that are recorded: what users do, what must be there in the end, and every call and statement on the way.

Each begins in the same world, whose tables have a day's files, and goes the same way each time until something goes
wrong: names, times and load ids are the same. A call that the product makes newly is in the next recording by itself.
"""

from __future__ import annotations

import atexit
import fcntl
import gzip
import json
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from fakeshift import Isolation
from local.generator import DataSet
from local.states.interpreter import Stopped
from tests.world import contract_oracle, oracle
from tests.world.boundary import Call, Place
from tests.world.executions import Execution
from tests.world.simulator import ROOT, Expected, Memory, Status, World, load_id_of
from tests.world.trees import contract_of, with_contracts

FILES = dict(DataSet(songs=6, users=3, days=3, events=45, seed=3).files())
LOGS = sorted(key for key in FILES if key.startswith("log_data/"))
SONGS = sorted(key for key in FILES if key.startswith("song_data/"))
LATE = SONGS[0]  # the most played: in all three days
OLD = {key: FILES[key] for key in (LOGS[0], SONGS[1])}

Act = Callable[[World], None]


@dataclass(frozen=True)
class Scenario:
    """``act`` is what is recorded: what users do, and what AWS does at once. ``expected`` is what must be there when
    everything is settled.

    before      what was there before, for what only a person asks for
    partly      what is there when a part of it is done that stays done: an undo is a transaction for each dataset
    by_hand     only a person asks for it: when it failed, the person is told, and asks once more
    old         begins with a day's files in the tables; otherwise with nothing at all
    contract    there is a dataset with a contract, and the day's files are of it
    """

    name: str
    act: Act
    expected: Callable[[], Expected]
    before: Callable[[], Expected] = lambda: Expected.of(OLD)
    partly: Callable[[], Expected] | None = None
    by_hand: bool = False
    old: bool = True
    contract: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)


def some(*keys: str) -> dict[str, bytes]:
    return {key: FILES[key] for key in keys}


def upload(world: World, files: Mapping[str, bytes]) -> None:
    for key, body in files.items():
        world.upload(key, body)


# -- the scenarios ---------------------------------------------------------------------------


def plain(world: World) -> None:
    upload(world, some(LOGS[1], SONGS[2]))
    world.work()


def first(world: World) -> None:
    upload(world, some(LOGS[1]))
    world.work()


def late(world: World) -> None:
    upload(world, some(LATE))
    world.work()


def typed(body: bytes) -> bytes:
    """A log file with a session that is no number in its third line."""
    lines = body.splitlines()
    lines[2] = json.dumps({**json.loads(lines[2]), "sessionId": "none"}).encode()
    return b"\n".join(lines)


def nameless(body: bytes) -> bytes:
    """A log file whose events name no user, which a check does not let pass."""
    events = [{**json.loads(line), "userId": ""} for line in body.splitlines()]
    return b"\n".join(json.dumps(event).encode() for event in events)


BAD = {
    "log_data/2018/11/bad-type.json": typed(FILES[LOGS[2]]),
    "log_data/2018/11/bad-zip.json.gz": gzip.compress(FILES[LOGS[2]])[:-30],
    "log_data/2018/11/bad-users.json": nameless(FILES[LOGS[2]]),
}
GONE = "log_data/2018/11/gone.json"


def bad(world: World) -> None:
    upload(world, {**some(LOGS[1]), **BAD, GONE: FILES[LOGS[2]]})
    world.delete(GONE)
    world.work()


def conflict(world: World) -> None:
    """A person starts a load of everything; when it is about to publish, the uploads' own load publishes first."""
    upload(world, some(LOGS[1]))
    by_hand = world.start({}, name="by-hand")

    def others_first(execution: Execution, state: str) -> None:
        if execution is by_hand and state == "Publish":
            world.executions.at_state = lambda _execution, _state: None
            world.queue.deliver()
            for other in world.executions.waiting():
                world.executions.run(other)

    world.executions.at_state = others_first
    world.executions.run(by_hand)
    world.work()


def sweep(world: World) -> None:
    for key in (LOGS[1], SONGS[2]):
        world.upload(key, FILES[key], event=False)
    world.sweep()
    world.work()


def undo(world: World) -> None:
    """The day's load is undone; its log file and its song are withdrawn."""
    world.start({"undo": load_id_of(world.executions.all[0])})
    world.work()


def rest(world: World) -> None:
    """More files than an execution's batches hold: the rest goes on in others."""
    for key in (*LOGS[1:], SONGS[2]):
        world.upload(key, FILES[key], event=False)
    world.start({})
    world.work()


def stopped(world: World) -> None:
    """A person stops a load that has staged its files; the sweep cleans up and loads them."""

    def stop(execution: Execution, state: str) -> None:
        if state == "Publish":
            world.executions.at_state = lambda _execution, _state: None
            raise Stopped

    world.executions.at_state = stop
    upload(world, some(LOGS[1]))
    world.work()
    world.sweep()
    world.work()


def repeated(world: World) -> None:
    """The uploads' message comes again when its load has ended."""
    told = world.upload(LOGS[1], FILES[LOGS[1]])
    world.work()
    world.queue.notify(told)
    world.work()


def meanwhile(world: World) -> None:
    """The sweep comes while a load from events is running, and finds a file whose event was lost."""
    world.upload(SONGS[2], FILES[SONGS[2]], event=False)
    upload(world, some(LOGS[1]))

    def sweep_now(execution: Execution, state: str) -> None:
        if state == "Publish":
            world.executions.at_state = lambda _execution, _state: None
            world.sweep()

    world.executions.at_state = sweep_now
    world.work()


def reload(world: World) -> None:
    world.start({"reload": True, "keys": [LOGS[0], SONGS[1]]})
    world.work()


def waits(world: World) -> None:
    """The first file of all is bad, and nothing proves it; when another has loaded, the sweep tries it again."""
    upload(world, {key: body for key, body in BAD.items() if "type" in key})
    world.work()
    upload(world, some(LOGS[1]))
    world.work()
    world.sweep()
    world.work()


def by_key(world: World) -> None:
    """A file that was rejected is tried again by its key, and is as bad as before."""
    upload(world, {key: body for key, body in BAD.items() if "type" in key})
    world.work()
    world.start({"keys": ["log_data/2018/11/bad-type.json"]})
    world.work()


def dry_run(world: World) -> None:
    for key in (LOGS[1], SONGS[2]):
        world.upload(key, FILES[key], event=False)
    world.start({"dry_run": True, "prefixes": ["log_data/"]})
    world.work()


def check(world: World) -> None:
    world.start({"check": True})
    world.work()


def reset(world: World) -> None:
    """The tables are made anew; the sweep then loads all files again."""
    world.start({"reset": True})
    world.work()


def cancelled(world: World) -> None:
    """A COPY does not end and is cancelled for its time limit; the sweep loads its file."""
    world.warehouse.faults.armed[2] = "hangs"
    upload(world, some(LOGS[1]))
    world.work()


def crowded(world: World) -> None:
    """One load may run at once: of two uploads of one dataset the second waits, that of the other dataset does not."""
    world.queue.group = lambda found: [[message] for message in found]
    upload(world, some(LOGS[1], SONGS[2], LOGS[2]))
    world.work()


def look_again(world: World) -> None:
    """A person stops the load for which an upload waits; the message to look again starts its load."""
    stop_first(world)
    world.clock.advance(1)
    world.work()


def left_waiting(world: World) -> None:
    """The message to look again is lost, too: the sweep starts what waits, and finds what was stopped an hour later."""
    stop_first(world)
    world.queue.messages.clear()
    world.sweep()
    world.work()


def stop_first(world: World) -> None:
    """Uploads one after the other, of which the first one's load is stopped when it publishes."""

    def stop(execution: Execution, state: str) -> None:
        if state == "Publish":
            world.executions.at_state = lambda _execution, _state: None
            raise Stopped

    world.executions.at_state = stop
    world.queue.group = lambda found: [[message] for message in found]
    upload(world, some(LOGS[1], LOGS[2]))
    world.work()


def slow(world: World) -> None:
    """No statement has ended when its submission is answered."""
    world.warehouse.slow = True
    late(world)


# -- a dataset with a contract ---------------------------------------------------------------

ORDERS = """\
description: Orders, with updates, deletions and items
files: orders/*.json
key: id
newest: at
columns: {id: varchar(9), at: timestamp, total: "decimal(8,2)", op: varchar(1)}
tables: {order_items: {each: Items, columns: {sku: {path: S-K-U, type: varchar(9)}, qty: integer}}}
deleted: {op: D}
history: true
"""


def orders(*records: tuple[str, int, str, Any]) -> bytes:
    """A file of orders: the id, the day of November, the operation, and the quantity of each item."""
    return "".join(
        json.dumps(
            {
                "id": number,
                "at": f"2026-11-{day}T05:00:00+01:00",
                "total": day,
                "op": operation,
                "Items": [{"S-K-U": f"s{n}", "qty": q} for n, q in enumerate(quantities)],
            }
        )
        + "\n"
        for number, day, operation, quantities in records
    ).encode()


OLD_ORDERS = {
    "orders/a.json": orders(("1", 20, "", [1, 2]), ("2", 20, "", [3])),
    "orders/b.json": orders(("3", 20, "", []), ("1", 19, "", [4])),
}
NEW_ORDERS = {
    "orders/c.json": orders(("1", 21, "", [5]), ("2", 21, "D", []), ("4", 21, "", [6])),
    "orders/d.json": orders(("1", 20, "", [7]), ("4", 20, "D", [])),
}
BAD_ORDERS = {"orders/bad.json": orders(("5", 21, "", ["three"]))}


@cache
def tree_with_orders() -> Path:
    """The product with the contract ORDERS."""
    return with_contracts(_folder() / "orders", {"orders": ORDERS})


def expected_orders(
    files: Mapping[str, bytes],
    others: Mapping[str, Status] | None = None,
    reloaded: Collection[str] = (),
) -> Expected:
    """What must be there of these orders, and nothing of Sparkify."""
    contract = contract_of("orders", ORDERS)
    found = [
        contract_oracle.File(k, body, "r" if k in reloaded else "") for k, body in files.items()
    ]

    def differs(world: World) -> str:
        there = contract_oracle.read(contract, world.warehouse.query)
        return contract_oracle.diff(contract_oracle.tables(contract, found), there)

    statuses = {**dict.fromkeys(files, "loaded"), **(others or {})}
    return Expected(oracle.tables({}), statuses, differs)


def contract(world: World) -> None:
    upload(world, NEW_ORDERS | BAD_ORDERS)
    world.work()


def contract_reload(world: World) -> None:
    """Of a batch, one file is loaded again."""
    world.start({"reload": True, "keys": ["orders/b.json"]})
    world.work()


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("plain", plain, lambda: Expected.of(OLD | some(LOGS[1], SONGS[2]))),
        Scenario(
            "bad",
            bad,
            lambda: Expected.of(
                OLD | some(LOGS[1]),
                # The sweep knows nothing of an object that is gone before its event was heard.
                {**dict.fromkeys(BAD, "rejected"), GONE: ("missing", None)},
            ),
        ),
        Scenario("late", late, lambda: Expected.of(OLD | some(LATE))),
        Scenario("conflict", conflict, lambda: Expected.of(OLD | some(LOGS[1]))),
        Scenario("sweep", sweep, lambda: Expected.of(OLD | some(LOGS[1], SONGS[2]))),
        Scenario(
            "undo",
            undo,
            lambda: Expected.of({}, dict.fromkeys(OLD, "withdrawn")),
            partly=lambda: Expected.of(some(SONGS[1]), {LOGS[0]: "withdrawn"}),
            by_hand=True,
        ),
        Scenario("first", first, lambda: Expected.of(some(LOGS[1])), old=False),
        Scenario(
            "rest",
            rest,
            lambda: Expected.of(OLD | some(*LOGS[1:], SONGS[2])),
            parameters={"MaxBatches": "1", "BatchFiles": "1"},
        ),
        Scenario("stopped", stopped, lambda: Expected.of(OLD | some(LOGS[1]))),
        Scenario("repeated", repeated, lambda: Expected.of(OLD | some(LOGS[1]))),
        Scenario("meanwhile", meanwhile, lambda: Expected.of(OLD | some(LOGS[1], SONGS[2]))),
        *(
            Scenario(
                name,
                act,
                lambda found=files: Expected.of(OLD | some(*found)),  # type: ignore[misc]
                parameters={"MaxLoadsAtOnce": "1"},
            )
            for name, act, files in (
                ("crowded", crowded, (LOGS[1], SONGS[2], LOGS[2])),
                ("look-again", look_again, LOGS[1:3]),
                ("left-waiting", left_waiting, LOGS[1:3]),
            )
        ),
        Scenario("slow", slow, lambda: Expected.of(OLD | some(LATE))),
        Scenario(
            "cancelled",
            cancelled,
            lambda: Expected.of(OLD | some(LOGS[1])),
            parameters={"StatementTimeoutSeconds": "60"},
        ),
        Scenario(
            "waits",
            waits,
            lambda: Expected.of(some(LOGS[1]), {"log_data/2018/11/bad-type.json": "rejected"}),
            old=False,
        ),
        Scenario("reload", reload, lambda: Expected.of(OLD), by_hand=True),
        Scenario(
            "by-key",
            by_key,
            lambda: Expected.of(OLD, {"log_data/2018/11/bad-type.json": "rejected"}),
            by_hand=True,
        ),
        Scenario(
            "dry-run", dry_run, lambda: Expected.of(OLD | some(LOGS[1], SONGS[2])), by_hand=True
        ),
        Scenario(
            "contract",
            contract,
            lambda: expected_orders(OLD_ORDERS | NEW_ORDERS, dict.fromkeys(BAD_ORDERS, "rejected")),
            contract=True,
        ),
        Scenario(
            "contract-undo",
            undo,
            lambda: expected_orders({}, dict.fromkeys(OLD_ORDERS, "withdrawn")),
            before=lambda: expected_orders(OLD_ORDERS),
            by_hand=True,
            contract=True,
        ),
        Scenario(
            "contract-reload",
            contract_reload,
            lambda: expected_orders(OLD_ORDERS, reloaded=["orders/b.json"]),
            before=lambda: expected_orders(OLD_ORDERS),
            by_hand=True,
            contract=True,
        ),
        Scenario("check", check, lambda: Expected.of(OLD), by_hand=True),
        Scenario("reset", reset, lambda: Expected.of(OLD), by_hand=True),
    )
}


# -- worlds ----------------------------------------------------------------------------------


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


_numbers = count()


@contextmanager
def new_world(
    *, tree: Path = ROOT, isolation: Isolation = "snapshot", old: bool = True, contract: bool = False,
    parameters: Mapping[str, str] | None = None,
) -> Iterator[World]:  # fmt: skip
    """A world that nobody else uses: with a day's files in its tables (``old``), or empty; ``contract``: of ORDERS."""
    folder = _folder() / str(next(_numbers))
    tree = tree_with_orders() if contract else tree
    memory = _a_day(tree, contract=contract) if old else None
    try:
        with World(
            folder, tree=tree, isolation=isolation, parameters=parameters, memory=memory
        ) as world:
            yield world
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _a_day(tree: Path, *, contract: bool) -> Memory:
    """A world whose tables have a day's files, and whose sweep has seen them."""
    world = World(_folder() / str(next(_numbers)), tree=tree)
    upload(world, OLD_ORDERS if contract else OLD)
    world.settle()
    world.check(expected_orders(OLD_ORDERS) if contract else Expected.of(OLD))
    return world.remember()


@dataclass(frozen=True)
class Recording:
    """What a scenario does when nothing goes wrong."""

    calls: tuple[Call, ...]
    copies: tuple[tuple[str, str], ...]  # (action, resource) of COPY's role
    statements: tuple[str, ...]  # what each is, as Ran.what
    states: tuple[str, ...]  # in the order in which the executions entered them


def record(name: str, tree: Path = ROOT) -> Recording:
    """A scenario with nothing going wrong; AssertionError if it does not end as expected."""
    scenario = SCENARIOS[name]
    with new_world(
        tree=tree, old=scenario.old, contract=scenario.contract, parameters=scenario.parameters
    ) as world:
        scenario.act(world)
        recording = Recording(
            tuple(world.boundary.calls),
            tuple(sorted(world.copies.calls)),
            tuple(ran.what for ran in world.warehouse.faults.ran),
            tuple(world.executions.entered),
        )
        world.settle()
        world.check(scenario.expected())
    return recording


@cache
def recorded() -> dict[str, Recording]:
    """All scenarios' recordings, kept in build/ until something of the tree changes that they are made from.

    Several processes, such as pytest's workers, share the work: each records what no other is recording.
    """
    folder = KEPT / _digest()
    folder.mkdir(parents=True, exist_ok=True)
    for older in KEPT.iterdir():
        if older != folder:
            shutil.rmtree(older, ignore_errors=True)
    files = {name: folder / f"{name}.json" for name in SCENARIOS}
    for wait in (False, True):
        for name, file in files.items():
            _keep(name, file, wait=wait)
    return {
        name: _from_document(json.loads(file.read_text(encoding="utf-8")))
        for name, file in files.items()
    }


def _keep(name: str, file: Path, *, wait: bool) -> None:
    """Records a scenario into the file, unless it is there; one that another process is recording is waited for."""
    with file.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return
        if not file.exists():
            new = file.with_suffix(".new")
            new.write_text(json.dumps(asdict(record(name))), encoding="utf-8")
            new.replace(file)


KEPT = ROOT / "build" / "recordings"
_MADE_OF = (
    "contracts", "functions", "sql", "statemachine", "template.yaml", "fakeshift/src/fakeshift", "local/generator",
    "tests/world", "pyproject.toml",
)  # fmt: skip


def _digest() -> str:
    digest = sha256()
    for place in map(ROOT.joinpath, _MADE_OF):
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix != ".pyc":
                digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _from_document(kept: Mapping[str, Any]) -> Recording:
    calls = (
        Call(**{**call, "place": Place(**call["place"]), "kinds": tuple(call["kinds"])})
        for call in kept["calls"]
    )
    copies = tuple((action, resource) for action, resource in kept["copies"])
    return Recording(tuple(calls), copies, tuple(kept["statements"]), tuple(kept["states"]))
