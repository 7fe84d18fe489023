"""The random mixture, round after round: uploads, duplicates, starts, faults, kills, stops, undo.

After each round all faults are taken away, what is on its way arrives, the sweep runs until it finds
nothing more, and the warehouse is judged.
"""

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from botocore.exceptions import ClientError

from local.client import executions
from local.client.queues import depth
from local.show.report import Report, report_of
from tests.world.deployed import Project
from tests.world.events import Events
from tests.world.machine import family_memory
from tests.world.soak import judge
from tests.world.soak.files import Bucket, Files, Version

ROUND_SECONDS = 25.0
PAUSE_SECONDS = 0.8
"""Between two actions, at most."""
MOST_RUNNING = 6
"""Executions at a time; more would only wait for the machine."""
SETTLE_SECONDS = 240.0
BURST = 500
"""Uploads, as fast as they can be put; each calm round begins with them, and some of the others."""
MOST_MEMORY = 3 * 2**30
"""Bytes of the local AWS and all that it starts."""
MOST_SWEEPS = 12
VISIBILITY_SECONDS = 8
"""After which a message comes again whose trigger was killed; AWS asks for at least the function's timeout."""

FUNCTIONS = (
    "Trigger",
    "Plan",
    "Stage",
    "FindBadFiles",
    "Publish",
    "LeaveOutLoaded",
    "Finish",
    "Undo",
    "Sweep",
)
STATEMENTS = (
    *("COPY sparkify_loader.event_stage", "COPY sparkify_loader.song_stage", "COPY sparkify.files"),
    *(
        "CREATE TABLE sparkify",
        "LOCK sparkify",
        "INSERT INTO sparkify.songplays",
        "INSERT INTO sparkify.songs",
    ),
    *("DELETE FROM sparkify", "UPDATE sparkify", "CASE WHEN k.status", "DROP TABLE", "AS guard"),
)
OPERATIONS = (
    "BatchExecuteStatement",
    "DescribeStatement",
    "GetStatementResult",
    "ListStatements",
    "CancelStatement",
)
ERRORS = (
    ("InternalServerException", 500),
    ("ThrottlingException", 400),
    ("ActiveStatementsExceededException", 400),
)
MESSAGES = (
    "ERROR: 1023 Serializable isolation violation on table - 105647, transactions forming the cycle are: 1, 2",
    "ERROR: could not complete because of conflict with concurrent transaction",
    "ERROR: deadlock detected",
    "ERROR: Connection was closed by the server",
    "ERROR: Disk Full",
)
"""As Redshift words what is nobody's fault."""

IDS = re.compile(r"\d{8}[-_]\d{6}[-_][0-9a-f]{8}[\w.-]*|\b[0-9a-f-]{32,36}\b|\bBatch [\d.]+")
"""What differs between two causes that are one."""

Say = Callable[[str], None]


@dataclass
class Soak:
    """One soak on a deployed project whose bucket and warehouse are empty.

    ``run`` returns the differences, [] if there was none. ``say`` hears a line for each round.
    """

    project: Project
    seed: int
    say: Say
    bucket: Bucket = field(default_factory=Bucket)
    actions: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    journal: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Nothing is done yet."""
        self.random = Random(self.seed)
        self.files = Files(self.random)
        self.events: Events | None = None
        self.bodies: list[str] = []
        self.reports: list[Report] = []
        self.seen: set[str] = set()
        self.running: set[str] = set()
        self.undoing: dict[str, str] = {}
        self.undone: set[str] = set()
        self.stopped: set[str] = set()
        self.memory = 0  # the most at a time
        pid_file = self.project.folder / ".local" / "aws" / "server.pid"
        self._server = int(pid_file.read_text())
        self.begun = time.monotonic()

    # ------------------------------------------------------------------ the run

    def run(self, seconds: float) -> list[str]:
        """Rounds until the time is over, at least one; ends at the first difference."""
        project = self.project
        self.begun = time.monotonic()
        self.seen = set(executions.arns(project.clients, self._machine))
        self.events = Events(project)
        queue = project.outputs["QueueUrl"]
        before = project.clients.sqs.get_queue_attributes(
            QueueUrl=queue, AttributeNames=["VisibilityTimeout"]
        )["Attributes"]
        project.clients.sqs.set_queue_attributes(
            QueueUrl=queue, Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)}
        )
        try:
            self._first_files()
            number = 0
            while True:
                number += 1
                left = seconds - (time.monotonic() - self.begun)
                found = self._round(number, min(ROUND_SECONDS, max(left, 5.0)))
                if found or seconds - (time.monotonic() - self.begun) < ROUND_SECONDS / 2:
                    return found
        finally:
            project.fault(clear=True)
            project.clients.sqs.set_queue_attributes(QueueUrl=queue, Attributes=before)

    def _first_files(self) -> None:
        """A good file of each dataset: a check that no file has ever passed rejects none."""
        self._put([self.files.song(), self.files.log()])
        self._settle()

    def _round(self, number: int, seconds: float) -> list[str]:
        """Every third round is a calm one: nothing is broken on purpose, so nothing may fail."""
        calm = number % 3 == 0
        if calm or number % 6 == 4:
            self.actions["burst"] += 1
            self._write(f"burst: {self._burst()}")
        deadline = time.monotonic() + seconds
        failures_before = self.ended["failed"]
        while time.monotonic() < deadline:
            self._look()
            self.memory = max(self.memory, family_memory(self._server))
            if len(self.running) >= MOST_RUNNING:
                time.sleep(0.3)
                continue
            self._act(calm)
            time.sleep(self.random.random() * PAUSE_SECONDS)
        found = self._settle()
        if calm and self.ended["failed"] > failures_before:
            found.append(f"a load failed, and nothing was broken on purpose: {self.last_cause}")
        if self.memory > MOST_MEMORY:
            found.append(f"the local AWS and what it started took {self.memory / 2**30:.1f} GB")
        found = found or judge.differences(self.project, self.bucket, self.undone)
        self._tell(number, calm, found)
        return found

    def _act(self, calm: bool) -> None:
        peaceful, breaking = self._mixture()
        mixture = peaceful if calm else {**peaceful, **breaking}
        (name,) = self.random.choices(list(mixture), [weight for weight, _ in mixture.values()])
        note = mixture[name][1]()
        if note is not None:
            self.actions[name] += 1
            self._write(f"{name}: {note}")

    def _write(self, line: str) -> None:
        self.journal.append(f"{time.strftime('%H:%M:%S')} {line}")

    def _mixture(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What may be done: name -> (weight, the action, which says what it did, or None if it could not)."""
        peaceful = {
            "upload logs": (7, lambda: self._put([self.files.log() for _ in range(self._few())])),
            "upload songs": (4, lambda: self._put([self.files.song() for _ in range(self._few())])),
            "upload bad files": (
                3,
                lambda: self._put([self.files.bad() for _ in range(self._few())]),
            ),
            "upload without an event": (2, self._put_unannounced),
            "upload more lines": (3, lambda: self._put([self.files.longer(self.bucket)])),
            "upload again": (2, self._put_again),
            "upload a copy": (1, lambda: self._put([self.files.copy(self.bucket)])),
            "upload another version": (
                2,
                lambda: self._put([self.files.told_otherwise(self.bucket)]),
            ),
            "upload an empty file": (0.5, lambda: self._put([self.files.empty()])),
            "fix": (3, self._mend),
            "spoil": (1, self._spoil),
            "delete": (1, self._delete),
            "send events again": (3, self._send_again),
            "start": (4, self._start),
            "sweep": (2, self._sweep),
            "undo": (2, self._undo),
            "reload": (1, self._reload),
        }
        breaking = {
            "break an operation": (7, self._break_operation),
            "break a statement": (10, self._break_statement),
            "restart the warehouse": (1.5, self._restart),
            "pause the warehouse": (1.5, self._pause),
            "kill": (6, self._kill),
            "stop": (3, self._stop),
        }
        return peaceful, breaking

    # ------------------------------------------------------------------ files

    def _few(self) -> int:
        return self.random.choice((1, 1, 2, 3, 5))

    def _put(self, versions: list[Version | None]) -> str | None:
        found = [version for version in versions if version]
        if not found:
            return None
        for version in found:
            self.bucket.put(version)
        etags = self.project.put({version.key: version.content for version in found})
        assert etags == {version.key: version.etag for version in found}
        return ", ".join(f"{v.key} {v.etag[:6]}{f' ({v.bad})' if v.bad else ''}" for v in found)

    def _burst(self) -> str:
        """More than a window's load publishes in a window."""
        some: list[Version | None] = [
            self.random.choice((self.files.log, self.files.song))() for _ in range(BURST)
        ]
        self._put(some)
        return f"{BURST} files"

    def _put_unannounced(self) -> str | None:
        with self.project.no_events():
            return self._put([self.random.choice((self.files.log, self.files.song))()])

    def _put_again(self) -> str | None:
        versions = sorted(self.bucket.ever.values(), key=lambda v: (v.key, v.etag))
        return self._put([self.random.choice(versions)]) if versions else None

    def _mend(self) -> str | None:
        keys = self.bucket.bad()
        return (
            self._put([self.files.fixed(self.bucket.now[self.random.choice(keys)])])
            if keys
            else None
        )

    def _spoil(self) -> str | None:
        keys = [key for key in self.bucket.good() if self.bucket.now[key].content]
        return (
            self._put([self.files.spoiled(self.bucket.now[self.random.choice(keys)])])
            if keys
            else None
        )

    def _delete(self) -> str | None:
        if not self.bucket.now:
            return None
        key = self.random.choice(sorted(self.bucket.now))
        del self.bucket.now[key]
        self.project.clients.s3.delete_object(Bucket=self.project.bucket, Key=key)
        return key

    # ------------------------------------------------------------------ events and executions

    def _send_again(self) -> str | None:
        assert self.events
        self.bodies += self.events.waiting()
        if not self.bodies:
            return None
        bodies = self.random.sample(self.bodies, min(len(self.bodies), self.random.randint(1, 12)))
        self.events.send(bodies)
        return f"{len(bodies)} of {len(self.bodies)}"

    def _start(self) -> str:
        keys = sorted(self.bucket.now)
        documents: list[dict[str, Any]] = [{}, {}, {"prefixes": ["log_data/"]}, {"dry_run": True}]
        if keys:
            documents.append({"keys": self.random.sample(keys, min(len(keys), 4))})
        document = self.random.choice(documents)
        times = self.random.choice((1, 1, 1, 3))
        for _ in range(times):
            self._begin(document)
        return f"{times} x {json.dumps(document)}"

    def _begin(self, document: dict[str, Any]) -> str:
        arn = self.project.begin(document)
        self.running.add(arn)
        self.seen.add(arn)
        return arn

    def _sweep(self) -> str:
        return str(self._swept())

    def _swept(self) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self.project.invoke("SweepFunction", {})
        except (
            AssertionError
        ) as error:  # the sweep was killed, or could not do it: the next one does
            return {"error": str(error)}
        return answer

    def _undo(self) -> str | None:
        loads = [r.data["load_id"] for r in self.reports if r.data.get("status") == "loaded"]
        if not loads:
            return None
        load = self.random.choice(loads[-30:])
        dry_run = self.random.random() < 0.2
        arn = self._begin({"undo": load, "dry_run": dry_run})
        if not dry_run:
            self.undoing[arn] = load
        return f"{load}{' (dry run)' if dry_run else ''}"

    def _reload(self) -> str | None:
        keys = [key for key in self.bucket.good() if key not in self.files.told_twice]
        if not keys:
            return None
        document = {"reload": True, "keys": self.random.sample(keys, min(len(keys), 3))}
        self._begin(document)
        return json.dumps(document)

    # ------------------------------------------------------------------ faults

    def _break_operation(self) -> str:
        code, status = self.random.choice(ERRORS)
        fault = {
            "operation": self.random.choice(OPERATIONS),
            "kind": (kind := self.random.choice(("delay", "fail", "drop"))),
            "times": self.random.choice((1, 1, 2, 8)),
            **({"seconds": 2.0} if kind == "delay" else {}),
            **({"code": code, "status": status} if kind == "fail" else {}),
        }
        return self._arm(fault)

    def _break_statement(self) -> str:
        fault = {
            "sql": self.random.choice(STATEMENTS),
            "kind": (
                kind := self.random.choice(("delay", "delay", "fail", "fail", "abort", "restart"))
            ),
            "times": 1 if kind == "restart" else self.random.choice((1, 1, 2)),
            **({"seconds": 2.0} if kind == "delay" else {}),
            **({"message": self.random.choice(MESSAGES)} if kind == "fail" else {}),
        }
        return self._arm(fault)

    def _arm(self, fault: dict[str, Any]) -> str:
        self.faults[f"{fault['kind']} {fault.get('operation') or 'a statement'}"] += 1
        self.project.fault(**fault)
        return json.dumps(fault)

    def _pause(self) -> str:
        return self._arm({"operation": "*", "kind": "paused", "times": 6})

    def _restart(self) -> str:
        self.faults["restart"] += 1
        self.project.restart_redshift()
        return "at once"

    def _kill(self) -> str | None:
        function = self.random.choice(FUNCTIONS)
        if not (count := self.project.kill(f"{function}Function")):
            return None
        self.faults["kill"] += 1
        return f"{function}, {count} processes"

    def _stop(self) -> str | None:
        if not self.running:
            return None
        arn = self.random.choice(sorted(self.running))
        try:
            self.project.clients.states.stop_execution(executionArn=arn, cause="by a person")
        except ClientError:
            return None  # it has ended meanwhile
        self.stopped.add(arn)
        self.faults["stop"] += 1
        return arn.rpartition(":")[2]

    # ------------------------------------------------------------------ looking

    @property
    def _machine(self) -> str:
        return self.project.outputs["StateMachineArn"]

    @property
    def last_cause(self) -> str:
        """Why the last load failed that did."""
        return next((r.cause for r in reversed(self.reports) if r.failed), "")

    def _look(self) -> None:
        """Takes note of executions that began or ended."""
        clients = self.project.clients
        new = set(executions.arns(clients, self._machine)) - self.seen
        self.seen |= new
        self.running |= new
        for arn in sorted(self.running):
            execution = executions.describe(clients, arn)
            if execution["status"] != "RUNNING":
                self.running.discard(arn)
                self._note(arn, execution)

    def _note(self, arn: str, execution: Any) -> None:
        if execution["status"] == "ABORTED":
            self.ended["stopped"] += 1
            return
        report = report_of(execution)
        refused = report.failed and ("undo:" in report.cause or "keys:" in report.cause)
        self.reports.append(report)
        self.ended["refused" if refused else report.status] += 1
        load = self.undoing.pop(arn, None)
        if load and report.status == "undone":
            self.undone.add(load)
        if report.failed and not refused:
            self.causes[IDS.sub("…", report.cause)[:160]] += 1
            self._write(f"{arn.rpartition(':')[2]} failed: {report.cause[:300]}")

    def _settle(self) -> list[str]:
        """No more faults; what is on its way arrives; the sweep, until it finds nothing. [] if it came to rest."""
        project = self.project
        project.fault(clear=True)
        deadline = time.monotonic() + SETTLE_SECONDS
        self._write("settling")
        sweeps = 0
        while time.monotonic() < deadline and sweeps < MOST_SWEEPS:
            waiting = depth(project.clients, project.outputs["QueueUrl"])
            self._look()
            self.memory = max(self.memory, family_memory(self._server))
            if waiting or self.running:
                time.sleep(0.3)
                continue
            sweeps += 1
            swept = self._swept()
            self._look()
            self._write(f"sweep: {swept}")
            if swept == {"files": 0} and not self.running and not self._unfinished():
                break
        else:
            running = ", ".join(sorted(self.running)[:3])
            return [
                f"it did not come to rest after {sweeps} sweeps; running: {running or 'nothing'}"
            ]
        dead = depth(project.clients, project.outputs["DeadLetterQueueUrl"])
        return [f"{dead} messages are in the dead-letter queue"] if dead else []

    def _unfinished(self) -> int:
        """Loads that have not cleaned up."""
        answer = self.project.clients.s3.list_objects_v2(
            Bucket=self.project.outputs["WorkBucketName"], Prefix="open/"
        )
        return answer["KeyCount"]

    # ------------------------------------------------------------------ telling

    def _tell(self, number: int, calm: bool, found: list[str]) -> None:
        rows = self.project.query(
            "SELECT (SELECT COUNT(*) FROM sparkify.songplays), (SELECT COUNT(*) FROM sparkify.songs),"
            " (SELECT COUNT(*) FROM sparkify.files WHERE status = 'loaded')"
        )
        plays, songs, loaded = map(int, rows[0])
        ended = ", ".join(f"{count} {what}" for what, count in sorted(self.ended.items()))
        self.say(
            f"{time.monotonic() - self.begun:5.0f} s  round {number}{' (calm)' if calm else ''}:"
            f" {sum(self.actions.values())} actions, {sum(self.faults.values())} faults;"
            f" executions: {ended}; {loaded:,} files loaded of {len(self.bucket.ever):,},"
            f" {plays:,} plays, {songs:,} songs; {len(found) or 'no'} differences"
        )

    def summary(self) -> str:
        """What was done, by kind."""
        failed = [f"failed     {count} x {cause}" for cause, count in self.causes.most_common()]
        counted = "\n".join(
            f"{title:11}{', '.join(f'{count} {what}' for what, count in counter.most_common())}"
            for title, counter in (
                ("actions", self.actions),
                ("faults", self.faults),
                ("executions", self.ended),
            )
        )
        memory = f"memory     {self.memory / 2**30:.2f} GB at most, of the local AWS and all that it started"
        return "\n".join([counted, memory, *failed])
