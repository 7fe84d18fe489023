"""A deployment of an earlier version, as that version left it: its migrations, its rows, its objects in S3.

    .venv/bin/python -m tests.upgrade.recorded COMMIT NAME

lets the code of a commit load the files of ``story`` and writes tests/upgrade/NAME/: its migrations, rows.json (the
rows by table) and objects.json (the buckets). Done once for a version, when it ends.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.world.files import BAD, Event, File, Song
from tests.world.simulator import ROOT, Invocation, Memory, World

HERE = Path(__file__).parent
SCHEMA = "sparkify"
EMPTY_OR_MADE = ("publish_lock", "file_plan", "file_status")
GENERATED = "songplay_id"  # IDENTITY: made anew by the insert

DAY = 86_400_000
DAY_1 = File(
    "log_data/day1.json",
    (
        Event(user=1, item=0, title="Late"),
        Event(user=1, item=1, at=20_000, level="paid", title="There"),
        Event(user=2, item=0, at=10_000, title=None),
        Event(user=None, item=0, page="Home"),
    ),
)
DAY_2 = File(
    "log_data/day2.json.gz",
    (
        Event(user=1, item=0, title="Late"),  # day 1's, once more
        Event(user=3, session=9, at=DAY, title="Late", name="Zoë"),
    ),
)
SONGS = File("song_data/there.json", (Song(id="SO1", title="There"), Song(id="SO2", title="Other")))
MENDED = File("log_data/mended.json", (Event(user=4, at=2 * DAY),))
REJECTED = File("log_data/rejected.json", (Event(user=5, at=3 * DAY),), bad="cut off")
LOADED = (DAY_1, DAY_2, SONGS, MENDED)


def story(world: World) -> None:
    """Loads by events, a bad file that was mended, one that was not, a reload, and the sweeps in between."""
    bad = BAD["cut off"].make([record.record() for record in MENDED.records], MENDED.key)
    world.upload(DAY_1.key, DAY_1.body)
    world.upload(SONGS.key, SONGS.body)
    world.settle()
    world.upload(DAY_2.key, DAY_2.body)
    world.upload(MENDED.key, bad)
    world.work()
    world.upload(MENDED.key, MENDED.body)
    world.upload(REJECTED.key, REJECTED.body)
    world.settle()
    world.start({"reload": True, "keys": [DAY_1.key]})
    world.settle()


@dataclass(frozen=True)
class Recorded:
    """tests/upgrade/NAME/"""

    folder: Path

    @property
    def version(self) -> int:
        """Of the tables."""
        return max(int(row["version"]) for row in self.rows["schema_version"])

    @property
    def migrations(self) -> dict[str, str]:
        """File name -> text. Each version has those of the first, and its own."""
        paths = {*PART_1.folder.glob("*.sql"), *self.folder.glob("*.sql")}
        return {p.name: p.read_text("utf-8") for p in sorted(paths, key=lambda p: p.name)}

    @cached_property
    def rows(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = json.loads(
            (self.folder / "rows.json").read_text("utf-8")
        )
        return found

    def memory(self, folder: Path, left_behind: Sequence[str] = ()) -> Memory:
        """A world to begin from: that version's tables, made by its migrations, owned by the loader's user.

        ``left_behind`` are statements that it has run, too.
        """
        with World(folder) as world:
            schema = {"schema": SCHEMA, "copy_role": "default"}
            for text in ["CREATE SCHEMA ${schema}", *self.migrations.values(), *left_behind]:
                _run(world, _filled(text, schema))
            _run(world, [f"DELETE FROM {SCHEMA}.schema_version"])  # it comes with its own time
            _run(world, [_insert(table, rows) for table, rows in self.rows.items() if rows])
            memory = world.remember()
        document = json.loads((self.folder / "objects.json").read_text("utf-8"))
        objects = tuple(
            (
                world.stack.data_bucket if each["bucket"] == "data" else world.stack.work_bucket,
                each["key"],
                base64.b64decode(each["body"]),
                datetime.fromisoformat(each["modified"]),
            )
            for each in document["objects"]
        )
        return replace(
            memory,
            objects=objects,
            now=datetime.fromisoformat(document["now"]),
            uuids=document["uuids"],
            events=document["events"],
        )


def _filled(text: str, names: dict[str, str]) -> list[str]:
    """The statements of a migration."""
    from loader import sql  # functions/ is on pytest's path only

    for name, value in names.items():
        text = text.replace(f"${{{name}}}", value)
    return sql.statements(text)


def _run(world: World, statements: list[str]) -> None:
    """In one transaction, as the loader's own user: it owns the tables."""
    caller = Invocation("test", "LoaderRole", "", 900, world.clock, world.boundary)
    warehouse = {"Database": "dev", "WorkgroupName": "local", "WaitTimeSeconds": 30}
    told = world.warehouse.operation(
        "BatchExecuteStatement", {"Sqls": statements, **warehouse}, caller
    )
    if told["Status"] != "FINISHED":
        raise AssertionError(
            world.warehouse.operation("DescribeStatement", {"Id": told["Id"]}, caller)["Error"]
        )


def _insert(table: str, rows: list[dict[str, Any]]) -> str:
    values = (f"({', '.join(_literal(value) for value in row.values())})" for row in rows)
    return f"INSERT INTO {SCHEMA}.{table} ({', '.join(rows[0])}) VALUES {', '.join(values)}"


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    return repr(value)


def record(commit: str, name: str) -> None:
    """Writes tests/upgrade/NAME/ with the code of the commit."""
    with tempfile.TemporaryDirectory() as place:
        tree = Path(place) / "tree"
        tree.mkdir()
        archive = subprocess.run(
            ["git", "archive", commit, "functions", "sql", "statemachine", "template.yaml"],
            cwd=ROOT, check=True, capture_output=True,
        ).stdout  # fmt: skip
        subprocess.run(["tar", "x", "-C", str(tree)], input=archive, check=True)
        world = World(Path(place) / "warehouse", tree=tree)
        story(world)
        loads = [execution.report for execution in world.executions.all]
        assert all(load["status"] != "failed" for load in loads), loads
        rows = _rows_of(world)
        memory = world.remember()
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        for path in sorted((tree / "sql" / "migrations").glob("[0-9]*.sql")):
            if not (PART_1.folder / path.name).exists():
                (folder / path.name).write_bytes(path.read_bytes())
        _write(folder / "rows.json", rows)
        kept = [o for o in memory.objects if not o[1].startswith(("loads/", "jsonpaths/"))]
        objects = [
            {
                "bucket": "data" if bucket == world.stack.data_bucket else "work",
                "key": key,
                "modified": modified.isoformat(),
                "body": base64.b64encode(body).decode(),
            }
            for bucket, key, body, modified in kept
        ]
        now = memory.now.isoformat()
        document = {"commit": commit, "now": now, "uuids": memory.uuids, "events": memory.events}
        _write(folder / "objects.json", {**document, "objects": objects})


def _rows_of(world: World) -> dict[str, list[dict[str, Any]]]:
    """The rows of every table that keeps any, without staging tables."""
    found = {}
    for table in sorted(world.warehouse.tables()):
        if table in EMPTY_OR_MADE or "_stage" in table:
            continue
        columns = [
            str(name)
            for (name,) in world.warehouse.query(
                "SELECT column_name FROM svv_columns"
                f" WHERE table_schema = '{SCHEMA}' AND table_name = '{table}' ORDER BY ordinal_position"
            )[0]
            if name != GENERATED
        ]
        (rows,) = world.warehouse.query(f"SELECT {', '.join(columns)} FROM {SCHEMA}.{table}")
        found[table] = [dict(zip(columns, row, strict=True)) for row in sorted(rows, key=repr)]
    return found


def _write(path: Path, document: dict[str, Any]) -> None:
    """A row, or an object, a line."""
    parts = []
    for name, value in document.items():
        text = json.dumps(value, ensure_ascii=False)
        if isinstance(value, list) and value:
            lines = (json.dumps(item, ensure_ascii=False) for item in value)
            text = "[\n  " + ",\n  ".join(lines) + "\n ]"
        parts.append(f' "{name}": {text}')
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


PART_1 = Recorded(HERE / "part1")  # version 1 of the tables
PART_5 = Recorded(HERE / "part5")  # version 2

if __name__ == "__main__":
    record(*sys.argv[1:])
