"""The first load of a month, then one more day: this loader compared with dlt, the notebook and DuckDB alone.

All use the same files and machine, one after another in one run, and all must end with the same row counts.

ours       the deployed stack on the local AWS: an execution with {} after the upload, to its end. It includes
           bad files, duplicates, checks, the ledger, and the local AWS's states, functions and HTTP. The first load
           starts without tables and with cold functions
notebook   over the same local Redshift and S3: drop, COPY everything, INSERT … SELECT, each time
dlt        alternatives/with_dlt.py, a process in its own environment; local files
duckdb     DuckDB alone, the floor: read_json of the local files that are new, the same SQL
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.alternatives import star
from benchmarks.lib.measure import seconds
from local.environment import BUILD, ROOT
from local.generator import DataSet
from tests.world import oracle
from tests.world.deployed import Project, deployed

DAYS = 31
_HERE = Path(__file__).parent / "alternatives"


def measure(events: int, songs: int) -> dict[str, Any]:
    """Thirty days of ``events`` log lines and their songs, then one more day of the same data set."""
    files = dict(DataSet(songs=songs, users=300, days=DAYS, events=events).files())
    logs = sorted(key for key in files if key.startswith("log_data/"))
    month = {key: body for key, body in files.items() if key != logs[-1]}
    day = {logs[-1]: files[logs[-1]]}
    expected = [
        {name: len(rows) for name, rows in oracle.tables(part).items()} for part in (month, files)
    ]
    python = _environment()
    rows: list[dict[str, Any]] = []

    def take(way: str, step: int, took: float, counted: Mapping[str, int], **parts: Any) -> None:
        assert dict(counted) == expected[step], (way, step, counted, expected[step])
        row = {
            "way": way,
            "load": ("first month", "a day more")[step],
            "seconds": round(took, 3),
            **parts,
        }
        rows.append(row)
        print(f"  {row}", flush=True)

    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        folder = Path(name)
        data = folder / "files"
        (folder / "project").mkdir()
        with deployed(folder / "project") as project:
            for step, more in enumerate((month, day)):
                for key, body in more.items():
                    path = data / key
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(body)
                with project.no_events():
                    project.put(more)
                took, counted, parts = _ours(project)
                take("ours", step, took, counted, **parts)
                take("notebook", step, *_notebook(project))
                began = time.perf_counter()
                told = _dlt(python, data, folder / "dlt.duckdb")
                took = time.perf_counter() - began
                parts = {"in_dlt": round(told["load"], 3), "in_sql": round(told["sql"], 3)}
                take("dlt", step, took, told["rows"], **parts)
                take("duckdb", step, *_duckdb(folder / "alone.duckdb", data, list(more)))
    return {
        "events": events,
        "songs": songs,
        "files": {"month": len(month), "day": len(day)},
        "bytes": {"month": sum(map(len, month.values())), "day": sum(map(len, day.values()))},
        "rows": expected,
        "ways": rows,
    }


def _ours(project: Project) -> tuple[float, dict[str, int], dict[str, Any]]:
    began = time.perf_counter()
    status, report = project.start({})
    took = time.perf_counter() - began
    assert status == "SUCCEEDED", report
    selects = ", ".join(f"(SELECT COUNT(*) FROM sparkify.{name})" for name in star.TABLES)
    (counts,) = project.query(f"SELECT {selects}")
    spent = {name: report["seconds"][name] for name in ("plan", "stage", "publish")}
    return took, dict(zip(star.TABLES, counts, strict=True)), {"by_the_report": spent}


def _notebook(project: Project) -> tuple[float, dict[str, int]]:
    role, bucket = project.outputs["CopyRoleArn"], project.bucket
    paths = json.dumps({"jsonpaths": [f"$['{key}']" for key in star.EVENT_KEYS]})
    work = project.outputs["WorkBucketName"]
    project.client("s3").put_object(Bucket=work, Key="jsonpaths/notebook.json", Body=paths)
    project.execute("CREATE SCHEMA IF NOT EXISTS notebook")
    names = [*star.STAGES, *star.TABLES]
    statements = [
        *star.stages(),
        (
            f"COPY event_stage FROM 's3://{bucket}/log_data/' IAM_ROLE '{role}' "
            f"FORMAT JSON 's3://{work}/jsonpaths/notebook.json' TIMEFORMAT 'epochmillisecs'"
        ),
        f"COPY song_stage FROM 's3://{bucket}/song_data/' IAM_ROLE '{role}' FORMAT JSON 'auto'",
        *star.star(),
    ]

    def run() -> None:
        for text in statements:
            project.execute(_in_schema(text, names))

    took = seconds(run)
    selects = ", ".join(f"(SELECT COUNT(*) FROM notebook.{name})" for name in star.TABLES)
    (counts,) = project.query(f"SELECT {selects}")
    return took, dict(zip(star.TABLES, counts, strict=True))


def _in_schema(text: str, names: list[str]) -> str:
    """The statement with its tables in the notebook's schema."""
    for name in names:
        for before in ("FROM", "INTO", "TABLE", "EXISTS", "COPY"):
            text = text.replace(f"{before} {name} ", f"{before} notebook.{name} ")
            if text.endswith(f"{before} {name}"):
                text = text.removesuffix(name) + f"notebook.{name}"
            text = text.replace(f"{before} {name})", f"{before} notebook.{name})")
    return text


def _duckdb(database: Path, data: Path, new: list[str]) -> tuple[float, dict[str, int]]:
    """Loads the new files into the staging tables and rebuilds the star schema."""
    first = not database.exists()

    def run() -> None:
        with duckdb.connect(str(database), config={"threads": 2}) as connection:
            for text in star.stages() if first else ():
                connection.execute(text)
            for stage, prefix in (("song_stage", "song_data"), ("event_stage", "log_data")):
                paths = [str(data / key) for key in new if key.startswith(prefix)]
                if paths:
                    connection.execute(_READ[stage].format(paths=paths))
            for text in star.star():
                connection.execute(text)

    took = seconds(run)
    with duckdb.connect(str(database)) as connection:
        counts = {
            name: connection.execute(f"SELECT COUNT(*) FROM {name}").fetchall()[0][0]
            for name in star.TABLES
        }
    return took, counts


_READ = {
    "song_stage": "INSERT INTO song_stage BY NAME SELECT num_songs, artist_id, artist_latitude, artist_longitude, "
    "artist_location, artist_name, song_id, title, duration, year FROM read_json({paths})",
    "event_stage": "INSERT INTO event_stage SELECT artist, auth, firstName, gender, itemInSession, lastName, length, "
    "level, location, method, page, registration::BIGINT, sessionId, song, status, epoch_ms(ts), userAgent, "
    "TRY_CAST(NULLIF(CAST(userId AS VARCHAR), '') AS INTEGER) FROM read_json({paths}, format = 'newline_delimited', "
    "columns = {{artist: 'VARCHAR', auth: 'VARCHAR', firstName: 'VARCHAR', gender: 'VARCHAR', "
    "itemInSession: 'INTEGER', lastName: 'VARCHAR', length: 'DOUBLE', level: 'VARCHAR', location: 'VARCHAR', "
    "method: 'VARCHAR', page: 'VARCHAR', "
    "registration: 'DOUBLE', sessionId: 'INTEGER', song: 'VARCHAR', status: 'INTEGER', ts: 'BIGINT', "
    "userAgent: 'VARCHAR', userId: 'VARCHAR'}})",
}  # fmt: skip


def _dlt(python: Path, data: Path, database: Path) -> dict[str, Any]:
    ended = subprocess.run(
        [str(python), "-m", "benchmarks.alternatives.with_dlt", str(data), str(database)],
        cwd=ROOT,
        env={**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise RuntimeError(ended.stderr[-3000:])
    told: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return told


def _environment() -> Path:
    """The Python of dlt's own virtual environment in build/, which is created once."""
    folder = BUILD / "dlt"
    python = folder / "bin" / "python"
    wanted = (_HERE / "requirements.txt").read_text(encoding="utf-8")
    made = folder / "requirements.txt"
    if not (made.exists() and made.read_text(encoding="utf-8") == wanted):
        venv.create(folder, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run(
            [*command, "--requirement", str(_HERE / "requirements.txt")],
            check=True,
            stdout=sys.stderr,
        )
        made.write_text(wanted, encoding="utf-8")
    return python
