"""dlt's redshift destination against a port: python dlt_tool.py PORT FOLDER."""

import datetime as dt
import os
import sys
from collections.abc import Iterator
from typing import Any

import dlt

AT = dt.datetime(2018, 11, 1, tzinfo=dt.UTC)


@dlt.resource(primary_key="id", write_disposition="merge")
def songs(title: str) -> Iterator[list[dict[str, Any]]]:
    """Replaced by their key, with a table of their tags."""
    yield [{"id": number, "title": title, "at": AT, "tags": [{"tag": "a"}]} for number in range(3)]


@dlt.resource(write_disposition="append")
def plays() -> Iterator[list[dict[str, Any]]]:
    """Added by each run."""
    yield [{"song": number, "seconds": 1.5} for number in range(4)]


@dlt.resource(write_disposition="replace")
def users() -> Iterator[list[dict[str, Any]]]:
    """Replaced as a whole."""
    yield [{"id": number} for number in range(2)]


def main(port: str, folder: str) -> None:
    """Loads twice, by INSERT; the second time the titles have changed."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    place = {"drivername": "postgresql", "database": "dev", "username": "me", "password": "x"}
    pipeline = dlt.pipeline(
        pipeline_name="plays",
        destination=dlt.destinations.redshift(
            credentials={**place, "host": "127.0.0.1", "port": int(port)}
        ),
        dataset_name="by_dlt",
        pipelines_dir=folder,
    )
    for title in ("old", "new"):
        pipeline.run([songs(title), plays(), users()]).raise_on_failed_jobs()
    with pipeline.sql_client() as client:
        counts = {
            table: client.execute_sql(f"SELECT COUNT(*) FROM by_dlt.{table}")[0][0]
            for table in ("songs", "songs__tags", "plays", "users")
        }
        assert counts == {"songs": 3, "songs__tags": 3, "plays": 8, "users": 2}, counts
        assert client.execute_sql("SELECT DISTINCT title FROM by_dlt.songs") == [("new",)]


if __name__ == "__main__":
    main(*sys.argv[1:3])
