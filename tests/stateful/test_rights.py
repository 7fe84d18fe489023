"""The loader with the rights that sql/admin/setup.sql gives its user, and no more; and who reads what it loads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.world.files import Event, File, Song
from tests.world.simulator import World
from tests.world.warehouse import Warehouse

ROOT = Path(__file__).resolve().parents[2]
FILES = (
    File("log_data/a.json", (Event(), Event(item=1))),
    File("song_data/a.json", (Song(id="SO1", title="T", artist_id="AR1"),)),
)
READER = "reader"
STAGED = "event_stage_20260302_100000_0123abcd_0_0"


def script(world: World, name: str) -> list[str]:
    """The statements of a script of sql/admin/, with the stack's names in it, as its head says."""
    text = (ROOT / "sql" / "admin" / name).read_text(encoding="utf-8")
    text = text.replace("IAMR:s3-redshift-loader-loader", loader(world))
    text = re.sub(r"^--.*$", "", text, flags=re.M)
    return [statement.strip() for statement in text.split(";") if statement.strip()]


def loader(world: World) -> str:
    return f"IAMR:{world.stack.role_name('LoaderRole')}"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An empty warehouse in which rights count, and files in the bucket."""
    with World(
        tmp_path / "world", parameters={"AllowReset": "true"}, admins=frozenset({"admin"})
    ) as found:
        for file in FILES:
            found.upload(file.key, file.body, event=False)
        yield found


@pytest.fixture
def set_up(world: World) -> World:
    for statement in script(world, "setup.sql"):
        world.warehouse.execute(statement)
    return world


class Session:
    """A user's own session, as a SQL client keeps it, for a transaction over several statements."""

    def __init__(self, warehouse: Warehouse, user: str) -> None:
        self._call, self._user = warehouse._call, warehouse._principal(user)
        self._rows = warehouse._rows
        where = {"Database": "dev", "WorkgroupName": "local", "SessionKeepAliveSeconds": 600}
        self._where: dict[str, Any] = where
        self._where = {"SessionId": self.run("SELECT 1")["SessionId"]}

    def run(self, sql: str) -> dict[str, Any]:
        """The answer of one statement. AssertionError if it fails."""
        request = {"Sql": sql, **self._where, "WaitTimeSeconds": 30}
        told = self._call("ExecuteStatement", request, self._user)
        if told["Status"] != "FINISHED":
            raise AssertionError(self._call("DescribeStatement", {"Id": told["Id"]}, self._user))
        return told

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._rows(self.run(sql)["Id"], self._user)


def start(world: World, document: dict[str, Any]) -> dict[str, Any]:
    execution = world.start(document)
    world.work()
    return execution.report


def test_without_the_set_up_the_loader_says_what_to_run(world: World) -> None:
    assert start(world, {})["status"] == "failed"
    report = start(world, {"check": True})
    (finding,) = [each for each in report["setup"] if each["name"] == "rights_in_schemas"]
    assert not finding["passed"]
    assert "permission denied for database dev" in finding["found"]
    assert "sql/admin/setup.sql" in finding["fix"]


def test_with_it_the_loader_does_all_it_does(set_up: World) -> None:
    check = start(set_up, {"check": True})
    # moto keeps no EventBridge configuration of a bucket.
    assert [e["name"] for e in check["setup"] if not e["passed"]] == ["bucket_events"]
    first = start(set_up, {})
    assert (first["status"], first["files"]["loaded"]) == ("loaded", 2)
    bad = File("log_data/b.json", (Event(item=2),), bad="cut off")
    set_up.upload(bad.key, bad.body, event=False)
    assert start(set_up, {})["rejected_total"] == 1
    reload = start(set_up, {"reload": True, "keys": [FILES[0].key]})
    assert reload["status"] == "loaded"
    assert start(set_up, {"undo": reload["load_id"]})["status"] == "undone"
    assert start(set_up, {"reset": True})["status"] == "reset"
    assert start(set_up, {})["files"]["loaded"] == 2


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE SCHEMA mine",
        "CREATE TABLE elsewhere.t (x INT)",
        "SELECT * FROM elsewhere.secret",
        "DROP TABLE elsewhere.secret",
        "CREATE USER other PASSWORD DISABLE",
        "GRANT USAGE ON SCHEMA elsewhere TO PUBLIC",
    ],
)
def test_it_may_do_nothing_else(set_up: World, statement: str) -> None:
    set_up.warehouse.execute("CREATE SCHEMA elsewhere", "CREATE TABLE elsewhere.secret (x INT)")
    with pytest.raises(AssertionError, match=r"permission denied|must be (owner|superuser)"):
        set_up.warehouse.execute(statement, user=loader(set_up))


@pytest.fixture
def readers(set_up: World) -> World:
    """Files are loaded, and a group reads them, as sql/admin/grant_readers.sql says."""
    start(set_up, {})
    for statement in (
        f"CREATE USER {READER} PASSWORD DISABLE",
        *script(set_up, "grant_readers.sql"),
        f"ALTER GROUP analysts ADD USER {READER}",
    ):
        set_up.warehouse.execute(statement)
    return set_up


def test_readers_do_not_reach_the_loaders_schema(readers: World) -> None:
    """Nor a staging table that is made later."""
    readers.warehouse.execute(
        f"CREATE TABLE sparkify_loader.{STAGED} (LIKE sparkify_loader.event_stage)",
        user=loader(readers),
    )
    for table in ("publish_lock", "event_stage", "song_stage", "file_plan", STAGED):
        for begin in ("SELECT * FROM", "LOCK", "DELETE FROM", "DROP TABLE"):
            with pytest.raises(AssertionError, match=r"permission denied for schema|must be owner"):
                readers.warehouse.execute(f"{begin} sparkify_loader.{table}", user=READER)


def test_a_reader_with_an_open_transaction_does_not_block_a_publish(readers: World) -> None:
    """It goes on seeing what it saw first."""
    warehouse = readers.warehouse
    count = "SELECT COUNT(*) FROM sparkify.songplays"
    tables = ("songplays", "users", "time", "songs", "artists", "files", "loads", "file_status")
    session = Session(warehouse, READER)
    session.run("BEGIN")
    for table in tables:
        session.run(f"SELECT COUNT(*) FROM sparkify.{table}")
    assert session.rows(count) == [(2,)]
    later = File("log_data/later.json", (Event(item=5), Event(item=6)))
    readers.upload(later.key, later.body, event=False)
    assert start(readers, {})["files"]["loaded"] == 1
    assert warehouse.query(count) == [[(4,)]]
    assert session.rows(count) == [(2,)]
    session.run("COMMIT")
    assert session.rows(count) == [(4,)]


def test_readers_read_and_go_on_reading_after_a_reset(set_up: World) -> None:
    start(set_up, {})
    set_up.warehouse.execute(f"CREATE USER {READER} PASSWORD DISABLE")
    queries = [
        "SELECT COUNT(*) FROM sparkify.songplays",
        "SELECT COUNT(*) FROM sparkify.file_status",
    ]
    with pytest.raises(AssertionError, match="permission denied"):
        set_up.warehouse.query(*queries, user=READER)
    for statement in script(set_up, "grant_readers.sql"):
        set_up.warehouse.execute(statement)
    set_up.warehouse.execute(f"ALTER GROUP analysts ADD USER {READER}")
    assert set_up.warehouse.query(*queries, user=READER) == [[(2,)], [(2,)]]
    assert start(set_up, {"reset": True})["status"] == "reset"
    assert set_up.warehouse.query(*queries, user=READER) == [[(0,)], [(0,)]]
    start(set_up, {})
    assert set_up.warehouse.query(*queries, user=READER) == [[(2,)], [(2,)]]
    with pytest.raises(AssertionError, match="permission denied"):
        set_up.warehouse.execute("DELETE FROM sparkify.songplays", user=READER)
