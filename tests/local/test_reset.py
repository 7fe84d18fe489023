"""Nothing is deleted before the warehouse has agreed, and the demo wipes only what it made."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws

from local.client import executions, made, queries, queues, sam, stack
from local.client.clients import Clients
from local.client.objects import Upload, put_all
from local.client.stack import Stack
from local.commands import demo, reset, up
from local.problem import Problem
from local.show import tables
from local.show.report import Report

PARTS = Stack("stack", "data", "work", "machine", "queue", "dead")
REFUSED = "reset would delete all loaded data; it is allowed only if AllowReset is true."


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    with mock_aws():
        s3 = boto3.client(
            "s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        for bucket in ("data", "work"):
            s3.create_bucket(Bucket=bucket)
            s3.put_object(Bucket=bucket, Key="log_data/mine.json", Body=b"{}")
        yield cast(Clients, SimpleNamespace(s3=s3))


def keys(clients: Clients, bucket: str) -> list[str]:
    found = clients.s3.list_objects_v2(Bucket=bucket).get("Contents", ())
    return [entry["Key"] for entry in found]


class Around:
    """What a reset does beside the buckets: each is a word in ``did``."""

    def __init__(self, clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
        self.did: list[str] = []
        self.fails = ""
        self.loads: list[list[Any]] = [[], []]
        self.running = [0, 0]
        self._clients = clients
        monkeypatch.setattr(executions, "stop_all", lambda *_: self.running.pop(0))
        monkeypatch.setattr(queries, "cancel_running", lambda *_: 0)
        monkeypatch.setattr(queues, "purge", lambda *_: None)
        monkeypatch.setattr(reset, "execute", self.execute)
        monkeypatch.setattr(queries, "run", self.run)

    def execute(self, _clients: Clients, _parts: Stack, text: str) -> Report:
        self.did.append(f"{text} with {len(keys(self._clients, 'data'))} objects")
        return Report("arn", bool(self.fails), {"cause": self.fails})

    def run(self, _clients: Clients, sql: str) -> tables.Result:
        assert "FROM loads" in sql
        return tables.Result(rows=self.loads.pop(0))


@pytest.fixture
def around(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Around:
    return Around(clients, monkeypatch)


def test_a_reset_that_is_refused_keeps_every_object(clients: Clients, around: Around) -> None:
    around.fails = REFUSED
    with pytest.raises(Problem, match=r"no object was deleted: reset would delete"):
        reset.reset(clients, PARTS)
    assert keys(clients, "data") == keys(clients, "work") == ["log_data/mine.json"]


def test_the_buckets_are_emptied_last(clients: Clients, around: Around) -> None:
    reset.reset(clients, PARTS)
    assert around.did == ['{"reset": true} with 1 objects']
    assert keys(clients, "data") == keys(clients, "work") == []


@pytest.mark.parametrize("running", [0, 1])
def test_what_was_loaded_while_the_bucket_was_emptied_goes_too(
    clients: Clients, around: Around, running: int
) -> None:
    """A sweep came in between: its rows would stay, without a file."""
    around.running = [0, running]
    around.loads = [[] if running else [["20261123-203011-0a1b2c3d"]]]
    reset.reset(clients, PARTS)
    assert around.did[1:] == ['{"reset": true} with 0 objects']


# ---------------------------------------------------------------- the demo
@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[list[Any]]:
    """Key, ETag and size of what the warehouse has."""
    rows: list[list[Any]] = []

    def run(_clients: Clients, sql: str) -> tables.Result:
        assert "status = 'loaded'" in sql
        if rows == [["no tables"]]:
            raise queries.SqlError('relation "files" does not exist')
        return tables.Result(rows=rows, has_rows=True)

    monkeypatch.setattr(queries, "run", run)
    return rows


def uploaded(clients: Clients, folder: Path, notes: Path) -> dict[str, str]:
    """Two files of a demo, in the bucket and in its notes; their ETags."""
    clients.s3.delete_object(Bucket="data", Key="log_data/mine.json")
    folder.mkdir()
    uploads = []
    for name in ("log_data/a.json", "song_data/b.json"):
        path = folder / Path(name).name
        path.write_text(name)
        uploads.append(Upload(path, name))
    made.note("data", uploads, notes)
    return put_all(clients, "data", uploads, lambda _: None)


def test_what_the_demo_made_it_may_wipe(
    clients: Clients, loaded: list[list[Any]], tmp_path: Path
) -> None:
    notes = tmp_path / "demo.json"
    etags = uploaded(clients, tmp_path / "files", notes)
    loaded += [[key, etag, len(key)] for key, etag in etags.items()]
    assert made.others(clients, "data", notes) == []
    made.refuse_others(clients, "data", notes)
    assert made.others(clients, "data", tmp_path / "lost.json") == sorted(etags)


@pytest.mark.parametrize("rows", [[], [["no tables"]]])
def test_a_file_of_somebody_else_stops_it_by_name(
    clients: Clients, loaded: list[list[Any]], tmp_path: Path, rows: list[list[Any]]
) -> None:
    """Another key, and the demo's own key with another content."""
    notes = tmp_path / "demo.json"
    uploaded(clients, tmp_path / "files", notes)
    loaded += rows
    clients.s3.put_object(Bucket="data", Key="orders/mine.json", Body=b"{}")
    clients.s3.put_object(Bucket="data", Key="log_data/a.json", Body=b"LOG_DATA/a.json")
    said = "did not create: log_data/a.json, orders/mine.json. Nothing was deleted. .* make demo WIPE=1"
    with pytest.raises(Problem, match=said):
        made.refuse_others(clients, "data", notes)
    assert len(keys(clients, "data")) == 3


def test_rows_of_a_file_that_is_no_longer_in_the_bucket_stop_it_too(
    clients: Clients, loaded: list[list[Any]], tmp_path: Path
) -> None:
    notes = tmp_path / "demo.json"
    uploaded(clients, tmp_path / "files", notes)
    loaded += [[f"orders/{number}.json", "etag", 5] for number in range(5)]
    with pytest.raises(Problem, match=r"orders/0.json, orders/1.json, orders/2.json and 2 more"):
        made.refuse_others(clients, "data", notes)


def test_notes_of_another_bucket_are_not_believed(
    clients: Clients, loaded: list[list[Any]], tmp_path: Path
) -> None:
    notes = tmp_path / "demo.json"
    etags = uploaded(clients, tmp_path / "files", notes)
    notes.write_text(notes.read_text().replace('"data"', '"other"', 1))
    assert made.others(clients, "data", notes) == sorted(etags)


@pytest.mark.parametrize("wipe", [False, True])
def test_the_demo_asks_before_it_wipes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wipe: bool
) -> None:
    """Unless it is told; nothing is reset before."""
    did: list[str] = []

    class Enough(Exception):
        pass

    def refuse(*_: object) -> None:
        raise Problem("there is something")

    def wiped(*_: object) -> None:
        did.append("reset")
        raise Enough

    nothing: list[tuple[Any, str]] = [
        *((up, "begin"), (up, "wait")),
        *((sam, "build"), (sam, "deploy")),
    ]
    for module, name in [*nothing, (demo, "clients")]:
        monkeypatch.setattr(module, name, lambda *_: None)
    monkeypatch.setattr(stack, "deployed", lambda _: PARTS)
    monkeypatch.setattr(reset, "reset", wiped)
    monkeypatch.setattr(made, "refuse_others", refuse)
    arguments = argparse.Namespace(data=None, wipe=wipe)
    with pytest.raises(Enough if wipe else Problem, match="" if wipe else "there is something"):
        demo.run(arguments)
    assert did == ["reset"] * wipe
