"""Many files, and many events in few files, end to end on the local AWS: the curve, and where the time goes.

The files are uploaded without events; an execution with {} and those that it starts for the rest load them. Each size
starts with an empty bucket, empty tables and warm functions.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local.generator import DataSet
from tests.world.deployed import Project, deployed

EVENTS_A_FILE = 10
FILES_OF_EVENTS = 30
AT_ONCE, AT_ONCE_BYTES = 500, 64_000_000


def measure(files: Iterable[int], events: Iterable[int]) -> dict[str, Any]:
    """Numbers of files of ten events each; numbers of events in thirty files."""
    sets = [DataSet(songs=100, users=500, days=1, events=n * EVENTS_A_FILE, parts=n) for n in files]
    sets += [
        DataSet(songs=100, users=2_000, days=1, events=n, parts=FILES_OF_EVENTS) for n in events
    ]
    rows = []
    with (
        tempfile.TemporaryDirectory(prefix="benchmarks-") as folder,
        deployed(Path(folder)) as project,
    ):
        project.load(dict(DataSet(songs=3, users=3, days=1, events=20).files()))
        for data in sets:
            rows.append(_one(project, data))
            print(f"  {rows[-1]}", flush=True)
    return {"rows": rows}


def _one(project: Project, data: DataSet) -> dict[str, Any]:
    project.local("reset")
    before = {execution["executionArn"] for execution in project.executions()}
    put = time.perf_counter()
    size = 0
    with project.no_events():
        for some in _some(data.files()):
            size += sum(map(len, some.values()))
            project.put(some)
    put = time.perf_counter() - put
    began = time.perf_counter()
    project.begin({})
    loads = Counter[str]()
    seconds = Counter[str]()
    known: set[str] = set(before)
    while new := [e for e in project.executions() if e["executionArn"] not in known]:
        for execution in new:
            known.add(execution["executionArn"])
            status, report = _ended(project, execution["executionArn"])
            assert status == "SUCCEEDED", report
            loads.update(files=report["files"]["loaded"], plays=report["rows"].get("songplays", 0))
            loads["executions"] += 1
            seconds.update({name: report["seconds"][name] for name in ("plan", "stage", "publish")})
    took = time.perf_counter() - began
    assert loads["files"] == data.parts * data.days + data.songs, loads
    return {
        "files": loads["files"],
        "events": data.events,
        "megabytes": round(size / 1e6, 1),
        "executions": loads["executions"],
        "upload_s": round(put, 1),
        "load_s": round(took, 1),
        "summed_over_batches_s": {name: round(value, 1) for name, value in seconds.items()},
        "files_a_second": round(loads["files"] / took, 1),
        "events_a_second": round(data.events / took),
    }


def _ended(project: Project, arn: str) -> tuple[str, dict[str, Any]]:
    """As Project.ended, without a time limit."""
    while (
        project.client("stepfunctions").describe_execution(executionArn=arn)["status"] == "RUNNING"
    ):
        time.sleep(0.2)
    return project.ended(arn)


def _some(files: Iterable[tuple[str, bytes]]) -> Iterable[dict[str, bytes]]:
    """Groups of a few hundred files, or of some megabytes."""
    some: dict[str, bytes] = {}
    for key, body in files:
        some[key] = body
        if len(some) == AT_ONCE or sum(map(len, some.values())) > AT_ONCE_BYTES:
            yield some
            some = {}
    if some:
        yield some
