"""The loads that an upload causes: finds them, waits for them, and reports each as it ends.

Between an object and its load stand the event, the queue, the trigger function and the start of an
execution, so "nothing is running" does not mean "everything is loaded". An upload is done when the queue is
empty, no execution is running, and the ledger in the warehouse has every uploaded object. Waiting
also ends when a load has failed, or when nothing happens for too long.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from local.client import executions, queries
from local.client.clients import Clients
from local.client.objects import starts_a_load
from local.client.queues import depth
from local.client.stack import Stack
from local.problem import Problem
from local.show.progress import Progress
from local.show.report import Report, line, report_of

SETTLE_SECONDS = 30.0
"""How long nothing may happen, with objects missing from the ledger, before that is an error: the
queue is empty and nothing is running, so only undelivered events can still be on their way. On a stack
the batch window is added, and how late an event may come."""
EVENT_SECONDS = 120.0
STALL_SECONDS = 900.0
"""How long messages may wait, or executions run, without any change."""
SHOWN_MISSING = 10
ASKED_BY_KEY = 500


@dataclass
class LoadsOf:
    """Create it before the upload, then upload, then call ``wait(etags)``."""

    clients: Clients
    stack: Stack
    reports: list[Report] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _since: datetime | None = None
    _dead_letters: int = 0

    def __post_init__(self) -> None:
        """Remembers the executions and dead letters from before the upload."""
        self._since = executions.newest(self.clients, self.stack.state_machine)
        self._seen = self._started()
        self._dead_letters = depth(self.clients, self.stack.dead_letter_url)

    def wait(self, etags: Mapping[str, str]) -> list[Report]:
        """Returns the reports of the loads once all of ``etags`` (by key) is accounted for.

        Raises Problem if that does not happen, naming what is missing.
        """
        expected = {(key, etag) for key, etag in etags.items() if starts_a_load(key)}
        running: set[str] = set()
        changed = time.monotonic()
        before: object = None
        with Progress("loading") as progress:
            while True:
                waiting = depth(self.clients, self.stack.queue_url)
                running |= self._new()
                running -= self._ended(running, progress.say)
                quiet = time.monotonic() - changed
                if (waiting, running, len(self.reports)) != before:
                    before = (waiting, set(running), len(self.reports))
                    changed = time.monotonic()
                elif waiting or running:
                    if quiet > STALL_SECONDS:
                        raise Problem(self._stalled(waiting, running))
                else:
                    missing = self._missing(expected)
                    if not missing or any(report.failed for report in self.reports):
                        return self.reports
                    if quiet > self._settle_seconds():
                        raise Problem(self._lost(missing))
                progress.show(
                    f"{waiting:,} objects in the queue, {len(running)} loads running,"
                    f" {len(self.reports)} ended, {progress.seconds:.0f} s"
                )
                time.sleep(self.clients.target.look_seconds)

    def _new(self) -> set[str]:
        found = self._started() - self._seen
        self._seen |= found
        return found

    def _started(self) -> set[str]:
        """The executions since the newest of before the upload: a stack keeps those of 90 days."""
        return set(executions.arns(self.clients, self.stack.state_machine, since=self._since))

    def _settle_seconds(self) -> float:
        if self.clients.target.local:
            return SETTLE_SECONDS
        window = float(self.clients.parameters.get("BatchWindowSeconds") or 60)
        return SETTLE_SECONDS + window + EVENT_SECONDS

    def _ended(self, running: set[str], say: Callable[[str], None]) -> set[str]:
        ended = set()
        for arn in sorted(running):
            execution = executions.describe(self.clients, arn)
            if execution["status"] != "RUNNING":
                report = report_of(execution)
                self.reports.append(report)
                say(line(report))
                ended.add(arn)
        return ended

    def _missing(self, expected: set[tuple[str, str]]) -> set[tuple[str, str]]:
        if not expected:
            return set()
        keys = sorted({key for key, _ in expected})
        named = ", ".join(map(queries.literal, keys)) if len(keys) <= ASKED_BY_KEY else ""
        schema = self.clients.warehouse.schema
        try:
            known = queries.run(
                self.clients,
                f"SELECT key, etag FROM {schema}.file_status"  # noqa: S608 - literals
                f" WHERE bucket = {queries.literal(self.stack.data_bucket)}"
                + (f" AND key IN ({named})" if named else ""),
            )
        except queries.SqlError as error:
            if error.nothing_there:
                return expected  # no load has created the schema yet
            raise
        return expected - {(str(key), str(etag)) for key, etag in known.rows}

    def _lost(self, missing: set[tuple[str, str]]) -> str:
        keys = sorted(key for key, _ in missing)
        dead = depth(self.clients, self.stack.dead_letter_url) - self._dead_letters
        return (
            f"{len(keys):,} of the uploaded files were not loaded, and nothing is running:"
            f" {', '.join(keys[:SHOWN_MISSING])}{' …' if len(keys) > SHOWN_MISSING else ''}."
            f" {dead} new dead letters."
            f"{self._see()} loader start{self.clients.target.suffix} loads the missing files."
        )

    def _stalled(self, waiting: int, running: set[str]) -> str:
        return (
            f"Nothing has happened for {STALL_SECONDS:.0f} s: {waiting:,} messages in the queue,"
            f" {len(running)} executions running ({', '.join(sorted(running)[:3])})."
            f"{self._see()} loader status{self.clients.target.suffix} says what is going on."
        )

    def _see(self) -> str:
        if self.clients.target.local:
            return " Check the log of the local AWS, .local/aws/server.log;"
        return f" Check the log group /aws/lambda/{self.stack.name};"
