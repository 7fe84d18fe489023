"""A steady upload on the local AWS, at normal speed and with each publish slowed: concurrent loads, memory.

``python -m benchmarks.pressure --files 300 --slow 10`` runs one of them alone; in a tree without MaxLoadsAtOnce it
shows the effect of its absence. A guard stops a run whose memory exceeds ``--most-gb``, and says so.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.client.queues import depth
from local.generator import DataSet
from tests.world.counting import MINUTE, RPU, price
from tests.world.deployed import Project, deployed
from tests.world.machine import family_memory, started_by

A_SECOND = 20  # uploads
BOUND_GB = 3.0
MOST_GB = 12.0
OF_PUBLISH = r"UPDATE [a-z_.]*publish_lock"
"""The second statement of a publish, which holds the lock: what slows it, slows those that wait for it."""

_SETTLED = 5  # looks in a row at which nothing runs and nothing waits


def measure(files: int, slow: tuple[float, ...] = (0.0, 10.0)) -> dict[str, Any]:
    """This many uploads, once for each number of seconds by which each publish is slowed."""
    rows = [one(files, seconds) for seconds in slow]
    return {
        "bound": {"memory_gb": BOUND_GB},
        "rows": rows,
        "holds": all(
            row["memory_gb"] <= BOUND_GB and row["loaded"] == row["files"] for row in rows
        ),
    }


def one(files: int, slow: float, most_gb: float = MOST_GB) -> dict[str, Any]:
    """One run in its own stack."""
    songs = files // 2
    data = DataSet(songs=songs, users=50, days=1, events=files - songs, parts=files - songs, seed=8)
    bodies = dict(data.files())
    with (
        tempfile.TemporaryDirectory(prefix="benchmarks-") as folder,
        deployed(Path(folder)) as project,
    ):
        project.load(dict(DataSet(songs=3, users=3, days=1, events=20).files()))
        known = {execution["executionArn"] for execution in project.executions()}
        before = _in_ledger(project)
        if slow:
            project.fault(sql=OF_PUBLISH, kind="delay", seconds=slow, times=0)
        with _watched(project, most_gb) as seen:
            began = time.monotonic()
            took = _upload(project, bodies, seen)
            whole = _settle(project, seen) - began
            row = {
                "files": len(bodies),
                "publish_slowed_s": slow,
                "upload_s": round(took, 1),
                "all_loaded_s": round(whole, 1),
                "stopped_by_guard": seen.stopped,
                **seen.document,
            }
            if not seen.stopped:
                row["loaded"] = _in_ledger(project) - before
                row.update(_spent(project, known, row))
    print(f"  {row}", flush=True)
    return row


@dataclass
class Seen:
    """The maximum of each figure."""

    most: Counter[str] = field(default_factory=Counter)
    stopped: bool = False
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def document(self) -> dict[str, Any]:
        """For the results."""
        return {
            "loads_at_once": self.most["loads"],
            "of_events_at_once": self.most["of_events"],
            "functions_at_once": self.most["functions"],
            "messages_at_once": self.most["messages"],
            "dead_letters": self.most["dead"],
            "memory_gb": round(self.most["memory"] / 2**30, 2),
        }

    def add(self, **now: int) -> None:
        """What is there now."""
        for name, value in now.items():
            self.most[name] = max(self.most[name], value)


@contextlib.contextmanager
def _watched(project: Project, most_gb: float) -> Iterator[Seen]:
    """Measures each second; stops everything when memory exceeds the limit."""
    seen = Seen()
    server = int((project.folder / ".local" / "aws" / "server.pid").read_text())

    def look() -> None:
        while not seen.over.wait(1):
            seen.add(memory=family_memory(server), functions=len(started_by(server)))
            if seen.most["memory"] > most_gb * 2**30:
                seen.stopped = True
                seen.over.set()
                project.local("down", check=False)
                return
            with contextlib.suppress(Exception):  # a busy server may answer late
                running = [e["name"] for e in project.executions() if e["status"] == "RUNNING"]
                seen.add(
                    loads=len(running),
                    of_events=sum(name.startswith("s3-") for name in running),
                    messages=depth(project.clients, project.outputs["QueueUrl"]),
                    dead=depth(project.clients, project.outputs["DeadLetterQueueUrl"]),
                )

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        seen.over.set()
        thread.join()


def _upload(project: Project, bodies: dict[str, bytes], seen: Seen) -> float:
    """Uploads the files at the given rate; returns the seconds that it took."""
    began = time.monotonic()

    def put(number: int, key: str) -> None:
        time.sleep(max(began + number / A_SECOND - time.monotonic(), 0))
        try:
            project.clients.s3.put_object(Bucket=project.bucket, Key=key, Body=bodies[key])
        except Exception:
            if not seen.stopped:
                raise

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(put, range(len(bodies)), bodies))
    return time.monotonic() - began


def _settle(project: Project, seen: Seen) -> float:
    """Waits until no load runs and no message is left, or everything was stopped; returns when that was first true."""
    quiet, since = 0, time.monotonic()
    while quiet < _SETTLED and not seen.stopped:
        time.sleep(1)
        with contextlib.suppress(Exception):
            busy = project.running() or depth(project.clients, project.outputs["QueueUrl"])
            quiet = 0 if busy else quiet + 1
            since = time.monotonic() if quiet <= 1 else since
    return since


def _in_ledger(project: Project) -> int:
    ((loaded,),) = project.query("SELECT COUNT(*) FROM sparkify.files WHERE status = 'loaded'")
    return int(loaded)


def _spent(project: Project, known: set[str], row: dict[str, Any]) -> dict[str, Any]:
    """The usage in the loads' reports, and dollars by AWS's rules. All S3 requests count as PUTs."""
    spent, sizes, failed = Counter[str](), [], 0
    for execution in project.executions():
        if execution["executionArn"] not in known:
            status, report = project.ended(execution["executionArn"])
            failed += status != "SUCCEEDED"
            sizes.append(report["files"]["loaded"])
            spent.update(report["spent"])
    dollars = (
        spent["transitions"] * price("transition"),
        spent["function_calls"] * price("invocation"),
        spent["gb_seconds"] * price("gb_second"),
        spent["s3_requests"] * price("s3_put"),
        row["files"] * (1.2 * price("sqs") + price("event")),
    )
    awake = max(row["all_loaded_s"], MINUTE)
    return {
        "loads": len(sizes),
        "loads_failed": failed,
        "files_of_a_load": {"least": min(sizes), "most": max(sizes)},
        "transitions": spent["transitions"],
        "gb_seconds": round(spent["gb_seconds"], 1),
        "dollars_loader": round(sum(dollars), 4),
        "dollars_warehouse": round(awake * RPU / 3600 * price("rpu_hour"), 4),
    }


def main() -> None:
    """One run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--files", type=int, default=3_000)
    parser.add_argument("--slow", type=float, default=0.0, help="seconds more for each publish")
    parser.add_argument("--most-gb", type=float, default=MOST_GB)
    given = parser.parse_args()
    print(json.dumps(one(given.files, given.slow, given.most_gb), indent=2))


if __name__ == "__main__":
    main()
