"""What AWS counts of a load, by its own rules, and what that costs by the prices of prices.json.

Transitions: "each time a step of your workflow is executed … including retries"
(aws.amazon.com/step-functions/pricing): each state that is entered, each further attempt of one. A Map is a step, each
of its iterations' states is one too.
S3: PUT, COPY, POST and LIST are one class, GET and all others another, DELETE is free (aws.amazon.com/s3/pricing).
SQS: a request of the sender for each message; the event source receives and deletes ten at a time at most
(docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

from local.states.interpreter import Event

PRICES = Path(__file__).parents[2] / "functions" / "loader" / "page" / "prices.json"
TEN = 10  # messages of a receive and of a delete
RPU = 8
MINUTE = 60
"""A serverless warehouse that is woken bills this many seconds at least."""

_PUT = (
    "PutObject", "CopyObject", "ListObjectsV2", "ListBuckets", "CreateMultipartUpload", "UploadPart",
    "CompleteMultipartUpload",
)  # fmt: skip
_FREE = ("DeleteObject", "DeleteObjects", "AbortMultipartUpload")


@cache
def price(of: str) -> float:
    """Dollars of one of it."""
    found = json.loads(PRICES.read_text(encoding="utf-8"))["prices"][of]
    return float(found["dollars"]) / float(found["per"])


@dataclass
class Counts:
    """What a load used. ``warehouse``: the seconds of its statements one after another."""

    transitions: int = 0
    history: int = 0
    executions: int = 0
    invocations: Counter[str] = field(default_factory=Counter)
    gb_seconds: float = 0.0
    data_api: Counter[str] = field(default_factory=Counter)
    s3: Counter[str] = field(default_factory=Counter)
    sqs: int = 0
    events: int = 0
    warehouse: float = 0.0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.transitions + other.transitions,
            self.history + other.history,
            self.executions + other.executions,
            self.invocations + other.invocations,
            self.gb_seconds + other.gb_seconds,
            self.data_api + other.data_api,
            self.s3 + other.s3,
            self.sqs + other.sqs,
            self.events + other.events,
            self.warehouse + other.warehouse,
        )

    def times(self, number: int) -> Counts:
        """As many loads like this."""
        return Counts(
            self.transitions * number,
            self.history * number,
            self.executions * number,
            Counter({name: n * number for name, n in self.invocations.items()}),
            self.gb_seconds * number,
            Counter({name: n * number for name, n in self.data_api.items()}),
            Counter({name: n * number for name, n in self.s3.items()}),
            self.sqs * number,
            self.events * number,
            self.warehouse * number,
        )

    @property
    def puts(self) -> int:
        """S3 requests of the class of PUT and LIST."""
        return sum(number for name, number in self.s3.items() if name in _PUT)

    @property
    def gets(self) -> int:
        """S3 requests of the class of GET."""
        return sum(n for name, n in self.s3.items() if name not in _PUT and name not in _FREE)

    @property
    def dollars(self) -> dict[str, float]:
        """By what is paid for; the warehouse is apart."""
        return {
            "transitions": self.transitions * price("transition"),
            "invocations": self.invocations.total() * price("invocation"),
            "GB-seconds": self.gb_seconds * price("gb_second"),
            "S3": self.puts * price("s3_put") + self.gets * price("s3_get"),
            "SQS": self.sqs * price("sqs"),
            "events": self.events * price("event"),
        }

    @property
    def loader(self) -> float:
        """Dollars of all but the warehouse."""
        return sum(self.dollars.values())

    def awake(self, parallel: int = 1) -> float:
        """Dollars of the warehouse, woken once for all of it; ``parallel`` statements run at a time."""
        seconds = max(MINUTE, ceil(self.warehouse / parallel))
        return seconds * RPU / 3600 * price("rpu_hour")

    @property
    def document(self) -> dict[str, Any]:
        """For the results."""
        return {
            "transitions": self.transitions,
            "history_events": self.history,
            "executions": self.executions,
            "invocations": {"all": self.invocations.total(), **self.invocations},
            "gb_seconds": round(self.gb_seconds, 3),
            "data_api": {"all": self.data_api.total(), **self.data_api},
            "s3": {"put_class": self.puts, "get_class": self.gets, **self.s3},
            "sqs_requests": self.sqs,
            "events": self.events,
            "warehouse_seconds": round(self.warehouse, 1),
            "dollars": {name: round(value, 8) for name, value in self.dollars.items()},
            "dollars_loader": round(self.loader, 7),
        }


def transitions(history: Iterable[Event]) -> int:
    """Of one execution: states entered, and attempts after the first of each."""
    entered = tasks = scheduled = maps = started = 0
    for event in history:
        entered += event.type.endswith("StateEntered")
        tasks += event.type == "TaskStateEntered"
        scheduled += event.type == "TaskScheduled"
        maps += event.type == "MapStateEntered"
        started += event.type == "MapStateStarted"
    return entered + max(scheduled - tasks, 0) + max(started - maps, 0)


def queue_requests(messages: int) -> int:
    """Requests for messages that one invocation takes: sent one by one, received and deleted by tens."""
    return messages + 2 * ceil(messages / TEN)
