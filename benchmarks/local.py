"""The local Redshift compared with DuckDB alone: a round trip, and COPY of JSON from the local S3.

COPY is compared with DuckDB's read_json of the same local files plus the GETs. Both sides fill a table in a DuckDB
database on disk. The log events are those of ``loader generate``: 18 columns by JSONPaths. COPY checks every
type; read_json is given the types.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.lib.measure import Figure, median, seconds
from benchmarks.lib.world import BUCKET, CONNECTIONS, ROLE, World, world
from local.generator import DataSet

TRIPS = 100
TRIP_MS = 10.0
FACTOR = 1.5
MEMORY = 2 << 30
"""The local Redshift's whole process, DuckDB's memory_limit of 2 GB in it, may have this."""

EVENTS = {
    "artist": ("VARCHAR(300)", "VARCHAR"),
    "auth": ("VARCHAR(20)", "VARCHAR"),
    "firstName": ("VARCHAR(100)", "VARCHAR"),
    "gender": ("VARCHAR(1)", "VARCHAR"),
    "itemInSession": ("INT", "INTEGER"),
    "lastName": ("VARCHAR(100)", "VARCHAR"),
    "length": ("DOUBLE PRECISION", "DOUBLE"),
    "level": ("VARCHAR(10)", "VARCHAR"),
    "location": ("VARCHAR(200)", "VARCHAR"),
    "method": ("VARCHAR(10)", "VARCHAR"),
    "page": ("VARCHAR(30)", "VARCHAR"),
    "registration": ("BIGINT", "BIGINT"),
    "sessionId": ("INT", "INTEGER"),
    "song": ("VARCHAR(300)", "VARCHAR"),
    "status": ("INT", "INTEGER"),
    "ts": ("TIMESTAMP", "BIGINT"),
    "userAgent": ("VARCHAR(300)", "VARCHAR"),
    "userId": ("INT", "VARCHAR"),
}
"""Key, our type, the type that read_json is given (which cannot take milliseconds, nor "")."""


def measure(events: int, files: int, runs: int = 3) -> dict[str, Any]:
    """All figures: a COPY of one object with so many events, and of so many files; the median of ``runs``."""
    with world() as here:
        figures = [*round_trip(here), *large(here, events, runs), *many(here, files, runs)]
    for figure in figures:
        print(f"  {figure}", flush=True)
    return {
        "figures": [figure.document for figure in figures],
        "holds": all(figure.holds for figure in figures),
    }


def round_trip(here: World) -> list[Figure]:
    """A trivial statement through boto3: ExecuteStatement, which waits for it, and GetStatementResult."""

    def trip() -> None:
        answer = here.redshift.execute_statement(
            Sql="SELECT 1", Database="dev", WorkgroupName="local", WaitTimeSeconds=10
        )
        rows = here.redshift.get_statement_result(Id=answer["Id"])["Records"]
        assert rows == [[{"longValue": 1}]]

    for _ in range(20):
        trip()
    took = median([seconds(trip) for _ in range(TRIPS)]) * 1000
    return [Figure("round trip of SELECT 1 with its result", took, TRIP_MS, "ms")]


def large(here: World, events: int, runs: int) -> list[Figure]:
    """A COPY of one large object of JSON lines, the peak of memory with it."""
    ((_, body),) = DataSet(songs=500, users=5_000, days=1, events=events).log_files()
    figures = _compare(here, f"COPY of {events:,} events", {"large.json": body}, runs)
    peak = here.peak_memory()
    figures.append(Figure("peak memory of the server", peak / 2**20, MEMORY / 2**20, "MB"))
    return figures


def many(here: World, files: int, runs: int) -> list[Figure]:
    """A COPY of many small objects, ten events in each."""
    data = DataSet(songs=100, users=500, days=1, events=files * 10, parts=files)
    bodies = {f"{number:05}.json": body for number, (_, body) in enumerate(data.log_files())}
    return _compare(here, f"COPY of {files:,} objects", bodies, runs)


def _compare(here: World, name: str, bodies: dict[str, bytes], runs: int) -> list[Figure]:
    folder = here.folder / "files" / str(len(bodies))
    folder.mkdir(parents=True)
    prefix = f"data{len(bodies)}/"

    def put(key: str) -> None:
        (folder / key).write_bytes(bodies[key])
        here.s3.put_object(Bucket=BUCKET, Key=prefix + key, Body=bodies[key])

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(put, bodies))
    paths = json.dumps({"jsonpaths": [f"$['{key}']" for key in EVENTS]})
    here.s3.put_object(Bucket=BUCKET, Key="paths.json", Body=paths)
    columns = ", ".join(f"c{number} {kind}" for number, (kind, _) in enumerate(EVENTS.values()))
    statement = (
        f"COPY events FROM 's3://{BUCKET}/{prefix}' IAM_ROLE '{ROLE}' "
        f"FORMAT JSON 's3://{BUCKET}/paths.json' TIMEFORMAT 'epochmillisecs' "
        "COMPUPDATE OFF STATUPDATE OFF"
    )
    copied, read, got = [], [], []
    expected = sum(body.count(b"\n") + 1 for body in bodies.values())
    for _ in range(runs):
        here.run("DROP TABLE IF EXISTS events")
        here.run(f"CREATE TABLE events ({columns})")
        copied.append(seconds(lambda: _copied(here, statement, expected)))
        read.append(_read_json(folder, here.folder / "alone.duckdb"))
        got.append(seconds(lambda: _get(here, prefix, bodies)))
    parts = {"read_json": median(read), "GETs": median(got)}
    return [Figure(name, median(copied), FACTOR * sum(parts.values()), parts=parts)]


def _copied(here: World, statement: str, expected: int) -> None:
    assert here.run(statement)["ResultRows"] == expected


def _read_json(folder: Path, database: Path) -> float:
    types = ", ".join(f"'{key}': '{kind}'" for key, (_, kind) in EVENTS.items())
    for old in database.parent.glob(database.name + "*"):
        old.unlink()
    with duckdb.connect(str(database), config={"threads": 2, "memory_limit": "2GB"}) as con:
        return seconds(
            lambda: con.execute(
                f"CREATE TABLE events AS FROM read_json('{folder}/*.json', "
                f"format = 'newline_delimited', columns = {{{types}}})"
            )
        )


def _get(here: World, prefix: str, keys: Iterable[str]) -> None:
    def get(key: str) -> None:
        body = here.s3.get_object(Bucket=BUCKET, Key=prefix + key)["Body"]
        while body.read(1 << 20):
            pass

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(get, keys))
