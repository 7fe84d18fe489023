"""What lets Redshift plan a group's statements without running them.

EXPLAIN accepts SELECT, INSERT, UPDATE, DELETE and CREATE TABLE AS, and no other statement
(https://docs.aws.amazon.com/redshift/latest/dg/r_EXPLAIN.html). The tables that a group creates are created first,
empty, in the same session; staging tables are dropped at the end. COPY runs, into a temporary table of its target's
columns. Each batch is AUTO_COMMIT, so that one refusal does not hide the next.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from loader.dataapi import MAX_STATEMENTS
from loader.rendered import Group
from loader.sql import Rendered

_PLANNED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
_TEMPORARY = re.compile(r"CREATE TEMPORARY TABLE\b", re.I)
_AS_SELECT = re.compile(r"\bAS\s+SELECT\b", re.I)
_CREATED = re.compile(r"CREATE TABLE (\S+)", re.I)
_COPY = re.compile(r"COPY (\S+)", re.I)
_TEARDOWN = "DROP TABLE IF EXISTS "


@dataclass(frozen=True)
class Step:
    """A statement of a batch, and the statement of the loader that it represents; None if it prepares the batch."""

    text: str
    of: Rendered | None = None


def batches(group: Group, schema: str) -> Iterator[list[Step]]:
    """The batches that plan the group. schema: the loader's own, with the staging tables.

    LOCK and DROP are left out, and so is COPY into a staging table: the preflight runs those by themselves.
    """
    created = [f"{schema}.{table}" for table in group.tables]
    setup = [
        Step(f"CREATE TABLE {schema}.{table} (LIKE {schema}.{parent} INCLUDING DEFAULTS)")
        for table, parent in group.tables.items()
    ]
    planned: list[
        list[Step]
    ] = []  # what must be in one batch, because each batch is a separate session
    for statement in group.statements:
        if _TEMPORARY.match(statement):
            setup.append(Step(statement, statement))
            if _AS_SELECT.search(statement):
                planned.append([Step(f"EXPLAIN {as_another(statement)}", statement)])
        elif match := _CREATED.match(statement):
            setup.append(Step(statement, statement))
            created.append(match.group(1))
        elif match := _COPY.match(statement):
            if not match.group(1).startswith(f"{schema}."):
                planned.append(_copied(statement, match.group(1)))
        elif statement.startswith("SET "):
            setup.append(Step(statement, statement))
        elif statement.split(None, 1)[0].upper() in _PLANNED:
            planned.append([Step(f"EXPLAIN {statement}", statement)])
    teardown = [Step(f"{_TEARDOWN}{', '.join(created)}")] if created else []
    room = MAX_STATEMENTS - len(setup) - len(teardown)
    batch: list[Step] = []
    for steps in planned:
        if len(batch) + len(steps) > room:
            yield [*setup, *batch, *teardown]
            batch = []
        batch += steps
    if batch:
        yield [*setup, *batch, *teardown]


def is_teardown(step: Step) -> bool:
    """Whether the statement drops the tables that its batch has created."""
    return step.of is None and step.text.startswith(_TEARDOWN)


def _copied(statement: Rendered, target: str) -> list[Step]:
    """COPY into a temporary table with the same columns; a temporary table stays as it is."""
    if "." not in target:
        return [Step(statement, statement)]
    own = f"{target.rpartition('.')[2]}_planned"
    return [
        Step(f"CREATE TEMPORARY TABLE {own} (LIKE {target} INCLUDING DEFAULTS)"),
        Step(statement.replace(f"COPY {target}", f"COPY {own}", 1), statement),
    ]


def as_another(statement: str) -> str:
    """CREATE TEMPORARY TABLE x AS …, for a session that has x already."""
    return re.sub(
        r"(CREATE TEMPORARY TABLE )(\w+)", r"\1\2_planned", statement, count=1, flags=re.I
    )
