"""The loader with the rights that sql/admin/setup.sql gives its user, and no more; and who reads what it loads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.world import World
from tests.stateful.files import Event, File, Song

ROOT = Path(__file__).resolve().parents[2]
FILES = (
    File("log_data/a.json", (Event(), Event(item=1))),
    File("song_data/a.json", (Song(id="SO1", title="T", artist_id="AR1"),)),
)
READER = "reader"


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
    assert "sql/admin/setup.sql" in finding["mend"]


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
