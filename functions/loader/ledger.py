"""Compares a listing with the ledger: which of its files are new, and what the ledger says of the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from loader import keys, sql, statements, sweep_mark
from loader.dataapi import StatementFailed
from loader.migrations import latest_version
from loader.settings import settings
from loader.sql import Rendered

if TYPE_CHECKING:
    from loader.state import Load


KNOWN_AS = ("loaded", "rejected", "withdrawn")  # the statuses of a file that is not new

LAST = 3  # the number of the statement of ``comparison`` that has the result

Row = tuple[Any, ...]


class NoTables(StatementFailed):
    """The tables do not exist, or are of an older version."""


def comparison(load: Load, listing: str, *parts: object) -> list[Rendered]:
    """The statements that compare a listing (its URI) with the ledger; ``parts`` distinguish listings of one load."""
    return statements.compare({
        **_names(load),
        "plan_table": keys.plan_table(load["load_id"], *parts),
        "listing": listing,
        "named": sql.flag(load["named"]),
        "reload": sql.flag(load["mode"] == "reload"),
    })  # fmt: skip


def alone(load: Load) -> list[Rendered]:
    """What the ledger says of itself, where nothing is listed."""
    return statements.ledger(_names(load))


def _names(load: Load) -> dict[str, str]:
    return {**settings().template_names, "load_id": load["load_id"], "batch": "0"}


def read(rows: Iterable[Row], listed: int) -> tuple[bytearray, dict[str, int]]:
    """Whether each listed file is new, by its number, and figures by their names.

    ``rows``: the last result of ``comparison``, or of ``alone`` if nothing is listed.
    """
    is_new = bytearray(listed)
    figures: dict[str, int] = {}
    for figure, name in rows if listed else _of_ledger(rows):
        if name is not None:
            figures[str(name)] = int(figure or 0)
        elif figure is not None and int(figure) < listed:
            is_new[int(figure)] = 1
    return is_new, figures


def _of_ledger(rows: Iterable[Row]) -> Iterator[tuple[Any, Any]]:
    """The row of sql/plan/ledger.sql in the form of sql/plan/compare.sql."""
    for _, made, loads, version in rows:
        yield loads, made
        yield version, "version"


def with_figures(load: Load, figures: dict[str, int]) -> Load:
    """The load with the ledger's reading and how many files have which status. Raises NoTables for old tables."""
    version = figures.pop("version", latest_version())
    if version < latest_version():
        if not load["dry_run"]:
            raise NoTables(f"The tables have version {version}, not {latest_version()}.")
        load = {**load, "upgraded": {"from": version, "to": version}}
    before: dict[str, int] = load.get("known_as", {})
    known_as = {status: figures[status] for status in KNOWN_AS if status in figures}
    total = {
        status: before.get(status, 0) + known_as.get(status, 0)
        for status in KNOWN_AS
        if status in before or status in known_as
    }
    asked = load["asked"]
    readings = [
        sweep_mark.reading(name, n, asked) for name, n in figures.items() if name not in KNOWN_AS
    ]
    return {**load, "known_as": total, "ledger": readings[0] if readings else None}
