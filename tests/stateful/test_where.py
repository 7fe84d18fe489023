"""``loader where`` and ``loader rejected`` say of files what the ledger and the bucket have."""

import argparse
import json
import shlex
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local.client import ledger, queries
from local.client.clients import Clients
from local.client.target import LOCAL_WAREHOUSE
from local.commands import rejected, where
from local.problem import Usage
from local.show.tables import Result
from tests.stateful.worlds import new_world
from tests.world.files import Event, File
from tests.world.simulator import World

ODD = "log_data/it's 100% a\\b_c ünïcode 😀.json"
BROKEN = b'{"page": \n'


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A version that loads, then a bad one, under an odd key; bad files of two kinds; files that no load has seen."""
    with new_world() as found:
        good = File(ODD, (Event(user=7, item=3),))
        found.upload(ODD, good.body)
        found.settle()
        found.upload(ODD, BROKEN)
        found.upload("log_data/2018/bad.json", BROKEN)
        found.upload(
            "log_data/2018/bad_type.json", b'{"ts": "x", "sessionId": 1, "itemInSession": 1}\n'
        )
        found.settle()
        found.upload("log_data/unheard.json", good.body, event=False)
        found.upload("log_data/notes.txt", b"x", event=False)
        found.upload("log_data/folder/", b"", event=False)
        yield found


@pytest.fixture
def clients(world: World, monkeypatch: pytest.MonkeyPatch) -> Clients:
    def run(_: Clients, sql: str) -> Result:
        (rows,) = world.warehouse.query(sql)
        return Result(rows=[list(row) for row in rows], has_rows=True)

    monkeypatch.setattr(queries, "run", run)
    return cast(Clients, SimpleNamespace(s3=world._s3, warehouse=LOCAL_WAREHOUSE))


def look(clients: Clients, world: World, *words: str) -> ledger.Found:
    return ledger.where(clients, world.stack.data_bucket, words)


def test_each_version_of_a_key_with_what_happened_to_it(clients: Clients, world: World) -> None:
    [file] = look(clients, world, ODD).files
    assert [one.status for one in file.versions] == ["rejected", "loaded"]
    assert file.status == "rejected"  # of the version that is in the bucket
    assert file.now is not None
    assert file.version is not None
    assert file.now.etag == file.version.etag != file.versions[1].etag
    [record] = file.version.records
    assert (record.line, bool(record.reason)) == (1, True)
    assert {len(record.at), record.at[-1]} == {20, "Z"}
    told = "\n".join(where.lines(ledger.Found([file]), "b", " --stack s"))
    [command] = [line for line in told.splitlines() if "loader start" in line]
    words = shlex.split(command[command.index("loader start") :])
    assert json.loads(words[2]) == {"keys": [ODD]}
    assert words[3:] == ["--stack", "s"]


def test_the_status_of_a_version_is_that_of_the_view(clients: Clients, world: World) -> None:
    (rows,) = world.warehouse.query("SELECT key, etag, status, load_id FROM sparkify.file_status")
    found = look(clients, world, "*")
    mine = [
        (file.key, one.etag, one.status, one.records[0].load_id)
        for file in found.files
        for one in file.versions
    ]
    assert sorted(mine) == sorted(map(tuple, rows))


@pytest.mark.parametrize(
    ("word", "keys"),
    [
        ("log_data/2018/", ["log_data/2018/bad.json", "log_data/2018/bad_type.json"]),
        ("log_data/2018/bad?type.json", ["log_data/2018/bad_type.json"]),
        ("log_data/2018/bad_*", ["log_data/2018/bad_type.json"]),
        ("log_data/*ü*", [ODD]),
        ("bad_type.json", ["log_data/2018/bad_type.json"]),
        ("log_data/un*", ["log_data/unheard.json"]),
        ("log_data/notes.txt", ["log_data/notes.txt"]),
        ("log_data/folder/", []),
        ("log_data/2018/bad", []),
        ("log_data/2018/badXtype.json", []),
        ("' OR '1'='1", []),
    ],
)
def test_what_a_word_means(clients: Clients, world: World, word: str, keys: list[str]) -> None:
    found = look(clients, world, word)
    assert [file.key for file in found.files] == keys
    assert found.nothing == ([] if keys else [word])


def test_a_file_that_no_load_has_seen(clients: Clients, world: World) -> None:
    [unheard] = look(clients, world, "log_data/unheard.json").files
    assert (unheard.status, unheard.versions) == (ledger.NOT_LOADED, [])
    [notes] = look(clients, world, "log_data/notes.txt").files
    assert notes.status == ledger.NOT_TAKEN
    nothing = look(clients, world, "log_data/none.json", "none.json")
    told = list(where.lines(nothing, "b", ""))
    assert told == [
        "log_data/none.json: no load has seen it, and s3://b has no such object",
        "none.json: no load has seen it. Give the whole key to look for it in the bucket",
    ]


def test_a_uri_of_the_bucket_is_a_key_and_of_another_is_refused(
    clients: Clients, world: World
) -> None:
    [file] = look(clients, world, f"s3://{world.stack.data_bucket}/log_data/2018/bad.json").files
    assert file.status == "rejected"
    with pytest.raises(Usage, match="not another"):
        look(clients, world, "s3://another/log_data/2018/bad.json")


def test_a_key_that_is_a_glob_itself_is_that_key_only() -> None:
    found = ledger.Asked("a/*.json")
    assert found.of(["a/*.json", "a/b.json"]) == {"a/*.json"}
    assert found.of(["a/b.json", "a/c.txt", "b/a/d.json"]) == {"a/b.json"}
    assert ledger.Asked("a/x\n?").of(["a/x\ny"]) == {"a/x\ny"}


def test_before_the_first_load_there_is_no_ledger(
    clients: Clients, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Clients, sql: str) -> Result:
        raise queries.SqlError('ERROR: schema "sparkify" does not exist')

    monkeypatch.setattr(queries, "run", refuse)
    [file] = look(clients, world, "log_data/2018/bad.json").files
    assert file.status == ledger.NOT_LOADED
    assert ledger.rejected(clients, "b", [], "", 10, rows=False).bad == []


# ---------------------------------------------------------------- rejected
def test_files_are_grouped_by_reason_with_the_input_that_tries_them_again(
    clients: Clients, world: World
) -> None:
    found = ledger.rejected(clients, world.stack.data_bucket, [], "", 100, rows=False)
    assert found.total == len(found.bad) == 3
    together = rejected.groups(found)
    assert sorted(sorted(one.key for one in group) for group in together) == [
        sorted(["log_data/2018/bad.json", ODD]),
        ["log_data/2018/bad_type.json"],
    ]
    assert [one.at for one in found.bad] == sorted((one.at for one in found.bad), reverse=True)
    again = rejected.input_of(found, rows=False)
    assert again == {"keys": sorted(one.key for one in found.bad)}
    told = "\n".join(rejected.lines(found, again, arguments(), ""))
    command = told[told.index("loader start") :]
    assert json.loads(shlex.split(command)[2]) == again
    world.start(again)
    world.settle()
    tried = ledger.rejected(clients, world.stack.data_bucket, [], "", 100, rows=False)
    assert [one.key for one in tried.bad] == again["keys"]
    assert not {one.load_id for one in tried.bad} & {one.load_id for one in found.bad}


def arguments(**more: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"files": [], "rows": False, "load": "", **more})


def test_only_those_of_a_prefix_or_a_load_and_the_newest(clients: Clients, world: World) -> None:
    bucket = world.stack.data_bucket
    below = ledger.rejected(clients, bucket, ["log_data/2018/"], "", 100, rows=False)
    assert {one.key for one in below.bad} == {
        "log_data/2018/bad.json",
        "log_data/2018/bad_type.json",
    }
    of_load = ledger.rejected(clients, bucket, [], below.bad[0].load_id, 100, rows=False)
    assert below.bad[0].key in {one.key for one in of_load.bad}
    none = ledger.rejected(clients, bucket, [], "20200101-000000-00000000", 100, rows=False)
    assert (none.bad, none.total) == ([], 0)
    newest = ledger.rejected(clients, bucket, [], "", 1, rows=False)
    assert (len(newest.bad), newest.total) == (1, 3)
    told = list(rejected.lines(newest, None, arguments(), ""))
    assert "These are the newest 1 of 3 (--last N)." in told


def bad(**more: Any) -> ledger.Bad:
    said: dict[str, Any] = {
        "dataset": "d",
        "status": "rejected",
        "key": "d/a",
        "etag": "e",
        "line": 1,
        "code": 1207,
        "reason": "Invalid digit, Value 't', Pos 0",
        "column": "n",
        "load_id": "l",
        "at": "2026-12-01T05:46:10Z",
        **more,
    }
    return ledger.Bad(**said)


def test_values_and_places_do_not_separate_a_reason() -> None:
    other = bad(key="d/b", reason="Invalid digit, Value 'xy', Pos 12")
    found = ledger.LeftOut([bad(), other, bad(key="d/c", column="m")], 3)
    assert [len(group) for group in rejected.groups(found)] == [2, 1]


def test_many_files_are_tried_again_through_a_pipe() -> None:
    found = ledger.LeftOut([bad(key=f"d/{n}") for n in range(9)], 9)
    again = rejected.input_of(found, rows=False)
    told = list(rejected.lines(found, again, arguments(files=["d/x y/"], load="l"), " --stack s"))
    assert (
        told[-1]
        == "  loader rejected 'd/x y/' --load l --input --stack s | loader start - --stack s"
    )


def test_an_input_holds_no_more_than_step_functions_takes() -> None:
    found = ledger.LeftOut([bad(key=f"d/{'ü' * 400}{n:04}") for n in range(500)], 500)
    again = rejected.input_of(found, rows=True)
    assert again is not None
    assert again["reload"] is True
    assert 250 < len(again["keys"]) < 500
    assert len(json.dumps(again, ensure_ascii=False).encode()) <= 262_144


def test_a_missing_file_is_not_tried_again() -> None:
    found = ledger.LeftOut([bad(status="missing")], 1)
    assert rejected.input_of(found, rows=False) is None
    told = "\n".join(rejected.lines(found, None, arguments(), ""))
    assert "upload them again" in told


def test_a_bad_row_is_shown_with_its_record_and_reloaded() -> None:
    found = ledger.LeftOut([bad(status="row", record='{"n":\x1b"t"}')], 1)
    again = rejected.input_of(found, rows=True)
    told = list(rejected.lines(found, again, arguments(rows=True), ""))
    assert told[0] == "1 row left out of d, column n: Invalid digit, Value 't', Pos 0"
    assert told[1].endswith('d/a, line 1, column n  {"n":\\x1b"t"}')
    assert json.loads(shlex.split(told[-1])[2]) == {"keys": ["d/a"], "reload": True}
