"""Every kind of bad file is put aside with its reason; every good file of its batch is loaded."""

import contextlib
import gzip
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local.generator import DataSet
from tests.world import oracle
from tests.world.deployed import Project

LOGS = dict(DataSet(songs=2, users=4, days=4, events=120, seed=15, parts=4).log_files())
GOOD = dict(list(LOGS.items())[:6])
BASE = list(LOGS.values())[6]
FOLDER = "log_data/bad/"


def changed(line: int, **fields: Any) -> bytes:
    """A log file with other values in one line."""
    lines = BASE.splitlines()
    lines[line - 1] = json.dumps({**json.loads(lines[line - 1]), **fields}).encode()
    return b"\n".join(lines)


def cut(line: int) -> bytes:
    """A log file one line of which is broken off."""
    lines = BASE.splitlines()
    lines[line - 1] = lines[line - 1][:40]
    return b"\n".join(lines)


def copies(statements: list[str]) -> int:
    """How often log files were read, NOLOAD or not."""
    return sum(sql.lstrip().startswith("COPY sparkify_loader.event_stage") for sql in statements)


def loaded(warehouse: Project, files: Mapping[str, bytes]) -> tuple[dict[str, Any], int]:
    """The report of one load of these files, and how often it read them."""
    before = len(warehouse.statements())
    with warehouse.no_events():
        warehouse.put(files)
    status, report = warehouse.start({"prefixes": ["log_data/"]})
    assert status == "SUCCEEDED", report
    return report, copies(warehouse.statements()[before:])


def test_files_that_redshift_names_cost_a_few_statements_however_many(warehouse: Project) -> None:
    kinds: dict[str, tuple[Callable[[int], bytes], str | None, str]] = {
        "broken": (cut, None, "Invalid"),
        "type": (lambda line: changed(line, sessionId="none"), "session_id", "Invalid digit"),
        "long": (lambda line: changed(line, userAgent="x" * 1025), "user_agent", "length"),
        "nojson": (lambda line: b"\n" * (line - 1) + b"no JSON at all", None, "Invalid"),
    }
    bad = {
        f"{FOLDER}{kind}-{line}.json": make(line)
        for kind, (make, _, _) in kinds.items()
        for line in range(1, 6)
    }
    report, read = loaded(warehouse, GOOD | bad | {f"{FOLDER}empty.json": b"", FOLDER: b""})
    assert read <= 4, "COPY, NOLOAD for the bad ones, the control, COPY of the rest"
    assert report["status"] == "loaded"
    listed = len(GOOD) + 1 + len(bad)
    counts = {"listed": listed, "known": 0, "loaded": len(GOOD) + 1, "rejected": len(bad)}
    assert report["files"] == {**counts, "unreadable": 0, "waiting": 0, "failed": 0}
    ledger = warehouse.ledger()
    for key in bad:
        kind, line = key.removeprefix(FOLDER).removesuffix(".json").split("-")
        _, column, word = kinds[kind]
        status, reason, error_line, error_column = ledger[key]
        assert (status, error_line, error_column) == ("rejected", int(line), column), key
        assert word in reason, reason
    assert {ledger[key][0] for key in [*GOOD, f"{FOLDER}empty.json"]} == {"loaded"}
    assert FOLDER not in ledger
    assert not oracle.diff(oracle.tables(GOOD), warehouse.star())

    # A batch of nothing but bad files ends well, and says so.
    report, read = loaded(warehouse, {f"{FOLDER}again-{line}.json": cut(line) for line in (1, 2)})
    assert read <= 3
    assert (report["files"]["loaded"], report["files"]["rejected"]) == (0, 2)
    assert {each["line"] for each in report["rejected"]} == {1, 2}
    assert not oracle.diff(oracle.tables(GOOD), warehouse.star())


@contextlib.contextmanager
def denied(warehouse: Project, key: str) -> Iterator[None]:
    """The COPY role must not read the object."""
    s3 = warehouse.clients.s3
    before = s3.get_bucket_policy(Bucket=warehouse.bucket)["Policy"]
    policy = json.loads(before)
    policy["Statement"].append(
        {
            "Effect": "Deny",
            "Principal": {"AWS": warehouse.outputs["CopyRoleArn"]},
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{warehouse.bucket}/{key}",
        }
    )
    s3.put_bucket_policy(Bucket=warehouse.bucket, Policy=json.dumps(policy))
    try:
        yield
    finally:
        s3.put_bucket_policy(Bucket=warehouse.bucket, Policy=before)


def test_files_that_redshift_does_not_name_are_found_by_halving(warehouse: Project) -> None:
    gone, secret = f"{FOLDER}gone.json", f"{FOLDER}secret.json"
    plain = {
        f"{FOLDER}nobody.json": changed(2, userId="", page="NextSong"),
        f"{FOLDER}large.json": json.dumps({"page": "x" * (4 << 20), "ts": 1}).encode(),
        gone: BASE,
        secret: BASE,
    }
    zipped = {f"{key}.gz": gzip.compress(LOGS[key]) for key in list(LOGS)[7:12]}
    cut_off = f"{FOLDER}cut.json.gz"
    files = GOOD | plain | zipped | {cut_off: gzip.compress(BASE)[:-40]}
    before = warehouse.statements()
    with denied(warehouse, secret):
        # COPY waits until the object is gone.
        warehouse.fault(kind="delay", sql="COPY sparkify_loader.event_stage_", seconds=3, times=2)
        with warehouse.no_events():
            warehouse.put(files)
        load = warehouse.begin({"prefixes": ["log_data/"]})
        while copies(warehouse.statements()) == copies(before):
            time.sleep(0.1)
        warehouse.clients.s3.delete_object(Bucket=warehouse.bucket, Key=gone)
        status, report = warehouse.ended(load)
    assert status == "SUCCEEDED", report
    ledger = warehouse.ledger()
    assert {key: entry[0] for key, entry in ledger.items()} == {
        **dict.fromkeys([*GOOD, *zipped], "loaded"),
        **dict.fromkeys([*plain, cut_off], "rejected"),
        gone: "missing",
        secret: "unreadable",
    }
    assert "event_key_complete" in ledger[f"{FOLDER}nobody.json"][1]
    assert "4194304 bytes" in ledger[f"{FOLDER}large.json"][1]
    assert "denied" in ledger[secret][1].lower()
    assert (report["rejected_total"], report["files"]["unreadable"]) == (4, 1)
    assert not oracle.diff(oracle.tables(GOOD | zipped), warehouse.star())
    bound = sum(
        bad * math.ceil(math.log2(batch)) + 3  # the first COPY, NOLOAD, the control
        for bad, batch in ((len(plain), len(GOOD | plain)), (1, len(zipped) + 1))
    )
    assert copies(warehouse.statements()) - copies(before) <= bound
