"""From the S3 event to visible rows, by part, on the local AWS: one small file at a time, with warm functions.

All clocks are this machine's. Besides the loader's own work, the figures include the local AWS's time for an event, a
message, an invocation and a state. AWS adds BatchWindowSeconds, which the local AWS does not wait.
"""

from __future__ import annotations

import json
import re
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.lib.measure import median
from local.generator import DataSet
from tests.world.deployed import Project, deployed

BOUND = 1.5
WARM = 3
FUNCTIONS = 5
"""Of a load of one file: trigger, plan, stage, publish, finish."""

PARTS = (
    "event to execution", "execution to stage", "stage runs", "stage to publish", "publish runs",
)  # fmt: skip


def measure(loads: int) -> dict[str, Any]:
    """This many loads of one file each, after some that warm up the functions."""
    data = DataSet(songs=5, users=5, days=1, events=20 * (loads + WARM), parts=loads + WARM)
    files = list(data.log_files())
    with (
        tempfile.TemporaryDirectory(prefix="benchmarks-") as folder,
        deployed(Path(folder)) as project,
    ):
        project.load(dict(files[:1]))  # makes the tables
        rows = [_one(project, key, body) for key, body in files[1:]][WARM - 1 :]
    for row in rows:
        print(f"  {row}", flush=True)
    middle = {name: round(median([row[name] for row in rows]), 3) for name in rows[0]}
    return {
        "bound": {"loader adds": BOUND},
        "median_s": middle,
        "loads": rows,
        "holds": middle["loader adds"] <= BOUND,
    }


def _one(project: Project, key: str, body: bytes) -> dict[str, float]:
    """Seconds of the parts of a load."""
    known = {execution["executionArn"] for execution in project.executions()}
    s3 = project.clients.s3
    s3.put_object(Bucket=project.bucket, Key=key, Body=body)
    put = time.time()
    while not (new := [e for e in project.executions() if e["executionArn"] not in known]):
        time.sleep(0.05)
    status, report = project.ended(new[0]["executionArn"])
    assert (status, report["files"]["loaded"]) == ("SUCCEEDED", 1), report
    started = new[0]["startDate"].timestamp()
    stage, publish = (_statement(project, report["load_id"], name) for name in ("stage", "publish"))
    times = (put, started, *stage, *publish)
    parts = {
        name: round(end - begin, 3)
        for name, begin, end in zip(PARTS, times, times[1:], strict=False)
    }
    rows = {"to visible rows": round(publish[1] - put, 3), **parts}
    own = rows["to visible rows"] - parts["stage runs"] - parts["publish runs"]
    functions = _functions(project, put) - parts["stage runs"] - parts["publish runs"]
    return {
        **rows,
        "loader adds": round(own, 3),
        "of it functions": round(functions, 3),
        "of it the local AWS": round(own - functions, 3),
    }


def _functions(project: Project, since: float) -> float:
    """Seconds of the functions that ran up to the publish: all but the last one, as Lambda reports them."""
    logs: Any = project.client("logs")
    (group,) = (
        group["logGroupName"]
        for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]
    )
    lines = logs.filter_log_events(
        logGroupName=group, startTime=int(since * 1000), filterPattern="REPORT"
    )["events"]
    took = [
        (line["timestamp"], float(found[1]) / 1000)
        for line in lines
        if (found := re.search(r"^REPORT .*?\bDuration: ([\d.]+) ms", line["message"]))
    ]
    assert len(took) == FUNCTIONS, took
    return sum(seconds for _, seconds in sorted(took)[:-1])


def _statement(project: Project, load_id: str, name: str) -> tuple[float, float]:
    """When a batch of the load was submitted, and when it had ended."""
    path = project.folder / ".local" / "redshift" / "data" / "statements.sqlite"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        found = [
            json.loads(document)
            for (document,) in database.execute("SELECT document FROM statements ORDER BY created")
        ]
    for document in found:
        if document.get("name", "").startswith(f"{load_id} {name}"):
            return document["created"], document["updated"]
    raise RuntimeError(f"{load_id} has no statement {name!r}")
