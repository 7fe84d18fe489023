"""dlt: the filesystem source into DuckDB, then the star schema in SQL. Runs in its own environment.

python -m benchmarks.alternatives.with_dlt FOLDER DATABASE: loads what is new below the folder (dlt remembers the newest
file that it has seen), prints seconds by part as JSON. The files are local ones, which spares dlt the requests to S3.
"""

from __future__ import annotations

import json
import sys
import time

import dlt  # type: ignore[import-not-found]
import duckdb
from dlt.sources.filesystem import filesystem, read_jsonl  # type: ignore[import-not-found]

from benchmarks.alternatives import star

_VIEWS = {
    "song_stage": "SELECT * FROM raw.songs",
    "event_stage": (
        "SELECT artist, auth, first_name AS firstname, gender, item_in_session AS iteminsession, "
        "last_name AS lastname, length, level, location, method, page, registration, session_id AS sessionid, "
        "song, status, epoch_ms(ts) AS ts, user_agent AS useragent, TRY_CAST(NULLIF(user_id, '') AS INTEGER) AS userid "
        "FROM raw.events"
    ),
}  # fmt: skip


def main() -> None:
    """One load."""
    folder, database = sys.argv[1:]
    began = time.perf_counter()
    pipeline = dlt.pipeline(
        "benchmark",
        destination=dlt.destinations.duckdb(database),
        dataset_name="raw",
        pipelines_dir=f"{database}.pipelines",
    )
    sources = []
    for table, glob in (("songs", "song_data/**/*.json"), ("events", "log_data/**/*.json")):
        listed = filesystem(
            bucket_url=f"file://{folder}",
            file_glob=glob,
            incremental=dlt.sources.incremental("modification_date"),
        ).with_name(f"list_{table}")
        sources.append((listed | read_jsonl()).with_name(table))
    pipeline.run(sources, write_disposition="append")
    loaded = time.perf_counter()
    with duckdb.connect(database, config={"threads": 2}) as connection:
        for name, select in _VIEWS.items():
            connection.execute(f"CREATE OR REPLACE VIEW {name} AS {select}")
        for text in star.star():
            connection.execute(text)
        rows = {
            table: connection.execute(f"SELECT COUNT(*) FROM {table}").fetchall()[0][0]
            for table in star.TABLES
        }
    ended = time.perf_counter()
    print(json.dumps({"load": loaded - began, "sql": ended - loaded, "rows": rows}))


if __name__ == "__main__":
    main()
