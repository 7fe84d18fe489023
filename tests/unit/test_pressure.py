"""Two hours of uploads, by a simulated clock, into a warehouse whose publish takes longer than a window.

The trigger and the last step of a load are the product's; the queue, the event source, S3 and Step Functions are played
here, with ListExecutions that lags, messages that are lost and some that come twice.
"""

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import finish
import pytest
import trigger
from loader.event_loads import EventLoads
from loader.store import DataFile, MissingObject, Store

from tests.unit.fakes import Context, client
from tests.unit.test_trigger import body
from tests.world.clock import BEGIN, Clock

HOURS = 2
WINDOW = 60.0
BOUND = 4
DATASETS = ("log_data", "song_data")
LAG = 5.0  # seconds until ListExecutions shows what has started or ended
STAGE = 5.0  # seconds of a load before its publish, which waits for the others'
TRIGGERS = 2  # MaxConcurrentTriggers
RECEIVES, VISIBLE_AGAIN = 5, 720.0


class Objects(Store):
    """The work bucket, in memory."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("working")
        self._clock = clock
        self._kept: dict[str, tuple[str, list[dict[str, Any]]]] = {}

    def put_lines(self, key: str, rows: Iterable[Mapping[str, Any]]) -> str:
        self._kept[key] = (self._clock.now().isoformat(), [dict(row) for row in rows])
        return self.uri(key)

    def get_lines(self, key: str) -> Iterator[dict[str, Any]]:
        if key not in self._kept:
            raise MissingObject(key)
        yield from (dict(row) for row in self._kept[key][1])

    def list_files(self, bucket: str, prefix: str) -> Iterator[DataFile]:
        for key, (modified, _) in sorted(self._kept.items()):
            if key.startswith(prefix):
                yield DataFile(bucket, key, "e", 1, modified)

    def delete(self, key: str) -> None:
        self._kept.pop(key, None)


@dataclass
class Load:
    """An execution. It ends when its publish has had its turn."""

    name: str
    keys: list[str]
    started: float
    ends: float
    ended: float = float("inf")


@dataclass
class Machine:
    """Step Functions, and a warehouse that publishes one load after the other."""

    clock: Clock
    store: Objects
    publish: Callable[[int], float]  # seconds, by the number of files
    loads: dict[str, Load] = field(default_factory=dict)
    free: float = 0.0  # when the lock is
    most: int = 0
    exceptions = client("stepfunctions").exceptions

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:  # noqa: A002
        del stateMachineArn
        now = self.clock.time()
        if name in self.loads:
            if self.loads[name].ended < float("inf"):
                raise self.exceptions.ExecutionAlreadyExists({}, "StartExecution")
            return {"startDate": self.clock.now()}
        rows = self.store.get_lines(self.store.key_of(json.loads(input)["objects"]))
        keys = [row["key"] for row in rows]
        self.free = max(self.free, now + STAGE) + self.publish(len(keys))
        self.loads[name] = Load(name, keys, now, self.free)
        self.most = max(self.most, len(self.running(now)))
        return {"startDate": self.clock.now()}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:
        load = self.loads[executionArn.rpartition(":")[2]]
        return {"status": "RUNNING" if load.ended == float("inf") else "SUCCEEDED"}

    def running(self, then: float) -> list[Load]:
        return [load for load in self.loads.values() if load.started <= then < load.ended]

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_executions"
        shown = [{"name": load.name} for load in self.running(self.clock.time() - LAG)]
        return SimpleNamespace(paginate=lambda **_: [{"executions": shown}])


@dataclass
class Message:
    body: str
    visible: float
    received: int = 0


class Pressure:
    """``every``: seconds from one upload to the next; ``lost``: the part of the messages to look again that is."""

    def __init__(
        self, patch: pytest.MonkeyPatch, publish: Callable[[int], float], every: float, lost: float
    ) -> None:
        self.clock = Clock()
        self.store = Objects(self.clock)
        self.machine = Machine(self.clock, self.store, publish)
        self.messages: list[Message] = []
        self.dead: list[Message] = []
        self.arrived: dict[str, float] = {}
        self.looks = 0
        self._random, self._every, self._lost = random.Random(12), every, lost
        patch.setattr(trigger, "loads", EventLoads(self.store, lambda: self.machine, "arn:a:m"))
        patch.setattr(trigger, "sqs", lambda: self)
        patch.setattr(finish, "store", self.store)
        patch.setattr(finish, "stepfunctions", lambda: self.machine)

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> None:
        del QueueUrl
        if self._random.random() >= self._lost:
            self.messages.append(Message(MessageBody, self.clock.time() + DelaySeconds))

    def run(self) -> None:
        """Uploads for the given hours, and then until nothing is left to do."""
        until = BEGIN + timedelta(hours=HOURS)
        upload = self.clock.time()
        while True:
            now = self.clock.time()
            uploading = self.clock.now() < until
            while uploading and upload <= now:
                self._upload(upload)
                upload += self._every
            self._deliver(now)
            for load in self.machine.running(now):
                if load.ends <= now:
                    finish.start_waiting(f"arn:a:b:c:d:execution:m:{load.name}")
                    load.ended = now
            if not (uploading or self.messages or self.machine.running(now)):
                return
            self.clock.advance(1)

    def _upload(self, now: float) -> None:
        number = len(self.arrived)
        key = f"{DATASETS[number % 10 == 0]}/{number}.json"
        self.arrived[key] = now
        text = json.dumps(body(key, sequencer=f"{number:08x}"))
        for _ in range(1 + (self._random.random() < 0.01)):  # at least once
            self.messages.append(Message(text, now))

    def _deliver(self, now: float) -> None:
        """Lambda's event source: a batch when the oldest message that is visible has waited for a window."""
        for _ in range(TRIGGERS):
            batch = [message for message in self.messages if message.visible <= now][:1000]
            if not batch or (now - min(m.visible for m in batch) < WINDOW and len(batch) < 1000):
                return
            self.looks += 1
            for message in batch:
                message.received += 1
                message.visible = now + VISIBLE_AGAIN
            records = [{"messageId": str(n), "body": m.body} for n, m in enumerate(batch)]
            answer = trigger.handler({"Records": records}, Context())
            assert answer == {"batchItemFailures": []}
            done = set(map(id, batch))
            self.messages = [m for m in self.messages if id(m) not in done]
            self.dead += [m for m in batch if m.received >= RECEIVES]

    # -- what is asked of it -----------------------------------------------------------------

    def starts(self) -> dict[str, float]:
        """When the first load of each file was started."""
        found: dict[str, float] = {}
        for load in self.machine.loads.values():
            for key in load.keys:
                found.setdefault(key, load.started)
        return found

    def too_late(self) -> list[tuple[str, float]]:
        """Files whose load did not start within a window of what they waited for: the end of their own window, or the
        next end of a load that ran then. Two windows where a message was lost.
        """
        ends = sorted(load.ended for load in self.machine.loads.values())
        late = []
        for key, started in self.starts().items():
            gathered = self.arrived[key] + WINDOW
            in_front = next((end for end in ends if end >= gathered), gathered)
            if started > max(gathered, in_front) + WINDOW + trigger.LOOK_AFTER + LAG:
                late.append((key, started - self.arrived[key]))
        return late


@pytest.fixture(autouse=True)
def quiet(configure: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    configure(MAX_LOADS_AT_ONCE=str(BOUND))
    caplog.set_level("ERROR", "loader")


@pytest.mark.parametrize(
    ("seconds", "a_file"),
    [(90, 0.0), (300, 0.0), (80, 0.2), (1200, 0.0)],
    ids=["longer than a window", "five windows", "by its files", "twenty windows"],
)
def test_two_hours_of_pressure(
    monkeypatch: pytest.MonkeyPatch, seconds: float, a_file: float
) -> None:
    world = Pressure(monkeypatch, lambda files: seconds + a_file * files, every=1, lost=0.1)
    world.run()
    assert world.dead == []
    assert world.starts().keys() == world.arrived.keys()
    assert list(world.store.list_files("working", "waiting/")) == []
    assert world.machine.most <= BOUND + TRIGGERS + len(DATASETS)
    assert world.too_late() == []
    loads = sorted(world.machine.loads.values(), key=lambda load: load.started)
    windows = HOURS * 3600 / WINDOW
    assert len(loads) < windows * 0.8  # without a bound each window is a load
    first, last = loads[:BOUND], loads[-BOUND - 1 : -1]
    assert sum(len(load.keys) for load in last) > sum(len(load.keys) for load in first)
    # Throughput rises with the load: what is left when the uploads end is some publishes, not a pile of them.
    left = max(load.ended for load in loads) - BEGIN.timestamp() - HOURS * 3600
    longest = seconds + a_file * max(len(load.keys) for load in loads)
    assert left < (BOUND + TRIGGERS + len(DATASETS) + 2) * longest
    # A file may be in two loads (its event came twice): the claim lets one load it. It stays rare.
    assert sum(len(load.keys) for load in loads) < 1.05 * len(world.arrived)
    assert world.looks < 3 * windows


def test_two_hours_without_pressure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each window is a load, at once, and nobody looks again."""
    world = Pressure(monkeypatch, lambda _files: 5.0, every=1, lost=0)
    world.run()
    starts = world.starts()
    assert starts.keys() == world.arrived.keys()
    assert max(starts[key] - arrived for key, arrived in world.arrived.items()) <= WINDOW + 1
    assert world.looks == len(world.machine.loads) == HOURS * 3600 // (WINDOW + 1) + 1
