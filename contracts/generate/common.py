"""Statements that datasets with and without a key have alike."""

from collections.abc import Iterable, Sequence

from contracts.generate.shape import OF_LOAD, Shape
from contracts.generate.words import lines, text
from contracts.model import Child

THIS_BATCH = "load_id = '${load_id}' AND batch = '${batch}'"
OF_LOAD_LITERALS = ("CAST('${load_id}' AS VARCHAR(64))", "CAST('${batch}' AS VARCHAR(64))")


def insert(
    table: str, columns: Sequence[str], values: Sequence[str], source: str, comment: str = ""
) -> str:
    """INSERT … SELECT, a column a line."""
    return (
        f"{comment}INSERT INTO {table} (\n{lines(columns)}\n)\nSELECT\n{lines(values)}\n{source};\n"
    )


def insert_elements(shape: Shape, child: Child, table: str) -> str:
    """Adds the batch's elements of an array to a table of results."""
    columns = [*shape.child_key, "position", *shape.child_columns(child)]
    return insert(
        f"${{schema}}.{table}",
        [*columns, *OF_LOAD],
        [*(f"c.{column}" for column in columns), *OF_LOAD_LITERALS],
        f"FROM {shape.typed_child(child)} AS c",
        f"-- The elements of the batch's {child.each}. Runs in the publish step.\n",
    )


def delete_batch(tables: Iterable[str], comment: str) -> str:
    """Deletes what an earlier attempt of the batch left."""
    deletes = "\n\n".join(
        f"DELETE FROM ${{schema}}.{table}\nWHERE {THIS_BATCH};" for table in tables
    )
    return f"-- {comment}\n{deletes}\n"


def published(tables: Iterable[str]) -> str:
    """published.sql: the rows that a batch wrote."""
    parts = "\nUNION ALL\n".join(
        f"""\
SELECT
    CAST('rows' AS VARCHAR(16)) AS kind,
    CAST({text(table)} AS VARCHAR(128)) AS name,
    COUNT(*) AS figure,
    CAST(NULL AS BIGINT) AS expected
FROM ${{schema}}.{table}
WHERE {THIS_BATCH}"""
        for table in tables
    )
    return f"-- The rows that a batch wrote, by table. Runs in the publish step, as a part of publish/figures.sql.\n{parts}\n"


def undone(tables: Iterable[str]) -> str:
    """undone.sql: the rows that the undo of a load deletes."""
    parts = "\nUNION ALL\n".join(
        f"""\
SELECT
    CAST({text(table)} AS VARCHAR(128)) AS name,
    COUNT(*) AS figure,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    CAST(NULL AS VARCHAR(32)) AS last_start
FROM ${{schema}}.{table}
WHERE load_id = '${{undone_load}}'"""
        for table in tables
    )
    return f"-- What the undo of a load deletes, by table. Runs after undo/look.sql.\n{parts}\n"


def has_contract(shape: Shape, digest: str) -> dict[str, str]:
    """The check that the tables have this contract, for the transactions that write them."""
    query = none(
        f"""\
FROM ${{schema}}.contracts AS c
INNER JOIN (
    SELECT MAX(m.number) AS number
    FROM ${{schema}}.contracts AS m
    WHERE m.dataset = '${{dataset}}'
) AS l ON c.number = l.number
WHERE c.dataset = '${{dataset}}' AND c.digest <> '{digest}'"""
    )
    comment = (
        "No other deployment has changed the tables to another contract in the meantime. Runs in"
    )
    return {
        f"checks/published/{shape.table}_contract.sql": check(
            f"{comment} the publish transaction.", query
        ),
        f"checks/undone/{shape.table}_contract.sql": check(f"{comment} the undo of a load.", query),
    }


def check(comment: str, query: str) -> str:
    """A check: one row of figure and expected."""
    return f"-- {comment}\n{query}\n"


def all_accounted_for(shape: Shape) -> dict[str, str]:
    """The check that each row which COPY has read is published or among the rejected rows."""
    if not shape.contract.bad_rows.by_row:
        return {}
    query = f"""\
SELECT
    r.rejected AS figure,
    l.landed - t.typed + CAST(${{rows_refused}} AS BIGINT) AS expected
FROM (SELECT COUNT(*) AS rejected FROM ${{schema}}.rejected_rows WHERE {THIS_BATCH}) AS r
CROSS JOIN (SELECT COUNT(*) AS landed FROM {shape.staged}) AS l
CROSS JOIN (SELECT COUNT(*) AS typed FROM {shape.typed}) AS t"""
    comment = "Each row that COPY refused, or that has values which do not fit, is among the rejected rows. Runs in the publish transaction."
    return {f"checks/published/{shape.table}_rejected.sql": check(comment, query)}


def none(source: str) -> str:
    """The query of a check that there is no such row."""
    return f"SELECT\n    COUNT(*) AS figure,\n    0 AS expected\n{source}"
