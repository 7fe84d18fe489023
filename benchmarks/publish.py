"""A day's publish against a large fact table: time and rows of each statement, and whether it reads only a range.

In one process with the local Redshift (metered.py). DuckDB has no sort keys, so the times show how the
statements scale, not how long Redshift takes. Whether a statement has a range on the sort key is read from its SQL.
"""

from __future__ import annotations

import contextlib
import io
import time
from typing import Any

from sqlglot import exp, parse_one

from benchmarks.lib.metered import Metered, real
from tests.world import recordings

FACT, SORT_KEY = "songplays", "start_time"


def measure(sizes: list[int]) -> dict[str, Any]:
    """A log file, then the song that its plays wait for, for each size of the fact."""
    rows = []
    for size in sizes:
        with contextlib.redirect_stdout(io.StringIO()):
            rows.append(_one(size))
        shown = {name: value for name, value in rows[-1].items() if name != "statements"}
        print(f"  {shown}", flush=True)
    unranged = sorted({each for row in rows for each in row["without_a_range"]})
    late = all(each.startswith("song") for each in unranged)
    written = all(
        row["log"]["fact_rows_written"] <= row["log"]["fact_rows_changed"] for row in rows
    )
    written &= all(
        row["song"]["fact_rows_written"] <= row["song"]["fact_rows_changed"] for row in rows
    )
    return {
        "rows": rows,
        "without_a_range": unranged,
        "only_late_songs_without_a_range": late,
        "rows_written_at_most_rows_changed": written,
        "holds": late and written,
    }


def _one(size: int) -> dict[str, Any]:
    with real() as world:
        _fill(world, size)
        (fact,) = world.warehouse.query(f"SELECT COUNT(*) FROM sparkify.{FACT}")
        found: dict[str, Any] = {"fact_rows": fact[0][0], "without_a_range": [], "statements": []}
        for name, key in (("log", recordings.LOGS[1]), ("song", recordings.LATE)):
            before = _figures(world)
            known = {statement.id for statement in world.warehouse.local.statements()}
            began = time.perf_counter()
            recordings.upload(world, recordings.some(key))
            world.work()
            took = time.perf_counter() - began
            (publish,) = (
                statement
                for statement in world.warehouse.local.statements()
                if statement.id not in known and " publish" in statement.name
            )
            written = 0
            for part in publish.parts:
                fact_read, ranged = reads(part.sql)
                if fact_read and not ranged:
                    found["without_a_range"].append(f"{name}: {' '.join(part.sql.split())[:60]}")
                if (target := written_table(part.sql)) == FACT:
                    written += max(part.result_rows, 0)
                ms = round(part.duration / 1e6, 1)
                found["statements"].append(
                    {"load": name, "ms": ms, "rows": part.result_rows, "target": target, "reads_fact": fact_read}
                )  # fmt: skip
            found[name] = {
                "load_s": round(took, 3),
                "publish_s": round(publish.updated - publish.created, 3),
                "fact_rows_written": written,
                "fact_rows_changed": _figures(world)[name == "song"] - before[name == "song"],
            }
        return found


def _figures(world: Metered) -> tuple[int, int]:
    """Rows of the fact, and those with a song: a log file adds to the one, a late song to the other."""
    (rows,) = world.warehouse.query(f"SELECT COUNT(*), COUNT(song_id) FROM sparkify.{FACT}")
    return int(rows[0][0]), int(rows[0][1])


def _fill(world: Metered, size: int) -> None:
    """Doubles what the fact has until it has ``size`` rows, each half earlier than the other by other minutes."""
    columns = (
        "user_id, level, song_id, artist_id, session_id, location, user_agent, item_in_session, title, artist_name, "
        "length, load_id, batch"
    )  # fmt: skip
    (rows,) = world.warehouse.query(f"SELECT COUNT(*) FROM sparkify.{FACT}")
    count, minutes = int(rows[0][0]), 24 * 60
    while count < size:
        world.warehouse.execute(
            f"INSERT INTO sparkify.{FACT} ({SORT_KEY}, {columns}) "
            f"SELECT DATEADD(minute, -{minutes}, {SORT_KEY}), {columns} FROM sparkify.{FACT}"
        )
        count, minutes = 2 * count, 2 * minutes


def reads(sql: str) -> tuple[bool, bool]:
    """Whether a statement reads the fact, and whether it does so only in a range of the sort key."""
    if FACT not in sql:
        return False, False
    tree = parse_one(sql, read="redshift")
    found, ranged = False, True
    for table in tree.find_all(exp.Table):
        if table.name != FACT or isinstance(table.parent, exp.Insert | exp.Schema | exp.Lock):
            continue
        scope = table.find_ancestor(exp.Select, exp.Delete, exp.Update)
        if scope is None:
            continue
        found = True
        # What a join asks of the table that it adds limits what is read of it, too.
        join = table.parent if isinstance(table.parent, exp.Join) else None
        limits = (scope.args.get("where"), join and join.args.get("on"))
        of_key = (
            between
            for limit in limits
            for between in (limit.find_all(exp.Between) if limit else ())
            if between.this.name == SORT_KEY
            and between.this.table in ("", table.alias_or_name)
            and between.find_ancestor(exp.Select, exp.Delete, exp.Update) is scope
        )
        ranged &= any(True for _ in of_key)
    return found, found and ranged


def written_table(sql: str) -> str:
    """The table that a statement changes, or ''; only of those that name the fact."""
    if FACT not in sql:
        return ""
    tree = parse_one(sql, read="redshift")
    if isinstance(tree, exp.Insert | exp.Delete | exp.Update):
        table = tree.this.find(exp.Table) or tree.this
        return str(table.name)
    return ""
