"""``loader status`` says of each dataset what became of its files, and what to do."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local.client import files, queries
from local.client.clients import Clients
from local.client.stack import Stack
from local.client.target import LOCAL_WAREHOUSE
from local.datasets import Dataset, datasets
from local.show import state
from local.show.tables import Result
from tests.stateful.worlds import new_world
from tests.world.files import Event, File
from tests.world.simulator import World


@pytest.fixture
def world() -> Iterator[World]:
    with new_world() as found:
        yield found


def look(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, state.State]:
    def run(_: Clients, sql: str) -> Result:
        (rows,) = world.warehouse.query(sql)
        return Result(rows=[list(row) for row in rows], has_rows=True)

    monkeypatch.setattr(queries, "run", run)
    clients = cast(Clients, SimpleNamespace(s3=world._s3, warehouse=LOCAL_WAREHOUSE))
    stack = cast(Stack, SimpleNamespace(data_bucket=world.stack.data_bucket))
    return {each.dataset.name: each for each in files.states(clients, stack)}


def put(world: World, key: str, body: bytes, **more: Any) -> None:
    world.upload(key, body, **more)


def test_each_kind_of_file_is_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    good = File("log_data/2018/good.json", (Event(user=7, item=3),))
    put(world, good.key, good.body)
    world.settle()
    put(world, "log_data/bad.json", b'{"page": \n')
    world.settle()
    put(world, "log_data/unheard.json", File("x", (Event(user=8, item=9),)).body, event=False)
    put(world, "log_data/notes.txt", b"not a log", event=False)
    put(world, "log_data/2018/", b"", event=False)  # a folder marker is no file
    put(world, "elsewhere/a.json", b"{}", event=False)
    found = look(world, monkeypatch)
    logs, songs = found["log_data"], found["song_data"]
    assert logs.counts == {"loaded": 2, "rejected": 1, "not loaded": 1, "not taken": 1}
    assert logs.newest == good.key
    assert logs.not_taken == ["log_data/notes.txt"]
    assert logs.asks
    assert (logs.rows, songs.rows) == (3, None)
    assert songs.counts == {"loaded": 1}
    assert not songs.asks
    assert songs.to_do == ""
    told = "\n".join(state.lines(list(found.values()), None))
    assert "rejected: upload fixed files under their keys" in told
    ends = ".json, .json.gz, .json.bz2 or .json.zst"
    assert f"not taken by log_data (its files end with {ends}): log_data/notes.txt" in told


def test_a_dataset_that_only_the_ledger_has_is_shown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a stack was deployed from another release."""
    logs = [each for each in datasets() if each.name == "log_data"]
    monkeypatch.setattr(files, "datasets", lambda: logs)
    found = look(world, monkeypatch)
    assert found["song_data"].counts == {"loaded": 1}
    assert found["song_data"].to_do == state.UNKNOWN
    assert found["log_data"].to_do == ""


def test_before_the_first_load_all_is_not_loaded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = look(world, monkeypatch)
    assert found["log_data"].counts == {"loaded": 1}

    def refuse(_: Clients, sql: str) -> Result:
        raise queries.SqlError('relation "sparkify.file_status" does not exist')

    monkeypatch.setattr(queries, "run", refuse)
    clients = cast(Clients, SimpleNamespace(s3=world._s3, warehouse=LOCAL_WAREHOUSE))
    stack = cast(Stack, SimpleNamespace(data_bucket=world.stack.data_bucket))
    counts = [each.counts for each in files.states(clients, stack)]
    assert counts == [{"not loaded": 1}, {"not loaded": 1}]


def twenty(**counts: int) -> list[state.State]:
    return [
        state.State(
            Dataset(f"dataset_number_{n}", f"data_{n}/", (".json",), "facts"),
            {"loaded": 10_000 * n, **(counts if n == 3 else {})},
            rows=1_234_567,
            newest=f"data_{n}/2026/11/30/a-file-of-the-day.json",
            newest_at="2026-11-30 18:58",
        )
        for n in range(20)
    ]


def test_twenty_datasets_are_a_line_each() -> None:
    told = state.lines(twenty(), None)
    assert len(told) == 22
    assert told[0].split()[:4] == ["dataset", "loaded", "rejected", "waiting"]
    assert "unreadable" not in told[0]
    told = state.lines(twenty(rejected=2, unreadable=1), None)
    assert "unreadable" in told[0]
    (row,) = [line for line in told if line.startswith("dataset_number_3 ")]
    assert row.endswith(
        "rejected: upload fixed files under their keys; unreadable: let COPY read them"
    )
    assert told[-2] == "which files, and why:"


def test_a_narrow_terminal_has_words_instead_of_a_table() -> None:
    told = state.lines(twenty(waiting=4), 80)
    assert told[3] == (
        "dataset_number_3: 30,000 loaded, 0 rejected, 4 waiting, 0 not taken; 1,234,567 rows of facts; "
        "newest 2026-11-30 18:58 2026/11/30/a-file-of-the-day.json; to do: waiting: see the reasons"
    )


def test_rows_that_are_left_out_are_told() -> None:
    found = twenty(loaded=1)
    found[0].left_out = 1
    assert state.lines(found, None)[-1] == (
        f"{found[0].dataset.name}: 1 bad row left out of loaded files; loader rejected --rows shows them. Upload "
        "corrected rows in a file of their own"
    )
