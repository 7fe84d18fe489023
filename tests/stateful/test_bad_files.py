"""Whose fault it is that COPY fails is found out: files are rejected, wait, or may not be read, and the rest loads."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from loader import diagnosis

from tests.stateful.worlds import FIRST, new_world, statements_kept_by_its_clock
from tests.world.executions import Execution
from tests.world.files import Event, Song
from tests.world.simulator import ROOT, Memory, World

COPIED = ("functions", "sql", "statemachine", "template.yaml", "pyproject.toml")

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


def event(item: int = 0, **more: Any) -> bytes:
    return json.dumps({**Event(item=item).record(), **more}).encode() + b"\n"


def song(number: int = 1, **more: Any) -> bytes:
    return json.dumps({**Song(f"SO{number}").record(), **more}).encode() + b"\n"


GOOD = {"log_data/p/good1.json": event(1), "log_data/p/good2.json": event(2)}
# What a file begins with, and what its reason says of it.
ODD = {
    "log_data/p/array.json": (b"[" + event(3).strip() + b"]", "is a JSON array; one object"),
    "log_data/p/bom.json": (b"\xef\xbb\xbf" + event(4), "begins with a byte order mark"),
    "log_data/p/gzip.json": (gzip.compress(event(5) * 9), "is gzip under a .json name"),
    "log_data/p/html.json": (b"<html><body>502 Bad Gateway</body></html>\n", "is HTML"),
    "log_data/p/null.json": (b"null\n", "begins with true, false or null"),
    "log_data/p/plain.json.gz": (event(6), "is not gzip, although its name ends in .gz"),
    "log_data/p/scalar.json": (b"42\n", "begins with a number"),
    "log_data/p/utf16.json": (event(7).decode().encode("utf-16"), "is UTF-16"),
    "song_data/p/array.json": (b"[" + song().strip() + b"]", "is a JSON array; one object"),
}


@pytest.fixture
def world() -> Iterator[World]:
    with new_world() as made:
        yield made


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    """A world in which nothing was ever loaded."""
    with World(tmp_path / "warehouse") as made, statements_kept_by_its_clock(made):
        yield made


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Memory:
    with World(tmp_path_factory.mktemp("first") / "warehouse") as made:
        for file in FIRST:
            made.upload(file.key, file.body)
        made.work()
        return made.remember()


def changed(folder: Path) -> Path:
    """A copy of the product, to be changed."""
    folder.mkdir()
    for name in COPIED:
        copy: Any = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    return folder


def load(world: World, files: dict[str, bytes]) -> Execution:
    """Uploads the files together; the execution that loaded them."""
    for key, body in files.items():
        world.upload(key, body)
    world.work()
    return world.executions.all[-1]


def start(world: World, document: Any = None) -> Execution:
    execution = world.start(document or {})
    world.work()
    return execution


def ledger(world: World, column: str = "status") -> dict[str, Any]:
    """Key -> status (or another column) of the files beside FIRST."""
    (rows,) = world.warehouse.query(f"SELECT key, {column} FROM sparkify.file_status")
    return {key: value for key, value in rows if key not in {file.key for file in FIRST}}


def copies(world: World) -> int:
    return sum(ran.sql.startswith("COPY sparkify_loader.") for ran in world.warehouse.faults.ran)


def documents(world: World) -> list[str]:
    return [
        key for key, _, _ in world._listed(world.stack.work_bucket) if key.startswith("sweep/again")
    ]


@contextmanager
def denied(world: World, *parts: str, role: str = "CopyRole") -> Iterator[None]:
    """The role may not read objects with these parts in their keys."""
    allows = world.stack.allows

    def without(who: str, action: str, resource: str, *more: Any) -> bool:
        if who == role and action == "s3:GetObject" and any(part in resource for part in parts):
            return False
        return bool(allows(who, action, resource, *more))

    with mock.patch.object(world.stack, "allows", without):
        yield


# -- rejected ----------------------------------------------------------------------------------


def test_odd_files_are_rejected_with_what_stands_there_and_the_rest_loads(world: World) -> None:
    execution = load(world, {**{key: body for key, (body, _) in ODD.items()}, **GOOD})
    assert execution.status == "SUCCEEDED", execution.report
    statuses, reasons = ledger(world), ledger(world, "reason")
    assert {key: statuses[key] for key in GOOD} == dict.fromkeys(GOOD, "loaded")
    for key, (_, why) in ODD.items():
        assert (statuses[key], f"The file {why}" in reasons[key]) == ("rejected", True), reasons[
            key
        ]
    files = execution.report["files"]
    assert (files["loaded"], files["rejected"]) == (len(GOOD), len(ODD))
    assert not documents(world)


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_file_alone_is_rejected_where_another_has_loaded(world: World, odd: str) -> None:
    body, why = ODD[odd]
    execution = load(world, {odd: body})
    assert execution.status == "SUCCEEDED", execution.report
    assert ledger(world) == {odd: "rejected"}
    assert why in ledger(world, "reason")[odd]


def test_where_nothing_has_loaded_a_good_file_of_the_batch_is_the_control(empty: World) -> None:
    """The first load of all: case 01."""
    array = "log_data/p/array.json"
    execution = load(empty, {array: ODD[array][0], **GOOD})
    assert execution.status == "SUCCEEDED", execution.report
    assert ledger(empty) == {array: "rejected", **dict.fromkeys(GOOD, "loaded")}


def test_empty_and_blank_ids_are_none(world: World) -> None:
    bad = {
        "song_data/e/one.json": song(1, song_id=""),
        "song_data/e/two.json": song(2, song_id="", title="Another"),
        "song_data/e/blank.json": song(3, song_id="  "),
        "song_data/e/artist.json": song(4, artist_id=""),
        "log_data/e/page.json": event(1, page=" "),
        "log_data/e/user.json": event(1, userId=""),
    }
    good = {
        "song_data/e/good.json": song(5),
        "log_data/e/home.json": event(1, userId="", page="Home") + event(2),
    }
    assert load(world, {**bad, **good}).status == "SUCCEEDED"
    wanted = {**dict.fromkeys(bad, "rejected"), **dict.fromkeys(good, "loaded")}
    assert ledger(world) == wanted
    (rows,) = world.warehouse.query("SELECT song_id FROM sparkify.songs ORDER BY song_id")
    assert rows == [("SO0",), ("SO5",)]


@pytest.mark.parametrize("shown", [False, True])
def test_the_line_goes_into_the_ledger_only_and_only_if_it_is_asked_for(shown: bool) -> None:
    line = '{"email": "ann@example.org", "artist": '
    with new_world(parameters={"ShowBadLines": str(shown).lower()}) as world:
        body = event(1) + line.encode() + b"x" * 100 + b"\n" + event(2)
        execution = load(world, {"log_data/p/bad.json": body, **GOOD})
        reason = ledger(world, "reason")["log_data/p/bad.json"]
        said = diagnosis.explained("Invalid value.")
        told = f"{said} The line begins: {(line + 60 * 'x')[:60]}"
        assert reason == (told if shown else said)
        assert "ann@" not in json.dumps(execution.report)
        assert "ann@" not in json.dumps(world.told)
        assert ledger(world, "error_line")["log_data/p/bad.json"] == 2


# -- the set-up's ------------------------------------------------------------------------------


def test_a_wrong_jsonpaths_file_rejects_no_file(tmp_path: Path, first: Memory) -> None:
    tree = changed(tmp_path / "tree")
    paths = tree / "sql/datasets/log_data/jsonpaths.json"
    right = paths.read_text()
    paths.write_text(right.replace("$['artist']", "$['artist']['name']"))
    files = {f"log_data/p/{number}.json": event(number) for number in range(5)}
    with (
        World(tmp_path / "warehouse", tree=tree, memory=first) as world,
        statements_kept_by_its_clock(world),
    ):
        before = copies(world)
        execution = load(world, files)
        assert execution.status == "FAILED"
        cause = execution.report["cause"]
        assert "Member is not an object" in cause
        assert f"{FIRST[0].key}, which loaded before, fails too" in cause
        assert ledger(world) == {}
        assert copies(world) - before == 3
        kept = world.remember()
    with World(tmp_path / "again", memory=kept) as world, statements_kept_by_its_clock(world):
        world.settle()
        assert ledger(world) == dict.fromkeys(files, "loaded")


def test_an_array_that_is_too_short_fails_copy_and_is_its_files_fault(tmp_path: Path) -> None:
    """Redshift fails the whole COPY for it, and names the object."""
    tree = changed(tmp_path / "tree")
    paths = tree / "sql/datasets/log_data/jsonpaths.json"
    paths.write_text(paths.read_text().replace("$['location']", "$['places'][1]"))
    good, short = {"places": ["here", "there"]}, {"places": ["here"]}
    with World(tmp_path / "warehouse", tree=tree) as world, statements_kept_by_its_clock(world):
        files = {
            "log_data/a.json": event(1, **good),
            "log_data/b.json": event(2, **short),
            "log_data/c.json": event(3, **good) + event(4, **short),
            "log_data/d.json": event(5, **good),
        }
        execution = load(world, files)
        assert execution.status == "SUCCEEDED", execution.report
        assert [ledger(world)[key] for key in files] == ["loaded", "rejected", "rejected", "loaded"]
        why = "An array is missing or too short: "
        assert ledger(world, "reason")["log_data/b.json"].startswith(why)
        # Alone, with another that has loaded as the control.
        assert load(world, {"log_data/e.json": event(6, **short)}).status == "SUCCEEDED"
        assert ledger(world)["log_data/e.json"] == "rejected"


# -- waiting -----------------------------------------------------------------------------------


def test_the_first_file_of_all_waits_if_it_fails(empty: World) -> None:
    """Whether it or the set-up is wrong cannot be known: it is in the ledger, and the load fails."""
    odd = "log_data/p/scalar.json"
    execution = load(empty, {odd: ODD[odd][0]})
    assert execution.status == "FAILED"
    assert odd in execution.report["cause"]
    files = execution.report["files"]
    assert (files["waiting"], files["rejected"], files["failed"]) == (1, 0, 0)
    assert [file["key"] for file in execution.report["waiting"]] == [odd]
    assert ledger(empty) == {odd: "waiting"}
    assert "begins with a number" in ledger(empty, "reason")[odd]
    assert f"{odd}, " in empty.told[-1][1]
    # It is tried at each sweep, and that leaves one row; a good file decides.
    for _ in range(2):
        empty.sweep()
        empty.work()
    (rows,) = empty.warehouse.query("SELECT status FROM sparkify.files")
    assert rows == [("waiting",)]
    load(empty, GOOD)
    empty.settle()
    assert ledger(empty) == {odd: "rejected", **dict.fromkeys(GOOD, "loaded")}
    assert not documents(empty)


def test_a_file_that_fails_a_check_that_never_passed_waits_with_its_name(
    tmp_path: Path, first: Memory
) -> None:
    tree = changed(tmp_path / "tree")
    check = tree / "sql/datasets/log_data/checks/staged/level_is_gold.sql"
    check.write_text(
        "-- A new check.\nSELECT COUNT(*) AS figure, 0 AS expected\n"
        "FROM ${loader_schema}.${event_stage} WHERE level <> 'gold'\n"
    )
    key = "log_data/p/silver.json"
    with (
        World(tmp_path / "warehouse", tree=tree, memory=first) as world,
        statements_kept_by_its_clock(world),
    ):
        execution = load(world, {key: event(1)})
        assert execution.status == "FAILED"
        assert "level_is_gold" in execution.report["cause"]
        assert [c["name"] for c in execution.report["checks"] if not c["passed"]] == [
            "level_is_gold"
        ]
        assert ledger(world) == {key: "waiting"}
        assert "level_is_gold" in ledger(world, "reason")[key]
        # A file that passes it proves the check.
        load(world, {"log_data/p/gold.json": event(2, level="gold")})
        world.settle()
        assert ledger(world) == {key: "rejected", "log_data/p/gold.json": "loaded"}
        assert not documents(world)


# -- unreadable --------------------------------------------------------------------------------


def test_an_object_that_may_not_be_read_is_tried_again_by_the_sweep(world: World) -> None:
    secret = "song_data/secret/c.json"
    files = {"song_data/open/a.json": song(1), "song_data/open/b.json": song(2), secret: song(3)}
    with denied(world, "/secret/"):
        execution = load(world, files)
        assert execution.status == "SUCCEEDED", execution.report
        assert ledger(world)[secret] == "unreadable"
        assert set(ledger(world).values()) == {"unreadable", "loaded"}
        figures = execution.report["files"]
        assert (figures["loaded"], figures["unreadable"], figures["rejected"]) == (2, 1, 0)
        assert [file["key"] for file in execution.report["unreadable"]] == [secret]
        subject, text = world.told[-1]
        assert "1 file unreadable" in subject
        assert secret in text
        # {} and every sweep try it again, and leave one row.
        assert start(world).report["files"]["unreadable"] == 1
        for _ in range(2):
            world.sweep()
            world.work()
        assert world.executions.all[-1].report["files"]["unreadable"] == 1
        where = f"SELECT COUNT(*) FROM sparkify.files WHERE key = '{secret}'"
        assert world.warehouse.query(where) == [[(1,)]]
        assert len(documents(world)) == 1
    # The role is fixed: the next sweep loads it, long after its mark has passed it by.
    world.clock.advance(30 * 86_400)
    world.settle()
    assert ledger(world)[secret] == "loaded"
    assert not documents(world)
    known = len(world.executions.all)
    world.sweep()
    world.work()
    assert len(world.executions.all) == known


def test_where_copy_may_read_nothing_it_is_the_set_up(world: World) -> None:
    files = {f"song_data/p/{number}.json": song(number) for number in range(6)}
    with denied(world, "song_data/"):
        before = copies(world)
        execution = load(world, files)
        assert execution.status == "FAILED"
        assert f"{FIRST[1].key}, which loaded before, fails too" in execution.report["cause"]
        assert ledger(world) == {}
        assert copies(world) - before == 3
    world.settle()
    assert ledger(world) == dict.fromkeys(files, "loaded")


def test_the_first_load_of_all_with_an_object_that_may_not_be_read(empty: World) -> None:
    """Case 04: three songs, one of them denied."""
    files = {f"song_data/p/{name}.json": song(n) for n, name in enumerate("abc")}
    with denied(empty, "/b.json"):
        execution = load(empty, files)
        assert execution.status == "SUCCEEDED", execution.report
        statuses = ledger(empty)
        assert statuses.pop("song_data/p/b.json") == "unreadable"
        assert set(statuses.values()) == {"loaded"}
    empty.settle()
    assert ledger(empty) == dict.fromkeys(files, "loaded")
