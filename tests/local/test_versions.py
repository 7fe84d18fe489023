"""What a deployment says of the tables."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from loader.migrations import latest_version

from local.client import queries, versions
from local.client.clients import Clients
from local.datasets import Dataset


def test_the_latest_version_is_that_of_the_loader() -> None:
    assert versions.latest() == latest_version()


@pytest.mark.parametrize(
    ("version", "says"),
    [
        (latest_version(), ""),
        (latest_version() - 1, "older than the deployed version"),
        (latest_version() + 1, "Deploy the newer release again"),
        ('ERROR: relation "schema_version" does not exist', "the first load creates them"),
        ('ERROR: schema "sparkify" does not exist', "the first load creates them"),
        ("ERROR: connection refused", "could not be read: ERROR: connection refused"),
    ],
)
def test_what_is_said(monkeypatch: pytest.MonkeyPatch, version: Any, says: str) -> None:
    def run(_: Clients, sql: str) -> Any:
        assert "schema_version" in sql
        if isinstance(version, str):
            raise queries.SqlError(version)
        return SimpleNamespace(rows=[[version]])

    monkeypatch.setattr(queries, "run", run)
    told = versions.advice(cast(Clients, SimpleNamespace(target=SimpleNamespace(suffix=""))))
    assert says in told
    assert bool(told) is bool(says)
    if says.startswith("older"):
        assert """start '{"migrate": true}'""" in told


@pytest.mark.parametrize(
    ("digests", "says"),
    [
        ([], ""),  # no load has made the tables yet
        ([("orders", "new")], ""),
        ([("orders", "old")], "The tables of orders have another contract"),
        ([("orders", "old"), ("orders", "new")], ""),
        ([("orders", "new"), ("orders", "old")], "The tables of orders have another contract"),
        ([("readings", "old")], ""),
    ],
)
def test_tables_of_another_contract(
    monkeypatch: pytest.MonkeyPatch, digests: list[tuple[str, str]], says: str
) -> None:
    known = (
        Dataset("orders", "orders/", (".jsonl",), contract="new"),
        Dataset("log_data", "log_data/", (".json",)),
    )

    def run(_: Clients, sql: str) -> Any:
        version = [[latest_version()]]
        return SimpleNamespace(rows=version if "schema_version" in sql else digests)

    monkeypatch.setattr(queries, "run", run)
    monkeypatch.setattr(versions, "datasets", lambda: known)
    told = versions.advice(cast(Clients, SimpleNamespace(target=SimpleNamespace(suffix=""))))
    assert says in told
    assert bool(told) is bool(says)
